#include "microphone.h"

#include "access.h"
#include "layout.h"
#include "poll.h"
#include "registers.h"

/*
 * I2SPR (RM0368 20.5.9): 51.2 MHz / (2 * 25) is 64 bit clocks a sample, no master clock. I2SCFGR (20.5.8): I2S (11), on
 * (10), master that receives (9-8), Philips (5-4), 16 bits of data (2-1) in slots of 32 (0): the high ones, which the
 * microphone sends first.
 */
static const uint32_t kDivider = 25u;
static const uint32_t kMasterReceives = (1u << 11) | (3u << 8) | (1u << 0);
static const uint32_t kOn = 1u << 10;
static const uint32_t kStatus = 1u << 0 | 1u << 2 | 1u << 6; /* ready, right, overrun */

/* The second PLL needs less than a millisecond; this is more than three at 84 MHz. */
static const uint32_t kPllPolls = 20000u;

/*
 * Longest wait for one word, in polls. Words come every 2625 cycles, two a sample. A poll is made of divisions that take
 * no less than 8 cycles each and, for the proof, 14, so that the proved bound of the whole window lies below one period
 * and yet each word is waited for long enough.
 */
static const uint32_t kWordPolls = 32u;

/* What the bus delivers while the last word of long ago goes by: 20 ms. */
static const uint32_t kSkippedWords = 640u;

/* Waits until a word has arrived. Returns the status then, or 0: too late. */
__attribute__((noinline)) static uint32_t microphone_wait(void)
{
    for (uint32_t left = kWordPolls; left != 0u; left--) {
        const uint32_t status = word_read(kSpi2Sr) & kStatus;
        if ((status & kSpiSrReady) != 0u) {
            return status;
        }
        delay_divisions();
    }
    return 0u;
}

/* Takes one word of the given slot (0: left, kSpiSrRight), with none lost before it. Returns whether it came. */
static inline bool microphone_comes(uint32_t slot)
{
    return microphone_wait() == (kSpiSrReady | slot);
}

// REQ: out-sensor-lines-constant
void microphone_configure(void)
{
    (void)poll_until(kRccCr, kRccCrPlli2sReady, kRccCrPlli2sReady, kPllPolls);
    word_write(kRccApb1enr, kRccApb1Spi2);
    (void)word_read(kRccApb1enr); /* a clock needs two cycles to arrive (RM0368, RCC; errata sheet) */
    word_write(kSpi2I2spr, kDivider);
    word_write(kSpi2I2scfgr, kMasterReceives);
    word_write(kSpi2I2scfgr, kMasterReceives | kOn);
}

// REQ: mem-frame-bounded
// REQ: inp-none
__attribute__((noinline)) bool microphone_capture(void)
{
    volatile uint16_t *const samples = (volatile uint16_t *)(uintptr_t)frame;

    /* Nobody has listened for long: reading the data, then the status, clears the overrun (RM0368 20.3.10). */
    (void)word_read(kSpi2Dr);
    (void)word_read(kSpi2Sr);
    uint32_t last = 0u;
    for (uint32_t word = 0; word < kSkippedWords; word++) {
        last = microphone_wait();
        (void)word_read(kSpi2Dr);
    }
    if ((last & kSpiSrRight) == 0u) {
        (void)microphone_wait();
        (void)word_read(kSpi2Dr);
    }
    for (uint32_t sample = 0; sample < kWindowSamples; sample++) {
        if (!microphone_comes(0u)) {
            return false;
        }
        samples[sample] = (uint16_t)word_read(kSpi2Dr);
        if (!microphone_comes(kSpiSrRight)) {
            return false;
        }
        (void)word_read(kSpi2Dr);
    }
    return true;
}
