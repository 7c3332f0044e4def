/*
 * Host driver. Windows of sound on stdin, kFrontendSamples 16-bit samples each; for every window on stdout: the features, the
 * network's outputs as they are stored, and what the confined part would leave in the mailbox, as one byte.
 */
#include <stdio.h>
#include <string.h>

#include "frontend.h"
#include "listen.h"
#include "network.h"

int main(void)
{
    static int16_t sound[kFrontendSamples];
    static uint8_t arena[kArenaBytes] __attribute__((aligned(4)));
    static frontend_t work;
    while (fread(sound, sizeof sound, 1, stdin) == 1) {
        memset(&work, 0xA5, sizeof work);
        memset(arena, 0x5A, sizeof arena);
        frontend_run(&work, sound, arena);
        const int written = fwrite(arena, kFrontendFeatures, 1, stdout) == 1;
        const uint8_t *outputs = network_run(&kModel, arena);
        if (!written || fwrite(outputs, kModelOutputs, 1, stdout) != 1) {
            return 2;
        }
        putchar((int)listen_decide(outputs));
    }
    return 0;
}
