/* The tick: all that happens after the drop, once a period. */
#ifndef GATE_TICK_H
#define GATE_TICK_H

/* Vector of timer 2's update interrupt. */
void tick_handler(void);

#endif
