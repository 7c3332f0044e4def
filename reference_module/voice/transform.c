#include "transform.h"

#include "frontend_tables.h"

extern const int16_t kTwiddles[2 * kTransformPairs];   /* cosine and sine of -2 pi k / 256 */
extern const int16_t kSplitTwiddles[kTransformPairs];  /* cosine and sine of -pi (k / 256 + 1/2), k from 1 to 128 */

enum {
    kFractionBits = 15,
    kHalf = 1 << (kFractionBits - 1),
    kQuarterOfOne = 32767 / 4, /* "divided by 4" is a product with the largest number's quarter, rounded */
    kHalfOfOne = 32767 / 2,
};

static inline int16_t rounded(int32_t product)
{
    return (int16_t)((product + kHalf) >> kFractionBits);
}

static inline complex_t scaled(complex_t value, int32_t factor)
{
    return (complex_t){rounded(value.real * factor), rounded(value.imaginary * factor)};
}

static inline complex_t product(complex_t value, const int16_t *factor)
{
    /* Neither sum of products can leave 32 bits: values come from `scaled`, at most 8192 or 16384. */
    return (complex_t){
        rounded(value.real * factor[0] - value.imaginary * factor[1]),
        rounded(value.real * factor[1] + value.imaginary * factor[0]),
    };
}

static inline complex_t sum(complex_t left, complex_t right)
{
    return (complex_t){(int16_t)(left.real + right.real), (int16_t)(left.imaginary + right.imaginary)};
}

static inline complex_t difference(complex_t left, complex_t right)
{
    return (complex_t){(int16_t)(left.real - right.real), (int16_t)(left.imaginary - right.imaginary)};
}

/* `index` of 256 with its four digits of base 4 in the other order. */
static uint32_t digits_reversed(uint32_t index)
{
    return (index & 3u) << 6 | (index & 12u) << 2 | (index >> 2 & 12u) | index >> 6;
}

/* One transform of 4 over values that lie `distance` apart, the later three turned by `turn`, twice and thrice that. */
static inline void butterfly(complex_t *first, uint32_t distance, uint32_t turn)
{
    const complex_t a = scaled(first[0], kQuarterOfOne);
    const complex_t b = product(scaled(first[distance], kQuarterOfOne), &kTwiddles[2 * turn]);
    const complex_t c = product(scaled(first[2 * distance], kQuarterOfOne), &kTwiddles[4 * turn]);
    const complex_t d = product(scaled(first[3 * distance], kQuarterOfOne), &kTwiddles[6 * turn]);
    const complex_t even = sum(a, c);
    const complex_t odd = sum(b, d);
    const complex_t even_rest = difference(a, c);
    const complex_t odd_rest = difference(b, d);
    first[0] = sum(even, odd);
    first[2 * distance] = difference(even, odd);
    first[distance] = (complex_t){
        (int16_t)(even_rest.real + odd_rest.imaginary), (int16_t)(even_rest.imaginary - odd_rest.real)};
    first[3 * distance] = (complex_t){
        (int16_t)(even_rest.real - odd_rest.imaginary), (int16_t)(even_rest.imaginary + odd_rest.real)};
}

static void transform_pairs(const int16_t *samples, complex_t *values)
{
    for (uint32_t index = 0; index < kTransformPairs; index++) {
        const uint32_t from = 2 * digits_reversed(index);
        values[index] = (complex_t){samples[from], samples[from + 1]};
    }
    for (uint32_t distance = 1; distance < kTransformPairs; distance *= 4) {
        const uint32_t step = kTransformPairs / (4 * distance);
        for (uint32_t group = 0; group < kTransformPairs; group += 4 * distance) {
            for (uint32_t index = 0; index < distance; index++) {
                butterfly(&values[group + index], distance, index * step);
            }
        }
    }
}

/* Bins `low` and 256 - `low` of the real numbers from those of the pairs. */
static void split(complex_t *bins, uint32_t low)
{
    const uint32_t high = kTransformPairs - low;
    const complex_t right = bins[high];
    const complex_t one = scaled(bins[low], kHalfOfOne);
    const complex_t other = scaled((complex_t){right.real, (int16_t)-right.imaginary}, kHalfOfOne);
    const complex_t even = sum(one, other);
    const complex_t odd = product(difference(one, other), &kSplitTwiddles[2 * (low - 1)]);
    bins[low].real = (int16_t)((even.real + odd.real) >> 1);
    bins[low].imaginary = (int16_t)((even.imaginary + odd.imaginary) >> 1);
    bins[high].real = (int16_t)((even.real - odd.real) >> 1);
    bins[high].imaginary = (int16_t)((odd.imaginary - even.imaginary) >> 1);
}

void transform_real(const int16_t *samples, complex_t *bins)
{
    transform_pairs(samples, bins);
    const complex_t mean = scaled(bins[0], kHalfOfOne);
    for (uint32_t low = 1; low <= kTransformPairs / 2; low++) {
        split(bins, low);
    }
    bins[0] = (complex_t){(int16_t)(mean.real + mean.imaginary), 0};
    bins[kTransformPairs] = (complex_t){(int16_t)(mean.real - mean.imaginary), 0};
}
