/* Starting the confined part afresh. */
#ifndef GATE_RESTART_H
#define GATE_RESTART_H

#include <stdint.h>

/* Clears all memory that the confined part can write. */
void restart_wipe(void);

/*
 * Prepares the exception return that follows: a fresh frame at the top of the confined stack that starts `program`
 * unprivileged with registers and flags 0. `program` is an address without Thumb bit. The stacked frame of the
 * interrupted code is never read.
 */
void restart_at(uint32_t program);

/* Sets every general register but sp, lr and pc to 0. */
#define RESTART_CLEAR_REGISTERS \
    "movs r0, #0\n" \
    "movs r1, #0\n" \
    "movs r2, #0\n" \
    "movs r3, #0\n" \
    "movs r4, #0\n" \
    "movs r5, #0\n" \
    "movs r6, #0\n" \
    "movs r7, #0\n" \
    "mov r8, r0\n" \
    "mov r9, r0\n" \
    "mov r10, r0\n" \
    "mov r11, r0\n" \
    "mov r12, r0\n"

/*
 * A whole handler around the C function `serve`. Registers are cleared before it, so that nothing of the interrupted
 * code comes as far as the gate's stack, and after it, because the exception return restores only r0-r3, r12, lr, pc
 * and the flags from the fresh frame. EXC_RETURN 0xFFFFFFFD (thread mode, process stack) is a constant, so it does not
 * matter what was interrupted. The DSB keeps a store from completing after the return (Cortex-M4 erratum 838869). No
 * floating-point state exists: the unit is never enabled.
 */
#define RESTART_HANDLER(serve) \
    RESTART_CLEAR_REGISTERS \
    "bl " #serve "\n" RESTART_CLEAR_REGISTERS \
    "mvn lr, #2\n" \
    "dsb\n" \
    "bx lr\n"

/*
 * An endless loop, one instruction, run unprivileged when there is nothing to do: before the first frame, after a
 * fault, without one.
 */
extern void confined_idle(void);

#endif
