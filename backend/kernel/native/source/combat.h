/* One activation (docs/spec/rules.md §4) and the arena that self-play carries on (samples.md). */

typedef struct {
    int direction, power, block;
} action;

static action decode_action(const int32_t z[8]) {
    action a = {0, 0, z[5] > 0};
    for (int d = 1; d < 4; d++)
        if (z[d] > z[a.direction]) a.direction = d;
    int32_t half = z[4] >> 1;
    a.power = half < 0 ? 0 : half > 15 ? 15 : half;
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
    if (me->last_action == ATTACK || me->last_action == BLOCK) me->stamina = less(me->stamina, 1);
    int exhausted = me->stamina == 0, moved = 0; /* settled before a hazard is entered */

    if (!exhausted && !adjacent(me->pos, enemy->pos)) {
        int target = neighbour(me->pos, a.direction);
        if (target >= 0 && !(p->walls >> target & 1)) {
            me->pos = (uint8_t)target;
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
        me->last_action = ATTACK;
    } else if (a.block) {
        me->last_action = BLOCK;
    } else if (moved) {
        me->last_action = MOVE;
    } else {
        me->last_action = REST;
        me->stamina = capped(me->stamina + r->rest_gain, 255);
    }
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
    activate(next, decode_action(z), r, window_seed);
    if (is_over(next, r)) return 0;
    uint64_t u = draw(window_seed ^ global_step, 16);
    action other = {(int)(u & 3), (int)(u >> 2 & 15), (u >> 6 & 3) == 0};
    activate(next, other, r, window_seed);
    int stand_off = adjacent(start->self.pos, start->enemy.pos) &&
                    adjacent(next->self.pos, next->enemy.pos);
    return !stand_off && !is_over(next, r);
}
