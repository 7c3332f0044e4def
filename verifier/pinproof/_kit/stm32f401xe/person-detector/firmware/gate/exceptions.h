/* Exceptions: which are taken, and at which priority. */
#ifndef GATE_EXCEPTIONS_H
#define GATE_EXCEPTIONS_H

/*
 * Puts the tick and every exception that the confined part can cause at one priority, so that none interrupts
 * another: a tick that interrupted a fault handler could not return to the confined part with the fault still active
 * (ARMv7-M ARM B1.5.8, INVPC).
 */
void exceptions_configure(void);

#endif
