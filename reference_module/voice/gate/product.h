/*
 * What makes this product: its sensor, pins and period.
 *
 * This one listens: a microphone on port B, two outputs.
 */
#ifndef GATE_PRODUCT_H
#define GATE_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#include "microphone.h"
#include "registers.h"

enum { kOutputs = 2 }; /* channels of timer 2 from the first on: one or two */

/*
 * One period in counts: 84,000,000 a second and 100 parts per million more, for two seconds. Half of it goes by while
 * the window is taken.
 */
static const uint32_t kPeriodCounts = 168016800u;

/*
 * PLLI2SCFGR (RM0368 6.3.20): from the same 1 MHz as the main PLL, * N 256 = 256 MHz, / R 5 = 51.2 MHz, of which
 * microphone.c makes 16,000 samples a second exactly. On the fall-back clock it stands still, and no window comes.
 */
static const uint32_t kSecondPll = (5u << 28) | (256u << 6);
static const uint32_t kRccApb1Sensor = kRccApb1Spi2; /* clocks that the sensor's lines need for ever */

/* Memory of the confined part: SIZE of the protection unit's region, 2^(SIZE + 1) bytes (ARMv7-M ARM B3.5.9). */
static const uint32_t kConfinedSize = 15u; /* 64 KB */

static const uint32_t kAllAnalogue = 0xFFFFFFFFu;

/* PA5 and PA1: alternate function 1 is TIM2_CH1 and TIM2_CH2. PA5 is TIM2_ETR too; the timer ignores that input. */
static const uint32_t kPortAOutput = 0xFFFFFBFBu;                  /* MODER: both alternate function, the others analogue */
static const uint32_t kPortAOutputTimer = (1u << 20) | (1u << 4);  /* AFRL: PA5 = 1, PA1 = 1 */

/* PB12 WS, PB13 CK, PB15 SD: alternate function 5, I2S2; SD is held low if no microphone is there. */
static const uint32_t kPortBSensor = 0xBAFFFFFFu;                  /* MODER: the three alternate function, the others analogue */
static const uint32_t kPortBOpenDrain = 0u;
static const uint32_t kPortBPullDown = 2u << 30;
static const uint32_t kPortBFunctions = 0x50550000u;               /* AFRH: PB12, PB13 and PB15 = 5 */

static const uint32_t kPortCSensor = 0xFFFFFFFFu;
static const uint32_t kPortCPullDown = 0u;

/* Sets the sensor up, before anything is confined. */
static inline void product_start_sensor(void)
{
    microphone_configure();
}

/* Takes what the confined part is to listen to next. Returns whether it is complete. */
static inline bool product_capture(void)
{
    return microphone_capture();
}

#endif
