/*
 * The Fourier transform of 512 real numbers in 16 bits, scaled by 1/512.
 *
 * Radix 4, decimation in time, on 256 pairs, with each stage's input divided by 4 before it is used: the arithmetic of the
 * published fixed-point front-end, bit for bit. Products have 15 fraction bits and are rounded, halves up; sums wrap.
 */
#ifndef VOICE_TRANSFORM_H
#define VOICE_TRANSFORM_H

#include <stdint.h>

enum {
    kTransformSize = 512,
    kTransformPairs = kTransformSize / 2,
    kTransformBins = kTransformPairs + 1, /* from direct current to half the sample rate */
};

typedef struct {
    int16_t real;
    int16_t imaginary;
} complex_t;

/*
 * The bins of `samples` (kTransformSize, taken as pairs) into `bins` (kTransformBins). The two must not overlap.
 * `bins` holds the stages' results on the way.
 */
void transform_real(const int16_t *samples, complex_t *bins);

#endif
