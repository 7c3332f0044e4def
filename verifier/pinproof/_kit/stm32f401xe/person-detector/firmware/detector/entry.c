/*
 * Where the gate starts the confined part, once a period, with every register clear and fresh memory: frame in, bit out.
 * The linker script places `mailbox` and the arena, which begins with the frame.
 */
#include "network.h"

_Static_assert(kModelInputBytes == 96 * 96, "the network looks at one frame of the camera");
_Static_assert(kModelDecisions == 1, "one bit is reported");

extern volatile uint32_t mailbox; /* 1 means a person; the gate's wipe has made it 0 */

/* Not static: the gate has written the frame into it. */
uint8_t arena[kArenaBytes] __attribute__((section(".arena"), aligned(4)));

_Noreturn void confined_entry(void);

__attribute__((section(".text.confined_entry"))) _Noreturn void confined_entry(void)
{
    const decision_t *person = &kModel.decisions[0];
    const uint8_t *outputs = network_run(&kModel, arena);
    if (network_margin(outputs, kModelOutputs, person->output) >= person->threshold) {
        mailbox = 1;
    }
    for (;;) { /* until the tick takes the processor away */
    }
}
