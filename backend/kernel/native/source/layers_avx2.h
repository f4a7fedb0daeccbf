/* The passes over the matrices with AVX2, 16 weights at a time. */

/* The update's (a*e + (1 << (s-1))) >> s is pmulhrsw, (p + 2^14) >> 15, of a << i and e << j with
 * i + j = 15 - s: a <= 127 leaves room for i <= 8, |e| <= 1024 for j <= 4, and s >= 3 needs 12. Both
 * sides of the division are scaled by the same 2^(15-s), so the bits are the same; the one product
 * that pmulhrsw gets wrong, of twice -2^15, does not occur. */
static int activation_shift(int s) { return 15 - s < 8 ? 15 - s : 8; }

static int error_shift(int s) { return 15 - s - activation_shift(s); }

/* Branchless, eight units at a time; the last one is repeated, so that loops may run past it.
 *
 * Activations are 0 to 127, so that packing to bytes saturates nothing. It works within each half
 * of the register and leaves the quarters in the order 0 2 1 3 of the units; the permutation, 0xD8,
 * undoes that, and bit b of the mask is unit i + b. An index is at most 127: adding the base to
 * eight of them in one uint64 carries from no byte into the next. */
static void active_units(const int16_t *a, int units, active *on) {
    int count = 0;
    on->bits[0] = on->bits[1] = 0;
    for (int i = 0; i < units; i += 32) {
        __m256i low = _mm256_load_si256((const __m256i *)(a + i));
        __m256i high = _mm256_load_si256((const __m256i *)(a + i + 16));
        __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xD8);
        __m256i zero = _mm256_cmpeq_epi8(packed, _mm256_setzero_si256());
        uint32_t bits = ~(uint32_t)_mm256_movemask_epi8(zero);
        on->bits[i / 64] |= (uint64_t)bits << (i % 64);
        for (int j = 0; j < 4; j++, bits >>= 8) {
            uint64_t found = SET_BITS[bits & 255] + COLUMN_A * (uint64_t)(i + 8 * j);
            memcpy(on->at + count, &found, 8);
            count += __builtin_popcount(bits & 255);
        }
    }
    memset(on->at + count, count ? on->at[count - 1] : 0, 4);
    on->count = count;
}

/* Two activations side by side, as pmaddwd takes them; the one after the last is 0, and so the row
 * that an odd count repeats adds nothing. */
static inline __attribute__((always_inline)) __m256i pair(const int16_t *a, const active *on, int k) {
    uint32_t first = (uint16_t)a[on->at[k]];
    uint32_t second = k + 1 < on->count ? (uint16_t)a[on->at[k + 1]] : 0;
    return _mm256_set1_epi32((int)(first | second << 16));
}

static inline __attribute__((always_inline)) const int16_t *row_of(
    const int16_t *w, int columns, const active *on, int k) {
    return w + on->at[k] * columns;
}

/* At most four blocks, so that their sums stay in registers.
 *
 * Of a block's 16 columns, `low` has 0-3 and 8-11, `high` 4-7 and 12-15, each an int32: unpacking
 * interleaves two rows within each half of the register, and pmaddwd adds their products, which are
 * within 2 * 127 * 2^14 < 2^22. */
static inline __attribute__((always_inline)) void forward_blocks(
    const int16_t *w, int columns, const int16_t *a, const active *on, const int *blocks, int count,
    int16_t *out) {
    __m256i low[4], high[4];
#pragma GCC unroll 4
    for (int b = 0; b < count; b++) low[b] = high[b] = _mm256_setzero_si256();
    for (int k = 0; k < on->count; k += 2) {
        const int16_t *even = row_of(w, columns, on, k), *odd = row_of(w, columns, on, k + 1);
        __m256i values = pair(a, on, k);
#pragma GCC unroll 4
        for (int b = 0; b < count; b++) {
            __m256i x = _mm256_loadu_si256((const __m256i *)(even + blocks[b]));
            __m256i y = _mm256_loadu_si256((const __m256i *)(odd + blocks[b]));
            __m256i l = _mm256_madd_epi16(_mm256_unpacklo_epi16(x, y), values);
            __m256i h = _mm256_madd_epi16(_mm256_unpackhi_epi16(x, y), values);
            low[b] = _mm256_add_epi32(low[b], l);
            high[b] = _mm256_add_epi32(high[b], h);
        }
    }
#pragma GCC unroll 4
    /* Packing within halves undoes the unpacking. sum >> 12 may exceed int16, but packing
     * saturates, and what is beyond +-2^15 is clamped to 0 or 127 all the same. */
    for (int b = 0; b < count; b++) {
        __m256i sum = _mm256_packs_epi32(_mm256_srai_epi32(low[b], SHIFT),
                                         _mm256_srai_epi32(high[b], SHIFT));
        sum = _mm256_max_epi16(sum, _mm256_setzero_si256());
        sum = _mm256_min_epi16(sum, _mm256_set1_epi16(ACTIVATION_MAX));
        _mm256_store_si256((__m256i *)(out + blocks[b]), sum);
    }
}

static inline __attribute__((always_inline)) void forward_hidden(
    const int16_t *w, int columns, const int16_t *a, const active *on, const int *blocks, int count,
    int16_t *out) {
#pragma GCC unroll 2
    for (int b = 0; b < count; b += 4)
        forward_blocks(w, columns, a, on, blocks + b, count - b < 4 ? count - b : 4, out);
}

static void forward_output(const int16_t *w, const int16_t *a, const active *on, int32_t z[L4]) {
    __m128i low = _mm_setzero_si128(), high = low;
    for (int k = 0; k < on->count; k += 2) {
        __m128i x = _mm_loadu_si128((const __m128i *)row_of(w, L4, on, k));
        __m128i y = _mm_loadu_si128((const __m128i *)row_of(w, L4, on, k + 1));
        __m128i values = _mm256_castsi256_si128(pair(a, on, k));
        low = _mm_add_epi32(low, _mm_madd_epi16(_mm_unpacklo_epi16(x, y), values));
        high = _mm_add_epi32(high, _mm_madd_epi16(_mm_unpackhi_epi16(x, y), values));
    }
    _mm_storeu_si128((__m128i *)z, _mm_srai_epi32(low, SHIFT));
    _mm_storeu_si128((__m128i *)(z + 4), _mm_srai_epi32(high, SHIFT));
}

/* Four sums become the errors of units k to k+3; 0 where the unit was clipped. Past the last unit
 * it is written again, from the same row, with the same value. */
static inline __attribute__((always_inline)) void carry(__m128i sums, const int16_t *a,
                                                        const active *on, int k, int16_t *below) {
    __m128i half = _mm_set1_epi32(1 << (SHIFT - 1));
    __m128i e = _mm_srai_epi32(_mm_add_epi32(sums, half), SHIFT);
    e = _mm_min_epi32(e, _mm_set1_epi32(ERROR_MAX));
    e = _mm_max_epi32(e, _mm_set1_epi32(-ERROR_MAX));
    int32_t found[4] __attribute__((aligned(16)));
    _mm_store_si128((__m128i *)found, e);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        int unit = on->at[k + i];
        below[unit] = (int16_t)(found[i] & -(a[unit] < ACTIVATION_MAX));
    }
}

/* w is within 2^14 and the delta within 16,256: the difference fits int16 before it is clamped. */
static inline __attribute__((always_inline)) __m256i changed(__m256i w, __m256i a, __m256i e) {
    w = _mm256_sub_epi16(w, _mm256_mulhrs_epi16(a, e));
    w = _mm256_min_epi16(w, _mm256_set1_epi16(MAX_WEIGHT));
    return _mm256_max_epi16(w, _mm256_set1_epi16(MIN_WEIGHT));
}

static void backward_output(int16_t *w, const int16_t *a, const active *on, const int16_t *e,
                            int16_t *below, int s) {
    memset(below, 0, L3 * sizeof below[0]);
    __m128i errors = _mm_loadu_si128((const __m128i *)e);
    for (int k = 0; k < on->count; k += 4) {
        __m128i sums[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            const int16_t *row = row_of(w, L4, on, k + i);
            sums[i] = _mm_madd_epi16(_mm_loadu_si128((const __m128i *)row), errors);
        }
        /* Two rounds of horizontal sums: lane i is the whole of row k + i. */
        carry(_mm_hadd_epi32(_mm_hadd_epi32(sums[0], sums[1]), _mm_hadd_epi32(sums[2], sums[3])), a,
              on, k, below);
    }
    __m128i scaled = _mm_slli_epi16(errors, error_shift(s));
    int shift = activation_shift(s);
    for (int k = 0; k < on->count; k++) {
        int unit = on->at[k];
        __m128i *row = (__m128i *)(w + unit * L4);
        __m128i value = _mm_set1_epi16((int16_t)(a[unit] << shift));
        __m128i next = _mm_sub_epi16(_mm_loadu_si128(row), _mm_mulhrs_epi16(value, scaled));
        next = _mm_min_epi16(next, _mm_set1_epi16(MAX_WEIGHT));
        _mm_storeu_si128(row, _mm_max_epi16(next, _mm_set1_epi16(MIN_WEIGHT)));
    }
}

static inline __attribute__((always_inline)) void update(
    int16_t *w, int columns, const int16_t *a, const active *on, const int16_t *e, const int *blocks,
    int count, int s) {
    __m256i scaled[8]; /* 128 columns at most */
#pragma GCC unroll 8
    for (int b = 0; b < count; b++)
        scaled[b] =
            _mm256_slli_epi16(_mm256_load_si256((const __m256i *)(e + blocks[b])), error_shift(s));
    int shift = activation_shift(s);
    for (int k = 0; k < on->count; k++) {
        int unit = on->at[k];
        int16_t *row = w + unit * columns;
        __m256i value = _mm256_set1_epi16((int16_t)(a[unit] << shift));
#pragma GCC unroll 8
        for (int b = 0; b < count; b++) {
            __m256i *at = (__m256i *)(row + blocks[b]);
            _mm256_storeu_si256(at, changed(_mm256_loadu_si256(at), value, scaled[b]));
        }
    }
}

/* First all dot products, then all updates: a load soon after a store 4096 bytes away would wait for
 * it, and rows 32 apart are. */
static inline __attribute__((always_inline)) void backward(
    int16_t *w, int columns, const int16_t *a, const active *on, const int16_t *e, const int *blocks,
    int count, int16_t *below, int units, int s) {
    memset(below, 0, (size_t)units * sizeof below[0]);
    __m256i errors[4]; /* 64 columns: every matrix but the first, which carries nothing down */
#pragma GCC unroll 4
    for (int b = 0; b < count; b++)
        errors[b] = _mm256_load_si256((const __m256i *)(e + blocks[b]));
    for (int k = 0; k < on->count; k += 4) {
        __m256i sums[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            const int16_t *row = row_of(w, columns, on, k + i);
            sums[i] = _mm256_setzero_si256();
#pragma GCC unroll 4
            for (int b = 0; b < count; b++) {
                __m256i old = _mm256_loadu_si256((const __m256i *)(row + blocks[b]));
                sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(old, errors[b]));
            }
        }
        /* Lanes i and i + 4 are halves of row k + i: together within 64 * 2^14 * 1024 = 2^30. */
        __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]),
                                        _mm256_hadd_epi32(sums[2], sums[3]));
        carry(_mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)), a, on, k,
              below);
    }
    update(w, columns, a, on, e, blocks, count, s);
}
