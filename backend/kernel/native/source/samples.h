/* Positions that are drawn rather than recorded (docs/spec/samples.md). */

typedef struct {
    uint64_t walls, hazards;
} terrain;

static terrain random_terrain(uint64_t s) {
    uint64_t d[7];
    for (int i = 0; i < 7; i++) d[i] = draw(s, (uint64_t)i);
    terrain t;
    t.walls = d[0] & d[1] & (d[2] | d[3]);
    t.hazards = d[4] & d[5] & d[6] & ~t.walls;
    return t;
}

static position random_position(uint64_t s, terrain t, const rules *r) {
    uint64_t q = draw(s, 7), v = draw(s, 8);
    int own = (int)(q & 63), other = (int)(q >> 6 & 63);
    if ((q >> 12 & 3) == 0) {
        int direction = (int)(q >> 14 & 3);
        other = neighbour(own, direction);
        if (other < 0) other = neighbour(own, direction ^ 1); /* the opposite one */
    }
    if (other == own) other ^= 1;
    uint64_t cleared = ~(BIT(own) | BIT(other));
    position p;
    p.walls = t.walls & cleared;
    p.hazards = t.hazards & cleared;
    p.self = (creature){(uint8_t)own, 100, 16,
                        capped((uint32_t)(v >> 16 & 3) * r->block_gain, r->block_cap),
                        (uint8_t)(v >> 18 & 127), (uint8_t)(v >> 25 & 127), REST};
    p.enemy = (creature){(uint8_t)other, 100, 16,
                         capped((uint32_t)(v >> 7 & 3) * r->block_gain, r->block_cap),
                         (uint8_t)(v >> 9 & 127), (uint8_t)(v & 127), REST};
    p.turn = p.flags = 0;
    return p;
}
