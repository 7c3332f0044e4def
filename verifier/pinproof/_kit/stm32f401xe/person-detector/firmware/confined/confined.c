/*
 * The confined part: THE PLACE FOR YOUR NETWORK. The gate starts it for each frame with every register and all its memory
 * clear but for the frame; it leaves one bit in the mailbox and never returns. It may be as large, as clever or as wrong as
 * you like: nothing that the module promises rests on it.
 *
 * Two ways to bring a network:
 *   - `make NETWORK=yours.tflite`: the generator makes C of it (build/network/), which the kernels beside this folder compute;
 *     this file is not used then.
 *   - any code of your own, here: more .c and .h files in this folder are compiled along. Variables live in .bss and start
 *     as zero; .data is refused, since nothing would copy it after a wipe. Constants of the network go to the section .model,
 *     which the declaration's [model] digest covers.
 *
 * What stands here is an example: "present" where the frame is bright.
 */
#include <stdint.h>

enum { kFrameSize = 96 * 96 };

extern const uint8_t frame[kFrameSize]; /* the picture, row by row, 0 black to 255 white */
extern volatile uint32_t mailbox;       /* 1 means "present"; the gate has made it 0 */

/* In place of a network's constants: the mean brightness above which the example says "present". */
__attribute__((section(".model"), used)) const uint32_t model[16] = {128u};

void confined_entry(void);

/* YOUR NETWORK: whatever decides about the frame. */
static uint32_t is_present(const uint8_t *pixels)
{
    uint32_t sum = 0;
    for (uint32_t index = 0; index < kFrameSize; index++) {
        sum += pixels[index];
    }
    return (uint32_t)(sum > *(const volatile uint32_t *)model * kFrameSize);
}

__attribute__((section(".text.confined_entry"))) void confined_entry(void)
{
    mailbox = is_present(frame);
    for (;;) { /* until the tick takes the processor away */
    }
}
