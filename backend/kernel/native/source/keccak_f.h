/* Keccak-f[1600] on WORDs: included once for one state, once for LANES states side by side, with
 * KECCAK_F its name and XOR, XOR3, CHI (b ^ (~c & d)), ROTATE and SPREAD what WORD has for them.
 *
 * Two rounds at a time, from `a` to `e` and back. Every index is a constant, so that compilers keep
 * the lanes in registers as far as there are any. */

#define PARITY(a, x) XOR3(XOR3(a[x], a[x + 5], a[x + 10]), a[x + 15], a[x + 20])
/* Theta's last part, and rho: lane i, of column x, as it arrives in its row. */
#define MOVED(a, i, x, by) ROTATE(XOR(a[i], d##x), by)
#define CHI_ROW(e, at)         \
    e[at] = CHI(b0, b1, b2);     \
    e[at + 1] = CHI(b1, b2, b3); \
    e[at + 2] = CHI(b2, b3, b4); \
    e[at + 3] = CHI(b3, b4, b0); \
    e[at + 4] = CHI(b4, b0, b1)
#define KECCAK_ROUND(a, e, constant)                                                     \
    do {                                                                                 \
        WORD c0 = PARITY(a, 0), c1 = PARITY(a, 1), c2 = PARITY(a, 2), c3 = PARITY(a, 3); \
        WORD c4 = PARITY(a, 4), b0, b1, b2, b3, b4;                                      \
        WORD d0 = XOR(c4, ROTATE(c1, 1)), d1 = XOR(c0, ROTATE(c2, 1));                   \
        WORD d2 = XOR(c1, ROTATE(c3, 1)), d3 = XOR(c2, ROTATE(c4, 1));                   \
        WORD d4 = XOR(c3, ROTATE(c0, 1));                                                \
        b0 = XOR(a[0], d0), b1 = MOVED(a, 6, 1, 44), b2 = MOVED(a, 12, 2, 43);           \
        b3 = MOVED(a, 18, 3, 21), b4 = MOVED(a, 24, 4, 14);                              \
        CHI_ROW(e, 0);                                                                   \
        e[0] = XOR(e[0], SPREAD(constant));                                              \
        b0 = MOVED(a, 3, 3, 28), b1 = MOVED(a, 9, 4, 20), b2 = MOVED(a, 10, 0, 3);       \
        b3 = MOVED(a, 16, 1, 45), b4 = MOVED(a, 22, 2, 61);                              \
        CHI_ROW(e, 5);                                                                   \
        b0 = MOVED(a, 1, 1, 1), b1 = MOVED(a, 7, 2, 6), b2 = MOVED(a, 13, 3, 25);        \
        b3 = MOVED(a, 19, 4, 8), b4 = MOVED(a, 20, 0, 18);                               \
        CHI_ROW(e, 10);                                                                  \
        b0 = MOVED(a, 4, 4, 27), b1 = MOVED(a, 5, 0, 36), b2 = MOVED(a, 11, 1, 10);      \
        b3 = MOVED(a, 17, 2, 15), b4 = MOVED(a, 23, 3, 56);                              \
        CHI_ROW(e, 15);                                                                  \
        b0 = MOVED(a, 2, 2, 62), b1 = MOVED(a, 8, 3, 55), b2 = MOVED(a, 14, 4, 39);      \
        b3 = MOVED(a, 15, 0, 41), b4 = MOVED(a, 21, 1, 2);                               \
        CHI_ROW(e, 20);                                                                  \
    } while (0)

static void KECCAK_F(WORD state[25]) {
    WORD even[25], odd[25];
    for (int i = 0; i < 25; i++) even[i] = state[i];
    for (int round = 0; round < 24; round += 2) {
        KECCAK_ROUND(even, odd, ROUND_CONSTANTS[round]);
        KECCAK_ROUND(odd, even, ROUND_CONSTANTS[round + 1]);
    }
    for (int i = 0; i < 25; i++) state[i] = even[i];
}

#undef PARITY
#undef MOVED
#undef CHI_ROW
#undef KECCAK_ROUND
#undef KECCAK_F
#undef WORD
#undef XOR
#undef XOR3
#undef CHI
#undef ROTATE
#undef SPREAD
