/* The Merkle root of a match's log (docs/spec/merkle.md), LANES leaves or nodes at a time. */

#define MOST_WORDS 256
#define LEAF_WORDS 5 /* 33 bytes and the pad */
#define NODE_WORDS 9 /* 65 bytes and the pad */

typedef struct {
    uint8_t bytes[8 * NODE_WORDS];
} hashed;

/* Root over 1 to 256 words of 32 bytes. */
static void merkle_root(const uint8_t *words, uint32_t count, uint8_t root[32]) {
    uint8_t level[MOST_WORDS][32];
    hashed inputs[MOST_WORDS];
    const uint8_t *from[MOST_WORDS];
    uint8_t *to[MOST_WORDS];
    uint32_t width = 1;
    while (width < count) width *= 2;
    for (uint32_t i = 0; i < width; i++) from[i] = inputs[i].bytes, to[i] = level[i];
    /* A leading 0 for leaves and 1 for nodes keeps them apart. */
    memset(level, 0, sizeof level); /* the padding leaves */
    for (uint32_t i = 0; i < count; i++) {
        memset(inputs[i].bytes, 0, 8 * LEAF_WORDS);
        memcpy(inputs[i].bytes + 1, words + 32 * (size_t)i, 32);
        inputs[i].bytes[33] = (uint8_t)FIRST_PAD;
    }
    keccak_many(from, (int)count, LEAF_WORDS, 0, to);
    for (; width > 1; width /= 2) {
        for (uint32_t i = 0; i < width / 2; i++) {
            memset(inputs[i].bytes, 0, sizeof inputs[i].bytes);
            inputs[i].bytes[0] = 1;
            memcpy(inputs[i].bytes + 1, level[2 * i], 64);
            inputs[i].bytes[65] = (uint8_t)FIRST_PAD;
        }
        keccak_many(from, (int)(width / 2), NODE_WORDS, 0, to);
    }
    memcpy(root, level[0], 32);
}
