/* Everything that happens once. */
#include "board.h"

typedef enum { PIN_INPUT, PIN_OUTPUT, PIN_ALTERNATE, PIN_ANALOG } pin_mode_t;

static void Pin_Mode(GPIO_t *port, unsigned pin, pin_mode_t mode, bool pull_down)
{
    switch (mode) {
    case PIN_INPUT:
        MODIFY_REG(port->MODER, 3u << (2 * pin), 0u);
        break;
    case PIN_ALTERNATE:
        MODIFY_REG(port->MODER, 3u << (2 * pin), 2u << (2 * pin));
        break;
    case PIN_OUTPUT:
        MODIFY_REG(port->MODER, 3u << (2 * pin), 1u << (2 * pin));
        break;
    case PIN_ANALOG:
        SET_BIT(port->MODER, 3u << (2 * pin));
        break;
    }
    if (pull_down) {
        MODIFY_REG(port->PUPDR, 3u << (2 * pin), 2u << (2 * pin));
    } else {
        CLEAR_BIT(port->PUPDR, 3u << (2 * pin));
    }
}

static void Port_Analog(GPIO_t *port)
{
    for (unsigned pin = 16; pin--;) {
        Pin_Mode(port, pin, PIN_ANALOG, false);
    }
}

static void Port_Lock(GPIO_t *port)
{
    port->LCKR = BIT(16) | 0xFFFFu;
    port->LCKR = 0xFFFFu;
    port->LCKR = BIT(16) | 0xFFFFu;
    (void)port->LCKR;
}

static void Pins_Init(void)
{
    SET_BIT(RCC->AHB1ENR, 0x9Fu);
    (void)RCC->AHB1ENR;
    Port_Analog(GPIOA);
    Port_Analog(GPIOB);
    Port_Analog(GPIOD);
    Port_Analog(GPIOE);
    GPIOH->MODER = 0xFFFFFFFFu; /* two pins */
    Port_Analog(GPIOC);
    for (unsigned pin = 0; pin <= 10; pin++) {
        Pin_Mode(GPIOC, pin, PIN_INPUT, true);
    }
}

#define TIMEOUT 50000u

/* Returns once the bits are set, or after a while. */
static bool Wait_Bits(volatile uint32_t *reg, uint32_t bits)
{
    uint32_t timeout = TIMEOUT;
    do {
        if (READ_BIT(*reg, bits) == bits) {
            return true;
        }
    } while (--timeout);
    return false;
}

/* 8 MHz / 8 * 336 / 4 */
static void Clock_Init(void)
{
    MODIFY_REG(RCC->CFGR, 7u << 10, 4u << 10);
    MODIFY_REG(RCC->PLLCFGR, 0x3Fu, 8u);
    MODIFY_REG(RCC->PLLCFGR, 0x1FFu << 6, 336u << 6);
    MODIFY_REG(RCC->PLLCFGR, 3u << 16, 1u << 16);
    MODIFY_REG(RCC->PLLCFGR, 0xFu << 24, 7u << 24);
    SET_BIT(RCC->PLLCFGR, BIT(22));
    SET_BIT(RCC->CR, BIT(16));
    if (!Wait_Bits(&RCC->CR, BIT(17))) {
        return;
    }
    MODIFY_REG(FLASH_ACR, 0xFu, 2u);
    SET_BIT(RCC->CR, BIT(24));
    if (!Wait_Bits(&RCC->CR, BIT(25))) {
        return;
    }
    MODIFY_REG(RCC->CFGR, 3u, 2u);
}

/* MPU_RASR as fields. */
typedef union {
    struct {
        uint32_t enable : 1, size : 5, : 2, subregions : 8, b : 1, c : 1, s : 1, tex : 3, : 2, ap : 3, : 1, xn : 1, : 3;
    } f;
    uint32_t word;
} rasr_t;

static void MPU_Region(uint32_t number, uint32_t base, rasr_t attributes)
{
    MPU->RNR = number;
    MPU->RBAR = base;
    MPU->RASR = attributes.word;
}

static void MPU_Init(void)
{
    const rasr_t flash = {.f = {.enable = 1, .size = 18, .c = 1, .ap = 6}};
    const rasr_t all_ram = {.f = {.enable = 1, .size = 16, .s = 1, .c = 1, .ap = 1, .xn = 1}};
    rasr_t confined = all_ram;
    confined.f.size = 15;
    confined.f.ap = 3;
    MPU_Region(0, 0x08000000u, flash);
    MPU_Region(1, 0x20000000u, all_ram);
    MPU_Region(2, 0x20000000u, confined);
    for (uint32_t number = 7; number > 2; number--) {
        MPU_Region(number, 0, (rasr_t){.word = 0});
    }
    SET_BIT(MPU->CTRL, BIT(0) | BIT(1) | BIT(2));
    __DSB();
    __ISB();
}

/* As in CMSIS: a byte each, the upper four bits count. */
static void Priority(int interrupt, uint32_t priority)
{
    if (interrupt >= 0) {
        NVIC->IP[interrupt] = (uint8_t)(priority << 4);
    } else {
        SCB->SHP[(interrupt & 15) - 4] = (uint8_t)(priority << 4);
    }
}

static void Exceptions_Init(void)
{
    static const signed char same[] = {-12, -11, -10, -5, -4, -2, -1, TIM2_IRQn};
    for (unsigned index = 0; index < sizeof same; index++) {
        Priority(same[index], 5);
    }
    SET_BIT(SCB->SHCSR, BIT(16));
    SET_BIT(SCB->SHCSR, BIT(17));
    SET_BIT(SCB->SHCSR, BIT(18));
    CLEAR_BIT(SCB->SCR, BIT(2));
}

static void Timer_Init(void)
{
    SET_BIT(RCC->APB1ENR, BIT(0));
    (void)RCC->APB1ENR;
    SET_BIT(RCC->APB1LPENR, BIT(0));
    TIM2->PSC = 99;
    TIM2->ARR = 840084 - 1;
    TIM2->CCR[0] = 0;
    TIM2->CCMR1.oc1m = 6;
    TIM2->CCMR1.oc1pe = 1;
    TIM2->CR1.arpe = 1;
    TIM2->CR1.urs = 1;
    TIM2->CCER.cc1e = 1;
    TIM2->EGR = 1;
    TIM2->SR = 0;
    TIM2->DIER.uie = 1;
}

static void Output_Init(void)
{
    MODIFY_REG(GPIOA->AFR[0], 0xFu << 20, 1u << 20);
    Pin_Mode(GPIOA, 5, PIN_ALTERNATE, false);
    Port_Lock(GPIOA);
    Port_Lock(GPIOB);
    Port_Lock(GPIOC);
    Port_Lock(GPIOD);
    Port_Lock(GPIOE);
    Port_Lock(GPIOH);
}

__attribute__((used)) void SystemInit(void)
{
    Pins_Init();
    Clock_Init();
    MPU_Init();
    Exceptions_Init();
    Timer_Init();
    Output_Init();
    NVIC->ISER[TIM2_IRQn / 32] = BIT(TIM2_IRQn % 32);
    TIM2->CR1.cen = 1;
    __DSB();
}
