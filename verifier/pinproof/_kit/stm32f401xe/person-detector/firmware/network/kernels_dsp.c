#include "dsp.h"
#include "kernels.h"

/* kernel_requantise: the high half in one instruction, the shift's rounding without comparing. */
static inline uint8_t requantise(const row_t *row, int32_t sum, int32_t multiplier, uint32_t shift)
{
    int32_t value = dsp_product_top(sum * 2, multiplier);
    if (shift != 0) {
        /* Halves go away from zero: for a negative value one less is added. */
        value = (value + (int32_t)((1u << shift) >> 1) + (value >> 31)) >> shift;
    }
    value = (int32_t)dsp_saturate_byte(value + row->output->zero);
    value = value < row->layer->minimum ? row->layer->minimum : value;
    return (uint8_t)(value > row->layer->maximum ? row->layer->maximum : value);
}

/* Sums of two output channels for two columns: each value that is loaded is used twice. */
typedef struct {
    int32_t first_even;
    int32_t first_odd;
    int32_t second_even;
    int32_t second_odd;
} block_t;

/* Adds the products of one kernel row. `second` is the distance of the second column's input from the first's. */
static inline block_t add_run(block_t sums, const uint8_t *input, uint32_t second, const int8_t *weights, uint32_t words)
{
    const uint8_t *const end = input + 4u * words;
    for (; input != end; input += 4) {
        const uint32_t even = dsp_load(weights);
        const uint32_t odd = dsp_load(weights + 4);
        const uint32_t even_low = dsp_signed_even(even);
        const uint32_t even_high = dsp_signed_odd(even);
        const uint32_t odd_low = dsp_signed_even(odd);
        const uint32_t odd_high = dsp_signed_odd(odd);
        weights += 8;
        const uint32_t first = dsp_load(input);
        const uint32_t first_low = dsp_unsigned_even(first);
        const uint32_t first_high = dsp_unsigned_odd(first);
        sums.first_even = dsp_multiply_both(first_low, even_low, sums.first_even);
        sums.first_odd = dsp_multiply_both(first_low, odd_low, sums.first_odd);
        sums.first_even = dsp_multiply_both(first_high, even_high, sums.first_even);
        sums.first_odd = dsp_multiply_both(first_high, odd_high, sums.first_odd);
        const uint32_t other = dsp_load(input + second);
        const uint32_t other_low = dsp_unsigned_even(other);
        const uint32_t other_high = dsp_unsigned_odd(other);
        sums.second_even = dsp_multiply_both(other_low, even_low, sums.second_even);
        sums.second_odd = dsp_multiply_both(other_low, odd_low, sums.second_odd);
        sums.second_even = dsp_multiply_both(other_high, even_high, sums.second_even);
        sums.second_odd = dsp_multiply_both(other_high, odd_high, sums.second_odd);
    }
    return sums;
}

/* Two output channels from `channel` on, of the column whose input starts at `start` and of the one `second` bytes further. */
static block_t convolve(const row_t *row, uint32_t channel, uint32_t start, uint32_t second)
{
    const uint32_t words = (row->layer->run + 3u) / 4u;
    const int8_t *weights = row->weights + channel * row->layer->kernel_height * 4u * words;
    const uint32_t odd = channel + 1 < row->output->channels ? channel + 1 : channel;
    block_t sums = {row->bias[channel], row->bias[odd], row->bias[channel], row->bias[odd]};
    for (uint32_t tap = 0; tap < row->layer->kernel_height; tap++) {
        sums = add_run(sums, row->rows[tap] + start, second, weights, words);
        weights += 8u * words;
    }
    return sums;
}

void kernel_convolution_dsp(const row_t *row)
{
    const uint32_t channels = row->output->channels;
    const uint32_t step = row->layer->column_step * row->input->channels;
    for (uint32_t column = 0; column < row->output->width; column += 2) {
        /* The last of an odd number of columns is computed twice, to the same place; so is the last odd channel's. */
        const uint32_t next = column + 1 < row->output->width ? 1 : 0;
        uint8_t *first = row->target + column * channels;
        uint8_t *second = first + next * channels;
        for (uint32_t channel = 0; channel < channels; channel += 2) {
            const block_t sums = convolve(row, channel, column * step, next * step);
            const int32_t *multiplier = row->multiplier + channel;
            const uint8_t *shift = row->shift + channel;
            first[channel] = requantise(row, sums.first_even, multiplier[0], shift[0]);
            second[channel] = requantise(row, sums.second_even, multiplier[0], shift[0]);
            if (channel + 1 < channels) {
                first[channel + 1] = requantise(row, sums.first_odd, multiplier[1], shift[1]);
                second[channel + 1] = requantise(row, sums.second_odd, multiplier[1], shift[1]);
            }
        }
    }
}

/* Four channels of one column: bytes 0 and 2 of each word in one pair of halfwords, 1 and 3 in the other. */
static inline void depthwise_four(const row_t *row, uint32_t start, uint32_t channel, uint8_t *target)
{
    const uint32_t channels = row->output->channels;
    const int8_t *weights = row->weights + channel;
    const int32_t *bias = row->bias + channel;
    int32_t sums[4] = {bias[0], bias[1], bias[2], bias[3]};
    for (uint32_t tap = 0; tap < row->layer->kernel_height; tap++) {
        const uint8_t *input = row->rows[tap] + start + channel;
        for (uint32_t index = 0; index < row->layer->kernel_width; index++) {
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
            input += channels;
            weights += channels;
        }
    }
    for (uint32_t index = 0; index < 4; index++) {
        target[index] = requantise(row, sums[index], row->multiplier[channel + index], row->shift[channel + index]);
    }
}

void kernel_depthwise_dsp(const row_t *row)
{
    const uint32_t channels = row->output->channels;
    const uint32_t fours = row->layer->multiple == 1 ? channels / 4u * 4u : 0;
    uint8_t *target = row->target;
    for (uint32_t column = 0; column < row->output->width; column++) {
        const uint32_t start = column * row->layer->column_step * channels;
        for (uint32_t channel = 0; channel < fours; channel += 4) {
            depthwise_four(row, start, channel, target + channel);
        }
        for (uint32_t channel = fours; channel < channels; channel++) {
            target[channel] = kernel_depthwise_one(row, column, channel);
        }
        target += channels;
    }
}
