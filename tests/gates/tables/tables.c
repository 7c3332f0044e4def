/* What the module is: every register of the set-up and its value, in order. Sections are of RM0368 and DDI 0403. */
#include "tables.h"

enum {
    RCC = 0x40023800, /* 6.3 */
    RCC_CR = RCC + 0x00,
    RCC_PLLCFGR = RCC + 0x04,
    RCC_CFGR = RCC + 0x08,
    RCC_AHB1ENR = RCC + 0x30,
    RCC_APB1ENR = RCC + 0x40,
    RCC_APB1LPENR = RCC + 0x60,
    FLASH_ACR = 0x40023C00, /* 3.8.1 */
    GPIOA = 0x40020000,     /* 8.4 */
    GPIOB = 0x40020400,
    GPIOC = 0x40020800,
    GPIOD = 0x40020C00,
    GPIOE = 0x40021000,
    GPIOH = 0x40021C00,
    TIM2 = 0x40000000, /* 13.4 */
    I2C1 = 0x40005400, /* 18.6 */
};
#define SCS 0xE000E000u /* B3.2 */
#define ALL 0xFFFFFFFFu

#define PORT(port, moder, otyper, pupdr, afrl, afrh) \
    WRITE(port + 0x04, otyper), WRITE(port + 0x0C, pupdr), WRITE(port + 0x20, afrl), WRITE(port + 0x24, afrh), \
        WRITE(port + 0x00, moder)
#define LOCK(port) \
    WRITE(port + 0x1C, 0x1FFFF), WRITE(port + 0x1C, 0xFFFF), WRITE(port + 0x1C, 0x1FFFF), READ(port + 0x1C)

/* Everything analogue but the control bus (PB8, PB9) and the camera (PC0-PC10, pulled down). */
const step_t kPins[kPinsCount] = {
    CHANGE(RCC_AHB1ENR, 0xFF, 0x9F), /* ports A to E, H */
    READ(RCC_AHB1ENR),
    PORT(GPIOA, ALL, 0, 0, 1 << 20, 0), /* PA5 will be TIM2_CH1 */
    PORT(GPIOB, 0xFFFAFFFF, 0x300, 0, 0, 0x44),
    PORT(GPIOC, 0xFFC00000, 0, 0x002AAAAA, 0, 0),
    PORT(GPIOD, ALL, 0, 0, 0, 0),
    PORT(GPIOE, ALL, 0, 0, 0, 0),
    PORT(GPIOH, ALL, 0, 0, 0, 0),
};

/* 8 MHz / 8 * 336 / 4. Where a wait fails the part stays on its internal oscillator, which is slower. */
const step_t kClocks[kClocksCount] = {
    CHANGE(RCC_CFGR, 7 << 10, 4 << 10), /* APB1 at half */
    WRITE(RCC_PLLCFGR, 0x27415408),
    WRITE(RCC_CR, 0x00010081), /* crystal on */
    WAIT(RCC_CR, 1 << 17, 1 << 17, 100000),
    CHANGE(FLASH_ACR, 0x70F, 0x102), /* two wait states, prefetch, no caches */
    WAIT(FLASH_ACR, 0xF, 2, 1000),
    WRITE(RCC_CR, 0x01010081), /* PLL on */
    WAIT(RCC_CR, 1 << 25, 1 << 25, 100000),
    CHANGE(RCC_CFGR, 3, 2),
    WAIT(RCC_CFGR, 3 << 2, 2 << 2, 100000),
};

const step_t kBusOn[kBusOnCount] = {
    WRITE(RCC_APB1ENR, 1 << 21),
    READ(RCC_APB1ENR),
    WRITE(I2C1 + 0x04, 42),  /* MHz */
    WRITE(I2C1 + 0x1C, 210), /* 100 kHz */
    WRITE(I2C1 + 0x20, 43),  /* 1000 ns */
    WRITE(I2C1 + 0x00, 1),
};

/* One setting: start, address, register number high and low, value, stop. */
const step_t kSetting[kSettingCount] = {
    WRITE(I2C1 + 0x00, 0x101),
    WAIT(I2C1 + 0x14, 1 << 0, 1 << 0, 4000),
    WRITE(I2C1 + 0x10, 0x48),
    WAIT(I2C1 + 0x14, 1 << 1, 1 << 1, 4000),
    READ(I2C1 + 0x18),
    BYTE(I2C1 + 0x10, 2),
    WAIT(I2C1 + 0x14, 1 << 7, 1 << 7, 4000),
    BYTE(I2C1 + 0x10, 1),
    WAIT(I2C1 + 0x14, 1 << 7, 1 << 7, 4000),
    BYTE(I2C1 + 0x10, 0),
    WAIT(I2C1 + 0x14, 1 << 2, 1 << 2, 4000),
    WRITE(I2C1 + 0x00, 0x201),
    WAIT(I2C1 + 0x00, 1 << 9, 0, 4000),
};

/* Also clears what a failed setting left. */
const step_t kBusOff[kBusOffCount] = {
    WRITE(I2C1 + 0x00, 0),
    WRITE(RCC_APB1ENR, 0),
    READ(RCC_APB1ENR),
    WRITE(GPIOB + 0x00, ALL),
};

/* HM01B0: 162x122 pixels, own oscillator, exposure by itself. */
const uint32_t kSensor[kSensorCount] = {
    0x010000, 0x100308, 0x100708, 0x30440A, 0x304500, 0x30470A, 0x3050C0, 0x305142, 0x305250, 0x305300,
    0x305403, 0x3055F7, 0x3056F8, 0x305729, 0x30581F, 0x305982, 0x306030, 0x306400, 0x306504, 0x306701,
    0x306800, 0x100043, 0x100140, 0x100232, 0x03507F, 0x100601, 0x301001, 0x038303, 0x038703, 0x039003,
    0x034000, 0x034184, 0x034200, 0x0343D7, 0x210001, 0x21015A, 0x210500, 0x210682, 0x010401, 0x010001,
};

/* B3.5.9: XN 28, AP 26-24, SCB 18-16, SIZE 5-1, ENABLE 0. */
const region_t kRegions[kRegionsCount] = {
    {0x08000000, 6u << 24 | 2u << 16 | 18u << 1 | 1u},             /* flash, 512 KB: read and run */
    {0x20000000, 1u << 28 | 1u << 24 | 6u << 16 | 16u << 1 | 1u}, /* memory, 128 KB: the gate */
    {0x20000000, 1u << 28 | 3u << 24 | 6u << 16 | 15u << 1 | 1u}, /* 64 KB of it: everybody */
};

const step_t kCore[kCoreCount] = {
    WRITE(SCS + 0xD94, 7), /* MPU_CTRL */
    WRITE(SCS + 0xD08, 0x08000000),
    WRITE(SCS + 0xD10, 0), /* no deep sleep */
    WRITE(SCS + 0xD18, 0x20202020),
    WRITE(SCS + 0xD1C, 0x20202020),
    WRITE(SCS + 0xD20, 0x20202020),
    WRITE(SCS + 0x41C, 0x20202020),
    WRITE(SCS + 0xD24, 0x70000), /* MemManage, BusFault, UsageFault */
};

const step_t kTimer[kTimerCount] = {
    CHANGE(RCC_APB1ENR, 1, 1),
    WRITE(RCC_APB1LPENR, 1),
    READ(RCC_APB1ENR),
    WRITE(TIM2 + 0x34, 0),        /* never */
    WRITE(TIM2 + 0x28, 8399),     /* 10 kHz */
    WRITE(TIM2 + 0x2C, 10001),    /* 1.0002 s */
    CHANGE(TIM2 + 0x18, 0xFF, 0x68),
    WRITE(TIM2 + 0x00, 0x84),
    WRITE(TIM2 + 0x14, 1),
    WRITE(TIM2 + 0x10, 0),
    WRITE(TIM2 + 0x20, 1),
    CHANGE(GPIOA, 3 << 10, 2 << 10), /* PA5 */
    LOCK(GPIOA),
    LOCK(GPIOB),
    LOCK(GPIOC),
    LOCK(GPIOD),
    LOCK(GPIOE),
    LOCK(GPIOH),
    WRITE(TIM2 + 0x0C, 1),
    WRITE(SCS + 0x100, 1 << 28),
    CHANGE(TIM2 + 0x00, 1, 1),
    READ(TIM2 + 0x00),
};
