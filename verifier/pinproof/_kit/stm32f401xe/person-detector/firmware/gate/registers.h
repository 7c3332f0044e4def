/*
 * Addresses and values of every register that the gate touches, and of no other.
 *
 * RM0368 is ST's reference manual of the STM32F401xB/C and xD/E; base addresses are from its memory map (2.3).
 * ARMv7-M ARM is Arm's DDI 0403. What each fact rests on is recorded in spec/silicon/stm32f401xe.toml.
 */
#ifndef GATE_REGISTERS_H
#define GATE_REGISTERS_H

#include <stdint.h>

/* Reset and clock control: 0x40023800, RM0368 6.3 */
static const uint32_t kRccCr = 0x40023800u;      /* clock control, 6.3.1 */
static const uint32_t kRccPllcfgr = 0x40023804u; /* PLL configuration, 6.3.2 */
static const uint32_t kRccCfgr = 0x40023808u;    /* clock configuration, 6.3.3 */
static const uint32_t kRccAhb1enr = 0x40023830u; /* AHB1 clock enable, 6.3.9 */
static const uint32_t kRccApb1enr = 0x40023840u; /* APB1 clock enable, 6.3.11 */
static const uint32_t kRccApb1lpenr = 0x40023860u; /* APB1 clock enable while the processor sleeps, 6.3.15 */
static const uint32_t kRccPlli2scfgr = 0x40023884u; /* configuration of the second PLL, 6.3.20 */

/* HSION and HSITRIM at their reset values (HSICAL is read-only, the rest off); HSEBYP and CSSON stay 0 in all three. */
static const uint32_t kRccCrHsi = 0x00000081u;
static const uint32_t kRccCrHseOn = 1u << 16;
static const uint32_t kRccCrHseReady = 1u << 17;
static const uint32_t kRccCrPllOn = 1u << 24;
static const uint32_t kRccCrPllReady = 1u << 25;
static const uint32_t kRccCrPlli2sOn = 1u << 26;
static const uint32_t kRccCrPlli2sReady = 1u << 27;
static const uint32_t kRccCfgrApb1Half = 4u << 10; /* PPRE1 = 100: APB1 at half of HCLK, its timers at HCLK */
static const uint32_t kRccCfgrUsePll = 2u << 0;    /* SW = 10 */
static const uint32_t kRccCfgrOnPll = 2u << 2;     /* SWS = 10 */
static const uint32_t kRccCfgrClockMask = 3u << 2; /* SWS */
static const uint32_t kRccAhb1Ports = 0x0000009Fu; /* GPIOA to GPIOE, GPIOH */
static const uint32_t kRccApb1Tim2 = 1u << 0;
static const uint32_t kRccApb1Spi2 = 1u << 14;
static const uint32_t kRccApb1I2c1 = 1u << 21;

/* Flash interface: 0x40023C00, RM0368 3.8.1 */
static const uint32_t kFlashAcr = 0x40023C00u;
static const uint32_t kFlashAcrLatencyMask = 0xFu;

/* Ports: 0x40020000 + 0x400 each, RM0368 8.4 */
static const uint32_t kGpioA = 0x40020000u;
static const uint32_t kGpioB = 0x40020400u;
static const uint32_t kGpioC = 0x40020800u;
static const uint32_t kGpioD = 0x40020C00u;
static const uint32_t kGpioE = 0x40021000u;
static const uint32_t kGpioH = 0x40021C00u;
static const uint32_t kGpioModer = 0x00u;   /* two bits a pin: 00 input, 01 output, 10 alternate, 11 analogue, 8.4.1 */
static const uint32_t kGpioOtyper = 0x04u;  /* one bit a pin: 1 open drain, 8.4.2 */
static const uint32_t kGpioOspeedr = 0x08u; /* two bits a pin: 00 slowest, 8.4.3 */
static const uint32_t kGpioPupdr = 0x0Cu;   /* two bits a pin: 00 none, 01 up, 10 down, 8.4.4 */
static const uint32_t kGpioIdr = 0x10u;     /* levels read, 8.4.5 */
static const uint32_t kGpioOdr = 0x14u;     /* levels driven, 8.4.6 */
static const uint32_t kGpioLckr = 0x1Cu;    /* configuration lock, 8.4.8 */
static const uint32_t kGpioAfrl = 0x20u;    /* four bits a pin, pins 0 to 7, 8.4.9 */
static const uint32_t kGpioAfrh = 0x24u;    /* four bits a pin, pins 8 to 15, 8.4.10 */

/* Timer 2: 0x40000000, RM0368 13.4 */
static const uint32_t kTim2Cr1 = 0x40000000u;
static const uint32_t kTim2Dier = 0x4000000Cu;
static const uint32_t kTim2Sr = 0x40000010u;
static const uint32_t kTim2Egr = 0x40000014u;
static const uint32_t kTim2Ccmr1 = 0x40000018u;
static const uint32_t kTim2Ccer = 0x40000020u;
static const uint32_t kTim2Psc = 0x40000028u;
static const uint32_t kTim2Arr = 0x4000002Cu;
static const uint32_t kTim2Ccr1 = 0x40000034u;
static const uint32_t kTim2Ccr2 = 0x40000038u;
static const uint32_t kTim2Irq = 28u; /* position in the vector table, RM0368 10.1.3 */

/* I2C 1: 0x40005400, RM0368 18.6 */
static const uint32_t kI2c1Cr1 = 0x40005400u;
static const uint32_t kI2c1Cr2 = 0x40005404u;
static const uint32_t kI2c1Dr = 0x40005410u;
static const uint32_t kI2c1Sr1 = 0x40005414u;
static const uint32_t kI2c1Sr2 = 0x40005418u;
static const uint32_t kI2c1Ccr = 0x4000541Cu;
static const uint32_t kI2c1Trise = 0x40005420u;
static const uint32_t kI2cCr1Enable = 1u << 0;
static const uint32_t kI2cCr1Start = 1u << 8;
static const uint32_t kI2cCr1Stop = 1u << 9;
static const uint32_t kI2cSr1Started = 1u << 0;
static const uint32_t kI2cSr1Addressed = 1u << 1;
static const uint32_t kI2cSr1Finished = 1u << 2;
static const uint32_t kI2cSr1Empty = 1u << 7;

/* SPI 2, as I2S: 0x40003800, RM0368 20.5 */
static const uint32_t kSpi2Sr = 0x40003808u;      /* 20.5.3 */
static const uint32_t kSpi2Dr = 0x4000380Cu;      /* 20.5.4 */
static const uint32_t kSpi2I2scfgr = 0x4000381Cu; /* 20.5.8 */
static const uint32_t kSpi2I2spr = 0x40003820u;   /* 20.5.9 */
static const uint32_t kSpiSrReady = 1u << 0;      /* RXNE: a word has arrived */
static const uint32_t kSpiSrRight = 1u << 2;      /* CHSIDE: in the right channel's slot */
static const uint32_t kSpiSrOverrun = 1u << 6;    /* OVR: one was lost before it */

/* System control space: ARMv7-M ARM B3.2, B3.4, B3.5 */
static const uint32_t kNvicIser0 = 0xE000E100u;
static const uint32_t kNvicIpr7 = 0xE000E41Cu; /* interrupts 28 to 31, a byte each */
static const uint32_t kScbVtor = 0xE000ED08u;
static const uint32_t kScbScr = 0xE000ED10u;
static const uint32_t kScbShpr1 = 0xE000ED18u;
static const uint32_t kScbShpr2 = 0xE000ED1Cu;
static const uint32_t kScbShpr3 = 0xE000ED20u;
static const uint32_t kScbShcsr = 0xE000ED24u;
static const uint32_t kScbCfsr = 0xE000ED28u;
static const uint32_t kScbHfsr = 0xE000ED2Cu;
static const uint32_t kMpuCtrl = 0xE000ED94u;
static const uint32_t kMpuRnr = 0xE000ED98u;
static const uint32_t kMpuRbar = 0xE000ED9Cu;
static const uint32_t kMpuRasr = 0xE000EDA0u;

/* MEMFAULTENA, BUSFAULTENA and USGFAULTENA; as a whole word it also withdraws every pending system exception. */
static const uint32_t kScbShcsrFaultsEnabled = 7u << 16;

#endif
