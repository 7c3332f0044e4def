#include "fault.h"

#include "access.h"
#include "layout.h"
#include "registers.h"
#include "restart.h"

/* Every status bit that these registers define; each is cleared by writing 1 (ARMv7-M ARM B3.2.15, B3.2.16). */
static const uint32_t kCfsrAll = 0x030FBFBBu;
static const uint32_t kHfsrAll = 0xC0000002u;

/*
 * No waiting and no device that could move the output: the instant of a fault is the confined part's choice, so
 * nothing outside may depend on it. The tick does the rest in its own time.
 */
__attribute__((noinline, used)) static void fault_serve(void) // REQ: out-fault-safe
{
    mailbox = 0u;
    word_write(kScbCfsr, kCfsrAll);
    word_write(kScbHfsr, kHfsrAll);
    restart_at((uint32_t)confined_idle & ~1u);
}

// REQ: run-handlers
__attribute__((naked)) void fault_handler(void)
{
    __asm volatile(RESTART_HANDLER(fault_serve));
}
