/* keccak-256 as Ethereum has it, and the Merkle root of a match's log (docs/spec/merkle.md). */

#define RATE 136 /* bytes of a block */

static uint64_t rotated(uint64_t lane, int by) { return lane << by | lane >> (64 - by); }

static void keccak_f(uint64_t lane[25]) {
    static const uint64_t round_constants[24] = {
        UINT64_C(0x0000000000000001), UINT64_C(0x0000000000008082), UINT64_C(0x800000000000808A),
        UINT64_C(0x8000000080008000), UINT64_C(0x000000000000808B), UINT64_C(0x0000000080000001),
        UINT64_C(0x8000000080008081), UINT64_C(0x8000000000008009), UINT64_C(0x000000000000008A),
        UINT64_C(0x0000000000000088), UINT64_C(0x0000000080008009), UINT64_C(0x000000008000000A),
        UINT64_C(0x000000008000808B), UINT64_C(0x800000000000008B), UINT64_C(0x8000000000008089),
        UINT64_C(0x8000000000008003), UINT64_C(0x8000000000008002), UINT64_C(0x8000000000000080),
        UINT64_C(0x000000000000800A), UINT64_C(0x800000008000000A), UINT64_C(0x8000000080008081),
        UINT64_C(0x8000000000008080), UINT64_C(0x0000000080000001), UINT64_C(0x8000000080008008),
    };
    /* The 24 lanes that move, one after another along pi's only long cycle, from lane 1. */
    static const uint8_t by[24] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                   27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};
    static const uint8_t to[24] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                   15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
    for (int round = 0; round < 24; round++) {
        uint64_t column[5], row[5];
#pragma GCC unroll 5
        for (int x = 0; x < 5; x++)
            column[x] = lane[x] ^ lane[x + 5] ^ lane[x + 10] ^ lane[x + 15] ^ lane[x + 20];
#pragma GCC unroll 5
        for (int x = 0; x < 5; x++) {
            uint64_t parity = column[(x + 4) % 5] ^ rotated(column[(x + 1) % 5], 1);
#pragma GCC unroll 5
            for (int y = 0; y < 25; y += 5) lane[x + y] ^= parity;
        }
        uint64_t carried = lane[1];
#pragma GCC unroll 24
        for (int i = 0; i < 24; i++) {
            uint64_t next = lane[to[i]];
            lane[to[i]] = rotated(carried, by[i]);
            carried = next;
        }
#pragma GCC unroll 5
        for (int y = 0; y < 25; y += 5) {
#pragma GCC unroll 5
            for (int x = 0; x < 5; x++) row[x] = lane[x + y];
#pragma GCC unroll 5
            for (int x = 0; x < 5; x++) lane[x + y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
        lane[0] ^= round_constants[round];
    }
}

/* Lanes are little-endian, whatever the host is. */
static void absorb(uint64_t lane[25], const uint8_t block[RATE]) {
    for (int i = 0; i < RATE / 8; i++) {
        uint64_t value = 0;
        for (int j = 7; j >= 0; j--) value = value << 8 | block[8 * i + j];
        lane[i] ^= value;
    }
    keccak_f(lane);
}

static void keccak(const uint8_t *data, size_t length, uint8_t digest[32]) {
    uint64_t lane[25] = {0};
    for (; length >= RATE; data += RATE, length -= RATE) absorb(lane, data);
    uint8_t last[RATE] = {0};
    if (length) memcpy(last, data, length);
    last[length] ^= 0x01; /* Keccak's own padding, not SHA-3's 0x06; both bits may share a byte */
    last[RATE - 1] ^= 0x80;
    absorb(lane, last);
    for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(lane[i / 8] >> (8 * (i % 8)));
}

#define MOST_WORDS 256

/* Root over 1 to 256 words of 32 bytes. */
static void merkle_root(const uint8_t *words, uint32_t count, uint8_t root[32]) {
    uint8_t level[MOST_WORDS][32], leaf[33] = {0}, node[65] = {1};
    uint32_t width = 1;
    while (width < count) width *= 2;
    memset(level, 0, sizeof level); /* the padding leaves */
    for (uint32_t i = 0; i < count; i++) {
        memcpy(leaf + 1, words + 32 * i, 32);
        keccak(leaf, sizeof leaf, level[i]);
    }
    /* In place: node i/2 is written after its children i and i + 1 were copied, and i/2 <= i, so
     * that nothing is overwritten before it is read. The leading 0 and 1 keep leaves and nodes
     * apart. */
    for (; width > 1; width /= 2) {
        for (uint32_t i = 0; i < width; i += 2) {
            memcpy(node + 1, level[i], 64);
            keccak(node, sizeof node, level[i / 2]);
        }
    }
    memcpy(root, level[0], 32);
}
