/* Registers of the STM32F401, by RM0368, and of the core, by DDI 0403. */
#ifndef PART_H
#define PART_H

#include <stdbool.h>
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))

#define RCC_CR REG(0x40023800)
#define RCC_PLLCFGR REG(0x40023804)
#define RCC_CFGR REG(0x40023808)
#define RCC_AHB1ENR REG(0x40023830)
#define RCC_APB1ENR REG(0x40023840)
#define RCC_APB1LPENR REG(0x40023860)
#define FLASH_ACR REG(0x40023C00)

#define PORT_A 0x40020000u
#define PORT_B 0x40020400u
#define PORT_C 0x40020800u
#define PORT_D 0x40020C00u
#define PORT_E 0x40021000u
#define PORT_H 0x40021C00u
#define MODER(port) REG((port) + 0x00)
#define OTYPER(port) REG((port) + 0x04)
#define PUPDR(port) REG((port) + 0x0C)
#define IDR(port) REG((port) + 0x10)
#define LCKR(port) REG((port) + 0x1C)
#define AFRL(port) REG((port) + 0x20)
#define AFRH(port) REG((port) + 0x24)

#define TIM2_CR1 REG(0x40000000)
#define TIM2_DIER REG(0x4000000C)
#define TIM2_SR REG(0x40000010)
#define TIM2_EGR REG(0x40000014)
#define TIM2_CCMR1 REG(0x40000018)
#define TIM2_CCER REG(0x40000020)
#define TIM2_PSC REG(0x40000028)
#define TIM2_ARR REG(0x4000002C)
#define TIM2_CCR1 REG(0x40000034)

#define I2C_CR1 REG(0x40005400)
#define I2C_CR2 REG(0x40005404)
#define I2C_DR REG(0x40005410)
#define I2C_SR1 REG(0x40005414)
#define I2C_SR2 REG(0x40005418)
#define I2C_CCR REG(0x4000541C)
#define I2C_TRISE REG(0x40005420)

#define SYST_CSR REG(0xE000E010)
#define SYST_RVR REG(0xE000E014)
#define SYST_CVR REG(0xE000E018)
#define NVIC_ISER0 REG(0xE000E100)
#define NVIC_IPR7 REG(0xE000E41C)
#define SCB_ICSR REG(0xE000ED04)
#define SCB_VTOR REG(0xE000ED08)
#define SCB_SCR REG(0xE000ED10)
#define SCB_SHPR1 REG(0xE000ED18)
#define SCB_SHPR2 REG(0xE000ED1C)
#define SCB_SHPR3 REG(0xE000ED20)
#define SCB_SHCSR REG(0xE000ED24)
#define SCB_CFSR REG(0xE000ED28)
#define SCB_HFSR REG(0xE000ED2C)
#define MPU_CTRL REG(0xE000ED94)
#define MPU_RNR REG(0xE000ED98)
#define MPU_RBAR REG(0xE000ED9C)
#define MPU_RASR REG(0xE000EDA0)

#endif
