/*
 * The network's operators on 8-bit integers, one row of output at a time, with the arithmetic of TensorFlow Lite's reference
 * kernels, bit for bit.
 *
 * kernels.c is the specification: plain C, one sum after the other. kernels_dsp.c computes the same with the instructions of
 * the DSP extension. Plain functions of their arguments: no state, no heap, no recursion. Stored values and layouts are
 * those of model.h.
 */
#ifndef NETWORK_KERNELS_H
#define NETWORK_KERNELS_H

#include <stdint.h>

#include "model.h"

/* One row of output to be computed. `bias`, `multiplier` and `shift` have one entry per output channel. */
typedef struct {
    const layer_t *layer;
    const tensor_t *input;
    const tensor_t *output;
    const int8_t *weights;
    const int32_t *bias;                 /* in units of the accumulator */
    const int32_t *multiplier;           /* 2^31 times a factor in [0.5, 1), or 0 */
    const uint8_t *shift;                /* 0 to 31: the accumulator is multiplied by the factor times 2^-shift */
    const uint8_t *rows[kMaximumKernel]; /* the input rows under the kernel, from their first stored byte */
    uint32_t first;                      /* the first of them that lies in the picture */
    uint32_t end;                        /* one past the last that does */
    uint8_t *target;                     /* the output row's first column; it does not overlap the input rows */
} row_t;

/*
 * The stored output for an accumulator: `sum`, from -2^30 to 2^30 - 1, times the channel's factor, rounded twice as the
 * reference kernels do (high half of the doubled product, then a shift that rounds halves away from zero), shifted, clamped.
 */
uint8_t kernel_requantise(const row_t *row, uint32_t channel, int32_t sum);

/*
 * Convolution over all channels. Up to 3 bytes behind each run are read and multiplied by zero: there must be memory, in the
 * arena and behind the rows outside of it.
 */
void kernel_convolution(const row_t *row);
void kernel_convolution_dsp(const row_t *row);

/* Convolution channel by channel. */
void kernel_depthwise(const row_t *row);
void kernel_depthwise_dsp(const row_t *row);

/* One output of it; what kernel_depthwise_dsp leaves over. */
uint8_t kernel_depthwise_one(const row_t *row, uint32_t column, uint32_t channel);

/* Mean of the values in the window, channel by channel, halves rounded away from stored 128 (the reference's integer 0). */
void kernel_average(const row_t *row);

/* The largest of the values in the window, channel by channel. */
void kernel_maximum(const row_t *row);

/* The same row again. */
void kernel_copy(const row_t *row);

#endif
