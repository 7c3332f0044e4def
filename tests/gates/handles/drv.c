#include "drv.h"

#define RCC 0x40023800u
#define RCC_CR 0x00u
#define RCC_PLLCFGR 0x04u
#define RCC_CFGR 0x08u
#define FLASH_ACR ((reg_t *)0x40023C00u)

drv_status_t DRV_Wait(reg_t *reg, uint32_t mask, uint32_t value, uint32_t timeout)
{
    if (reg == NULL) {
        return DRV_ERROR;
    }
    while ((*reg & mask) != value) {
        if (timeout-- == 0u) {
            return DRV_TIMEOUT;
        }
    }
    return DRV_OK;
}

drv_status_t GPIO_Init(uint32_t port, const GPIO_InitTypeDef *init)
{
    if (init == NULL || init->Mode > 3u || init->Pull > 2u) {
        return DRV_ERROR;
    }
    reg_t *const moder = drv_reg(port, 0x00), *const otyper = drv_reg(port, 0x04), *const pupdr = drv_reg(port, 0x0C);
    for (uint32_t position = 0; position < 16u; position++) {
        if ((init->Pin & (1u << position)) == 0u) {
            continue;
        }
        if (init->Mode == 2u) {
            reg_t *const afr = drv_reg(port, 0x20u + 4u * (position >> 3));
            uint32_t temp = *afr;
            temp &= ~(0xFu << (4u * (position & 7u)));
            temp |= init->Alternate << (4u * (position & 7u));
            *afr = temp;
        }
        uint32_t temp = *otyper;
        temp &= ~(1u << position);
        temp |= init->OpenDrain << position;
        *otyper = temp;
        temp = *pupdr;
        temp &= ~(3u << (2u * position));
        temp |= init->Pull << (2u * position);
        *pupdr = temp;
        temp = *moder;
        temp &= ~(3u << (2u * position));
        temp |= init->Mode << (2u * position);
        *moder = temp;
    }
    return DRV_OK;
}

drv_status_t GPIO_Lock(uint32_t port)
{
    const uint32_t key = (1u << 16) | 0xFFFFu;
    *drv_reg(port, 0x1C) = key;
    *drv_reg(port, 0x1C) = 0xFFFFu;
    *drv_reg(port, 0x1C) = key;
    (void)*drv_reg(port, 0x1C);
    return DRV_OK;
}

drv_status_t RCC_Config(const RCC_InitTypeDef *init)
{
    const uint32_t timeout = 40000u;
    if (init == NULL || init->M < 2u || init->N < 192u || init->N > 432u) {
        return DRV_ERROR;
    }
    *drv_reg(RCC, RCC_CFGR) = init->Apb1 << 10;
    *drv_reg(RCC, RCC_PLLCFGR) = (1u << 29) | (init->Q << 24) | (1u << 22) | (init->P << 16) | (init->N << 6) | init->M;
    *drv_reg(RCC, RCC_CR) |= 1u << 16;
    DRV_CHECK(DRV_Wait(drv_reg(RCC, RCC_CR), 1u << 17, 1u << 17, timeout));
    *FLASH_ACR = init->WaitStates;
    DRV_CHECK(DRV_Wait(FLASH_ACR, 0xFu, init->WaitStates, timeout));
    *drv_reg(RCC, RCC_CR) |= 1u << 24;
    DRV_CHECK(DRV_Wait(drv_reg(RCC, RCC_CR), 1u << 25, 1u << 25, timeout));
    *drv_reg(RCC, RCC_CFGR) = (init->Apb1 << 10) | 2u;
    return DRV_Wait(drv_reg(RCC, RCC_CFGR), 0xCu, 0x8u, timeout);
}

drv_status_t RCC_Enable(uint32_t offset, uint32_t bits)
{
    *drv_reg(RCC, offset) |= bits;
    (void)*drv_reg(RCC, offset);
    return DRV_OK;
}

drv_status_t RCC_Disable(uint32_t offset, uint32_t bits)
{
    *drv_reg(RCC, offset) &= ~bits;
    (void)*drv_reg(RCC, offset);
    return DRV_OK;
}

#define I2C_TIMEOUT 3000u

drv_status_t I2C_Init(I2C_HandleTypeDef *hi2c)
{
    if (hi2c == NULL || hi2c->Instance == 0u) {
        return DRV_ERROR;
    }
    *drv_reg(hi2c->Instance, 0x04) = hi2c->Init.FrequencyMHz;
    *drv_reg(hi2c->Instance, 0x1C) = hi2c->Init.Divider;
    *drv_reg(hi2c->Instance, 0x20) = hi2c->Init.Rise;
    *drv_reg(hi2c->Instance, 0x00) = 1u;
    hi2c->State = DRV_READY;
    return DRV_OK;
}

static drv_status_t I2C_Byte(const I2C_HandleTypeDef *hi2c, uint8_t byte, uint32_t flag)
{
    *drv_reg(hi2c->Instance, 0x10) = byte;
    return DRV_Wait(drv_reg(hi2c->Instance, 0x14), flag, flag, I2C_TIMEOUT);
}

drv_status_t I2C_Mem_Write(I2C_HandleTypeDef *hi2c, uint8_t device, uint16_t address, uint8_t value)
{
    if (hi2c == NULL || hi2c->State != DRV_READY) {
        return DRV_BUSY;
    }
    *drv_reg(hi2c->Instance, 0x00) = 0x101u;
    DRV_CHECK(DRV_Wait(drv_reg(hi2c->Instance, 0x14), 1u << 0, 1u << 0, I2C_TIMEOUT));
    DRV_CHECK(I2C_Byte(hi2c, device, 1u << 1));
    (void)*drv_reg(hi2c->Instance, 0x18);
    DRV_CHECK(I2C_Byte(hi2c, (uint8_t)(address >> 8), 1u << 7));
    DRV_CHECK(I2C_Byte(hi2c, (uint8_t)(address & 0xFFu), 1u << 7));
    DRV_CHECK(I2C_Byte(hi2c, value, 1u << 2));
    *drv_reg(hi2c->Instance, 0x00) = 0x201u;
    return DRV_Wait(drv_reg(hi2c->Instance, 0x00), 1u << 9, 0u, I2C_TIMEOUT);
}

drv_status_t I2C_DeInit(I2C_HandleTypeDef *hi2c)
{
    if (hi2c == NULL) {
        return DRV_ERROR;
    }
    *drv_reg(hi2c->Instance, 0x00) = 0u;
    hi2c->State = DRV_RESET;
    return DRV_OK;
}

drv_status_t TIM_PWM_Init(TIM_HandleTypeDef *htim)
{
    if (htim == NULL || htim->State != DRV_RESET) {
        return DRV_ERROR;
    }
    *drv_reg(htim->Instance, 0x28) = htim->Init.Prescaler;
    *drv_reg(htim->Instance, 0x2C) = htim->Init.Period;
    *drv_reg(htim->Instance, 0x34) = 0u;
    *drv_reg(htim->Instance, 0x18) = (6u << 4) | (1u << 3);
    *drv_reg(htim->Instance, 0x00) = (1u << 7) | (1u << 2);
    *drv_reg(htim->Instance, 0x14) = 1u;
    *drv_reg(htim->Instance, 0x10) = 0u;
    htim->State = DRV_READY;
    return DRV_OK;
}

drv_status_t TIM_PWM_Start(TIM_HandleTypeDef *htim)
{
    if (htim == NULL || htim->State != DRV_READY) {
        return DRV_ERROR;
    }
    *drv_reg(htim->Instance, 0x20) |= 1u;
    *drv_reg(htim->Instance, 0x0C) |= 1u;
    *drv_reg(0xE000E100u, 4u * (htim->Interrupt / 32u)) = 1u << (htim->Interrupt % 32u);
    *drv_reg(htim->Instance, 0x00) |= 1u;
    htim->State = DRV_RUNNING;
    return DRV_OK;
}

void MPU_Disable(void)
{
    __asm volatile("dmb" ::: "memory");
    *drv_reg(0xE000ED94u, 0) = 0u;
}

drv_status_t MPU_ConfigRegion(const MPU_InitTypeDef *init)
{
    if (init == NULL || init->Number > 7u) {
        return DRV_ERROR;
    }
    *drv_reg(0xE000ED98u, 0) = init->Number;
    if (init->Size != 0u) {
        *drv_reg(0xE000ED9Cu, 0) = init->Base;
        *drv_reg(0xE000EDA0u, 0) = (init->NoExecute << 28) | (init->Access << 24) | (init->Shareable << 18)
            | (init->Cacheable << 17) | (init->Size << 1) | 1u;
    } else {
        *drv_reg(0xE000ED9Cu, 0) = 0u;
        *drv_reg(0xE000EDA0u, 0) = 0u;
    }
    return DRV_OK;
}

void MPU_Enable(void)
{
    *drv_reg(0xE000ED94u, 0) = 7u;
    __asm volatile("dsb\n\tisb" ::: "memory");
}
