#include "kernels.h"

enum {
    kSide = 3,                  /* rows and columns of a spatial kernel */
    kTaps = kSide * kSide,
    kStoredOffset = 128,        /* stored value less TensorFlow Lite's integer */
};

/* What a tap outside the picture reads: real 0 for every channel. */
static const uint8_t kOutside[kMaximumChannels];

/*
 * SaturatingRoundingDoublingHighMul of the reference: (2 * a * b + 2^31) / 2^32. Its case distinction by sign and its
 * saturation are not needed: halves round up in both signs, and b is never negative.
 */
static inline int32_t high_product(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* RoundingDivideByPOT of the reference: value / 2^shift, halves away from zero. */
static inline int32_t rounding_shift(int32_t value, uint32_t shift)
{
    const int32_t mask = (int32_t)((1u << shift) - 1u);
    const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> shift) + ((value & mask) > threshold ? 1 : 0);
}

static inline uint8_t requantise(const layer_t *layer, int32_t sum, int32_t multiplier, uint32_t shift)
{
    int32_t value = rounding_shift(high_product(sum, multiplier), shift) + layer->zero;
    value = value < layer->minimum ? layer->minimum : value;
    value = value > layer->maximum ? layer->maximum : value;
    return (uint8_t)value;
}

uint8_t kernel_requantise(const layer_t *layer, int32_t sum, int32_t multiplier, uint32_t shift)
{
    return requantise(layer, sum, multiplier, shift);
}

/* Pointers to the nine input pixels under the kernel for one output pixel; kOutside where there is none. */
static void find_taps(const layer_t *layer, const uint8_t *input, uint32_t row, uint32_t column, const uint8_t *taps[kTaps])
{
    const uint32_t channels = layer->input_channels;
    for (uint32_t tap = 0; tap < kTaps; tap++) {
        /* Above or left of the picture these wrap to huge values, which the comparisons refuse as well. */
        const uint32_t y = row * layer->stride + tap / kSide - layer->padding_top;
        const uint32_t x = column * layer->stride + tap % kSide - layer->padding_left;
        const int inside = y < layer->input_height && x < layer->input_width;
        taps[tap] = inside ? input + (y * layer->input_width + x) * channels : kOutside;
    }
}

/* All output channels of one pixel from its patch of `length` inputs. */
static void convolve_patch(const layer_t *layer, const constants_t *constants, const uint8_t *patch, uint32_t length,
                           uint8_t *output)
{
    const int8_t *weight = constants->weights;
    for (uint32_t channel = 0; channel < layer->output_channels; channel++) {
        int32_t sum = constants->bias[channel];
        for (uint32_t index = 0; index < length; index++) {
            sum += patch[index] * weight[index];
        }
        weight += length;
        output[channel] = requantise(layer, sum, constants->multiplier[channel], constants->shift[channel]);
    }
}

void kernel_convolution(const layer_t *layer, const constants_t *constants, const uint8_t *input, uint8_t *output)
{
    const uint32_t channels = layer->input_channels;
    for (uint32_t row = 0; row < layer->output_height; row++) {
        for (uint32_t column = 0; column < layer->output_width; column++) {
            const uint8_t *taps[kTaps];
            uint8_t patch[kMaximumPatch];
            uint32_t length = 0;
            find_taps(layer, input, row, column, taps);
            for (uint32_t tap = 0; tap < kTaps; tap++) {
                for (uint32_t channel = 0; channel < channels; channel++) {
                    patch[length++] = taps[tap][channel];
                }
            }
            convolve_patch(layer, constants, patch, length, output);
            output += layer->output_channels;
        }
    }
}

void kernel_depthwise(const layer_t *layer, const constants_t *constants, const uint8_t *input, uint8_t *output)
{
    const uint32_t channels = layer->input_channels;
    for (uint32_t row = 0; row < layer->output_height; row++) {
        for (uint32_t column = 0; column < layer->output_width; column++) {
            const uint8_t *taps[kTaps];
            find_taps(layer, input, row, column, taps);
            for (uint32_t channel = 0; channel < channels; channel++) {
                const int8_t *weight = constants->weights + channel;
                int32_t sum = constants->bias[channel];
#pragma GCC unroll 9
                for (uint32_t tap = 0; tap < kTaps; tap++) {
                    sum += taps[tap][channel] * *weight;
                    weight += channels;
                }
                output[channel] = requantise(layer, sum, constants->multiplier[channel], constants->shift[channel]);
            }
            output += channels;
        }
    }
}

/* Two output channels of two pixels at once: each value that is loaded is used twice. `second` may equal `first`. */
static void multiply_pair(const layer_t *layer, const constants_t *constants, uint32_t channel, const uint8_t *first,
                          const uint8_t *second, uint8_t *first_output, uint8_t *second_output)
{
    const uint32_t length = layer->input_channels;
    const int8_t *even = constants->weights + channel * length;
    const int8_t *odd = even + length;
    int32_t first_even = constants->bias[channel];
    int32_t first_odd = constants->bias[channel + 1];
    int32_t second_even = first_even;
    int32_t second_odd = first_odd;
#pragma GCC unroll 8
    for (uint32_t index = 0; index < length; index++) {
        first_even += first[index] * even[index];
        first_odd += first[index] * odd[index];
        second_even += second[index] * even[index];
        second_odd += second[index] * odd[index];
    }
    const int32_t *multiplier = constants->multiplier + channel;
    const uint8_t *shift = constants->shift + channel;
    first_output[channel] = requantise(layer, first_even, multiplier[0], shift[0]);
    first_output[channel + 1] = requantise(layer, first_odd, multiplier[1], shift[1]);
    second_output[channel] = requantise(layer, second_even, multiplier[0], shift[0]);
    second_output[channel + 1] = requantise(layer, second_odd, multiplier[1], shift[1]);
}

void kernel_pointwise(const layer_t *layer, const constants_t *constants, const uint8_t *input, uint8_t *output)
{
    const uint32_t pixels = (uint32_t)layer->input_height * layer->input_width;
    for (uint32_t pixel = 0; pixel < pixels; pixel += 2) {
        /* The last of an odd number of pixels is computed twice, to the same place. */
        const uint32_t next = pixel + 1 < pixels ? pixel + 1 : pixel;
        for (uint32_t channel = 0; channel < layer->output_channels; channel += 2) {
            multiply_pair(layer, constants, channel, input + pixel * layer->input_channels,
                          input + next * layer->input_channels, output + pixel * layer->output_channels,
                          output + next * layer->output_channels);
        }
    }
}

void kernel_pool(const layer_t *layer, const uint8_t *input, uint8_t *output)
{
    const int32_t pixels = (int32_t)layer->input_height * layer->input_width;
    const uint32_t channels = layer->input_channels;
    for (uint32_t channel = 0; channel < channels; channel++) {
        int32_t sum = 0;
        for (int32_t pixel = 0; pixel < pixels; pixel++) {
            sum += input[(uint32_t)pixel * channels + channel] - kStoredOffset;
        }
        const int32_t half = sum > 0 ? pixels / 2 : -(pixels / 2);
        output[channel] = (uint8_t)((sum + half) / pixels + kStoredOffset);
    }
}
