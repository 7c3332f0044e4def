/*
 * Runs a network: one input in, its outputs out. It runs unprivileged, in memory that is wiped before every input, and
 * nothing of what the module promises rests on it.
 *
 * A layer makes its next row as soon as the rows under its kernel are there, the last layer that can first: so a tensor that is
 * read by rows need keep no more rows than the kernel covers. A tensor that is kept whole is waited for whole.
 */
#ifndef NETWORK_NETWORK_H
#define NETWORK_NETWORK_H

#include <stdint.h>

#include "model_data.h"

/*
 * Returns the kModelOutputs outputs, stored values; they lie in the arena.
 *
 * arena: kArenaBytes, owned by the caller, at a multiple of 4. It begins with the input, kModelInputBytes; the rest need not be
 * cleared. Afterwards the input is gone.
 */
const uint8_t *network_run(const model_t *model, uint8_t *arena);

/*
 * How far an output is above all others, in steps of the stored outputs: -255 to 255. What a decision reports is reported
 * when the margin of its output is at least its threshold. With two outputs this is their difference.
 */
int32_t network_margin(const uint8_t *outputs, uint32_t count, uint32_t which);

/* How far a network has come, for network_step. */
typedef struct {
    uint16_t made[kModelTensors]; /* rows of each tensor that are complete; all of the input's at the start */
    uint32_t layer;               /* where the next row is looked for */
} progress_t;

/* network_run in steps of one row, so that a test can compare each row with the reference. */
void network_start(const model_t *model, progress_t *progress);

/* Makes one row, of the tensor whose count it raises; 0 when all was made before. */
uint32_t network_step(const model_t *model, progress_t *progress, uint8_t *arena);

#endif
