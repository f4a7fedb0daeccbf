/* The committed state: weights as bytes, the tree over their rows, the state hash
 * (docs/spec/state.md). */

#define WEIGHTS (L0 * L1 + L1 * L2 + L2 * L3 + L3 * L4)
#define STATE_BYTES (2 * WEIGHTS)
#define HEADER_BYTES (6 * 32)
#define ENCODED_BYTES (HEADER_BYTES + STATE_BYTES)
#define BIAS 0xC000

/* Rows of source units, numbered through the layers; a leaf is a row, but eight of W4's. */
enum { ROWS1 = 0, ROWS2 = ROWS1 + L0, ROWS3 = ROWS2 + L1, ROWS4 = ROWS3 + L2, ROWS = ROWS4 + L3 };
#define TOGETHER 8 /* rows of W4 in a leaf */
#define LEAVES (ROWS4 + L3 / TOGETHER)
#define GROUP 16 /* leaves */
#define WHOLE_GROUPS (ROWS4 / GROUP)
#define LAST_LEAVES (L3 / TOGETHER)
#define GROUPS (WHOLE_GROUPS + 1)

/* Hashes from the last time; leaves lie in order, so that a group's are one piece. */
typedef struct {
    uint8_t leaf[LEAVES][32], group[GROUPS][32];
} tree;

/* Rows that may have changed since, a bit for each. */
typedef struct {
    uint64_t bits[(ROWS + 63) / 64];
} row_set;

static int row_in(const row_set *set, int row) { return (int)(set->bits[row / 64] >> (row % 64) & 1); }

static void add_row(row_set *set, int row) { set->bits[row / 64] |= BIT(row % 64); }

static row_set every_row(void) {
    row_set set;
    memset(&set, 0xFF, sizeof set);
    return set;
}

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

/* Where a row's weights begin, and how many there are. */
static int row_start(int row) {
    if (row < ROWS2) return row * L1;
    if (row < ROWS3) return L0 * L1 + (row - ROWS2) * L2;
    if (row < ROWS4) return L0 * L1 + L1 * L2 + (row - ROWS3) * L3;
    return L0 * L1 + L1 * L2 + L2 * L3 + (row - ROWS4) * L4;
}

static int row_length(int row) {
    return row < ROWS2 ? L1 : row < ROWS3 ? L2 : row < ROWS4 ? L3 : L4;
}

/* Bring the bytes of rows that changed up to date. */
static void store_rows(uint8_t *bytes, const int16_t *w, const row_set *changed) {
    for (int row = 0; row < ROWS; row++)
        if (row_in(changed, row))
            store_weights(bytes + 2 * row_start(row), w + row_start(row), row_length(row));
}

/* Bring a tree up to date, given the weights' bytes and the rows that changed. */
static void renew_tree(tree *t, const uint8_t *bytes, const row_set *changed, uint8_t root[32]) {
    const uint8_t *from[LEAVES];
    uint8_t *to[LEAVES];
    uint32_t touched = 0; /* groups */
    int wide = 0, count;
    for (int leaf = 0; leaf < ROWS2; leaf++) {
        if (!row_in(changed, leaf)) continue;
        from[wide] = bytes + 2 * row_start(leaf), to[wide++] = t->leaf[leaf];
        touched |= UINT32_C(1) << leaf / GROUP;
    }
    keccak_many(from, wide, 2 * L1 / 8, FIRST_PAD, to);
    count = 0;
    for (int leaf = ROWS2; leaf < LEAVES; leaf++) {
        int row = leaf < ROWS4 ? leaf : ROWS4 + TOGETHER * (leaf - ROWS4), any = 0;
        for (int i = 0; i < (leaf < ROWS4 ? 1 : TOGETHER); i++) any |= row_in(changed, row + i);
        if (!any) continue;
        from[count] = bytes + 2 * row_start(row), to[count++] = t->leaf[leaf];
        touched |= UINT32_C(1) << leaf / GROUP;
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
