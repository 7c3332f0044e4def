/*
 * The network's operators on 8-bit integers, with the arithmetic of TensorFlow Lite's reference kernels, bit for bit.
 *
 * Plain functions of their arguments: no state, no heap, no recursion. `input` and `output` must not overlap. Stored values
 * and layouts are those of model.h; rows, then columns, then channels.
 */
#ifndef DETECTOR_KERNELS_H
#define DETECTOR_KERNELS_H

#include <stdint.h>

#include "model.h"

/*
 * The stored output for an accumulator: `sum` times the channel's factor, rounded twice as the reference kernels do
 * (high half of the doubled product, then a shift that rounds halves away from zero), shifted and clamped.
 */
uint8_t kernel_requantise(const layer_t *layer, int32_t sum, int32_t multiplier, uint32_t shift);

/* 3x3 convolution over all channels. The input's channels are few: 9 times their number is at most kMaximumPatch. */
void kernel_convolution(const layer_t *layer, const constants_t *constants, const uint8_t *input, uint8_t *output);

/* 3x3 convolution, each channel for itself. */
void kernel_depthwise(const layer_t *layer, const constants_t *constants, const uint8_t *input, uint8_t *output);

/* 1x1 convolution, and the fully connected layer. */
void kernel_pointwise(const layer_t *layer, const constants_t *constants, const uint8_t *input, uint8_t *output);

/* Mean over all pixels, channel by channel, halves rounded away from stored 128 (the reference's integer 0). */
void kernel_pool(const layer_t *layer, const uint8_t *input, uint8_t *output);

#endif
