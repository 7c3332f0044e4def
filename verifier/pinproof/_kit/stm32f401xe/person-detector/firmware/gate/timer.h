/* Timer 2: makes the tick and, by itself, every edge of the output. */
#ifndef GATE_TIMER_H
#define GATE_TIMER_H

#include <stdint.h>

/* Configures the timer, stopped, with the output low. */
void timer_configure(void);

/* Starts it; the first tick is one period away. */
void timer_start(void);

/*
 * Hands over the outputs' levels for the next period, taken at the next update event: a bit of `present` for each, 1 for
 * high, 0 for low, the first output in bit 0, and nothing else.
 */
void timer_preload(uint32_t present);

/* Acknowledges the tick. */
void timer_acknowledge(void);

#endif
