#include "restart.h"

#include "access.h"
#include "layout.h"

/* The frame that an exception return pops (ARMv7-M ARM B1.5.6), in words from its start. */
enum {
    kFrameR0 = 0,
    kFrameR1 = 1,
    kFrameR2 = 2,
    kFrameR3 = 3,
    kFrameR12 = 4,
    kFrameLr = 5,
    kFramePc = 6,
    kFrameXpsr = 7,
    kFrameWords = 8,
};

static const uint32_t kNoReturn = 0xFFFFFFFFu; /* a return from the confined part faults, which is an idle period */
static const uint32_t kXpsrThumb = 1u << 24;   /* everything else 0: flags, saturation, GE, IT */

// REQ: mem-forgetful
void restart_wipe(void)
{
    for (uint32_t word = (uint32_t)layout_confined_start; word != (uint32_t)layout_confined_end; word += 4u) {
        word_write(word, 0u);
    }
}

static void restart_push(uint32_t base, uint32_t index, uint32_t value)
{
    word_write(base + 4u * index, value);
}

// REQ: mem-forgetful
// REQ: run-handlers
void restart_at(uint32_t program)
{
    const uint32_t base = (uint32_t)layout_confined_end - 4u * kFrameWords;

    restart_push(base, kFrameR0, 0u);
    restart_push(base, kFrameR1, 0u);
    restart_push(base, kFrameR2, 0u);
    restart_push(base, kFrameR3, 0u);
    restart_push(base, kFrameR12, 0u);
    restart_push(base, kFrameLr, kNoReturn);
    restart_push(base, kFramePc, program);
    restart_push(base, kFrameXpsr, kXpsrThumb);
    /* CONTROL = 1: unprivileged even if the exception came in the last instructions before the drop. */
    __asm volatile("msr psp, %0\n"
                   "msr control, %1\n"
                   "isb"
                   :
                   : "r"(base), "r"(1u)
                   : "memory");
}

/*
 * The linker script puts it first in the confined part's flash: it runs there, without privilege, but it is the
 * gate's.
 */
__attribute__((naked, section(".confined_idle"))) void confined_idle(void)
{
    __asm volatile("1: b 1b");
}
