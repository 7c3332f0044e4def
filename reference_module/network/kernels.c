#include "kernels.h"

enum { kStoredOffset = 128 /* stored value less TensorFlow Lite's integer */ };

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

static inline uint8_t clamp(const layer_t *layer, int32_t value)
{
    value = value < layer->minimum ? layer->minimum : value;
    value = value > layer->maximum ? layer->maximum : value;
    return (uint8_t)value;
}

uint8_t kernel_requantise(const row_t *row, uint32_t channel, int32_t sum)
{
    const int32_t value = rounding_shift(high_product(sum, row->multiplier[channel]), row->shift[channel]);
    return clamp(row->layer, value + row->output->zero);
}

static uint8_t convolution_one(const row_t *row, uint32_t column, uint32_t channel)
{
    const layer_t *layer = row->layer;
    const uint32_t pitch = 2u * ((layer->run + 3u) & ~3u); /* of a kernel row, for a pair of channels */
    const uint32_t start = column * layer->column_step * row->input->channels;
    const int8_t *weight = row->weights + channel / 2u * layer->kernel_height * pitch + channel % 2u * 4u;
    int32_t sum = row->bias[channel];
    for (uint32_t tap = 0; tap < layer->kernel_height; tap++) {
        for (uint32_t index = 0; index < layer->run; index++) {
            sum += row->rows[tap][start + index] * weight[index / 4u * 8u + index % 4u];
        }
        weight += pitch;
    }
    return kernel_requantise(row, channel, sum);
}

void kernel_convolution(const row_t *row)
{
    uint8_t *target = row->target;
    for (uint32_t column = 0; column < row->output->width; column++) {
        for (uint32_t channel = 0; channel < row->output->channels; channel++) {
            *target++ = convolution_one(row, column, channel);
        }
    }
}

uint8_t kernel_depthwise_one(const row_t *row, uint32_t column, uint32_t channel)
{
    const layer_t *layer = row->layer;
    const uint32_t channels = row->output->channels;
    const uint32_t start = column * layer->column_step * row->input->channels + channel / layer->multiple;
    const int8_t *weight = row->weights + channel;
    int32_t sum = row->bias[channel];
    for (uint32_t tap = 0; tap < layer->kernel_height; tap++) {
        for (uint32_t index = 0; index < layer->kernel_width; index++) {
            sum += row->rows[tap][start + index * row->input->channels] * *weight;
            weight += channels;
        }
    }
    return kernel_requantise(row, channel, sum);
}

void kernel_depthwise(const row_t *row)
{
    uint8_t *target = row->target;
    for (uint32_t column = 0; column < row->output->width; column++) {
        for (uint32_t channel = 0; channel < row->output->channels; channel++) {
            *target++ = kernel_depthwise_one(row, column, channel);
        }
    }
}

/* Which input columns the window covers of the picture, for one output column: first, and one past the last. */
typedef struct {
    uint32_t first;
    uint32_t end;
} columns_t;

static columns_t columns_under(const row_t *row, uint32_t column)
{
    const layer_t *layer = row->layer;
    const uint32_t start = column * layer->column_step; /* in columns of the padded picture */
    const uint32_t end = start + layer->kernel_width - layer->padding_left;
    return (columns_t){
        .first = start > layer->padding_left ? start - layer->padding_left : 0,
        .end = end < row->input->width ? end : row->input->width,
    };
}

static uint8_t average_one(const row_t *row, columns_t columns, uint32_t channel)
{
    const int32_t count = (int32_t)((row->end - row->first) * (columns.end - columns.first));
    int32_t sum = 0;
    for (uint32_t tap = row->first; tap < row->end; tap++) {
        for (uint32_t x = columns.first; x < columns.end; x++) {
            sum += row->rows[tap][x * row->input->channels + channel] - kStoredOffset;
        }
    }
    const int32_t half = sum > 0 ? count / 2 : -(count / 2);
    return clamp(row->layer, (sum + half) / count + kStoredOffset);
}

void kernel_average(const row_t *row)
{
    uint8_t *target = row->target;
    for (uint32_t column = 0; column < row->output->width; column++) {
        const columns_t columns = columns_under(row, column);
        for (uint32_t channel = 0; channel < row->output->channels; channel++) {
            *target++ = average_one(row, columns, channel);
        }
    }
}

static uint8_t maximum_one(const row_t *row, columns_t columns, uint32_t channel)
{
    int32_t largest = 0;
    for (uint32_t tap = row->first; tap < row->end; tap++) {
        for (uint32_t x = columns.first; x < columns.end; x++) {
            const int32_t value = row->rows[tap][x * row->input->channels + channel];
            largest = value > largest ? value : largest;
        }
    }
    return clamp(row->layer, largest);
}

void kernel_maximum(const row_t *row)
{
    uint8_t *target = row->target;
    for (uint32_t column = 0; column < row->output->width; column++) {
        const columns_t columns = columns_under(row, column);
        for (uint32_t channel = 0; channel < row->output->channels; channel++) {
            *target++ = maximum_one(row, columns, channel);
        }
    }
}

void kernel_copy(const row_t *row)
{
    for (uint32_t index = 0; index < (uint32_t)row->output->width * row->output->channels; index++) {
        row->target[index] = row->rows[0][index];
    }
}
