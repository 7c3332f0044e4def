/*
 * The device: register blocks as structs, one pointer each. Offsets are those of RM0368 and of the ARMv7-M manual
 * (DDI 0403); the timer and the region attributes are described down to their fields.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stddef.h>
#include <stdint.h>

#define __I volatile const
#define __IO volatile

typedef struct {
    __IO uint32_t CR, PLLCFGR, CFGR, CIR;
    __IO uint32_t AHB1RSTR, AHB2RSTR;
    uint32_t reserved0[2];
    __IO uint32_t APB1RSTR, APB2RSTR;
    uint32_t reserved1[2];
    __IO uint32_t AHB1ENR, AHB2ENR;
    uint32_t reserved2[2];
    __IO uint32_t APB1ENR, APB2ENR;
    uint32_t reserved3[2];
    __IO uint32_t AHB1LPENR, AHB2LPENR;
    uint32_t reserved4[2];
    __IO uint32_t APB1LPENR, APB2LPENR;
} RCC_t;

typedef struct {
    __IO uint32_t MODER, OTYPER, OSPEEDR, PUPDR;
    __I uint32_t IDR;
    __IO uint32_t ODR, BSRR, LCKR, AFR[2];
} GPIO_t;

typedef struct {
    struct {
        __IO uint32_t cen : 1, udis : 1, urs : 1, opm : 1, dir : 1, cms : 2, arpe : 1, ckd : 2, : 22;
    } CR1;
    __IO uint32_t CR2, SMCR;
    struct {
        __IO uint32_t uie : 1, : 31;
    } DIER;
    __IO uint32_t SR, EGR;
    struct {
        __IO uint32_t cc1s : 2, oc1fe : 1, oc1pe : 1, oc1m : 3, oc1ce : 1, : 24;
    } CCMR1;
    __IO uint32_t CCMR2;
    struct {
        __IO uint32_t cc1e : 1, cc1p : 1, : 30;
    } CCER;
    __IO uint32_t CNT, PSC, ARR, RCR, CCR[4];
} TIM_t;

typedef struct {
    __IO uint32_t ISER[8];
    uint32_t reserved0[24];
    __IO uint32_t ICER[8];
    uint32_t reserved1[24];
    __IO uint32_t ISPR[8];
    uint32_t reserved2[24];
    __IO uint32_t ICPR[8];
    uint32_t reserved3[24];
    __IO uint32_t IABR[8];
    uint32_t reserved4[56];
    __IO uint8_t IP[240];
} NVIC_t;

typedef struct {
    __I uint32_t CPUID;
    __IO uint32_t ICSR, VTOR, AIRCR, SCR, CCR;
    __IO uint8_t SHP[12];
    __IO uint32_t SHCSR, CFSR, HFSR;
} SCB_t;

typedef struct {
    __I uint32_t TYPE;
    __IO uint32_t CTRL, RNR, RBAR, RASR;
} MPU_t;

_Static_assert(offsetof(RCC_t, APB1LPENR) == 0x60, "RM0368 6.3.15");
_Static_assert(offsetof(GPIO_t, AFR) == 0x20, "RM0368 8.4.9");
_Static_assert(offsetof(TIM_t, CCR) == 0x34, "RM0368 13.4.13");
_Static_assert(offsetof(NVIC_t, IP) == 0x300, "DDI 0403 B3.4.9");
_Static_assert(offsetof(SCB_t, SHCSR) == 0x24, "DDI 0403 B3.2.13");

#define RCC ((RCC_t *)0x40023800u)
#define FLASH_ACR (*(__IO uint32_t *)0x40023C00u)
#define GPIOA ((GPIO_t *)0x40020000u)
#define GPIOB ((GPIO_t *)0x40020400u)
#define GPIOC ((GPIO_t *)0x40020800u)
#define GPIOD ((GPIO_t *)0x40020C00u)
#define GPIOE ((GPIO_t *)0x40021000u)
#define GPIOH ((GPIO_t *)0x40021C00u)
#define TIM2 ((TIM_t *)0x40000000u)
#define NVIC ((NVIC_t *)0xE000E100u)
#define SCB ((SCB_t *)0xE000ED00u)
#define MPU ((MPU_t *)0xE000ED90u)

#define BIT(n) (1u << (n))
#define SET_BIT(REG, BITS) ((REG) |= (BITS))
#define CLEAR_BIT(REG, BITS) ((REG) &= ~(BITS))
#define READ_BIT(REG, BITS) ((REG) & (BITS))
#define MODIFY_REG(REG, MASK, BITS) ((REG) = ((REG) & ~(MASK)) | (BITS))

#define __DSB() __asm volatile("dsb" ::: "memory")
#define __ISB() __asm volatile("isb" ::: "memory")

#define TIM2_IRQn 28

#endif
