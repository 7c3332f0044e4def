/*
 * Host driver. Inputs on stdin, kModelInputBytes each; for every input, on stdout: for each tensor in turn but the input, the
 * number of rows that were made (rows that nobody reads are not) as a 32-bit integer, and its stored rows without padding; then
 * the margin of each decision as a 32-bit integer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"

static void put(const void *bytes, size_t length)
{
    if (fwrite(bytes, 1, length, stdout) != length) {
        exit(2);
    }
}

static size_t row_length(const tensor_t *tensor)
{
    return (size_t)tensor->width * tensor->channels;
}

/* Runs the network row by row, and keeps each row as it is made: in the arena later ones take its place. */
static progress_t run(uint8_t *arena, uint8_t *const kept[kModelTensors])
{
    progress_t before;
    progress_t progress;
    network_start(&kModel, &progress);
    for (before = progress; network_step(&kModel, &progress, arena) != 0; before = progress) {
        for (uint32_t index = 1; index < kModelTensors; index++) {
            if (progress.made[index] != before.made[index]) {
                const tensor_t *tensor = &kModel.tensors[index];
                const uint32_t row = before.made[index];
                const uint8_t *place = arena + tensor->offset + row % tensor->rows * tensor->pitch + tensor->lead;
                memcpy(kept[index] + row * row_length(tensor), place, row_length(tensor));
            }
        }
    }
    return progress;
}

static void put_margins(const uint8_t *outputs)
{
    for (uint32_t index = 0; index < kModelDecisions; index++) {
        const int32_t margin = network_margin(outputs, kModelOutputs, kModel.decisions[index].output);
        put(&margin, sizeof margin);
    }
}

int main(void)
{
    uint8_t *arena = malloc(kArenaBytes);
    uint8_t *input = malloc(kModelInputBytes);
    uint8_t *kept[kModelTensors];
    for (uint32_t index = 0; index < kModelTensors; index++) {
        kept[index] = calloc(kModel.tensors[index].height, row_length(&kModel.tensors[index]));
    }
    while (fread(input, 1, kModelInputBytes, stdin) == kModelInputBytes) {
        /* What was left in the arena must not matter: 0xA5 is written over, not the last input's values. */
        memset(arena, 0xA5, kArenaBytes);
        memcpy(arena, input, kModelInputBytes);
        const progress_t progress = run(arena, kept);
        for (uint32_t index = 1; index < kModelTensors; index++) {
            const uint32_t made = progress.made[index];
            put(&made, sizeof made);
            put(kept[index], kModel.tensors[index].height * row_length(&kModel.tensors[index]));
        }
        memset(arena, 0x5A, kArenaBytes);
        memcpy(arena, input, kModelInputBytes);
        put_margins(network_run(&kModel, arena));
    }
    for (uint32_t index = 0; index < kModelTensors; index++) {
        free(kept[index]);
    }
    free(input);
    free(arena);
    return 0;
}
