/*
 * What makes this product: its sensor, pins and period. All else in the gate is the same for every product; another one
 * brings its own of this file (voice/gate).
 *
 * This one looks: a camera on ports B and C, one output.
 */
#ifndef GATE_PRODUCT_H
#define GATE_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#include "access.h"
#include "camera.h"
#include "pins.h"
#include "registers.h"
#include "sensor.h"

enum { kOutputs = 1 }; /* channels of timer 2 from the first on: one or two */

/*
 * One period in counts: 84,000,000 a second and 100 parts per million more, so that a crystal which is that much too
 * fast still gives a full second.
 */
static const uint32_t kPeriodCounts = 84008400u;

static const uint32_t kSecondPll = 0u;     /* PLLI2SCFGR; 0: off */
static const uint32_t kRccApb1Sensor = 0u; /* clocks that the sensor's lines need for ever */

/* Memory of the confined part: SIZE of the protection unit's region, 2^(SIZE + 1) bytes (ARMv7-M ARM B3.5.9). */
static const uint32_t kConfinedSize = 14u; /* 32 KB */

static const uint32_t kAllAnalogue = 0xFFFFFFFFu;

/* PA5: alternate function 1 is TIM2_CH1. It is TIM2_ETR too; the timer ignores that input (timer.c). */
static const uint32_t kPortAOutput = 0xFFFFFBFFu;     /* MODER: PA5 alternate function, the others analogue */
static const uint32_t kPortAOutputTimer = 1u << 20;   /* AFRL: PA5 = 1 */

/* PB8 SCL, PB9 SDA: alternate function 4, open drain, pulled up on the board. */
static const uint32_t kPortBSensor = 0xFFFAFFFFu;     /* MODER: PB8 and PB9 alternate function, the others analogue */
static const uint32_t kPortBOpenDrain = 3u << 8;
static const uint32_t kPortBPullDown = 0u;
static const uint32_t kPortBFunctions = 0x00000044u;  /* AFRH: PB8 and PB9 = 4 */

/* PC0-PC7 data, PC8 pixel clock, PC9 line valid, PC10 frame valid: inputs, held low if no sensor is there. */
static const uint32_t kPortCSensor = 0xFFC00000u;
static const uint32_t kPortCPullDown = 0x002AAAAAu;

/* Sets the sensor up, before anything is confined. No frame ever comes from one that did not acknowledge all of it. */
static inline void product_start_sensor(void)
{
    const bool configured = sensor_configure();

    pins_release_control_bus();
    if (!configured) {
        word_write(kGpioC + kGpioModer, kAllAnalogue); /* an analogue pin reads 0 (RM0368 8.3.12) */
    }
}

/* Takes what the confined part is to look at next. Returns whether it is complete. */
static inline bool product_capture(void)
{
    return camera_capture();
}

#endif
