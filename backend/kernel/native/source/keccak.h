/* keccak-256 as Ethereum has it: LANES inputs of one length side by side, or one alone.
 *
 * A vector holds the same 64-bit lane of LANES states (eight with AVX-512, four with AVX2, one in
 * plain C), so that one permutation hashes them all. docs/spec/state.md and merkle.md give the trees
 * whose shape lets rows, groups and nodes be hashed like that.
 */

#define RATE 136 /* bytes of a block */
#define RATE_WORDS 17
#define FIRST_PAD UINT64_C(1) /* Keccak's own padding, not SHA-3's 6 */
#define LAST_PAD (UINT64_C(1) << 63)

static const uint64_t ROUND_CONSTANTS[24] = {
    UINT64_C(0x0000000000000001), UINT64_C(0x0000000000008082), UINT64_C(0x800000000000808A),
    UINT64_C(0x8000000080008000), UINT64_C(0x000000000000808B), UINT64_C(0x0000000080000001),
    UINT64_C(0x8000000080008081), UINT64_C(0x8000000000008009), UINT64_C(0x000000000000008A),
    UINT64_C(0x0000000000000088), UINT64_C(0x0000000080008009), UINT64_C(0x000000008000000A),
    UINT64_C(0x000000008000808B), UINT64_C(0x800000000000008B), UINT64_C(0x8000000000008089),
    UINT64_C(0x8000000000008003), UINT64_C(0x8000000000008002), UINT64_C(0x8000000000000080),
    UINT64_C(0x000000000000800A), UINT64_C(0x800000008000000A), UINT64_C(0x8000000080008081),
    UINT64_C(0x8000000000008080), UINT64_C(0x0000000080000001), UINT64_C(0x8000000080008008),
};

/* With AVX-512's mask registers GCC moves words out to them and back, which takes half as long again. */
#if LANES == 8
__attribute__((target("no-avx512f")))
#endif
#define KECCAK_F keccak_f
#define WORD uint64_t
#define XOR(a, b) ((a) ^ (b))
#define XOR3(a, b, c) ((a) ^ (b) ^ (c))
#define CHI(b, c, d) ((b) ^ (~(c) & (d)))
#define ROTATE(a, by) ((a) << (by) | (a) >> (64 - (by)))
#define SPREAD(a) (a)
#include "keccak_f.h"

/* Lanes are little-endian, whatever the host is. */
static uint64_t little64(const uint8_t *bytes) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

static void store_little64(uint8_t *bytes, uint64_t value) {
    for (int i = 0; i < 8; i++, value >>= 8) bytes[i] = (uint8_t)value;
}

static void keccak(const uint8_t *data, size_t length, uint8_t digest[32]) {
    uint64_t state[25] = {0};
    for (; length >= RATE; data += RATE, length -= RATE) {
        for (int i = 0; i < RATE_WORDS; i++) state[i] ^= little64(data + 8 * i);
        keccak_f(state);
    }
    uint8_t last[RATE] = {0};
    if (length) memcpy(last, data, length);
    last[length] ^= (uint8_t)FIRST_PAD; /* both pads may share a byte */
    last[RATE - 1] ^= 0x80;
    for (int i = 0; i < RATE_WORDS; i++) state[i] ^= little64(last + 8 * i);
    keccak_f(state);
    for (int i = 0; i < 4; i++) store_little64(digest + 8 * i, state[i]);
}

#if LANES == 8
typedef __m512i lanes;
#define XOR both
#define XOR3(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x96)
#define CHI(b, c, d) _mm512_ternarylogic_epi64(b, c, d, 0xD2)
#define ROTATE(a, by) _mm512_rol_epi64(a, by)
#define SPREAD spread
#define ZERO _mm512_setzero_si512()

static inline lanes spread(uint64_t a) { return _mm512_set1_epi64((int64_t)a); }

static inline lanes both(lanes a, lanes b) { return _mm512_xor_si512(a, b); }

static inline lanes load_lanes(const uint8_t *const input[LANES], int word) {
    int64_t w[LANES];
    for (int i = 0; i < LANES; i++) memcpy(&w[i], input[i] + 8 * word, 8);
    return _mm512_set_epi64(w[7], w[6], w[5], w[4], w[3], w[2], w[1], w[0]);
}

/* Eight words of each input, turned so that one word of all inputs stands side by side. */
static inline void load_eight(const uint8_t *const input[LANES], int word, lanes out[8]) {
    lanes r[8], s[8], t[8];
    for (int i = 0; i < 8; i++) r[i] = _mm512_loadu_si512(input[i] + 8 * word);
    for (int i = 0; i < 8; i += 2) {
        s[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
        s[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        for (int j = 0; j < 2; j++) {
            t[i + j] = _mm512_shuffle_i64x2(s[i + j], s[i + 2 + j], 0x88);
            t[i + 2 + j] = _mm512_shuffle_i64x2(s[i + j], s[i + 2 + j], 0xDD);
        }
    }
    for (int j = 0; j < 4; j++) {
        /* t[j] holds words j%2 + 2*(j/2) and that + 4, of inputs 0-3; t[j + 4] of inputs 4-7. */
        out[j] = _mm512_shuffle_i64x2(t[j], t[j + 4], 0x88);
        out[j + 4] = _mm512_shuffle_i64x2(t[j], t[j + 4], 0xDD);
    }
}
#define LOAD_TOGETHER 8
#define load_together load_eight

#elif LANES == 4
typedef __m256i lanes;
#define XOR both
#define XOR3(a, b, c) XOR(XOR(a, b), c)
#define CHI(b, c, d) XOR(b, _mm256_andnot_si256(c, d))
#define ROTATE(a, by) _mm256_or_si256(_mm256_slli_epi64(a, by), _mm256_srli_epi64(a, 64 - (by)))
#define SPREAD spread
#define ZERO _mm256_setzero_si256()

static inline lanes spread(uint64_t a) { return _mm256_set1_epi64x((int64_t)a); }

static inline lanes both(lanes a, lanes b) { return _mm256_xor_si256(a, b); }

static inline lanes load_lanes(const uint8_t *const input[LANES], int word) {
    int64_t w[LANES];
    for (int i = 0; i < LANES; i++) memcpy(&w[i], input[i] + 8 * word, 8);
    return _mm256_set_epi64x(w[3], w[2], w[1], w[0]);
}

/* Four words of each input, turned so that one word of all inputs stands side by side. */
static inline void load_four(const uint8_t *const input[LANES], int word, lanes out[4]) {
    lanes r[4], s[4];
    for (int i = 0; i < 4; i++) r[i] = _mm256_loadu_si256((const lanes *)(input[i] + 8 * word));
    for (int i = 0; i < 4; i += 2) {
        s[i] = _mm256_unpacklo_epi64(r[i], r[i + 1]);
        s[i + 1] = _mm256_unpackhi_epi64(r[i], r[i + 1]);
    }
    for (int j = 0; j < 2; j++) {
        out[j] = _mm256_permute2x128_si256(s[j], s[j + 2], 0x20);
        out[j + 2] = _mm256_permute2x128_si256(s[j], s[j + 2], 0x31);
    }
}
#define LOAD_TOGETHER 4
#define load_together load_four

#else
#define ZERO UINT64_C(0)
typedef uint64_t lanes;
#define XOR(a, b) ((a) ^ (b))
#define XOR3(a, b, c) ((a) ^ (b) ^ (c))
#define CHI(b, c, d) ((b) ^ (~(c) & (d)))
#define ROTATE(a, by) ((a) << (by) | (a) >> (64 - (by)))
#define SPREAD spread

static inline lanes spread(uint64_t a) { return a; }

static inline lanes both(lanes a, lanes b) { return a ^ b; }

static inline lanes load_lanes(const uint8_t *const input[LANES], int word) {
    return little64(input[0] + 8 * word);
}
#define LOAD_TOGETHER 1
static inline void load_together(const uint8_t *const input[LANES], int word, lanes out[1]) {
    out[0] = load_lanes(input, word);
}
#endif

#define KECCAK_F keccak_f_lanes
#define WORD lanes
#include "keccak_f.h"

/* `words` words of each input, at most a block, into the states. */
static inline void absorb_lanes(lanes state[25], const uint8_t *const input[LANES], int from,
                                int words) {
    int i = 0;
    for (; i + LOAD_TOGETHER <= words; i += LOAD_TOGETHER) {
        lanes turned[LOAD_TOGETHER];
        load_together(input, from + i, turned);
        for (int j = 0; j < LOAD_TOGETHER; j++) state[i + j] = both(state[i + j], turned[j]);
    }
    for (; i < words; i++) state[i] = both(state[i], load_lanes(input, from + i));
}

/* Digests of LANES inputs of `words` 64-bit words each. `pad` follows the words: FIRST_PAD, or 0
 * where it is among them already, for an input that is no whole number of words. */
static void keccak_lanes(const uint8_t *const input[LANES], int words, uint64_t pad,
                         uint8_t *const digest[LANES]) {
    lanes state[25];
    int from = 0;
    for (int i = 0; i < 25; i++) state[i] = ZERO;
    for (; words - from >= RATE_WORDS; from += RATE_WORDS) {
        absorb_lanes(state, input, from, RATE_WORDS);
        keccak_f_lanes(state);
    }
    absorb_lanes(state, input, from, words - from);
    if (pad) state[words - from] = both(state[words - from], spread(pad));
    state[RATE_WORDS - 1] = both(state[RATE_WORDS - 1], spread(LAST_PAD));
    keccak_f_lanes(state);
    uint64_t turned[4][LANES];
    memcpy(turned, state, sizeof turned);
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < 4; i++) store_little64(digest[lane] + 8 * i, turned[i][lane]);
}

/* Digests of any number of inputs of one length, LANES at a time. What is left over at the end is
 * filled up with the last one, whose digest is then written again. */
static void keccak_many(const uint8_t *const *inputs, int count, int words, uint64_t pad,
                        uint8_t *const *digests) {
    for (int first = 0; first < count; first += LANES) {
        const uint8_t *input[LANES];
        uint8_t *digest[LANES];
        for (int i = 0; i < LANES; i++) {
            int at = first + i < count ? first + i : count - 1;
            input[i] = inputs[at], digest[i] = digests[at];
        }
        keccak_lanes(input, words, pad, digest);
    }
}
