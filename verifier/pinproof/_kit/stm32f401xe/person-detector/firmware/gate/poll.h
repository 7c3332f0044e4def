/* Bounded waiting for a device. */
#ifndef GATE_POLL_H
#define GATE_POLL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads the register at `address` until the bits in `mask` have the value `wanted`, at most `polls` times (at least 1).
 * Returns whether they had. Never hangs: a device that does not answer costs time, not the module.
 */
bool poll_until(uint32_t address, uint32_t mask, uint32_t wanted, uint32_t polls);

#endif
