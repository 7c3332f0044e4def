/* Clock tree. */
#ifndef GATE_CLOCKS_H
#define GATE_CLOCKS_H

/*
 * Brings the core and timer 2 to 84 MHz from an 8 MHz crystal. Where crystal, flash or PLL do not answer in time the
 * part stays on its internal 16 MHz oscillator: everything then runs slower, the output included, and never faster.
 */
void clocks_start(void);

#endif
