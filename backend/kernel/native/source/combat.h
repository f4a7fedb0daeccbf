/* One activation (docs/spec/rules.md §4) and the arena that self-play carries on (samples.md). */

typedef struct {
    int direction, power, block;
} action;

/* Directions without a wall or the edge ahead, as bits; hazards and the enemy's tile are open. */
static uint32_t open_directions(const position *p) {
    uint32_t found = 0;
    for (int d = 0; d < 4; d++) {
        int target = neighbour(p->self.pos, d);
        found |= (uint32_t)(target >= 0 && !(p->walls >> (target & 63) & 1)) << d;
    }
    return found;
}

/* What eight logits mean on a valid word. Turning back is taken for the last way out only: brains
 * that could step to and fro did so until the match was over. */
static action decode_action(const int32_t z[8], const position *p) {
    const creature *me = &p->self;
    uint32_t legal = open_directions(p), heading = HEADING(me->last);
    if (heading) {
        uint32_t onward = legal & ~(UINT32_C(1) << ((heading - 1) ^ 1)); /* N-S, E-W differ in bit 0 */
        if (onward) legal = onward;
    }
    if (!legal) legal = 15; /* enclosed: the largest of all, which will be cancelled */
    action a = {-1, 0, 0};
    for (int d = 0; d < 4; d++)
        if (legal >> d & 1 && (a.direction < 0 || z[d] > z[a.direction])) a.direction = d;
    int32_t half = z[4] >> 1;
    a.power = half < 0 ? 0 : half > 15 ? 15 : half;
    /* One that would be exhausted does not block, for only a rest restores stamina. */
    a.block = z[5] > 0 && me->stamina > (ACTION(me->last) >= ATTACK);
    return a;
}

static int is_critical(uint64_t battle_seed, uint32_t turn, const rules *r) {
    return draw(battle_seed, turn) % r->crit_odds == 0;
}

static int is_over(const position *p, const rules *r) {
    return p->self.hp == 0 || p->enemy.hp == 0 || p->turn >= r->max_turns;
}

/* In uint32, for temp_def + block_gain or stamina + rest_gain may leave a byte before the cap. */
static uint8_t less(uint8_t value, uint32_t by) { return (uint8_t)(value > by ? value - by : 0); }

static uint8_t capped(uint32_t value, uint32_t cap) { return (uint8_t)(value < cap ? value : cap); }

/* `self` of an unfinished match acts; then the sides are swapped. */
static void activate(position *p, action a, const rules *r, uint64_t battle_seed) {
    creature *me = &p->self, *enemy = &p->enemy;
    if (ACTION(me->last) >= ATTACK) me->stamina = less(me->stamina, 1); /* or BLOCK */
    int exhausted = me->stamina == 0, moved = 0; /* settled before a hazard is entered */
    int heading = HEADING(me->last), did = REST; /* only a movement made changes the heading */

    if (!exhausted && !adjacent(me->pos, enemy->pos)) {
        int target = neighbour(me->pos, a.direction);
        if (target >= 0 && !(p->walls >> target & 1)) {
            me->pos = (uint8_t)target;
            heading = 1 + a.direction;
            if (p->hazards >> target & 1) me->stamina = less(me->stamina, r->hazard_stamina);
            moved = 1;
        }
    }
    /* block_cap is at most 127, so that the word stays valid. */
    if (a.block) me->temp_def = capped(me->temp_def + r->block_gain, r->block_cap);
    int attacked = !exhausted && a.power > 0 && adjacent(me->pos, enemy->pos);
    if (attacked) {
        uint32_t hit = damage((uint32_t)a.power, (uint32_t)enemy->defense + enemy->temp_def, r);
        enemy->hp = less(enemy->hp, p->flags & 1 ? 2 * hit : hit);
        enemy->temp_def = 0;
    }
    if (attacked) {
        did = ATTACK;
    } else if (a.block) {
        did = BLOCK;
    } else if (moved) {
        did = MOVE;
    } else {
        me->stamina = capped(me->stamina + r->rest_gain, 255);
    }
    me->last = (uint8_t)(did | heading << 2);
    creature acted = *me;
    p->self = *enemy;
    p->enemy = acted;
    p->turn++; /* to max_turns at most, which is at most 254 */
    p->flags = (uint8_t)is_critical(battle_seed, p->turn, r);
}

/* The arena after a self-play step on `start`: 1 and the next word, or 0 to start afresh. */
static int play_on(const position *start, const int32_t z[8], uint64_t window_seed,
                   uint32_t global_step, const rules *r, position *next) {
    if (is_over(start, r)) return 0; /* a forged arena; a drawn position has turns left */
    *next = *start;
    activate(next, decode_action(z, start), r, window_seed);
    if (is_over(next, r)) return 0;
    uint64_t u = draw(window_seed ^ global_step, 16);
    action other = {(int)(u & 3), (int)(u >> 2 & 15), (u >> 6 & 3) == 0};
    activate(next, other, r, window_seed);
    int stand_off = adjacent(start->self.pos, start->enemy.pos) &&
                    adjacent(next->self.pos, next->enemy.pos);
    /* Neighbouring words of one match are too alike to learn many of them in a row. */
    return !stand_off && !is_over(next, r) && next->turn < 2 * r->self_play_words;
}
