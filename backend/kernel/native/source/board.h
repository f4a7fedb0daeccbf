/* Board words, random numbers, validity (docs/spec/rules.md §1, §2). */

typedef struct {
    uint8_t pos, hp, stamina, temp_def, power, defense, last; /* see ACTION and HEADING */
} creature;

typedef struct {
    uint64_t walls, hazards;
    creature self, enemy;
    uint8_t turn, flags;
} position;

/* The season's constants, in the order of `Rules.values()`. */
typedef struct {
    uint32_t damage_k, damage_curve, block_gain, block_cap, crit_odds, hazard_stamina, rest_gain,
        max_turns, block_threshold_num, block_threshold_den, self_play_words;
} rules;

enum { REST, MOVE, ATTACK, BLOCK };

/* The two halves of `last`: what the creature did, and where it moved last (0 nowhere yet, else
 * 1 + the direction). */
#define ACTION(last) ((last) & 3)
#define HEADING(last) ((last) >> 2)
#define MOST_HEADING 4
enum { NO_MOVE = -1 };

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)
#define BIT(tile) (UINT64_C(1) << (tile))
#define COLUMN_A UINT64_C(0x0101010101010101)
#define COLUMN_H (COLUMN_A << 7)

static uint64_t split_mix64(uint64_t x) {
    uint64_t z = x + GOLDEN;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* s + n * GOLDEN wraps mod 2^64, as the rules have it: defined, because unsigned. */
static uint64_t draw(uint64_t s, uint64_t n) { return split_mix64(s + n * GOLDEN); }

static uint64_t load64(const uint8_t *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
    return value;
}

static void store64(uint8_t *bytes, uint64_t value) {
    for (int i = 7; i >= 0; i--, value >>= 8) bytes[i] = (uint8_t)value;
}

/* From the 32 big-endian bytes of a word; any bytes will do. Byte 0 holds bits 248-255: flags,
 * turn, seven of the enemy (2-8) and seven of self (9-15), each with its lowest field last,
 * hazards, walls. */
static position unpack(const uint8_t word[32]) {
    position p;
    p.flags = word[0];
    p.turn = word[1];
    const uint8_t *enemy = word + 8, *self = word + 15; /* the lowest field of each side */
    p.enemy = (creature){enemy[0], enemy[-1], enemy[-2], enemy[-3], enemy[-4], enemy[-5], enemy[-6]};
    p.self = (creature){self[0], self[-1], self[-2], self[-3], self[-4], self[-5], self[-6]};
    p.hazards = load64(word + 16);
    p.walls = load64(word + 24);
    return p;
}

static void pack_creature(uint8_t *lowest, const creature *c) {
    lowest[0] = c->pos;
    lowest[-1] = c->hp;
    lowest[-2] = c->stamina;
    lowest[-3] = c->temp_def;
    lowest[-4] = c->power;
    lowest[-5] = c->defense;
    lowest[-6] = c->last;
}

static void pack(uint8_t word[32], const position *p) {
    word[0] = p->flags;
    word[1] = p->turn;
    pack_creature(word + 8, &p->enemy);
    pack_creature(word + 15, &p->self);
    store64(word + 16, p->hazards);
    store64(word + 24, p->walls);
}

/* `pos` may be any byte here: the test on the left keeps a bad one out, the mask keeps the shift
 * defined. */
static int sound(const creature *c, uint64_t walls) {
    return c->pos < 64 && !(walls >> (c->pos & 63) & 1) && c->hp >= 1 && c->temp_def <= 127 &&
           c->power <= 127 && c->defense <= 127 && HEADING(c->last) <= MOST_HEADING;
}

static int is_valid(const position *p) {
    return !(p->walls & p->hazards) && p->self.pos != p->enemy.pos && p->flags <= 1 &&
           sound(&p->self, p->walls) && sound(&p->enemy, p->walls);
}

/* The up to four tiles next to some tiles. Rows that leave the board are shifted out of the 64
 * bits; columns would wrap into the next row, hence the masks. */
static uint64_t beside(uint64_t tiles) {
    return tiles << 8 | tiles >> 8 | (tiles & ~COLUMN_H) << 1 | (tiles & ~COLUMN_A) >> 1;
}

static int adjacent(int a, int b) { return (int)(beside(BIT(a)) >> b & 1); }

/* The tile next to one in a direction (N, S, E, W), or -1 off the board. */
static int neighbour(int tile, int direction) {
    static const int8_t by[4] = {-8, 8, 1, -1};
    int found = tile + by[direction];
    int off = direction == 2 ? (tile & 7) == 7 : direction == 3 ? (tile & 7) == 0 : found & ~63;
    return off ? -1 : found;
}
