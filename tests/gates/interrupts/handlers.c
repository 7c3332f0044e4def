/*
 * What runs after the drop. The work of a period is done in the timer's interrupt; or, by the definition given, in
 * PendSV, which the timer's interrupt makes pending, or in SysTick's.
 */
#include "part.h"

extern uint32_t layout_gate_stack_end[], layout_confined_start[], layout_confined_end[];
extern volatile uint32_t mailbox;
extern volatile uint8_t frame[96][96];
void confined_entry(void);
void confined_idle(void);
void Reset_Handler(void);

__attribute__((naked, section(".confined_idle"))) void confined_idle(void)
{
    __asm volatile("b .");
}

#define PIXEL_CLOCK (1u << 8)
#define LINE_VALID (1u << 9)
#define FRAME_VALID (1u << 10)

/* The port's levels once the line is there, or bit 31 of them missing. */
static inline uint32_t until(uint32_t line, uint32_t level, uint32_t reads)
{
    while (reads-- > 0) {
        uint32_t levels = IDR(PORT_C);
        if ((levels & line) == level) {
            return levels | 1u << 31;
        }
    }
    return 0;
}

static uint32_t pixel(void)
{
    return until(PIXEL_CLOCK, 0, 10) ? until(PIXEL_CLOCK, PIXEL_CLOCK, 10) : 0;
}

__attribute__((noinline)) bool camera_capture(void)
{
    if (!until(FRAME_VALID, 0, 300000) || !until(FRAME_VALID, FRAME_VALID, 20000)) {
        return false;
    }
    for (int line = 0; line < 13; line++) {
        if (!until(LINE_VALID, LINE_VALID, 2000) || !until(LINE_VALID, 0, 2000)) {
            return false;
        }
    }
    for (int line = 0; line < 96; line++) {
        if (!until(LINE_VALID, LINE_VALID, 2000)) {
            return false;
        }
        for (int column = 0; column < 33; column++) {
            if (!pixel()) {
                return false;
            }
        }
        for (int column = 0; column < 96; column++) {
            uint32_t levels = pixel();
            if (!levels) {
                return false;
            }
            frame[line][column] = levels & 0xFF;
        }
        if (!until(LINE_VALID, 0, 2000)) {
            return false;
        }
    }
    return true;
}

static void start(void (*program)(void))
{
    volatile uint32_t *stacked = layout_confined_end;
    *--stacked = 1u << 24;
    *--stacked = (uint32_t)program & ~1u;
    *--stacked = 0xFFFFFFFF;
    for (int i = 0; i < 5; i++) {
        *--stacked = 0;
    }
    __asm volatile("msr psp, %0\n msr control, %1\n isb" : : "r"(stacked), "r"(1) : "memory");
}

static void publish(void)
{
    TIM2_CCR1 = -(uint32_t)(mailbox == 1u); /* compilers make arithmetic of it */
}

static void renew(void)
{
    for (volatile uint32_t *word = layout_confined_start; word < layout_confined_end; word++) {
        *word = 0;
    }
    SCB_SHCSR = 7u << 16;
    start(camera_capture() ? confined_entry : confined_idle);
}

__attribute__((used)) static void on_update(void)
{
    TIM2_SR = 0;
    (void)TIM2_SR;
    publish();
#ifdef WORK_IN_PENDSV
    SCB_ICSR = 1u << 28; /* PENDSVSET */
    start(confined_idle);
#else
    renew();
#endif
}

__attribute__((used)) static void on_pendsv(void)
{
    renew();
}

__attribute__((used)) static void on_systick(void)
{
    publish();
    renew();
}

__attribute__((used)) static void on_fault(void)
{
    mailbox = 0;
    SCB_CFSR = 0x030FBFBB;
    SCB_HFSR = 0xC0000002;
    start(confined_idle);
}

#define ZERO "movs r0, #0\n movs r1, #0\n movs r2, #0\n movs r3, #0\n movs r4, #0\n movs r5, #0\n movs r6, #0\n" \
    "movs r7, #0\n mov r8, r0\n mov r9, r0\n mov r10, r0\n mov r11, r0\n mov r12, r0\n"
#define HANDLER(name, body) \
    __attribute__((naked)) static void name(void) \
    { \
        __asm volatile(ZERO "bl " #body "\n" ZERO "mvn lr, #2\n dsb\n bx lr\n"); \
    }
HANDLER(Update_Handler, on_update)
HANDLER(Fault_Handler, on_fault)
#ifdef WORK_IN_PENDSV
HANDLER(PendSV_Handler, on_pendsv)
#else
#define PendSV_Handler Fault_Handler
#endif
#ifdef TICK_BY_SYSTICK
HANDLER(SysTick_Handler, on_systick)
#else
#define SysTick_Handler Fault_Handler
#endif

__attribute__((section(".isr_vector"), used)) const uintptr_t vectors[16 + 85] = {
    (uintptr_t)layout_gate_stack_end,
    (uintptr_t)Reset_Handler,
    [2 ... 13] = (uintptr_t)Fault_Handler,
    [14] = (uintptr_t)PendSV_Handler,
    [15] = (uintptr_t)SysTick_Handler,
    [16 ... 43] = (uintptr_t)Fault_Handler,
    [44] = (uintptr_t)Update_Handler,
    [45 ... 100] = (uintptr_t)Fault_Handler,
};
