/* Vectors, and what cannot be said in C. */
#include "board.h"

#define ZERO(REG) "mov " #REG ", r0\n"
#define ZERO_ALL \
    "movs r0, #0\n" ZERO(r1) ZERO(r2) ZERO(r3) ZERO(r4) ZERO(r5) ZERO(r6) ZERO(r7) ZERO(r8) ZERO(r9) ZERO(r10) \
    ZERO(r11) ZERO(r12)
#define HANDLER(NAME, BODY) \
    __attribute__((naked)) void NAME(void) \
    { \
        __asm volatile(ZERO_ALL "bl " #BODY "\n" ZERO_ALL "movw lr, #0xFFFD\n movt lr, #0xFFFF\n dsb\n bx lr"); \
    }

HANDLER(TIM2_IRQHandler, Tick)
HANDLER(Default_Handler, Fault)

__attribute__((naked)) void Reset_Handler(void)
{
    __asm volatile("cpsid i\n" ZERO_ALL
                   "ldr r1, =layout_ram_start\n"
                   "ldr r2, =layout_ram_end\n"
                   "1: strd r0, r0, [r1], #8\n"
                   "cmp r1, r2\n"
                   "bcc 1b\n"
                   "bl SystemInit\n"
                   "ldr r0, =layout_confined_end\n"
                   "msr psp, r0\n"
                   "mrs r0, control\n"
                   "orr r0, r0, #2\n"
                   "msr control, r0\n"
                   "isb\n"
                   "cpsie i\n"
                   "orr r0, r0, #1\n"
                   "ldr r1, =confined_idle\n"
                   "msr control, r0\n"
                   "isb\n"
                   "bx r1\n"
                   ".ltorg");
}

__attribute__((naked, section(".confined_idle"))) void confined_idle(void)
{
    __asm volatile("b .");
}

extern uint32_t layout_gate_stack_end[];

typedef void (*handler_t)(void);

__attribute__((section(".isr_vector"), used)) static const handler_t vector_table[16 + 85] = {
    (handler_t)layout_gate_stack_end,
    Reset_Handler,
    [2 ... 15] = Default_Handler,
    [16 ... 16 + TIM2_IRQn - 1] = Default_Handler,
    [16 + TIM2_IRQn] = TIM2_IRQHandler,
    [16 + TIM2_IRQn + 1 ... 16 + 84] = Default_Handler,
};
