/* Windows from bytes to bytes (backend/kernel/replay.py has the same rows). */

#define WINDOW_STEPS 128
#define SEGMENT_STEPS 8
#define SEGMENTS (WINDOW_STEPS / SEGMENT_STEPS)

enum { DONE, MALFORMED_START, NO_START, DROPS_SLOTS };

typedef struct {
    uint8_t dna[32], epoch_seed[32], parent[32];
    uint64_t owner_secret_fold, records_start, records_length;
    int64_t start; /* a state, or ~ the number of an earlier window */
    uint32_t active_mask, source, heads, lr_shift;
    rules rules;
} window;

typedef struct {
    const window *windows;
    const uint8_t *states, *records;
    uint8_t *status, *hashes, *ends;
    const uint32_t *order; /* which windows, each after the one that it starts from */
    uint64_t count;        /* of `order` */
    uint32_t segments;     /* hash after each of them, not h128 alone */
} replay_job;

/* What of a beast is at hand between its windows. */
typedef struct {
    int16_t weights[WEIGHTS] __attribute__((aligned(64)));
    tree tree;
    int64_t at;    /* the window at whose end this is; -1 for none */
    int hashed;    /* the tree is that of the weights */
} working_state;

static uint64_t fold64(const uint8_t bytes[32]) {
    return load64(bytes) ^ load64(bytes + 8) ^ load64(bytes + 16) ^ load64(bytes + 24);
}

static uint8_t replay_window(const replay_job *job, uint32_t number, working_state *own) {
    const window *w = job->windows + number;
    uint8_t *end = job->ends + ENCODED_BYTES * (size_t)number;
    const uint8_t *start = w->start >= 0 ? job->states + ENCODED_BYTES * (size_t)w->start
                                         : job->ends + ENCODED_BYTES * (size_t)~w->start;
    state_header h;
    if (w->start < 0 && job->status[~w->start] != DONE) return NO_START;
    if (load_header(&h, start)) return MALFORMED_START;
    if (w->start >= 0 || own->at != ~w->start) {
        own->at = -1;
        if (load_weights(own->weights, start + HEADER_BYTES)) return MALFORMED_START;
        own->hashed = 0;
    }
    if (h.active_mask & ~w->active_mask) return DROPS_SLOTS;
    own->at = -1;

    context c = {fold64(w->dna), fold64(w->dna) ^ fold64(w->parent), w->owner_secret_fold,
                 job->records + 32 * (size_t)w->records_start, w->records_length,
                 w->epoch_seed[31] & 63, w->active_mask, w->source, w->heads, w->lr_shift, w->rules};
    header running = {h.global_step, 0, {0}};
    row_set changed = own->hashed ? (row_set){{0}} : EVERY_ROW;
    uint32_t hashes = job->segments ? SEGMENTS : 1;
    uint8_t *bytes = end + HEADER_BYTES, *digest = job->hashes + 32 * (size_t)number * hashes;
    memcpy(h.parent, w->parent, 32);
    h.active_mask = w->active_mask;
    memcpy(bytes, start + HEADER_BYTES, STATE_BYTES);
    for (uint32_t done = 0; done < hashes; done++, digest += 32) {
        uint8_t root[32];
        run(&c, &running, own->weights, WINDOW_STEPS / hashes, NULL, &changed);
        h.global_step = running.global_step;
        h.window_loss = running.window_loss;
        memcpy(h.arena, running.arena, 32);
        store_header(end, &h);
        store_rows(bytes, own->weights, &changed);
        renew_tree(&own->tree, bytes, &changed, root);
        hash_state(end, root, digest);
        changed = (row_set){{0}};
    }
    own->hashed = 1;
    own->at = number;
    return DONE;
}

static void replay(const replay_job *job) {
    working_state own;
    own.at = -1, own.hashed = 0;
    for (uint64_t i = 0; i < job->count; i++) {
        uint32_t number = job->order[i];
        job->status[number] = replay_window(job, number, &own);
    }
}
