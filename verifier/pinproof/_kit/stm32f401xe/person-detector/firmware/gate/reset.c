#include "reset.h"

#include "clocks.h"
#include "exceptions.h"
#include "layout.h"
#include "pins.h"
#include "product.h"
#include "protection.h"
#include "restart.h"
#include "timer.h"

/* Everything between cleared memory and the drop, in the order in which it must happen. Only reset_handler calls it. */
__attribute__((noinline, used)) static void reset_set_up(void)
{
    pins_isolate();
    clocks_start();
    product_start_sensor();
    protection_enable();
    exceptions_configure();
    timer_configure();
    pins_connect_output(); /* the timer holds the level low since timer_configure */
    pins_lock();
    timer_start(); /* last: a whole period is left for the drop */
}

/*
 * Memory is cleared in registers alone, the gate's own stack with it, before anything uses that stack.
 *
 * The drop: process stack first, so that an exception from here on finds the state in which the confined part runs;
 * interrupts on; then privilege off, for good. No path leads back: only an exception raises privilege, and every
 * handler ends in RESTART_RETURN.
 */
// REQ: mem-cleared
// REQ: run-confined
__attribute__((naked)) void reset_handler(void)
{
    __asm volatile("cpsid i\n" RESTART_CLEAR_REGISTERS
                   "ldr r0, =layout_ram_start\n"
                   "ldr r1, =layout_ram_end\n"
                   "1: str r2, [r0], #4\n"
                   "cmp r0, r1\n"
                   "bne 1b\n"
                   "bl reset_set_up\n"
                   "ldr r0, =layout_confined_end\n"
                   "msr psp, r0\n"
                   "movs r0, #2\n"
                   "msr control, r0\n"
                   "isb\n"
                   "cpsie i\n"
                   "movs r0, #3\n"
                   "msr control, r0\n"
                   "isb\n"
                   "b confined_idle\n"
                   ".ltorg\n");
}
