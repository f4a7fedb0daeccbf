/* Labels of several valid words at once, for windows whose words do not depend on the brain. */

/* What a step learns: the word's position, and if it is valid its inputs and labels. */
typedef struct {
    int16_t x[L0] __attribute__((aligned(64)));
    position position;
    labels wanted;
    int valid;
} lesson;

#if LANES > 1
typedef uint64_t boards __attribute__((vector_size(8 * LANES)));

static inline boards beside_each(boards tiles) {
    return tiles << 8 | tiles >> 8 | (tiles & ~COLUMN_H) << 1 | (tiles & ~COLUMN_A) >> 1;
}

static inline int any_tile(boards tiles) {
#if LANES == 8
    return _mm512_test_epi64_mask((__m512i)tiles, (__m512i)tiles) != 0;
#else
    return !_mm256_testz_si256((__m256i)tiles, (__m256i)tiles);
#endif
}

/* Boards of LANES positions, gathered in memory: lanes are dear to set one by one. */
typedef struct {
    uint64_t open[LANES], hazards[LANES], first[LANES], own[LANES];
} gathered __attribute__((aligned(8 * LANES)));

static inline boards lanes_of(const uint64_t from[LANES]) {
    boards found;
    memcpy(&found, from, sizeof found);
    return found;
}

/* `first_step` of LANES positions, one wavefront to a lane: all of one cost go together. */
static void first_steps(const position *const of[LANES], const rules *r, int8_t step[LANES]) {
    boards wave[32], entry[4], total[4], found = {0};
    const uint64_t hazard_cost = 1 + r->hazard_stamina, never = UINT64_MAX;
    const boards none = {0}, endless = none + never;
    gathered g;
    for (int i = 0; i < LANES; i++) {
        const position *p = of[i];
        uint64_t foe = BIT(p->enemy.pos), reach = beside(foe);
        g.own[i] = BIT(p->self.pos);
        g.open[i] = ~(p->walls | foe);
        g.hazards[i] = p->hazards;
        g.first[i] = g.own[i] & reach ? 0 : reach; /* in reach already: no path is looked for */
    }
    boards own = lanes_of(g.own), open = lanes_of(g.open), hazards = lanes_of(g.hazards);
    boards ahead[4] = {own >> 8, own << 8, (own & ~COLUMN_H) << 1, (own & ~COLUMN_A) >> 1};
    boards best = endless;
    for (int d = 0; d < 4; d++) {
        boards costly = (boards)((ahead[d] & hazards) != 0);
        entry[d] = (costly & (hazard_cost - 1)) + 1;
        total[d] = endless;
    }
    wave[0] = lanes_of(g.first) & open;
    for (uint64_t i = 1; i <= hazard_cost; i++) wave[i] = none; /* others are cleared on the way */
    uint32_t live = 1; /* bit c mod 32: the wave of that cost is not empty in some lane */
    for (uint64_t cost = 0; live && any_tile(open); cost++) {
        uint32_t slot = cost & 31, next = (cost + 1) & 31, later = (cost + hazard_cost) & 31;
        boards reached = wave[slot] & open;
        live &= ~(UINT32_C(1) << slot);
        open &= ~reached;
        for (int d = 0; d < 4; d++) {
            boards hit = (boards)((reached & ahead[d]) != 0), sum = entry[d] + cost;
            total[d] = (total[d] & ~hit) | (sum & hit);
            boards less = hit & (boards)(sum < best);
            best = (best & ~less) | (sum & less);
        }
        boards plain = beside_each(reached & ~hazards), costly = beside_each(reached & hazards);
        wave[(later + 1) & 31] = none; /* what the next cost's `later` is */
        wave[next] |= plain;
        wave[later] |= costly;
        live |= (uint32_t)any_tile(plain) << next | (uint32_t)any_tile(costly) << later;
        /* A lane is at its end where what comes later is dearer; its tiles are closed then. */
        open &= ~(boards)(best <= cost + 1);
    }
    /* The lowest of the directions that are cheapest, from 1; 0 for none. */
    boards cheap = (boards)(best != endless);
    for (int d = 3; d >= 0; d--) {
        boards chosen = (boards)(total[d] == best) & cheap;
        found = (found & ~chosen) | (chosen & (uint64_t)(d + 1));
    }
    for (int i = 0; i < LANES; i++) step[i] = (int8_t)(found[i] - 1);
}
#endif

/* The labels of LANES positions; those that are not valid have none. */
static void label_lessons(lesson of[LANES], const rules *r) {
#if LANES > 1
    /* Any valid position stands in for one that is not: the wavefront relies on its bounds. */
    static const position stand_in = {0, 0, {0, 1, 0, 0, 0, 0, 0}, {1, 1, 0, 0, 0, 0, 0}, 0, 0};
    const position *positions[LANES];
    int8_t step[LANES];
    for (int i = 0; i < LANES; i++) positions[i] = of[i].valid ? &of[i].position : &stand_in;
    first_steps(positions, r, step);
    for (int i = 0; i < LANES; i++) {
        of[i].wanted = (labels){NO_MOVE, 0, 0};
        if (of[i].valid) of[i].wanted = label_beside_move(&of[i].position, r, step[i]);
    }
#else
    of->wanted = (labels){NO_MOVE, 0, 0};
    if (of->valid) of->wanted = label_of(&of->position, r);
#endif
}
