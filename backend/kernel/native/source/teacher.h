/* Labels (docs/spec/labels.md) and inputs (docs/spec/network.md §2) of a valid word. */

typedef struct {
    int move; /* 0 N, 1 S, 2 E, 3 W, or NO_MOVE */
    int attack;
    int block;
} labels;

/* power <= 15 and damage_k <= 2184: a product is at most 32,760. Both divisors are at least 1. */
static uint32_t damage(uint32_t power, uint32_t effective_defense, const rules *r) {
    if (r->damage_curve == 0) return power * r->damage_k / (r->damage_k + effective_defense);
    return effective_defense < r->damage_k
               ? power * (r->damage_k - effective_defense) / r->damage_k
               : 0;
}

/* First step of a cheapest path to a tile next to the enemy.
 *
 * A wavefront runs backwards from those tiles, all tiles of one cost at a time: wave[c mod 32] is
 * what is reached at cost c. Leaving a hazard backwards costs 1 + hazard_stamina <= 16, so no wave
 * is overwritten before its turn. */
static int first_step(const position *p, const rules *r) {
    uint64_t open = ~(p->walls | BIT(p->enemy.pos));
    uint64_t wanted = beside(BIT(p->self.pos)) & open;
    uint64_t wave[32] = {0};
    uint32_t live = 0; /* bit c mod 32: that wave is not empty */
    uint32_t hazard_cost = 1 + r->hazard_stamina, best = UINT32_MAX;
    int step = NO_MOVE;

    wave[0] = beside(BIT(p->enemy.pos)) & open;
    live = wave[0] != 0;
    /* What is first reached at this cost gives paths of cost + 1 or more. Up to cost + 1 = best the
     * search goes on, for an equally cheap path may begin in a lower direction, and that is the
     * label. */
    for (uint32_t cost = 0; live && cost + 1 <= best; cost++) {
        uint32_t slot = cost & 31;
        uint64_t reached = wave[slot] & open; /* not what was reached at a lower cost */
        wave[slot] = 0;
        live &= ~(UINT32_C(1) << slot);
        if (!reached) continue;
        open &= ~reached;
        for (uint64_t hits = reached & wanted; hits; hits &= hits - 1) {
            int tile = __builtin_ctzll(hits), off = tile - p->self.pos;
            int direction = off == -8 ? 0 : off == 8 ? 1 : off == 1 ? 2 : 3;
            uint32_t total = cost + (p->hazards >> tile & 1 ? hazard_cost : 1);
            if (total < best || (total == best && direction < step)) best = total, step = direction;
        }
        uint64_t plain = beside(reached & ~p->hazards), costly = beside(reached & p->hazards);
        uint32_t next = (cost + 1) & 31, later = (cost + hazard_cost) & 31;
        wave[next] |= plain;
        wave[later] |= costly;
        live |= (uint32_t)(plain != 0) << next | (uint32_t)(costly != 0) << later;
    }
    return step;
}

static labels label_of(const position *p, const rules *r) {
    int reach = adjacent(p->self.pos, p->enemy.pos);
    uint32_t defense = (uint32_t)p->enemy.defense + p->enemy.temp_def;
    labels found;
    found.move = reach ? NO_MOVE : first_step(p, r);
    found.attack = reach ? (int)damage(15, defense, r) : 0;
    /* At most 255 * 127 on either side. */
    found.block =
        r->block_threshold_den * p->self.temp_def < r->block_threshold_num * p->enemy.power;
    return found;
}

/* Twelve tiles of a board's row: two off the board, the eight, two off the board. */
static uint32_t padded_row(uint64_t board, int y, uint32_t outside) {
    if (y < 0 || y > 7) return outside ? 0xFFF : 0;
    return (uint32_t)(board >> (8 * y) & 0xFF) << 2 | (outside ? 0xC03 : 0);
}

static void features_of(const position *p, int16_t x[32]) {
    int column = p->self.pos & 7, row = p->self.pos >> 3, n = 0;
    for (int dy = -2; dy <= 2; dy++) {
        uint32_t walls = padded_row(p->walls, row + dy, 1) >> column;
        uint32_t hazards = padded_row(p->hazards, row + dy, 0) >> column;
        int edge = dy == -2 || dy == 2; /* without the corners */
        for (int dx = edge; dx < 5 - edge; dx++) {
            if (dy == 0 && dx == 2) continue; /* itself */
            x[n++] = (int16_t)((walls >> dx & 1) * 32 + (hazards >> dx & ~walls >> dx & 1) * 16);
        }
    }
    int east = (p->enemy.pos & 7) - column, south = (p->enemy.pos >> 3) - row;
    x[20] = (int16_t)(16 * (east > 0 ? east : 0));
    x[21] = (int16_t)(16 * (east < 0 ? -east : 0));
    x[22] = (int16_t)(16 * (south > 0 ? south : 0));
    x[23] = (int16_t)(16 * (south < 0 ? -south : 0));
    x[24] = adjacent(p->self.pos, p->enemy.pos) ? 32 : 0;
    x[25] = (int16_t)((p->enemy.defense + p->enemy.temp_def) >> 2);
    x[26] = (int16_t)(p->enemy.power >> 1);
    x[27] = (int16_t)(p->self.temp_def >> 1);
    x[28] = 32;
    x[29] = x[30] = x[31] = 0;
}
