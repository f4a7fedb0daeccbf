/* How many 64-bit lanes the CPU that is compiled for has side by side. */

#if defined(CHAINBEASTS_PORTABLE)
#define LANES 1
#elif defined(__AVX512VNNI__)
#include <immintrin.h>
#define LANES 8
#elif defined(__AVX2__)
#include <immintrin.h>
#define LANES 4
#else
#define LANES 1
#endif
