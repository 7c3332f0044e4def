/* Every exception but the tick. */
#ifndef GATE_FAULT_H
#define GATE_FAULT_H

/*
 * Vector of all faults, supervisor calls and interrupts that are never enabled: makes this period's bit idle, and
 * nothing else.
 */
void fault_handler(void);

#endif
