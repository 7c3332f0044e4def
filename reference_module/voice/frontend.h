/*
 * The audio front-end: one window of sound in, its features out. Integers alone.
 *
 * It computes what TensorFlow Lite Micro's front-end publishes, with the settings that the network was trained with: slices of
 * 30 ms every 20 ms, 40 triangles on the mel scale from 125 to 7500 Hz, the noise's slow estimate taken away, gain by that
 * estimate, logarithm. Each window starts with an estimate of 0, since nothing is remembered from the last one.
 */
#ifndef VOICE_FRONTEND_H
#define VOICE_FRONTEND_H

#include <stdint.h>

#include "transform.h"

enum {
    kFrontendRate = 16000,    /* samples a second */
    kFrontendSamples = 16000, /* of one window: a second */
    kFrontendWindow = 480,    /* samples of one slice: 30 ms */
    kFrontendStep = 320,      /* samples from one slice to the next: 20 ms */
    kFrontendSlices = (kFrontendSamples - kFrontendWindow) / kFrontendStep + 1,
    kFrontendChannels = 40,
    kFrontendFeatures = kFrontendSlices * kFrontendChannels,
};

_Static_assert(kFrontendSlices == 49, "the network takes 49 slices");

/* Working memory, owned by the caller; need not be cleared. */
typedef struct {
    int16_t slice[kTransformSize];
    complex_t bins[kTransformBins];
    uint32_t channels[kFrontendChannels];
    uint32_t noise[kFrontendChannels]; /* estimate of each channel's noise, 10 fraction bits */
} frontend_t;

/*
 * Features of `sound` (kFrontendSamples, 16 bits), slice by slice, into `features` (kFrontendFeatures): the network's
 * integer plus 128, 0 to 255.
 */
void frontend_run(frontend_t *work, const int16_t *sound, uint8_t *features);

#endif
