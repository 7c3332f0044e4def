#include "exceptions.h"

#include "access.h"
#include "layout.h"
#include "registers.h"
#include "vectors.h"

/* Priority 4 of 0 (first) to 15; four bits are implemented, in the upper half of each byte. */
static const uint32_t kPriorityFaults = 0x00404040u;  /* SHPR1: MemManage, BusFault, UsageFault */
static const uint32_t kPrioritySvcall = 0x40000000u;  /* SHPR2: SVCall */
static const uint32_t kPriorityOthers = 0x40400040u;  /* SHPR3: DebugMonitor, PendSV, SysTick */
static const uint32_t kPriorityTick = 0x40404040u;    /* IPR7: interrupts 28 to 31, of which only 28 is enabled */

// REQ: run-handlers
// REQ: out-clock-steady
void exceptions_configure(void)
{
    word_write(kScbVtor, (uint32_t)vectors);
    word_write(kScbScr, 0u); /* WFI is open to all: it must never be the deep sleep that stops the timer */
    word_write(kScbShpr1, kPriorityFaults);
    word_write(kScbShpr2, kPrioritySvcall);
    word_write(kScbShpr3, kPriorityOthers);
    word_write(kNvicIpr7, kPriorityTick);
    word_write(kScbShcsr, kScbShcsrFaultsEnabled);
    barrier_data();
}
