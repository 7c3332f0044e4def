#include "dsp.h"
#include "kernels.h"

/* Constants are to reach the innermost loop. */
#define INLINED static inline __attribute__((always_inline))

/*
 * kernel_requantise: the high half in one instruction, the shift's rounding without comparing. Halves go away from zero: a
 * negative value is one less before the half is added. `full`: real 0 is stored as 0 and the limits are those of a byte, as
 * after most layers with ReLU.
 */
INLINED uint8_t requantise(const row_t *row, uint32_t full, int32_t sum, int32_t multiplier, uint32_t shift)
{
    int32_t value = dsp_product_top(sum * 2, multiplier);
    if (shift != 0) {
        value = (((value + (value >> 31)) >> (shift - 1)) + 1) >> 1;
    }
    if (full) {
        return (uint8_t)dsp_saturate_byte(value);
    }
    value = (int32_t)dsp_saturate_byte(value + row->output->zero);
    value = value < row->layer->minimum ? row->layer->minimum : value;
    return (uint8_t)(value > row->layer->maximum ? row->layer->maximum : value);
}

static uint32_t is_full(const row_t *row)
{
    return row->output->zero == 0 && row->layer->minimum == 0 && row->layer->maximum == 255;
}

/* Sums of two output channels for two columns: each value that is loaded is used twice. */
typedef struct {
    int32_t first_even;
    int32_t first_odd;
    int32_t second_even;
    int32_t second_odd;
} block_t;

/* Adds the products of one word of input for each column. */
INLINED void add_word(block_t *sums, const uint8_t *first, const uint8_t *second, const int8_t *weights)
{
    const uint32_t even = dsp_load(weights);
    const uint32_t odd = dsp_load(weights + 4);
    const uint32_t even_low = dsp_signed_even(even);
    const uint32_t even_high = dsp_signed_odd(even);
    const uint32_t odd_low = dsp_signed_even(odd);
    const uint32_t odd_high = dsp_signed_odd(odd);
    const uint32_t left = dsp_load(first);
    const uint32_t left_low = dsp_unsigned_even(left);
    const uint32_t left_high = dsp_unsigned_odd(left);
    sums->first_even = dsp_multiply_both(left_low, even_low, sums->first_even);
    sums->first_odd = dsp_multiply_both(left_low, odd_low, sums->first_odd);
    sums->first_even = dsp_multiply_both(left_high, even_high, sums->first_even);
    sums->first_odd = dsp_multiply_both(left_high, odd_high, sums->first_odd);
    const uint32_t right = dsp_load(second);
    const uint32_t right_low = dsp_unsigned_even(right);
    const uint32_t right_high = dsp_unsigned_odd(right);
    sums->second_even = dsp_multiply_both(right_low, even_low, sums->second_even);
    sums->second_odd = dsp_multiply_both(right_low, odd_low, sums->second_odd);
    sums->second_even = dsp_multiply_both(right_high, even_high, sums->second_even);
    sums->second_odd = dsp_multiply_both(right_high, odd_high, sums->second_odd);
}

/* Adds the products of an even number of words, until `weights` has come to `end`. */
#if defined(__ARM_FEATURE_DSP) && defined(__OPTIMIZE__)
/* It takes all registers there are: compilers load ahead and have to put sums aside. */
INLINED void add_words(block_t *sums, const uint8_t *first, const uint8_t *second, const int8_t *weights, const int8_t *end)
{
    uint32_t even_low, even_high, odd_low, odd_high, low, high;
    __asm__ volatile("1:\n"
                     ".rept 2\n"
                     "ldr %[even_low], [%[weights]], #4\n"
                     "ldr %[odd_low], [%[weights]], #4\n"
                     "ldr %[low], [%[first]], #4\n"
                     "sxtb16 %[even_high], %[even_low], ror #8\n"
                     "sxtb16 %[even_low], %[even_low]\n"
                     "sxtb16 %[odd_high], %[odd_low], ror #8\n"
                     "sxtb16 %[odd_low], %[odd_low]\n"
                     "uxtb16 %[high], %[low], ror #8\n"
                     "uxtb16 %[low], %[low]\n"
                     "smlad %[first_even], %[low], %[even_low], %[first_even]\n"
                     "smlad %[first_odd], %[low], %[odd_low], %[first_odd]\n"
                     "ldr %[low], [%[second]], #4\n"
                     "smlad %[first_even], %[high], %[even_high], %[first_even]\n"
                     "smlad %[first_odd], %[high], %[odd_high], %[first_odd]\n"
                     "uxtb16 %[high], %[low], ror #8\n"
                     "uxtb16 %[low], %[low]\n"
                     "smlad %[second_even], %[low], %[even_low], %[second_even]\n"
                     "smlad %[second_odd], %[low], %[odd_low], %[second_odd]\n"
                     "smlad %[second_even], %[high], %[even_high], %[second_even]\n"
                     "smlad %[second_odd], %[high], %[odd_high], %[second_odd]\n"
                     ".endr\n"
                     "cmp %[weights], %[end]\n"
                     "bne 1b\n"
                     : [first_even] "+r"(sums->first_even), [first_odd] "+r"(sums->first_odd),
                       [second_even] "+r"(sums->second_even), [second_odd] "+r"(sums->second_odd), [first] "+r"(first),
                       [second] "+r"(second), [weights] "+r"(weights), [even_low] "=&r"(even_low),
                       [even_high] "=&r"(even_high), [odd_low] "=&r"(odd_low), [odd_high] "=&r"(odd_high),
                       [low] "=&r"(low), [high] "=&r"(high)
                     : [end] "r"(end)
                     : "cc", "memory");
}
#else
INLINED void add_words(block_t *sums, const uint8_t *first, const uint8_t *second, const int8_t *weights, const int8_t *end)
{
    for (; weights != end; weights += 8) {
        add_word(sums, first, second, weights);
        first += 4;
        second += 4;
    }
}
#endif

/* Adds the products of one kernel row of `words` words. */
INLINED void add_run(block_t *sums, const uint8_t *first, const uint8_t *second, const int8_t *weights, uint32_t words)
{
    if (words % 2u != 0) {
        add_word(sums, first, second, weights);
        first += 4;
        second += 4;
        weights += 8;
    }
    if (words > 1u) {
        add_words(sums, first, second, weights, weights + words / 2u * 16u);
    }
}

/* All channels of the column whose input starts at `start` and of the one `step` bytes further. */
INLINED void convolve(const row_t *row, uint32_t full, uint32_t start, uint32_t step, uint8_t *first, uint8_t *second)
{
    const uint32_t channels = row->output->channels;
    const uint32_t height = row->layer->kernel_height;
    const uint32_t words = (row->layer->run + 3u) / 4u;
    const int8_t *weights = row->weights;
    for (uint32_t channel = 0; channel < channels; channel += 2) {
        const int32_t *bias = row->bias + channel;
        block_t sums = {bias[0], bias[1], bias[0], bias[1]};
        for (uint32_t tap = 0; tap < height; tap++) {
            const uint8_t *input = row->rows[tap] + start;
            add_run(&sums, input, input + step, weights, words);
            weights += 8u * words;
        }
        const int32_t *multiplier = row->multiplier + channel;
        const uint8_t *shift = row->shift + channel;
        first[channel] = requantise(row, full, sums.first_even, multiplier[0], shift[0]);
        second[channel] = requantise(row, full, sums.second_even, multiplier[0], shift[0]);
        if (channel + 1 < channels) {
            first[channel + 1] = requantise(row, full, sums.first_odd, multiplier[1], shift[1]);
            second[channel + 1] = requantise(row, full, sums.second_odd, multiplier[1], shift[1]);
        }
    }
}

INLINED void convolution(const row_t *row, uint32_t full)
{
    const uint32_t step = row->layer->column_step * row->input->channels;
    const uint32_t width = row->output->width;
    uint8_t *target = row->target;
    for (uint32_t column = 0; column < width; column += 2) {
        /* The last of an odd number of columns is computed twice, to the same place. */
        const uint32_t next = column + 1 < width ? 1 : 0;
        convolve(row, full, column * step, next * step, target, target + next * row->output->channels);
        target += 2u * row->output->channels;
    }
}

void kernel_convolution_dsp(const row_t *row)
{
    if (is_full(row)) {
        convolution(row, 1);
    } else {
        convolution(row, 0);
    }
}

/* Adds the products of one tap of four channels: bytes 0 and 2 of each word in a pair of halfwords, 1 and 3 in another. */
INLINED void add_tap(int32_t sums[4], const uint8_t *input, const int8_t *weights)
{
    const uint32_t values = dsp_load(input);
    const uint32_t factors = dsp_load(weights);
    const uint32_t value_even = dsp_unsigned_even(values);
    const uint32_t value_odd = dsp_unsigned_odd(values);
    const uint32_t factor_even = dsp_signed_even(factors);
    const uint32_t factor_odd = dsp_signed_odd(factors);
    sums[0] = dsp_multiply_low(value_even, factor_even, sums[0]);
    sums[1] = dsp_multiply_low(value_odd, factor_odd, sums[1]);
    sums[2] = dsp_multiply_high(value_even, factor_even, sums[2]);
    sums[3] = dsp_multiply_high(value_odd, factor_odd, sums[3]);
}

/* Adds the products of one kernel row of four channels. Three columns, the usual number, without a loop. */
INLINED void add_taps(int32_t sums[4], const uint8_t *input, const int8_t *weights, uint32_t width, uint32_t channels)
{
    if (width == 3) {
        add_tap(sums, input, weights);
        add_tap(sums, input + channels, weights + channels);
        add_tap(sums, input + 2u * channels, weights + 2u * channels);
        return;
    }
    for (uint32_t index = 0; index < width; index++) {
        add_tap(sums, input, weights);
        input += channels;
        weights += channels;
    }
}

/* Four channels from `channel` on, of all columns. */
INLINED void depthwise_four(const row_t *row, uint32_t full, uint32_t channel, uint32_t width)
{
    const uint32_t channels = row->output->channels;
    const uint32_t step = row->layer->column_step * channels;
    const uint32_t height = row->layer->kernel_height;
    const int32_t *const bias = row->bias + channel;
    const int32_t *const multiplier = row->multiplier + channel;
    const uint8_t *const shift = row->shift + channel;
    uint8_t *target = row->target + channel;
    uint32_t start = channel;
    for (uint32_t column = row->output->width; column != 0; column--) {
        int32_t sums[4] = {bias[0], bias[1], bias[2], bias[3]};
        const int8_t *weights = row->weights + channel;
        for (uint32_t tap = 0; tap < height; tap++) {
            add_taps(sums, row->rows[tap] + start, weights, width, channels);
            weights += width * channels;
        }
        target[0] = requantise(row, full, sums[0], multiplier[0], shift[0]);
        target[1] = requantise(row, full, sums[1], multiplier[1], shift[1]);
        target[2] = requantise(row, full, sums[2], multiplier[2], shift[2]);
        target[3] = requantise(row, full, sums[3], multiplier[3], shift[3]);
        target += channels;
        start += step;
    }
}

/* What is left over: one channel, by the plain kernel. */
static void depthwise_one(const row_t *row, uint32_t channel)
{
    for (uint32_t column = 0; column < row->output->width; column++) {
        row->target[column * row->output->channels + channel] = kernel_depthwise_one(row, column, channel);
    }
}

INLINED void depthwise(const row_t *row, uint32_t full)
{
    const uint32_t channels = row->output->channels;
    const uint32_t fours = row->layer->multiple == 1 ? channels / 4u * 4u : 0;
    for (uint32_t channel = 0; channel < fours; channel += 4) {
        if (row->layer->kernel_width == 3) {
            depthwise_four(row, full, channel, 3);
        } else {
            depthwise_four(row, full, channel, row->layer->kernel_width);
        }
    }
    for (uint32_t channel = fours; channel < channels; channel++) {
        depthwise_one(row, channel);
    }
}

void kernel_depthwise_dsp(const row_t *row)
{
    if (is_full(row)) {
        depthwise(row, 1);
    } else {
        depthwise(row, 0);
    }
}
