/* The kernel of one graph: whole windows, whole matches, and the pieces of both for who wants them
 * alone.
 *
 * Pure: no allocation, no global state, no I/O. Callers pass valid pointers; the Python side checks
 * everything else (backend/kernel/native/abi.py, which mirrors the structs below).
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "graph.h"

#include "lanes.h"

#include "board.h"
#include "teacher.h"
#include "lessons.h"
#include "combat.h"
#include "samples.h"
#include "network.h"
#include "keccak.h"
#include "merkle.h"
#include "state.h"
#include "match.h"

#define ABI_VERSION 4
#define NULL_LOSS 4095

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

enum { CURRICULUM, SELF_PLAY, BATTLE, PRIVATE, SEQUENCE };

typedef struct {
    uint64_t seed_core, window_seed, owner_secret_fold;
    const uint8_t *records; /* 32-byte words, for BATTLE, PRIVATE and SEQUENCE */
    uint64_t records_length;
    uint32_t template_offset; /* epochSeed mod 64 */
    uint32_t active_mask; /* slots of the graph alone */
    uint32_t source, heads, lr_shift;
    rules rules;
} context;

typedef struct {
    uint32_t global_step, window_loss;
    uint8_t arena[32];
} header;

typedef struct {
    uint8_t word[32];
    int32_t logits[8];
    uint32_t loss;
    int8_t move;
    uint8_t attack, block, null;
} trace;

EXPORT uint32_t chainbeasts_abi(void) { return ABI_VERSION; }

EXPORT const char *chainbeasts_graph(void) { return GRAPH_NAME; }

static const uint8_t *record_of(const context *c, uint32_t global_step, uint32_t done) {
    if (c->source == SEQUENCE) return c->records + 32 * (size_t)done;
    uint64_t key = c->seed_core ^ global_step;
    if (c->source == PRIVATE) key ^= c->owner_secret_fold;
    return c->records + 32 * (size_t)(split_mix64(key) % c->records_length);
}

static position sample(const context *c, const uint8_t arena[32], uint32_t global_step,
                       uint32_t done) {
    static const uint8_t nothing[32];
    if (c->source == CURRICULUM) {
        /* (epochSeed + globalStep) mod 64 is in the low six bits, which no wrapping changes. */
        const uint64_t *t = TEMPLATES[(c->template_offset + global_step) & 63];
        uint64_t s = split_mix64(c->seed_core ^ global_step);
        return random_position(s, (terrain){t[0], t[1]}, &c->rules);
    }
    if (c->source == SELF_PLAY) {
        if (memcmp(arena, nothing, 32) != 0) return unpack(arena);
        uint64_t s = split_mix64(c->window_seed ^ global_step);
        return random_position(s, random_terrain(s), &c->rules);
    }
    return unpack(record_of(c, global_step, done));
}

/* The lesson of a step. Words that do not depend on what the brain did are drawn and labelled LANES
 * at a time, ahead of their steps; self-play's come one by one. */
static const lesson *prepare(const context *c, const header *h, uint32_t done, uint32_t steps,
                             lesson lessons[LANES]) {
    if (c->source == SELF_PLAY) {
        lessons->position = sample(c, h->arena, h->global_step, done);
        lessons->valid = is_valid(&lessons->position);
        lessons->wanted = (labels){NO_MOVE, 0, 0};
        if (lessons->valid) {
            lessons->wanted = label_of(&lessons->position, &c->rules);
            features_of(&lessons->position, lessons->x);
        }
        return lessons;
    }
    if (done % LANES == 0) {
        for (uint32_t i = 0; i < LANES; i++) {
            uint32_t ahead = done + i < steps ? i : steps - 1 - done; /* SEQUENCE ends there */
            lessons[i].position = sample(c, h->arena, h->global_step + ahead, done + ahead);
            lessons[i].valid = is_valid(&lessons[i].position);
            if (lessons[i].valid) features_of(&lessons[i].position, lessons[i].x);
        }
        label_lessons(lessons, &c->rules);
    }
    return lessons + done % LANES;
}

/* Runs `steps` micro-steps on a state, in place; `traces`, if not null, takes one entry for each;
 * rows that may have changed are added to `changed`. */
static void run(const context *c, header *h, int16_t *weights, uint32_t steps, trace *traces,
                row_set *changed) {
    activations n = {.closed = GRAPH_MASK & ~c->active_mask}; /* once: masked units stay 0 */
    lesson lessons[LANES];
    for (uint32_t done = 0; done < steps; done++) {
        position next;
        const lesson *now = prepare(c, h, done, steps, lessons);
        const position *p = &now->position;
        labels wanted = now->wanted;
        uint32_t loss = NULL_LOSS;
        if (now->valid) {
            int16_t e4[16] __attribute__((aligned(32)));
            memcpy(n.x, now->x, sizeof n.x);
            forward(weights, &n);
            loss = output_errors(n.z, wanted, c->heads, e4);
            learn(weights, &n, e4, (int)c->lr_shift); /* leaves n.z, which play_on acts by */
            add_rows(changed, &n);
            if (c->source == SELF_PLAY) {
                if (play_on(p, n.z, c->window_seed, h->global_step, &c->rules, &next))
                    pack(h->arena, &next);
                else
                    memset(h->arena, 0, 32);
            }
        }
        /* An invalid word comes here at once: weights and arena stay. Both sums wrap mod 2^32. */
        h->global_step++;
        h->window_loss += loss;
        if (traces) {
            trace *t = traces + done;
            pack(t->word, p);
            memset(t->logits, 0, sizeof t->logits);
            if (now->valid) memcpy(t->logits, n.z, sizeof t->logits);
            t->loss = loss;
            t->move = (int8_t)wanted.move;
            t->attack = (uint8_t)wanted.attack;
            t->block = (uint8_t)wanted.block;
            t->null = (uint8_t)!now->valid;
        }
    }
}

#include "replay.h"

/* Runs `steps` micro-steps on a state, in place; `traces`, if not null, takes one entry for each. */
EXPORT void chainbeasts_run(const context *c, header *h, int16_t *weights, uint32_t steps,
                            trace *traces) {
    row_set changed = {{0}};
    run(c, h, weights, steps, traces, &changed);
}

/* Replays windows whose slots are of this graph. */
EXPORT void chainbeasts_replay(const replay_job *job) { replay(job); }

/* The roots over the serialised weights of some states, `stride` bytes apart. */
EXPORT void chainbeasts_weights_roots(const uint8_t *states, uint64_t stride, uint64_t count,
                                      uint8_t *roots) {
    tree t;
    for (uint64_t i = 0; i < count; i++)
        renew_tree(&t, states + stride * i, &EVERY_ROW, roots + 32 * i);
}

/* The root over some weights, int16[16896]. */
EXPORT void chainbeasts_weights_root(const int16_t *weights, uint8_t root[32]) {
    uint8_t bytes[STATE_BYTES];
    tree t;
    store_weights(bytes, weights, WEIGHTS);
    renew_tree(&t, bytes, &EVERY_ROW, root);
}

/* Why a word is refused: nothing reads past a board for one that is not valid. */
enum { ACCEPTED, INVALID, FINISHED };

/* The logits of valid words, with all of the graph's slots awake; int32[count][8]. */
EXPORT uint32_t chainbeasts_logits(const int16_t *weights, const uint8_t *words, uint64_t count,
                                   int32_t *logits) {
    activations n = {0};
    for (uint64_t i = 0; i < count; i++) {
        position p = unpack(words + 32 * i);
        if (!is_valid(&p)) return INVALID;
        features_of(&p, n.x);
        forward(weights, &n);
        memcpy(logits + 8 * i, n.z, sizeof n.z);
    }
    return ACCEPTED;
}

/* The labels of words, int8[count][3] move, attack, block; move is -2 for a word that is not valid.
 */
EXPORT void chainbeasts_labels(const uint8_t *words, uint64_t count, const rules *r, int8_t *out) {
    for (uint64_t i = 0; i < count; i++, out += 3) {
        position p = unpack(words + 32 * i);
        labels found = {-2, 0, 0};
        if (is_valid(&p)) found = label_of(&p, r);
        out[0] = (int8_t)found.move;
        out[1] = (int8_t)found.attack;
        out[2] = (int8_t)found.block;
    }
}

/* The inputs of a valid word, int16[32]. */
EXPORT uint32_t chainbeasts_features(const uint8_t word[32], int16_t x[32]) {
    position p = unpack(word);
    if (!is_valid(&p)) return INVALID;
    features_of(&p, x);
    return ACCEPTED;
}

/* The word after its `self` has acted; one that is not valid or over is refused and left as it is. */
EXPORT uint32_t chainbeasts_activate(uint8_t word[32], uint32_t direction, uint32_t power,
                                     uint32_t block, const rules *r, uint64_t battle_seed) {
    position p = unpack(word);
    if (!is_valid(&p)) return INVALID;
    if (is_over(&p, r)) return FINISHED;
    activate(&p, (action){(int)direction, (int)power, (int)block}, r, battle_seed);
    pack(word, &p);
    return ACCEPTED;
}

/* The action that eight logits mean on a word: direction, power, block; 1 if it is not valid. */
EXPORT uint32_t chainbeasts_decode(const uint8_t word[32], const int32_t z[8], uint8_t out[3]) {
    position p = unpack(word);
    if (!is_valid(&p)) return INVALID;
    action a = decode_action(z, &p);
    out[0] = (uint8_t)a.direction, out[1] = (uint8_t)a.power, out[2] = (uint8_t)a.block;
    return ACCEPTED;
}

/* The winner of a match that stands at a word; 0 if it is not over. */
EXPORT uint32_t chainbeasts_outcome(const uint8_t word[32], const uint8_t dna[2][32],
                                    uint64_t battle_seed, const rules *r, int32_t *winner) {
    position p = unpack(word);
    if (!is_over(&p, r)) return 0;
    *winner = winner_of(&p, dna, battle_seed);
    return FINISHED;
}

/* A match to its end. */
EXPORT void chainbeasts_play(const match *m, played *out) { play(m, out); }

/* Who wins a match on each of some seeds, whatever the match's own is; int8[count]. */
EXPORT void chainbeasts_winners(const match *m, const uint64_t *seeds, uint64_t count,
                                int8_t *out) {
    winners(m, seeds, count, out);
}

/* The Merkle root over 1 to 256 words. */
EXPORT void chainbeasts_root(const uint8_t *words, uint32_t count, uint8_t root[32]) {
    merkle_root(words, count, root);
}

/* keccak-256 of any bytes. */
EXPORT void chainbeasts_keccak(const uint8_t *data, uint64_t length, uint8_t digest[32]) {
    keccak(data, (size_t)length, digest);
}
