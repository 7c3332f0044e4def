/*
 * Where the gate starts the confined part, once a period, with every register clear and fresh memory: a second of sound in,
 * a word's number out. The linker script places `frame`, `mailbox` and the arena.
 */
#include "frontend.h"
#include "listen.h"
#include "network.h"

_Static_assert((uint32_t)kModelInputBytes == (uint32_t)kFrontendFeatures, "the network looks at the front-end's features");

extern const int16_t frame[kFrontendSamples];
extern volatile uint32_t mailbox; /* 1: the first word that is reported, and so on; the gate's wipe has made it 0 */

static uint8_t arena[kArenaBytes] __attribute__((section(".arena"), aligned(4)));
static frontend_t work;

_Noreturn void confined_entry(void);

__attribute__((section(".text.confined_entry"))) _Noreturn void confined_entry(void)
{
    frontend_run(&work, frame, arena);
    mailbox = listen_decide(network_run(&kModel, arena));
    for (;;) { /* until the tick takes the processor away */
    }
}
