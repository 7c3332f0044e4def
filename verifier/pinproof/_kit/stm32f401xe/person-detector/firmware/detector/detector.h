/*
 * The detector: one frame in, one score out. It runs unprivileged, in memory that is wiped before every frame, and nothing of
 * what the module promises rests on it.
 */
#ifndef DETECTOR_DETECTOR_H
#define DETECTOR_DETECTOR_H

#include <stdint.h>

#include "model_data.h"

/*
 * Runs the network and returns how much more it sees a person than none: the difference of the two integer logits, -255 to 255,
 * person less other. A person is reported when it is at least model->threshold.
 *
 * frame: kFrameBytes pixels, 0 black to 255 white, rows from the top. It may lie in the arena at kFrameOffset or behind.
 * arena: kArenaBytes, owned by the caller, need not be cleared; its contents afterwards mean nothing.
 */
int32_t detector_score(const model_t *model, const uint8_t *frame, uint8_t *arena);

/* Runs layer `index` alone, so that a test can compare each with the reference. Same arguments. */
void detector_run_layer(const model_t *model, uint32_t index, const uint8_t *frame, uint8_t *arena);

#endif
