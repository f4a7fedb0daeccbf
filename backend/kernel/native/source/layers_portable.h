/* The passes over the matrices in plain C; any compiler, any CPU. */

static void active_units(const int16_t *a, int units, active *on) {
    int count = 0;
    on->bits[0] = on->bits[1] = 0;
    for (int i = 0; i < units; i++) { /* without a branch; a unit that is 0 is overwritten */
        on->at[count] = (uint8_t)i;
        count += a[i] != 0;
        on->bits[i / 64] |= (uint64_t)(a[i] != 0) << (i % 64);
    }
    on->count = count;
}

static inline __attribute__((always_inline)) void forward_hidden(
    const int16_t *w, int columns, const int16_t *a, const active *on, const int *blocks, int count,
    int16_t *out) {
    int32_t sum[HIDDEN_MAX] = {0};
    for (int k = 0; k < on->count; k++) {
        int32_t value = a[on->at[k]];
        const int16_t *row = w + on->at[k] * columns;
        for (int b = 0; b < count; b++)
            for (int j = 0; j < 16; j++) sum[16 * b + j] += value * row[blocks[b] + j];
    }
    for (int b = 0; b < count; b++)
        for (int j = 0; j < 16; j++)
            out[blocks[b] + j] = (int16_t)clamp(sum[16 * b + j] >> SHIFT, 0, ACTIVATION_MAX);
}

static void forward_output(const int16_t *w, const int16_t *a, const active *on, int32_t z[L4]) {
    int32_t sum[L4] = {0};
    for (int k = 0; k < on->count; k++)
        for (int j = 0; j < L4; j++) sum[j] += a[on->at[k]] * w[on->at[k] * L4 + j];
    for (int j = 0; j < L4; j++) z[j] = sum[j] >> SHIFT;
}

static inline __attribute__((always_inline)) void change(
    int16_t *w, int32_t value, const int16_t *e, int columns, int s) {
    /* |value * e| <= 127 * 1024 < 2^17; shifted by 3 at least it is within 16,256. */
    int32_t half = 1 << (s - 1);
    for (int j = 0; j < columns; j++)
        w[j] = (int16_t)clamp(w[j] - ((value * e[j] + half) >> s), MIN_WEIGHT, MAX_WEIGHT);
}

static inline __attribute__((always_inline)) int32_t product(const int16_t *w, const int16_t *e,
                                                             int columns) {
    int32_t sum = 0;
    for (int j = 0; j < columns; j++) sum += w[j] * e[j];
    return sum;
}

static int16_t carried(int32_t sum, int16_t activation) {
    if (activation >= ACTIVATION_MAX) return 0;
    return (int16_t)clamp((sum + (1 << (SHIFT - 1))) >> SHIFT, -ERROR_MAX, ERROR_MAX);
}

static void backward_output(int16_t *w, const int16_t *a, const active *on, const int16_t *e,
                            int16_t *below, int s) {
    memset(below, 0, L3 * sizeof below[0]);
    for (int k = 0; k < on->count; k++) {
        int i = on->at[k];
        below[i] = carried(product(w + i * L4, e, L4), a[i]);
        change(w + i * L4, a[i], e, L4, s);
    }
}

static inline __attribute__((always_inline)) void backward(
    int16_t *w, int columns, const int16_t *a, const active *on, const int16_t *e, const int *blocks,
    int count, int16_t *below, int units, int s) {
    memset(below, 0, (size_t)units * sizeof below[0]);
    for (int k = 0; k < on->count; k++) {
        int i = on->at[k];
        int16_t *row = w + i * columns;
        int32_t sum = 0; /* of 64 columns at most: within 64 * 2^14 * 1024 = 2^30 */
        for (int b = 0; b < count; b++) sum += product(row + blocks[b], e + blocks[b], 16);
        below[i] = carried(sum, a[i]);
        for (int b = 0; b < count; b++) change(row + blocks[b], a[i], e + blocks[b], 16, s);
    }
}

static inline __attribute__((always_inline)) void update(
    int16_t *w, int columns, const int16_t *a, const active *on, const int16_t *e, const int *blocks,
    int count, int s) {
    for (int k = 0; k < on->count; k++) {
        int i = on->at[k];
        for (int b = 0; b < count; b++)
            change(w + i * columns + blocks[b], a[i], e + blocks[b], 16, s);
    }
}
