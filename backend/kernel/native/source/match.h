/* Whole matches between two brains (docs/spec/rules.md §4). */

#define MOST_TURNS 254 /* the largest max_turns, so `words` cannot overflow */

typedef struct {
    const int16_t *weights[2]; /* of A and of B */
    uint8_t dna[2][32];
    uint64_t battle_seed;
    uint32_t active_mask[2]; /* slots of the object's graph alone */
    rules rules;
} match;

typedef struct {
    uint8_t words[MOST_TURNS][32]; /* before each activation */
    uint8_t last[32], log_root[32];
    uint32_t turns;
    int32_t winner; /* 0 A, 1 B, -1 nobody */
} played;

/* Tough bodies have less hp, and short-winded ones more: no stat is worth much more than another.
 * hp is 116 to 219. */
static creature newcomer(const uint8_t dna[32], uint8_t tile) {
    uint32_t defense = dna[1] % 128, stamina = 12 + dna[2] % 20;
    uint32_t lacking = stamina < 23 ? 23 - stamina : 0;
    uint32_t hp = (44800 + 94 * lacking * lacking) / (256 + defense);
    return (creature){tile,           (uint8_t)hp,
                      (uint8_t)stamina, 0,
                      (uint8_t)(48 + dna[0] % 64), (uint8_t)defense,
                      REST};
}

static position first_position(const match *m, uint64_t battle_seed, int first) {
    const uint64_t *terrain = TEMPLATES[battle_seed & 63], cleared = ~(BIT(0) | BIT(63));
    creature sides[2] = {newcomer(m->dna[0], 0), newcomer(m->dna[1], 63)};
    position p = {terrain[0] & cleared, terrain[1] & cleared, sides[first], sides[1 - first], 0, 0};
    p.flags = (uint8_t)is_critical(battle_seed, 0, &m->rules);
    return p;
}

/* 0 A, 1 B, -1 nobody, at a match's end. Shares of what each was born with, so that more hp at birth
 * is no victory; one without hp has the least share. */
static int32_t winner_of(const position *end, const uint8_t dna[2][32], uint64_t battle_seed) {
    /* The sides are swapped after every activation, the last one too. */
    int a_is_self = ((int)(battle_seed >> 6 & 1) ^ (end->turn & 1)) == 0;
    uint32_t a = a_is_self ? end->self.hp : end->enemy.hp, b = a_is_self ? end->enemy.hp : end->self.hp;
    a *= newcomer(dna[1], 63).hp;
    b *= newcomer(dna[0], 0).hp;
    return a == b ? -1 : a < b;
}

/* Plays a match on one seed; `words`, if not null, takes the log. Who won; `p` is the last word. */
static int32_t fight(const match *m, uint64_t battle_seed, uint8_t (*words)[32], position *p) {
    activations n = {0};
    int acting = (int)(battle_seed >> 6 & 1);
    *p = first_position(m, battle_seed, acting);
    for (; !is_over(p, &m->rules); acting ^= 1) {
        if (words) pack(words[p->turn], p);
        features_of(p, n.x);
        n.closed = GRAPH_MASK & ~m->active_mask[acting];
        forward(m->weights[acting], &n);
        activate(p, decode_action(n.z, p), &m->rules, battle_seed);
    }
    return winner_of(p, m->dna, battle_seed);
}

static void play(const match *m, played *out) {
    position p;
    out->winner = fight(m, m->battle_seed, out->words, &p);
    out->turns = p.turn;
    pack(out->last, &p);
    merkle_root(out->words[0], out->turns, out->log_root);
}

/* Many matches of the same two, of which nothing is kept but who won: no log is hashed. */
static void winners(const match *m, const uint64_t *seeds, uint64_t count, int8_t *out) {
    position p;
    for (uint64_t i = 0; i < count; i++) out[i] = (int8_t)fight(m, seeds[i], NULL, &p);
}
