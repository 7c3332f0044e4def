/* From reset to the drop at 64 MHz, from the internal oscillator; waits are timed by SysTick, which then stops. */
#include "part.h"

extern uint32_t layout_ram_start[], layout_ram_end[], layout_confined_end[];
extern const uintptr_t vectors[];
void confined_idle(void);

/* SysTick counts core clocks down from 24 bits and sets COUNTFLAG when it has passed zero (B3.3). */
static void countdown(uint32_t clocks)
{
    SYST_RVR = clocks - 1;
    SYST_CVR = 0;
    SYST_CSR = 5;
}

/* Whether the bits come within the countdown. The reads are counted as well: SysTick is not trusted to run. */
static bool comes(volatile uint32_t *reg, uint32_t mask, uint32_t value, uint32_t clocks)
{
    countdown(clocks);
    for (uint32_t reads = clocks; reads > 0; reads--) {
        if ((*reg & mask) == value) {
            return true;
        }
        if (SYST_CSR & 1u << 16) {
            return false;
        }
    }
    return false;
}

static void clocks(void)
{
    /* 16 MHz / 16 * 256 / 4 = 64 MHz; the oscillator may be 10 % off. */
    RCC_PLLCFGR = 16u | 256u << 6 | 1u << 16 | 7u << 24 | 1u << 29;
    RCC_CFGR = 4u << 10;
    FLASH_ACR = 2u | 1u << 8;
    if (!comes(&FLASH_ACR, 0xF, 2, 1000)) {
        return;
    }
    RCC_CR = 0x81 | 1u << 24;
    if (comes(&RCC_CR, 1u << 25, 1u << 25, 160000)) {
        RCC_CFGR = 4u << 10 | 2u;
        (void)comes(&RCC_CFGR, 3u << 2, 2u << 2, 1000);
    }
}

static void port(uint32_t base, uint32_t mode, uint32_t down)
{
    PUPDR(base) = down;
    MODER(base) = mode;
}

static void pins(void)
{
    RCC_AHB1ENR = 0x9F;
    (void)RCC_AHB1ENR;
    AFRL(PORT_A) = 1u << 20; /* PA5: TIM2_CH1 */
    AFRH(PORT_B) = 0x44;     /* PB8, PB9: I2C1 */
    OTYPER(PORT_B) = 3u << 8;
    port(PORT_A, 0xFFFFFFFF, 0);
    port(PORT_B, 0xFFFAFFFF, 0);
    port(PORT_C, 0xFFC00000, 0x002AAAAA); /* PC0-PC10: camera */
    port(PORT_D, 0xFFFFFFFF, 0);
    port(PORT_E, 0xFFFFFFFF, 0);
    port(PORT_H, 0xFFFFFFFF, 0);
}

static bool i2c_sent(uint32_t flag)
{
    return comes(&I2C_SR1, flag, flag, 30000);
}

static bool i2c_send(uint8_t byte, uint32_t flag)
{
    I2C_DR = byte;
    return i2c_sent(flag);
}

static bool i2c_set(uint16_t number, uint8_t value)
{
    I2C_CR1 = 0x101;
    if (!i2c_sent(1u << 0) || !i2c_send(0x48, 1u << 1)) {
        return false;
    }
    (void)I2C_SR2;
    if (!i2c_send(number >> 8, 1u << 7) || !i2c_send(number & 0xFF, 1u << 7) || !i2c_send(value, 1u << 2)) {
        return false;
    }
    I2C_CR1 = 0x201;
    return comes(&I2C_CR1, 1u << 9, 0, 30000);
}

static const struct {
    uint16_t number;
    uint8_t value;
} kSettings[] = {
    {0x0100, 0x00}, {0x1003, 0x08}, {0x1007, 0x08}, {0x3044, 0x0A}, {0x3045, 0x00}, {0x3047, 0x0A}, {0x3050, 0xC0},
    {0x3051, 0x42}, {0x3052, 0x50}, {0x3053, 0x00}, {0x3054, 0x03}, {0x3055, 0xF7}, {0x3056, 0xF8}, {0x3057, 0x29},
    {0x3058, 0x1F}, {0x3059, 0x82}, {0x3060, 0x30}, {0x3064, 0x00}, {0x3065, 0x04}, {0x3067, 0x01}, {0x3068, 0x00},
    {0x1000, 0x43}, {0x1001, 0x40}, {0x1002, 0x32}, {0x0350, 0x7F}, {0x1006, 0x01}, {0x3010, 0x01}, {0x0383, 0x03},
    {0x0387, 0x03}, {0x0390, 0x03}, {0x0340, 0x00}, {0x0341, 0x84}, {0x0342, 0x00}, {0x0343, 0xD7}, {0x2100, 0x01},
    {0x2101, 0x5A}, {0x2105, 0x00}, {0x2106, 0x82}, {0x0104, 0x01}, {0x0100, 0x01},
};

static void sensor(void)
{
    RCC_APB1ENR = 1u << 21;
    (void)RCC_APB1ENR;
    I2C_CR2 = 32;   /* MHz */
    I2C_CCR = 160;  /* 100 kHz */
    I2C_TRISE = 33; /* 1000 ns */
    I2C_CR1 = 1;
    for (unsigned i = 0; i < sizeof(kSettings) / sizeof(kSettings[0]); i++) {
        if (!i2c_set(kSettings[i].number, kSettings[i].value)) {
            break;
        }
    }
    I2C_CR1 = 0;
    RCC_APB1ENR = 0;
    MODER(PORT_B) = 0xFFFFFFFF;
}

static void region(uint32_t number, uint32_t base, uint32_t attributes)
{
    MPU_RNR = number;
    MPU_RBAR = base;
    MPU_RASR = attributes;
}

static void protection(void)
{
    region(0, 0x08000000, 0x06020025); /* flash, 512 KB: read and run, all */
    region(1, 0x20000000, 0x110C0021); /* memory, 128 KB: the gate */
    region(2, 0x20000000, 0x130C001F); /* its first 64 KB: all */
    for (uint32_t number = 3; number <= 7; number++) {
        region(number, 0, 0);
    }
    MPU_CTRL = 7;
    __asm volatile("dsb\n isb" ::: "memory");
}

static void exceptions(void)
{
    SCB_VTOR = (uint32_t)vectors;
    SCB_SCR = 0;
    SCB_SHPR1 = 0xF0F0F0;
    SCB_SHPR2 = 0xF0000000;
    SCB_SHPR3 = 0xF0F000F0;
    NVIC_IPR7 = 0xF0;
    SCB_SHCSR = 7u << 16;
}

static void lock(uint32_t base)
{
    LCKR(base) = 0x1FFFF;
    LCKR(base) = 0x0FFFF;
    LCKR(base) = 0x1FFFF;
    (void)LCKR(base);
}

static void timer(void)
{
    RCC_APB1ENR = 1;
    RCC_APB1LPENR = 1;
    (void)RCC_APB1ENR;
    TIM2_CCR1 = 0;
    TIM2_PSC = 0;
    TIM2_ARR = 70400000 - 1; /* a second of the fastest clock: 64 MHz and 10 % */
    TIM2_CCMR1 = 0x68;
    TIM2_CR1 = 0x84;
    TIM2_EGR = 1;
    TIM2_SR = 0;
    TIM2_CCER = 1;
    MODER(PORT_A) = 0xFFFFFBFF;
    lock(PORT_A);
    lock(PORT_B);
    lock(PORT_C);
    lock(PORT_D);
    lock(PORT_E);
    lock(PORT_H);
#ifdef TICK_BY_SYSTICK
    SYST_RVR = 8800000 - 1; /* the same second by the eighth of the clock */
    SYST_CVR = 0;
    SYST_CSR = 3;
#else
    TIM2_DIER = 1;
    NVIC_ISER0 = 1u << 28;
#endif
    TIM2_CR1 = 0x85;
    (void)TIM2_CR1;
}

__attribute__((used)) static void boot(void)
{
    pins();
    clocks();
    sensor();
    SYST_CSR = 0;
    protection();
    exceptions();
    timer();
}

__attribute__((naked)) void Reset_Handler(void)
{
    __asm volatile("cpsid i\n"
                   "movs r0, #0\n movs r1, #0\n movs r2, #0\n movs r3, #0\n movs r4, #0\n movs r5, #0\n movs r6, #0\n"
                   "movs r7, #0\n mov r8, r0\n mov r9, r0\n mov r10, r0\n mov r11, r0\n mov r12, r0\n"
                   "ldr r0, =layout_ram_start\n ldr r1, =layout_ram_end\n"
                   "1: strd r2, r3, [r0], #8\n cmp r0, r1\n bne 1b\n"
                   "bl boot\n"
                   "ldr r0, =layout_confined_end\n msr psp, r0\n"
                   "movs r0, #2\n msr control, r0\n isb\n cpsie i\n"
                   "movs r0, #3\n msr control, r0\n isb\n"
                   "b confined_idle\n .ltorg\n");
}
