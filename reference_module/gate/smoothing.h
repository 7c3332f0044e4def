/* Smoothing: what the pin says, made of the last answers. The only memory of the past that the module has. */
#ifndef GATE_SMOOTHING_H
#define GATE_SMOOTHING_H

#include <stdint.h>

/* Takes one answer, 1 or 0, and returns what the pin says in the coming period. Called once a tick. */
uint32_t smoothing_step(uint32_t present);

#endif
