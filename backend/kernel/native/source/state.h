/* The committed state: weights as bytes, the tree over their rows, the state hash
 * (docs/spec/state.md). */

#define WEIGHTS (L0 * L1 + L1 * L2 + L2 * L3 + L3 * L4)
#define STATE_BYTES (2 * WEIGHTS)
#define HEADER_BYTES (6 * 32)
#define ENCODED_BYTES (HEADER_BYTES + STATE_BYTES)
#define BIAS 0xC000

#define TOGETHER 8 /* rows of W4 in a leaf */
#define GROUP 16   /* leaves */
/* Where the leaves of each matrix begin: a leaf is a row, but eight of W4's. */
enum { LEAVES1 = 0, LEAVES2 = L0, LEAVES3 = LEAVES2 + L1, LEAVES4 = LEAVES3 + L2 };
#define LEAVES (LEAVES4 + L3 / TOGETHER)
#define WHOLE_GROUPS (LEAVES4 / GROUP)
#define LAST_LEAVES (L3 / TOGETHER)
#define GROUPS (WHOLE_GROUPS + 1)

/* Hashes from the last time; leaves lie in order, so that a group's are one piece. */
typedef struct {
    uint8_t leaf[LEAVES][32], group[GROUPS][32];
} tree;

static const row_set EVERY_ROW = {{UINT32_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

/* Where the rows of a set's word begin, and how long they are. */
static const struct {
    int start, length;
} ROWS_OF[ROW_WORDS] = {{0, L1},
                        {L0 * L1, L2},
                        {L0 * L1 + 64 * L2, L2},
                        {L0 * L1 + L1 * L2, L3},
                        {L0 * L1 + L1 * L2 + L2 * L3, L4}};

/* -16,384 ... 16,383 to 0x8000 ... 0xFFFF, big-endian. */
static void store_weights(uint8_t *restrict bytes, const int16_t *restrict w, int count) {
    for (int i = 0; i < count; i++) {
        uint16_t value = (uint16_t)(w[i] + BIAS);
        bytes[2 * i] = (uint8_t)(value >> 8);
        bytes[2 * i + 1] = (uint8_t)value;
    }
}

/* 0, or 1 where a guard bit is clear. */
static int load_weights(int16_t *restrict w, const uint8_t *restrict bytes) {
    uint8_t guards = 0x80;
    for (int i = 0; i < WEIGHTS; i++) guards &= bytes[2 * i];
    if (!guards) return 1;
    for (int i = 0; i < WEIGHTS; i++)
        w[i] = (int16_t)((bytes[2 * i] << 8 | bytes[2 * i + 1]) - BIAS);
    return 0;
}

/* Bring the bytes of rows that changed up to date. */
static void store_rows(uint8_t *bytes, const int16_t *w, const row_set *changed) {
    for (int word = 0; word < ROW_WORDS; word++) {
        for (uint64_t left = changed->bits[word]; left; left &= left - 1) {
            int at = ROWS_OF[word].start + __builtin_ctzll(left) * ROWS_OF[word].length;
            store_weights(bytes + 2 * at, w + at, ROWS_OF[word].length);
        }
    }
}

/* Bring a tree up to date, given the weights' bytes and the rows that changed. */
static void renew_tree(tree *t, const uint8_t *bytes, const row_set *changed, uint8_t root[32]) {
    const uint8_t *from[LEAVES];
    uint8_t *to[LEAVES];
    uint32_t touched = 0; /* groups */
    int count = 0, leaf = 0;
    for (int word = 0; word < ROW_WORDS; word++) {
        uint64_t left = changed->bits[word];
        if (word == ROW_WORDS - 1) { /* rows of W4 go by eights, a byte of the set */
            for (int shift = 1; shift < TOGETHER; shift *= 2) left |= left >> shift;
            left &= COLUMN_A;
        }
        for (; left; left &= left - 1) {
            int row = __builtin_ctzll(left), own = leaf + (word == ROW_WORDS - 1 ? row / TOGETHER : row);
            from[count] = bytes + 2 * (ROWS_OF[word].start + row * ROWS_OF[word].length);
            to[count++] = t->leaf[own];
            touched |= UINT32_C(1) << own / GROUP;
        }
        leaf += word == 0 ? L0 : 64;
        if (word > 0) continue;
        keccak_many(from, count, 2 * L1 / 8, FIRST_PAD, to); /* all other leaves are half as long */
        count = 0;
    }
    keccak_many(from, count, 2 * L2 / 8, FIRST_PAD, to);
    count = 0;
    for (int group = 0; group < WHOLE_GROUPS; group++)
        if (touched >> group & 1)
            from[count] = t->leaf[GROUP * group], to[count++] = t->group[group];
    keccak_many(from, count, GROUP * 4, FIRST_PAD, to);
    if (touched >> WHOLE_GROUPS & 1)
        keccak(t->leaf[GROUP * WHOLE_GROUPS], 32 * LAST_LEAVES, t->group[WHOLE_GROUPS]);
    keccak(t->group[0], sizeof t->group, root);
}

/* The header fields of an encoded state, and h from them and the root of its weights. */
typedef struct {
    uint8_t beast_id[32], parent[32], arena[32];
    uint32_t global_step, active_mask, window_loss;
} state_header;

static void store_uint(uint8_t word[32], uint32_t value) {
    memset(word, 0, 32);
    for (int i = 0; i < 4; i++) word[31 - i] = (uint8_t)(value >> (8 * i));
}

static void store_header(uint8_t bytes[HEADER_BYTES], const state_header *h) {
    memcpy(bytes, h->beast_id, 32);
    memcpy(bytes + 32, h->parent, 32);
    store_uint(bytes + 64, h->global_step);
    store_uint(bytes + 96, h->active_mask);
    store_uint(bytes + 128, h->window_loss);
    memcpy(bytes + 160, h->arena, 32);
}

/* A number of at most `most`, from 32 big-endian bytes; 0 if it is larger. */
static int load_uint(const uint8_t word[32], uint32_t most, uint32_t *value) {
    uint8_t above = 0;
    for (int i = 0; i < 28; i++) above |= word[i];
    *value = (uint32_t)word[28] << 24 | (uint32_t)word[29] << 16 | (uint32_t)word[30] << 8 | word[31];
    return above == 0 && *value <= most;
}

/* 0, or 1 where a field is beyond its type. */
static int load_header(state_header *h, const uint8_t bytes[HEADER_BYTES]) {
    memcpy(h->beast_id, bytes, 32);
    memcpy(h->parent, bytes + 32, 32);
    memcpy(h->arena, bytes + 160, 32);
    return !(load_uint(bytes + 64, UINT32_MAX, &h->global_step) &&
             load_uint(bytes + 96, UINT8_MAX, &h->active_mask) &&
             load_uint(bytes + 128, UINT32_MAX, &h->window_loss));
}

/* h of a header's bytes and the root of the weights. */
static void hash_state(const uint8_t header[HEADER_BYTES], const uint8_t root[32],
                       uint8_t digest[32]) {
    uint8_t preimage[32 + HEADER_BYTES + 32];
    memcpy(preimage, KERNEL_ID, 32);
    memcpy(preimage + 32, header, HEADER_BYTES);
    memcpy(preimage + 32 + HEADER_BYTES, root, 32);
    keccak(preimage, sizeof preimage, digest);
}
