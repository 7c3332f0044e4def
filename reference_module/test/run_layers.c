/*
 * Host driver. Frames on stdin, kFrameBytes each; for every frame, on stdout: the stored output of each layer in turn, and then
 * the score as a 32-bit integer. The frame lies in the arena, at its place, as in the module.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detector.h"

static void put(const void *bytes, size_t length)
{
    if (fwrite(bytes, 1, length, stdout) != length) {
        exit(2);
    }
}

int main(void)
{
    uint8_t *arena = malloc(kArenaBytes);
    if (arena == NULL) {
        return 2;
    }
    uint8_t frame[kFrameBytes];
    while (fread(frame, 1, kFrameBytes, stdin) == kFrameBytes) {
        /* What was left in the arena must not matter: the first layers write over 0xA5, not over the last frame's values. */
        memset(arena, 0xA5, kArenaBytes);
        memcpy(arena + kFrameOffset, frame, kFrameBytes);
        for (uint32_t index = 0; index < kModelLayers; index++) {
            const layer_t *layer = &kModel.layers[index];
            detector_run_layer(&kModel, index, arena + kFrameOffset, arena);
            put(arena + layer->output, (size_t)layer->output_height * layer->output_width * layer->output_channels);
        }
        memset(arena, 0x5A, kArenaBytes);
        memcpy(arena + kFrameOffset, frame, kFrameBytes);
        const int32_t score = detector_score(&kModel, arena + kFrameOffset, arena);
        put(&score, sizeof score);
    }
    free(arena);
    return 0;
}
