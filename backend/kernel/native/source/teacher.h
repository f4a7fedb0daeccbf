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

/* The labels of a valid word, given its first step; there is none for a creature in reach. */
static labels label_beside_move(const position *p, const rules *r, int step) {
    int reach = adjacent(p->self.pos, p->enemy.pos);
    uint32_t defense = (uint32_t)p->enemy.defense + p->enemy.temp_def;
    labels found;
    found.move = step;
    found.attack = reach ? (int)damage(15, defense, r) : 0;
    /* At most 255 * 127 on either side. */
    found.block =
        r->block_threshold_den * p->self.temp_def < r->block_threshold_num * p->enemy.power;
    return found;
}

static labels label_of(const position *p, const rules *r) {
    int reach = adjacent(p->self.pos, p->enemy.pos);
    return label_beside_move(p, r, reach ? NO_MOVE : first_step(p, r));
}

/* Bits of the 5 x 5 tiles around one, five to a byte, that are off the board: by its row and by its
 * column. */
static const uint64_t OFF_ROWS[8] = {0x1F1F, 0x1F, 0, 0, 0, 0, UINT64_C(0x1F) << 32,
                                     UINT64_C(0x1F1F) << 24};
#define FIVE UINT64_C(0x0101010101)
static const uint64_t OFF_COLUMNS[8] = {3 * FIVE, FIVE, 0, 0, 0, 0, 16 * FIVE, 24 * FIVE};

/* Which of those bits are inputs: all but the corners and the middle, row by row. */
#define AROUND 1, 2, 3, 8, 9, 10, 11, 12, 16, 17, 19, 20, 24, 25, 26, 27, 28, 33, 34, 35
enum { NEAR = 20 };

/* The 5 x 5 tiles around one, five to a byte: rows come down by rotating, columns by shifting. What
 * wraps around is off the board. */
static uint64_t around(uint64_t board, int row, int column) {
    int by = 8 * ((row + 6) & 7);
    uint64_t rows = by ? board >> by | board << (64 - by) : board;
    return (rows & UINT64_C(0xFFFFFFFFFF)) << 2 >> column;
}

static void features_of(const position *p, int16_t x[32]) {
    int column = p->self.pos & 7, row = p->self.pos >> 3;
    uint64_t off = OFF_ROWS[row & 7] | OFF_COLUMNS[column];
    uint64_t walls = around(p->walls, row, column) | off;
    uint64_t hazards = around(p->hazards, row, column) & ~walls;
#if LANES == 8
    static const uint8_t order[64] = {AROUND};
    __m512i tiles = _mm512_mask_mov_epi8(_mm512_maskz_set1_epi8(hazards, 16), walls,
                                         _mm512_set1_epi8(32));
    tiles = _mm512_permutexvar_epi8(_mm512_loadu_si512(order), tiles);
    _mm512_storeu_si512(x, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(tiles)));
#else
    static const uint8_t order[NEAR] = {AROUND};
    for (int i = 0; i < NEAR; i++)
        x[i] = (int16_t)((walls >> order[i] & 1) * 32 + (hazards >> order[i] & 1) * 16);
#endif
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
