/*
 * Driver layer: one handle an instance, one structure of settings a call, one status from everything.
 * Register offsets: RM0368 6.3 (RCC), 8.4 (ports), 13.4 (timer), 18.6 (bus); DDI 0403 B3.2 to B3.5 (core).
 */
#ifndef DRV_H
#define DRV_H

#include <stddef.h>
#include <stdint.h>

typedef enum { DRV_OK = 0, DRV_ERROR = 1, DRV_BUSY = 2, DRV_TIMEOUT = 3 } drv_status_t;
typedef enum { DRV_RESET = 0, DRV_READY, DRV_RUNNING } drv_state_t;

#define DRV_CHECK(CALL) \
    do { \
        const drv_status_t status_ = (CALL); \
        if (status_ != DRV_OK) { \
            return status_; \
        } \
    } while (0)

typedef volatile uint32_t reg_t;

static inline reg_t *drv_reg(uint32_t base, uint32_t offset)
{
    return (reg_t *)(base + offset);
}

drv_status_t DRV_Wait(reg_t *reg, uint32_t mask, uint32_t value, uint32_t timeout);

/* Ports */
typedef struct {
    uint32_t Pin; /* mask */
    uint32_t Mode; /* 0 input, 1 output, 2 alternate, 3 analogue */
    uint32_t Pull; /* 0 none, 1 up, 2 down */
    uint32_t OpenDrain;
    uint32_t Alternate;
} GPIO_InitTypeDef;

drv_status_t GPIO_Init(uint32_t port, const GPIO_InitTypeDef *init);
drv_status_t GPIO_Lock(uint32_t port);

/* Clocks */
typedef struct {
    uint32_t M, N, P, Q; /* P: 0 divides by 2, 1 by 4 */
    uint32_t Apb1;
    uint32_t WaitStates;
} RCC_InitTypeDef;

drv_status_t RCC_Config(const RCC_InitTypeDef *init);
drv_status_t RCC_Enable(uint32_t offset, uint32_t bits);
drv_status_t RCC_Disable(uint32_t offset, uint32_t bits);

/* Bus */
typedef struct {
    uint32_t FrequencyMHz, Divider, Rise;
} I2C_InitTypeDef;

typedef struct {
    uint32_t Instance;
    I2C_InitTypeDef Init;
    drv_state_t State;
} I2C_HandleTypeDef;

drv_status_t I2C_Init(I2C_HandleTypeDef *hi2c);
drv_status_t I2C_Mem_Write(I2C_HandleTypeDef *hi2c, uint8_t device, uint16_t address, uint8_t value);
drv_status_t I2C_DeInit(I2C_HandleTypeDef *hi2c);

/* Timer */
typedef struct {
    uint32_t Prescaler, Period;
} TIM_InitTypeDef;

typedef struct {
    uint32_t Instance;
    uint32_t Interrupt;
    TIM_InitTypeDef Init;
    drv_state_t State;
} TIM_HandleTypeDef;

drv_status_t TIM_PWM_Init(TIM_HandleTypeDef *htim);
drv_status_t TIM_PWM_Start(TIM_HandleTypeDef *htim);

/* Protection */
typedef struct {
    uint32_t Number, Base, Size; /* 2^(Size + 1) bytes */
    uint32_t Access, Cacheable, Shareable, NoExecute;
} MPU_InitTypeDef;

void MPU_Disable(void);
drv_status_t MPU_ConfigRegion(const MPU_InitTypeDef *init);
void MPU_Enable(void);

#endif
