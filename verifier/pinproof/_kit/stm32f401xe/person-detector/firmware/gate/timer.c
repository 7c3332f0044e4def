#include "timer.h"

#include "access.h"
#include "product.h"
#include "registers.h"

/* The counter runs from 0 to the reload value, so that is one less than the period. */
static const uint32_t kReload = kPeriodCounts - 1u;

static const uint32_t kCr1Enable = 1u << 0;                /* CEN */
static const uint32_t kCr1Setup = (1u << 7) | (1u << 2);   /* ARPE: reload preloaded; URS: only overflow interrupts */
static const uint32_t kCcmr1Setup = (6u << 4) | (1u << 3); /* channel 1: PWM mode 1, OC1PE: preloaded; deaf to ETR */
static const uint32_t kCcerSetup = 1u << 0;                /* CC1E: channel 1 on, active high */
static const uint32_t kCcmr1Second = kOutputs == 2 ? (6u << 12) | (1u << 11) : 0u; /* the same for channel 2 */
static const uint32_t kCcerSecond = kOutputs == 2 ? 1u << 4 : 0u;                  /* CC2E */
static const uint32_t kDierSetup = 1u << 0;                /* UIE: interrupt at the update event; no DMA */
static const uint32_t kEgrUpdate = 1u << 0;                /* UG */

// REQ: out-clocked
void timer_configure(void)
{
    word_write(kRccApb1enr, kRccApb1Tim2 | kRccApb1Sensor);
    word_write(kRccApb1lpenr, kRccApb1Tim2 | kRccApb1Sensor);
    (void)word_read(kRccApb1enr); /* a clock needs two cycles to arrive; LPENR keeps it on while the processor sleeps */

    word_write(kTim2Ccr1, 0u); /* PWM mode 1 with compare 0: low throughout (RM0368 13.3.9) */
    if (kOutputs == 2) {
        word_write(kTim2Ccr2, 0u);
    }
    word_write(kTim2Psc, 0u);
    word_write(kTim2Arr, kReload);
    word_write(kTim2Ccmr1, kCcmr1Setup | kCcmr1Second);
    word_write(kTim2Cr1, kCr1Setup);
    word_write(kTim2Egr, kEgrUpdate); /* the one forced update: loads what is preloaded, while no pin is connected */
    word_write(kTim2Sr, 0u);
    word_write(kTim2Ccer, kCcerSetup | kCcerSecond);
}

// REQ: out-period
void timer_start(void)
{
    word_write(kTim2Dier, kDierSetup);
    word_write(kNvicIser0, 1u << kTim2Irq);
    word_write(kTim2Cr1, kCr1Setup | kCr1Enable);
    (void)word_read(kTim2Cr1);
}

/*
 * 0 - 1 is 0xFFFFFFFF, more than any reload value that the counter could reach: high throughout (RM0368 13.3.9). Two
 * outputs are handed over by two stores; both are taken at the next update event, a period away.
 */
// REQ: out-one-write
void timer_preload(uint32_t present)
{
    if (kOutputs == 2) {
        word_write(kTim2Ccr1, 0u - (present & 1u));
        word_write(kTim2Ccr2, 0u - (present >> 1));
        return;
    }
    word_write(kTim2Ccr1, 0u - present);
}

void timer_acknowledge(void)
{
    word_write(kTim2Sr, 0u); /* every flag is cleared by writing 0 (RM0368 13.4.5) */
    (void)word_read(kTim2Sr); /* has arrived before the handler can end */
}
