#include "clocks.h"

#include "access.h"
#include "poll.h"
#include "product.h"
#include "registers.h"

/*
 * 8 MHz / M 8 = 1 MHz, * N 336 = 336 MHz, / P 4 = 84 MHz; Q 7 = 48 MHz (unused). Bit 29 is reserved and keeps its
 * reset value.
 */
static const uint32_t kPll84Mhz = (1u << 29) | (7u << 24) | (1u << 22) | (1u << 16) | (336u << 6) | 8u;

/*
 * Two wait states for 84 MHz at 2.7 V to 3.6 V (RM0368 3.4.1), prefetch on. Both flash caches stay off: what they
 * hold would outlive a period and show in the speed of the next one, which the confined part could turn into memory.
 */
static const uint32_t kFlashWaitStates = 2u;
static const uint32_t kFlashPrefetch = 1u << 8;

/* A crystal needs some milliseconds; this is more than 50 at 16 MHz. */
static const uint32_t kClockPolls = 100000u;

// REQ: out-period
// REQ: out-clock-steady
void clocks_start(void)
{
    word_write(kRccCfgr, kRccCfgrApb1Half);
    /* On every path, so that there is one PLL setting to prove, whether or not the crystal starts. */
    word_write(kRccPllcfgr, kPll84Mhz);
    if (kSecondPll != 0u) {
        word_write(kRccPlli2scfgr, kSecondPll);
    }
    word_write(kRccCr, kRccCrHsi | kRccCrHseOn);
    if (!poll_until(kRccCr, kRccCrHseReady, kRccCrHseReady, kClockPolls)) {
        return;
    }
    word_write(kFlashAcr, kFlashPrefetch | kFlashWaitStates);
    if (!poll_until(kFlashAcr, kFlashAcrLatencyMask, kFlashWaitStates, kClockPolls)) {
        return;
    }
    word_write(kRccCr, kRccCrHsi | kRccCrHseOn | kRccCrPllOn | (kSecondPll != 0u ? kRccCrPlli2sOn : 0u));
    if (!poll_until(kRccCr, kRccCrPllReady, kRccCrPllReady, kClockPolls)) {
        return;
    }
    word_write(kRccCfgr, kRccCfgrApb1Half | kRccCfgrUsePll);
    /* The switch completes by itself; waiting only keeps the control bus of the sensor at its speed. */
    (void)poll_until(kRccCfgr, kRccCfgrClockMask, kRccCfgrOnPll, kClockPolls);
}
