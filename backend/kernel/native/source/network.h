/* One SGD micro-step (docs/spec/network.md §3, §4).
 *
 * Only what is not zero is computed: rows out of active units, and the columns of awake slots, which
 * graph.h lists as blocks of 16. A weight is an int16 in host order.
 *
 * layers_*.h has the passes over the matrices, with AVX-512, with AVX2 and in plain C:
 *   active_units   indices of the units that are not zero
 *   forward_hidden clamp(sum >> 12, 0, 127) of a layer's awake columns
 *   forward_output the eight logits
 *   backward       errors of the layer below, from old weights, and the update, in one pass
 *   update         the update alone
 */

#define SHIFT 12
#define ACTIVATION_MAX 127
#define ERROR_ONE 1024
#define ERROR_MAX 1023
#define MIN_WEIGHT (-16384)
#define MAX_WEIGHT 16383

/* Units that are not zero: how many, which, and the same as bits. */
typedef struct {
    int count;
    uint64_t bits[(HIDDEN_MAX + 63) / 64];
    uint8_t at[HIDDEN_MAX + 64]; /* up to 64 are written at a time */
    int16_t value[HIDDEN_MAX + 64]; /* with AVX-512 alone */
} active;

typedef struct {
    int16_t x[L0], a1[L1], a2[L2], a3[L3];
    int32_t z[L4];
    active on0, on1, on2, on3;
    uint32_t closed; /* slots of the graph whose units are 0 all the same */
} activations __attribute__((aligned(64)));

/* Rows of the matrices, by source unit: W1's, the halves of W2's, W3's, W4's. */
#define ROW_WORDS 5
typedef struct {
    uint64_t bits[ROW_WORDS];
} row_set;

/* A step changes a matrix in the rows of its active source units alone. */
static void add_rows(row_set *changed, const activations *n) {
    changed->bits[0] |= n->on0.bits[0];
    changed->bits[1] |= n->on1.bits[0];
    changed->bits[2] |= n->on1.bits[1];
    changed->bits[3] |= n->on2.bits[0];
    changed->bits[4] |= n->on3.bits[0];
}

static int32_t clamp(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

#if LANES == 8
#include "layers_avx512.h"
#elif LANES == 4
#include "layers_avx2.h"
#else
#include "layers_portable.h"
#endif

static const int BLOCKS1[] = {A1_BLOCKS}, BLOCKS2[] = {A2_BLOCKS}, BLOCKS3[] = {A3_BLOCKS};

/* Where each matrix begins. */
#define W1 0
#define W2 (W1 + L0 * L1)
#define W3 (W2 + L1 * L2)
#define W4 (W3 + L2 * L3)

/* An object serves brains with fewer slots awake than its graph, too. */
static void close_units(int16_t *a, uint32_t closed, int slots, size_t units) {
    for (int k = 0; k < slots; k++)
        if (closed >> k & 1) memset(a + units * (size_t)k, 0, units * sizeof *a);
}

/* `n->x` is given; masked units of `n` stay zero. `w` is only read.
 *
 * A sum is over at most 128 units of 127 at most, with weights within 2^14: |sum| < 2^28 in any
 * order, so int32 holds every partial sum, and vector and plain code, which add in other orders,
 * agree. */
static void forward(const int16_t *w, activations *n) {
    active_units(n->x, L0, &n->on0);
    forward_hidden(w + W1, L1, n->x, &n->on0, BLOCKS1, A1_COUNT, n->a1);
    if (n->closed) close_units(n->a1, n->closed, SENSOR_SLOTS, SENSOR_UNITS);
    active_units(n->a1, L1, &n->on1);
    forward_hidden(w + W2, L2, n->a1, &n->on1, BLOCKS2, A2_COUNT, n->a2);
    active_units(n->a2, L2, &n->on2);
    forward_hidden(w + W3, L3, n->a2, &n->on2, BLOCKS3, A3_COUNT, n->a3);
    if (n->closed) close_units(n->a3, n->closed >> SENSOR_SLOTS, APPENDAGE_SLOTS, APPENDAGE_UNITS);
    active_units(n->a3, L3, &n->on3);
    forward_output(w + W4, n->a3, &n->on3, n->z);
}

static uint32_t ex(int32_t distance) { return distance > 255 ? 0 : EXP[distance]; }

/* Errors of the logits, scale 2^-10; their sum of absolute values is the loss. */
static uint32_t output_errors(const int32_t z[L4], labels wanted, uint32_t heads, int16_t e[16]) {
    memset(e, 0, 16 * sizeof e[0]);
    if ((heads & 1) && wanted.move != NO_MOVE) {
        int32_t top = z[0];
        uint32_t u[4], sum = 0;
        for (int k = 1; k < 4; k++) top = z[k] > top ? z[k] : top;
        /* |z| < 2^15, so a distance fits int32 and none is negative. The top's own is 0: sum >=
         * 32,767, never 0; u * 1024 < 2^25. */
        for (int k = 0; k < 4; k++) sum += u[k] = ex(top - z[k]);
        for (int k = 0; k < 4; k++) e[k] = (int16_t)(u[k] * ERROR_ONE / sum);
        e[wanted.move] = (int16_t)(e[wanted.move] - ERROR_ONE);
    }
    /* (2^15 + 60) * 64 < 2^22 */
    if (heads & 2) e[4] = (int16_t)clamp((z[4] - 4 * wanted.attack) * 64, -ERROR_MAX, ERROR_MAX);
    if (heads & 4) {
        int32_t top = z[5] > 0 ? z[5] : 0; /* so yes or no is ex(0), and their sum not 0 */
        uint32_t yes = ex(top - z[5]), no = ex(top);
        e[5] = (int16_t)((int32_t)(yes * ERROR_ONE / (yes + no)) - (wanted.block ? ERROR_ONE : 0));
    }
    uint32_t loss = 0;
    for (int k = 0; k < L4; k++) loss += (uint32_t)(e[k] < 0 ? -e[k] : e[k]);
    return loss;
}

/* Carry the errors down and update every weight; `s` is the learning-rate shift, 3 to 15.
 *
 * From the top down, each matrix with its old weights: `backward` reads a row before it changes it.
 * The errors of masked units are 0, for those are never among the active ones. */
static void learn(int16_t *w, const activations *n, const int16_t e4[16], int s) {
    int16_t e3[L3 + 32] __attribute__((aligned(64)));
    int16_t e2[L2 + 32] __attribute__((aligned(64)));
    int16_t e1[L1 + 32] __attribute__((aligned(64)));
    backward_output(w + W4, n->a3, &n->on3, e4, e3, s);
    backward(w + W3, L3, n->a2, &n->on2, e3, BLOCKS3, A3_COUNT, e2, L2, s);
    backward(w + W2, L2, n->a1, &n->on1, e2, BLOCKS2, A2_COUNT, e1, L1, s);
    update(w + W1, L1, n->x, &n->on0, e1, BLOCKS1, A1_COUNT, s);
}
