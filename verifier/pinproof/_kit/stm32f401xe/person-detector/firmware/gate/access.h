/*
 * The only way in which the gate touches memory that it does not own as a C object: whole, aligned words, one access
 * each.
 *
 * Word accesses only, because the bus bridges of this part repeat a byte or halfword over the whole register (RM0368,
 * memory and bus architecture), and because LDM, STM and STRD may be restarted half way: neither may ever happen to a
 * device. A host test puts its own access.h in this one's place and sees every access.
 */
#ifndef GATE_ACCESS_H
#define GATE_ACCESS_H

#include <stdint.h>

/* Reads the word at `address`, a multiple of 4. */
static inline uint32_t word_read(uint32_t address)
{
    return *(const volatile uint32_t *)address;
}

/* Writes `value` to the word at `address`, a multiple of 4. */
static inline void word_write(uint32_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

/* Waits until all stores have arrived, devices included (ARMv7-M ARM, DSB). */
static inline void barrier_data(void)
{
    __asm volatile("dsb" ::: "memory");
}

/* Makes what was set up before it govern the next instruction fetched (ARMv7-M ARM, ISB). */
static inline void barrier_instruction(void)
{
    __asm volatile("isb" ::: "memory");
}

/*
 * Lets some 100 cycles pass: eight divisions, of which each takes the 12 cycles of the longest (Cortex-M4 TRM 3.3.1),
 * because the quotient has all 32 bits. Little of that depends on flash or bus, so a bound on it is close to the truth.
 */
static inline void delay_divisions(void)
{
    uint32_t quotient;

    __asm volatile(".rept 8\n"
                   "udiv %0, %1, %2\n"
                   ".endr"
                   : "=&r"(quotient)
                   : "r"(0xFFFFFFFFu), "r"(1u));
    (void)quotient;
}

#endif
