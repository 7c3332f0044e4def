/*
 * Where the gate starts the confined part, once a period, with every register clear and fresh memory: frame in, bit out.
 * The linker script places `frame`, `mailbox` and the arena.
 */
#include "detector.h"

extern const uint8_t frame[kFrameBytes];
extern volatile uint32_t mailbox; /* 1 means a person; the gate's wipe has made it 0 */

static uint8_t arena[kArenaBytes] __attribute__((section(".arena"), aligned(4)));

_Noreturn void confined_entry(void);

__attribute__((section(".text.confined_entry"))) _Noreturn void confined_entry(void)
{
    if (detector_score(&kModel, frame, arena) >= kModel.threshold) {
        mailbox = 1;
    }
    for (;;) { /* until the tick takes the processor away */
    }
}
