/* Drives every function of a kernel with hostile inputs, for sanitizers (scripts/lib/sanitizers.py):
 * weights at all bounds, words and arenas of any bits, starts that are no states. Prints a digest of
 * all that came out, which is the same for every target.
 *
 * Compiled beside a graph's generated source. */

#include "kernel.c"

#include <stdio.h>
#include <stdlib.h>

#define CASES 24
#define RECORDS 21

static uint64_t seed = 2026;
static uint8_t digest[32];

static uint64_t next_random(void) { return split_mix64(seed++); }

static void tell(const void *data, size_t length) {
    uint8_t own[32];
    keccak(data, length, own);
    for (int i = 0; i < 32; i++) digest[i] ^= own[i];
    keccak(digest, 32, digest);
}

static void random_bytes(uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)next_random();
}

/* Uniform, at the bounds, or small. */
static void random_weights(int16_t *w, int kind) {
    for (int i = 0; i < WEIGHTS; i++) {
        uint64_t r = next_random();
        w[i] = (int16_t)(kind == 0   ? (int)(r % 32768) - 16384
                         : kind == 1 ? (r & 1 ? MAX_WEIGHT : MIN_WEIGHT)
                         : kind == 2 ? MAX_WEIGHT
                                     : (int)(r % 1024) - 500);
    }
}

static rules random_rules(void) {
    rules r = {1 + (uint32_t)(next_random() % 2184), (uint32_t)(next_random() & 1),
               (uint32_t)(next_random() % 256),      (uint32_t)(next_random() % 128),
               1 + (uint32_t)(next_random() % 3),    (uint32_t)(next_random() % 16),
               1 + (uint32_t)(next_random() % 255),  1 + (uint32_t)(next_random() % 254),
               1 + (uint32_t)(next_random() % 255),  1 + (uint32_t)(next_random() % 255),
               1 + (uint32_t)(next_random() % 127)};
    return r;
}

/* Any bits, or a valid position, perhaps with a heading beyond its range or a late turn. */
static void random_word(uint8_t word[32], const rules *r) {
    uint64_t kind = next_random() % 4;
    position p = random_position(next_random(), random_terrain(next_random()), r);
    if (kind == 1) p.self.last = (uint8_t)next_random();
    if (kind == 2) p.turn = (uint8_t)next_random(), p.enemy.last = (uint8_t)(next_random() % 20);
    pack(word, &p);
    if (kind == 0) random_bytes(word, 32);
}

static void pieces(const int16_t *w, const rules *r) {
    for (int i = 0; i < 200; i++) {
        uint8_t word[32], out[3] = {0}, dna[2][32];
        int8_t found[3];
        int16_t x[L0] = {0};
        int32_t z[L4] = {0}, winner = 9;
        random_word(word, r);
        random_bytes(dna[0], sizeof dna);
        chainbeasts_labels(word, 1, r, found);
        tell(found, sizeof found);
        if (chainbeasts_features(word, x) == ACCEPTED) tell(x, sizeof x);
        if (chainbeasts_logits(w, word, 1, z) == ACCEPTED) tell(z, sizeof z);
        if (chainbeasts_decode(word, z, out) == ACCEPTED) tell(out, sizeof out);
        if (chainbeasts_outcome(word, dna, next_random(), r, &winner)) tell(&winner, sizeof winner);
        uint32_t refused = chainbeasts_activate(word, (uint32_t)(next_random() & 3),
                                                (uint32_t)(next_random() & 15), 1, r, seed);
        if (!refused) tell(word, sizeof word);
    }
}

static void matches(int16_t *const w[2], const rules *r) {
    match m = {{w[0], w[1]}, {{0}}, next_random(), {0xFF, (uint32_t)(next_random() & 0xFF)}, *r};
    static played out;
    random_bytes(m.dna[0], sizeof m.dna);
    chainbeasts_play(&m, &out);
    tell(out.words, 32 * (size_t)out.turns);
    tell(out.log_root, sizeof out.log_root);
    tell(&out.winner, sizeof out.winner);
}

/* Windows of all sources, in chains, from a state with any arena, and from bytes that are none. */
static void windows(const int16_t *w, const rules *r, uint32_t segments) {
    enum { COUNT = 9 };
    uint8_t *states = malloc(3 * ENCODED_BYTES), *ends = calloc(COUNT, ENCODED_BYTES);
    uint8_t *records = malloc(32 * RECORDS), status[COUNT] = {0};
    static uint8_t hashes[COUNT * SEGMENTS][32];
    window row[COUNT];
    uint32_t order[COUNT];
    state_header h = {{1}, {2}, {0}, UINT32_MAX - 3, 0, UINT32_MAX};
    if (!states || !ends || !records) exit(2);
    random_word(h.arena, r);
    store_header(states, &h);
    store_weights(states + HEADER_BYTES, w, WEIGHTS);
    memcpy(states + ENCODED_BYTES, states, ENCODED_BYTES);
    states[2 * ENCODED_BYTES - 2] &= 0x7F; /* the last weight's guard bit */
    random_bytes(states + 2 * ENCODED_BYTES, ENCODED_BYTES);
    for (int i = 0; i < RECORDS; i++) random_word(records + 32 * i, r);
    for (int i = 0; i < COUNT; i++) {
        random_bytes((uint8_t *)&row[i], 96);
        row[i].owner_secret_fold = next_random();
        row[i].records_start = next_random() % RECORDS;
        row[i].records_length = RECORDS - row[i].records_start;
        row[i].start = i == 4 ? 1 : i == 5 ? 2 : i < 4 ? 0 : ~(int64_t)(i - 1 - 5 * (i == 6));
        row[i].active_mask = 0xFF;
        row[i].source = (uint32_t)i % 4;
        row[i].heads = i % 2 ? 7 : 3;
        row[i].lr_shift = 3 + (uint32_t)(next_random() % 13);
        row[i].rules = *r;
        order[i] = (uint32_t)i;
    }
    replay_job job = {row, states, records, status, hashes[0], ends, order, COUNT, segments};
    chainbeasts_replay(&job);
    for (int i = 0; i < COUNT; i++) {
        tell(status + i, 1);
        if (status[i] == DONE) tell(ends + ENCODED_BYTES * (size_t)i, ENCODED_BYTES);
        if (status[i] == DONE && !segments) tell(hashes[i], 32);
    }
    free(states), free(ends), free(records);
}

/* A self-play window carries its arena from step to step; any state may hold any. */
static void arenas(int16_t *w, const rules *r) {
    context c = {.seed_core = next_random(), .window_seed = next_random(), .source = SELF_PLAY,
                 .heads = 7, .lr_shift = 3 + (uint32_t)(next_random() % 13), .rules = *r};
    header h = {(uint32_t)next_random(), 0, {0}};
    static trace traces[40];
    random_word(h.arena, r);
    chainbeasts_run(&c, &h, w, 40, traces);
    tell(traces, sizeof traces);
    tell(w, STATE_BYTES);
}

static void roots(void) {
    for (uint32_t count = 1; count <= MOST_WORDS; count = count < 5 ? count + 1 : count * 2 - 1) {
        uint8_t *words = malloc(32 * (size_t)count), root[32];
        if (!words) exit(2);
        random_bytes(words, 32 * (size_t)count);
        chainbeasts_root(words, count, root);
        tell(root, sizeof root);
        free(words);
    }
}

int main(void) {
    int16_t *w[2] = {malloc(STATE_BYTES), malloc(STATE_BYTES)};
    if (!w[0] || !w[1]) return 2;
    for (int i = 0; i < CASES; i++) {
        rules r = random_rules();
        random_weights(w[0], i % 4);
        random_weights(w[1], 3);
        pieces(w[0], &r);
        matches(w, &r);
        if (i % 4 == 0 || i > CASES - 4) windows(w[0], &r, (uint32_t)i % 2);
        arenas(w[i & 1], &r);
    }
    roots();
    for (int i = 0; i < 32; i++) printf("%02x", digest[i]);
    printf("\n");
    free(w[0]), free(w[1]);
    return 0;
}
