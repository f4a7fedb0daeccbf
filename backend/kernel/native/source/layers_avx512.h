/* The passes over the matrices with AVX-512 and VNNI, 32 weights at a time.
 *
 * `blocks` are columns that 16 units of a slot begin at; here they go two by two, 32 columns in a
 * register. Where only one of an appendage's two slots is awake, the other's columns are computed
 * too: its activations are cleared before they are stored, so its errors are 0, and an update by 0
 * changes nothing. */

/* The same bits as (a*e + (1 << (s-1))) >> s: see layers_avx2.h. */
static int activation_shift(int s) { return 15 - s < 8 ? 15 - s : 8; }

static int error_shift(int s) { return 15 - s - activation_shift(s); }

/* Indices and values of the units that are not 0, without a branch; the last index is repeated, and
 * zeros follow the values, so that loops may run past them. Activations are 0 to 127: bytes hold
 * them. */
static void active_units(const int16_t *a, int units, active *on) {
    int count = 0;
    __m512i index = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41,
        40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18,
        17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    for (int i = 0; i < units; i += 64) {
        __m256i low = _mm512_cvtepi16_epi8(_mm512_load_si512(a + i));
        __m256i high = units > 32 ? _mm512_cvtepi16_epi8(_mm512_load_si512(a + i + 32))
                                  : _mm256_setzero_si256();
        __m512i bytes = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
        uint64_t mask = _mm512_test_epi8_mask(bytes, bytes);
        __m512i values = _mm512_maskz_compress_epi8(mask, bytes);
        on->bits[i / 64] = mask;
        _mm512_storeu_si512(on->at + count, _mm512_maskz_compress_epi8(mask, index));
        _mm512_storeu_si512(on->value + count,
                            _mm512_cvtepu8_epi16(_mm512_castsi512_si256(values)));
        _mm512_storeu_si512(on->value + count + 32,
                            _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(values, 1)));
        count += __builtin_popcountll(mask);
        index = _mm512_add_epi8(index, _mm512_set1_epi8(64));
    }
    memset(on->at + count, count ? on->at[count - 1] : 0, 4);
    on->count = count;
}

/* Two values side by side, as vpdpwssd takes them. */
static inline __attribute__((always_inline)) __m512i pair(const active *on, int k) {
    int32_t both_values;
    memcpy(&both_values, on->value + k, 4);
    return _mm512_set1_epi32(both_values);
}

static inline __attribute__((always_inline)) const int16_t *row_of(const int16_t *w, int columns,
                                                                   const active *on, int k) {
    return w + on->at[k] * columns;
}

static inline __attribute__((always_inline)) __m512i load(const int16_t *w) {
    return _mm512_loadu_si512(w);
}

/* Which of 32 columns belong to awake slots: a constant wherever it is called. */
static inline __attribute__((always_inline)) uint32_t awake_columns(const int *blocks, int count,
                                                                    int column) {
    uint32_t found = 0;
#pragma GCC unroll 8
    for (int b = 0; b < count; b++) {
        if (blocks[b] == column) found |= UINT32_C(0xFFFF);
        if (blocks[b] == column + 16) found |= UINT32_C(0xFFFF) << 16;
    }
    return found;
}

/* Two chains of sums, for each addition takes five cycles.
 *
 * `low` and `high` are as unpacking two rows leaves them, and packing undoes that; a product pair is
 * within 2 * 127 * 2^14 < 2^22. sum >> 12 saturates at int16, and is clamped to 0 or 127 all the
 * same. */
static inline __attribute__((always_inline)) void forward_hidden(
    const int16_t *w, int columns, const int16_t *a, const active *on, const int *blocks, int count,
    int16_t *out) {
    __m512i low[2][4], high[2][4];
    (void)a;
#pragma GCC unroll 4
    for (int b = 0; b < columns / 32; b++)
        low[0][b] = low[1][b] = high[0][b] = high[1][b] = _mm512_setzero_si512();
    for (int k = 0; k < on->count; k += 4) {
#pragma GCC unroll 2
        for (int chain = 0; chain < 2; chain++) {
            const int16_t *even = row_of(w, columns, on, k + 2 * chain);
            const int16_t *odd = row_of(w, columns, on, k + 2 * chain + 1);
            __m512i values = pair(on, k + 2 * chain);
#pragma GCC unroll 4
            for (int b = 0; b < columns / 32; b++) {
                if (!awake_columns(blocks, count, 32 * b)) continue;
                __m512i x = _mm512_loadu_si512(even + 32 * b), y = _mm512_loadu_si512(odd + 32 * b);
                low[chain][b] =
                    _mm512_dpwssd_epi32(low[chain][b], _mm512_unpacklo_epi16(x, y), values);
                high[chain][b] =
                    _mm512_dpwssd_epi32(high[chain][b], _mm512_unpackhi_epi16(x, y), values);
            }
        }
    }
#pragma GCC unroll 4
    for (int b = 0; b < columns / 32; b++) {
        uint32_t awake = awake_columns(blocks, count, 32 * b);
        if (!awake) continue;
        __m512i l = _mm512_srai_epi32(_mm512_add_epi32(low[0][b], low[1][b]), SHIFT);
        __m512i h = _mm512_srai_epi32(_mm512_add_epi32(high[0][b], high[1][b]), SHIFT);
        __m512i sum = _mm512_packs_epi32(l, h);
        sum = _mm512_maskz_max_epi16(awake, sum, _mm512_setzero_si512());
        sum = _mm512_min_epi16(sum, _mm512_set1_epi16(ACTIVATION_MAX));
        _mm512_store_si512(out + 32 * b, sum);
    }
}

static void forward_output(const int16_t *w, const int16_t *a, const active *on, int32_t z[L4]) {
    __m128i low[2], high[2];
    (void)a;
    low[0] = low[1] = high[0] = high[1] = _mm_setzero_si128();
    for (int k = 0; k < on->count; k += 4) {
#pragma GCC unroll 2
        for (int chain = 0; chain < 2; chain++) {
            __m128i x = _mm_loadu_si128((const __m128i *)row_of(w, L4, on, k + 2 * chain));
            __m128i y = _mm_loadu_si128((const __m128i *)row_of(w, L4, on, k + 2 * chain + 1));
            __m128i values = _mm512_castsi512_si128(pair(on, k + 2 * chain));
            low[chain] = _mm_dpwssd_epi32(low[chain], _mm_unpacklo_epi16(x, y), values);
            high[chain] = _mm_dpwssd_epi32(high[chain], _mm_unpackhi_epi16(x, y), values);
        }
    }
    _mm_storeu_si128((__m128i *)z, _mm_srai_epi32(_mm_add_epi32(low[0], low[1]), SHIFT));
    _mm_storeu_si128((__m128i *)(z + 4), _mm_srai_epi32(_mm_add_epi32(high[0], high[1]), SHIFT));
}

/* Four sums become the errors of units k to k+3; 0 where the unit was clipped. Past the last unit
 * it is written again, with the same value: the loops below repeat its row. */
static inline __attribute__((always_inline)) void carry(__m128i sums, const active *on, int k,
                                                        int16_t *below) {
    __m128i value = _mm_cvtepi16_epi32(_mm_loadl_epi64((const __m128i *)(on->value + k)));
    __m128i last = _mm_set1_epi32(on->value[on->count - 1]);
    __mmask8 there = (__mmask8)(on->count - k >= 4 ? 15 : (1 << (on->count - k)) - 1);
    __mmask8 open = _mm_cmplt_epi32_mask(_mm_mask_mov_epi32(last, there, value),
                                         _mm_set1_epi32(ACTIVATION_MAX));
    __m128i e = _mm_srai_epi32(_mm_add_epi32(sums, _mm_set1_epi32(1 << (SHIFT - 1))), SHIFT);
    e = _mm_min_epi32(e, _mm_set1_epi32(ERROR_MAX));
    e = _mm_maskz_max_epi32(open, e, _mm_set1_epi32(-ERROR_MAX));
    int32_t found[4] __attribute__((aligned(16)));
    _mm_store_si128((__m128i *)found, e);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) below[on->at[k + i]] = (int16_t)found[i];
}

static void backward_output(int16_t *w, const int16_t *a, const active *on, const int16_t *e,
                            int16_t *below, int s) {
    (void)a;
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
        carry(_mm_hadd_epi32(_mm_hadd_epi32(sums[0], sums[1]), _mm_hadd_epi32(sums[2], sums[3])), on,
              k, below);
    }
    __m128i scaled = _mm_slli_epi16(errors, error_shift(s));
    int shift = activation_shift(s);
    for (int k = 0; k < on->count; k++) {
        __m128i *row = (__m128i *)row_of(w, L4, on, k);
        __m128i value = _mm_set1_epi16((int16_t)(on->value[k] << shift));
        __m128i next = _mm_sub_epi16(_mm_loadu_si128(row), _mm_mulhrs_epi16(value, scaled));
        next = _mm_min_epi16(next, _mm_set1_epi16(MAX_WEIGHT));
        _mm_storeu_si128(row, _mm_max_epi16(next, _mm_set1_epi16(MIN_WEIGHT)));
    }
}

/* w is within 2^14 and the delta within 16,256: the difference fits int16 before it is clamped. */
static inline __attribute__((always_inline)) __m512i changed(__m512i w, __m512i a, __m512i e) {
    w = _mm512_sub_epi16(w, _mm512_mulhrs_epi16(a, e));
    w = _mm512_min_epi16(w, _mm512_set1_epi16(MAX_WEIGHT));
    return _mm512_max_epi16(w, _mm512_set1_epi16(MIN_WEIGHT));
}

static inline __attribute__((always_inline)) void update(
    int16_t *w, int columns, const int16_t *a, const active *on, const int16_t *e, const int *blocks,
    int count, int s) {
    __m512i scaled[4];
    (void)a;
#pragma GCC unroll 4
    for (int b = 0; b < columns / 32; b++)
        scaled[b] = _mm512_slli_epi16(_mm512_load_si512(e + 32 * b), (unsigned)error_shift(s));
    int shift = activation_shift(s);
    for (int k = 0; k < on->count; k++) {
        int16_t *row = (int16_t *)row_of(w, columns, on, k);
        __m512i value = _mm512_set1_epi16((int16_t)(on->value[k] << shift));
#pragma GCC unroll 4
        for (int b = 0; b < columns / 32; b++) {
            if (!awake_columns(blocks, count, 32 * b)) continue;
            __m512i old = _mm512_loadu_si512(row + 32 * b);
            _mm512_storeu_si512(row + 32 * b, changed(old, value, scaled[b]));
        }
    }
}

/* Columns 0-63 of four rows, each with the errors, summed within eighths: lane i of the sum's four
 * is the whole of row i. Within 64 * 2^14 * 1024 = 2^30. */
static inline __attribute__((always_inline)) __m128i four_rows(const int16_t *const row[4],
                                                               const __m512i errors[2]) {
    __m512i r[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_dpwssd_epi32(_mm512_setzero_si512(), _mm512_loadu_si512(row[i]), errors[0]);
        r[i] = _mm512_dpwssd_epi32(r[i], _mm512_loadu_si512(row[i] + 32), errors[1]);
    }
    __m512i x = _mm512_add_epi32(_mm512_unpacklo_epi32(r[0], r[1]), _mm512_unpackhi_epi32(r[0], r[1]));
    __m512i y = _mm512_add_epi32(_mm512_unpacklo_epi32(r[2], r[3]), _mm512_unpackhi_epi32(r[2], r[3]));
    /* x has rows 0 1 0 1 in each quarter, y rows 2 3 2 3 */
    __m512i z = _mm512_add_epi32(_mm512_unpacklo_epi64(x, y), _mm512_unpackhi_epi64(x, y));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(z), _mm512_extracti64x4_epi64(z, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/* First all dot products, then all updates, as with AVX2. */
static inline __attribute__((always_inline)) void backward(
    int16_t *w, int columns, const int16_t *a, const active *on, const int16_t *e, const int *blocks,
    int count, int16_t *below, int units, int s) {
    memset(below, 0, (size_t)units * sizeof below[0]);
    const __m512i errors[2] = {_mm512_load_si512(e), _mm512_load_si512(e + 32)};
    for (int k = 0; k < on->count; k += 4) {
        const int16_t *row[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) row[i] = row_of(w, columns, on, k + i);
        carry(four_rows(row, errors), on, k, below);
    }
    update(w, columns, a, on, e, blocks, count, s);
}
