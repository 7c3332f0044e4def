/* The tick and the faults, and the camera. */
#include "board.h"

#define LINES (GPIOC->IDR)
#define PCLK BIT(8)
#define LVLD BIT(9)
#define FVLD BIT(10)

/* Waits for a line to be high or low; its value counts down to nothing. */
#define AWAIT_HIGH(LINE, LIMIT, FAILED) \
    for (uint32_t left = (LIMIT); !(LINES & (LINE));) { \
        if (--left == 0) { \
            goto FAILED; \
        } \
    }
#define AWAIT_LOW(LINE, LIMIT, FAILED) \
    for (uint32_t left = (LIMIT); LINES & (LINE);) { \
        if (--left == 0) { \
            goto FAILED; \
        } \
    }

#define COLUMNS 162
#define ROWS 122
#define SIDE 96
#define MARGIN(ALL) (((ALL) - SIDE) / 2)

__attribute__((noinline)) bool Camera_ReadFrame(void)
{
    AWAIT_LOW(FVLD, 300000, late)
    AWAIT_HIGH(FVLD, 30000, late)
    for (int row = -MARGIN(ROWS); row < SIDE; row++) {
        AWAIT_HIGH(LVLD, 3000, late)
        if (row >= 0) {
            for (int column = -MARGIN(COLUMNS); column < SIDE; column++) {
                uint32_t lines;
                uint32_t left = 12;
                AWAIT_LOW(PCLK, 12, late)
                do {
                    lines = LINES;
                } while (!(lines & PCLK) && --left);
                if (left == 0) {
                    goto late;
                }
                if (column >= 0) {
                    frame[row][column] = (uint8_t)lines;
                }
            }
        }
        AWAIT_LOW(LVLD, 3000, late)
    }
    return true;
late:
    return false;
}

typedef struct {
    uint32_t r[4], r12, lr, pc, xpsr;
} stacked_t;

/* The next exception return starts this code, unprivileged. */
static void Return_To(uint32_t code)
{
    volatile stacked_t *stacked = (volatile stacked_t *)layout_confined_end - 1;
    for (int n = 0; n < 4; n++) {
        stacked->r[n] = 0;
    }
    stacked->r12 = 0;
    stacked->lr = ~0u;
    stacked->pc = code & ~1u;
    stacked->xpsr = BIT(24);
    __asm volatile("msr psp, %0" ::"r"(stacked));
    __asm volatile("msr control, %0" ::"r"(1) : "memory");
    __ISB();
}

__attribute__((used)) void Tick(void)
{
    const uint32_t message = mailbox;

    CLEAR_BIT(TIM2->SR, BIT(0));
    TIM2->CCR[0] = message == 1 ? 0xFFFFFFFF : 0;
    for (volatile uint32_t *word = layout_confined_end; word > layout_confined_start;) {
        *--word = 0;
    }
    SCB->SHCSR = BIT(16) | BIT(17) | BIT(18);
    Return_To(Camera_ReadFrame() ? (uint32_t)confined_entry : (uint32_t)confined_idle);
}

__attribute__((used)) void Fault(void)
{
    mailbox = 0;
    SCB->CFSR = 0x030FBFBB;
    SCB->HFSR = 0xC0000002;
    Return_To((uint32_t)confined_idle);
}
