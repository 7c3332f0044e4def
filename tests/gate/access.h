/* In place of gate/access.h on the host: every access goes to the simulated devices of host.c. */
#ifndef GATE_ACCESS_H
#define GATE_ACCESS_H

#include <stdint.h>

uint32_t word_read(uint32_t address);
void word_write(uint32_t address, uint32_t value);

static inline void barrier_data(void)
{
}

static inline void barrier_instruction(void)
{
}

static inline void delay_divisions(void)
{
}

#endif
