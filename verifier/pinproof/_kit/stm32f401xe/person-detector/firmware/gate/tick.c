#include "tick.h"

#include "access.h"
#include "layout.h"
#include "product.h"
#include "registers.h"
#include "restart.h"
#include "smoothing.h"
#include "timer.h"

static const uint32_t kPresent = 1u;
static const uint32_t kOther = 2u;

/*
 * 1 where the message is the one expected, 0 for every other. Arithmetic, no comparison, so that the compiler makes no
 * branch of it: nothing the gate does takes longer or shorter because of what the confined part left.
 */
static uint32_t tick_says(uint32_t message, uint32_t expected)
{
    const uint32_t difference = message ^ expected;

    return ((difference - 1u) & ~difference) >> 31; /* the top bit is set only where difference is 0 */
}

/* A bit for each output: the first for "present", the second, where there is one, for "the other". */
static uint32_t tick_is_present(uint32_t message)
{
    const uint32_t other = kOutputs == 2 ? tick_says(message, kOther) : 0u;

    return tick_says(message, kPresent) | (other << 1);
}

/* Bit in, frame out. Only tick_handler calls it. */
__attribute__((noinline, used)) static void tick_serve(void)
{
    timer_acknowledge();
    timer_preload(smoothing_step(tick_is_present(mailbox))); // REQ: out-one-write (the only read of the mailbox)

    restart_wipe();
    /*
     * A fault raised while the confined part was being interrupted (its stack pointer led outside its memory) may
     * still be pending. Taken after this handler it would idle the coming frame because of what the last one did, so
     * it is withdrawn here.
     */
    word_write(kScbShcsr, kScbShcsrFaultsEnabled); // REQ: mem-forgetful
    if (product_capture()) {
        restart_at((uint32_t)confined_entry & ~1u);
    } else {
        restart_at((uint32_t)confined_idle & ~1u);
    }
}

// REQ: run-handlers
__attribute__((naked)) void tick_handler(void)
{
    __asm volatile(RESTART_HANDLER(tick_serve));
}
