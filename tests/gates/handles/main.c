/* The application on top of the driver layer. */
#include "drv.h"

#define GPIOA 0x40020000u
#define GPIOB 0x40020400u
#define GPIOC 0x40020800u
#define GPIOD 0x40020C00u
#define GPIOE 0x40021000u
#define GPIOH 0x40021C00u

extern uint32_t layout_confined_start[], layout_confined_end[];
extern volatile uint32_t mailbox;
extern volatile uint8_t frame[96 * 96];
void confined_entry(void);
void confined_idle(void);

static I2C_HandleTypeDef hi2c1;
static TIM_HandleTypeDef htim2;

static const uint32_t ports[] = {GPIOA, GPIOB, GPIOC, GPIOD, GPIOE};

static drv_status_t MX_GPIO_Init(void)
{
    GPIO_InitTypeDef init = {.Pin = 0xFFFFu, .Mode = 3u};

    DRV_CHECK(RCC_Enable(0x30u, 0x9Fu));
    for (uint32_t index = 0; index < sizeof ports / sizeof ports[0]; index++) {
        DRV_CHECK(GPIO_Init(ports[index], &init));
    }
    *drv_reg(GPIOH, 0x00) = 0xFFFFFFFFu;

    init = (GPIO_InitTypeDef){.Pin = 0x7FFu, .Mode = 0u, .Pull = 2u}; /* camera: data, clock, valid */
    DRV_CHECK(GPIO_Init(GPIOC, &init));
    init = (GPIO_InitTypeDef){.Pin = 0x300u, .Mode = 2u, .OpenDrain = 1u, .Alternate = 4u}; /* its control bus */
    return GPIO_Init(GPIOB, &init);
}

static void SystemClock_Config(void)
{
    const RCC_InitTypeDef init = {.M = 8u, .N = 336u, .P = 1u, .Q = 7u, .Apb1 = 4u, .WaitStates = 2u};
    (void)RCC_Config(&init); /* without crystal everything is slower */
}

typedef struct {
    uint16_t address;
    uint8_t value;
} setting_t;

static const setting_t settings[] = {
    {0x0103, 0x00}, /* software reset */
    {0x3059, 0x02}, /* own oscillator, 8 bits wide */
    {0x3060, 0x30}, /* clock only while a line is valid */
    {0x0390, 0x03}, /* binning */
    {0x0383, 0x03},
    {0x0387, 0x03},
    {0x0340, 0x00},
    {0x0341, 0x84},
    {0x0342, 0x00},
    {0x0343, 0xD7},
    {0x0104, 0x01}, /* take over */
    {0x0100, 0x01}, /* stream */
};

static drv_status_t Sensor_Init(void)
{
    drv_status_t status = DRV_OK;

    hi2c1.Instance = 0x40005400u;
    hi2c1.Init = (I2C_InitTypeDef){.FrequencyMHz = 42u, .Divider = 210u, .Rise = 43u};
    DRV_CHECK(RCC_Enable(0x40u, 1u << 21));
    DRV_CHECK(I2C_Init(&hi2c1));
    for (uint32_t index = 0; index < sizeof settings / sizeof settings[0] && status == DRV_OK; index++) {
        status = I2C_Mem_Write(&hi2c1, 0x48u, settings[index].address, settings[index].value);
    }
    DRV_CHECK(I2C_DeInit(&hi2c1));
    DRV_CHECK(RCC_Disable(0x40u, 1u << 21));
    const GPIO_InitTypeDef silent = {.Pin = 0x300u, .Mode = 3u};
    DRV_CHECK(GPIO_Init(GPIOB, &silent));
    return status;
}

static void MPU_Config(void)
{
    MPU_InitTypeDef init = {.Number = 0u, .Base = 0x08000000u, .Size = 18u, .Access = 6u, .Cacheable = 1u};

    MPU_Disable();
    (void)MPU_ConfigRegion(&init);
    init.Number = 1u;
    init.Base = 0x20000000u;
    init.Size = 16u;
    init.Access = 1u;
    init.Shareable = 1u;
    init.NoExecute = 1u;
    (void)MPU_ConfigRegion(&init);
    init.Number = 2u;
    init.Size = 15u;
    init.Access = 3u;
    (void)MPU_ConfigRegion(&init);
    init.Size = 0u;
    for (init.Number = 3u; init.Number <= 7u; init.Number++) {
        (void)MPU_ConfigRegion(&init);
    }
    MPU_Enable();
}

static void NVIC_Config(void)
{
    *drv_reg(0xE000ED18u, 0) = 0x00202020u;
    *drv_reg(0xE000ED1Cu, 0) = 0x20000000u;
    *drv_reg(0xE000ED20u, 0) = 0x20200020u;
    *drv_reg(0xE000E41Cu, 0) = 0x20202020u;
    *drv_reg(0xE000ED24u, 0) |= 7u << 16;
}

static drv_status_t MX_TIM2_Init(void)
{
    const GPIO_InitTypeDef output = {.Pin = 1u << 5, .Mode = 2u, .Alternate = 1u};

    DRV_CHECK(RCC_Enable(0x40u, 1u << 0));
    DRV_CHECK(RCC_Enable(0x60u, 1u << 0));
    htim2.Instance = 0x40000000u;
    htim2.Interrupt = 28u;
    htim2.Init.Prescaler = 0u;
    htim2.Init.Period = 84008400u - 1u;
    DRV_CHECK(TIM_PWM_Init(&htim2));
    DRV_CHECK(GPIO_Init(GPIOA, &output));
    for (uint32_t index = 0; index < sizeof ports / sizeof ports[0]; index++) {
        DRV_CHECK(GPIO_Lock(ports[index]));
    }
    DRV_CHECK(GPIO_Lock(GPIOH));
    return TIM_PWM_Start(&htim2);
}

/* Nothing that a person could do about it: the output stays low. */
static void Error_Handler(void)
{
    for (;;) {
    }
}

__attribute__((used)) void app_main(void)
{
    if (MX_GPIO_Init() != DRV_OK) {
        Error_Handler();
    }
    SystemClock_Config();
    (void)Sensor_Init(); /* a sensor that does not answer gives no frames */
    MPU_Config();
    NVIC_Config();
    if (MX_TIM2_Init() != DRV_OK) {
        Error_Handler();
    }
}

/* --- after the drop ------------------------------------------------------------------------------------------------ */

#define CAMERA drv_reg(GPIOC, 0x10)
#define PIXEL (1u << 8)
#define LINE (1u << 9)
#define FRAME (1u << 10)

static drv_status_t DCMI_Line(volatile uint8_t *row, uint32_t count)
{
    for (uint32_t column = 0; column < 33u; column++) {
        DRV_CHECK(DRV_Wait(CAMERA, PIXEL, 0u, 10u));
        DRV_CHECK(DRV_Wait(CAMERA, PIXEL, PIXEL, 10u));
    }
    for (uint32_t column = 0; column < count; column++) {
        DRV_CHECK(DRV_Wait(CAMERA, PIXEL, 0u, 10u));
        DRV_CHECK(DRV_Wait(CAMERA, PIXEL, PIXEL, 10u));
        row[column] = (uint8_t)(*CAMERA & 0xFFu);
    }
    return DRV_OK;
}

__attribute__((noinline)) drv_status_t DCMI_Poll(volatile uint8_t *buffer, uint32_t rows, uint32_t columns)
{
    if (buffer == NULL) {
        return DRV_ERROR;
    }
    DRV_CHECK(DRV_Wait(CAMERA, FRAME, 0u, 30000u));
    DRV_CHECK(DRV_Wait(CAMERA, FRAME, FRAME, 10000u));
    for (uint32_t row = 0; row < 13u; row++) {
        DRV_CHECK(DRV_Wait(CAMERA, LINE, LINE, 1000u));
        DRV_CHECK(DRV_Wait(CAMERA, LINE, 0u, 1000u));
    }
    for (uint32_t row = 0; row < rows; row++) {
        DRV_CHECK(DRV_Wait(CAMERA, LINE, LINE, 300u));
        DRV_CHECK(DCMI_Line(buffer + row * columns, columns));
        DRV_CHECK(DRV_Wait(CAMERA, LINE, 0u, 300u));
    }
    return DRV_OK;
}

static void memory_fill(volatile uint32_t *destination, uint32_t value, uint32_t words)
{
    while (words-- > 0u) {
        *destination++ = value;
    }
}

static void return_to(void (*code)(void))
{
    volatile uint32_t *const stacked = layout_confined_end - 8;
    memory_fill(stacked, 0u, 5u);
    stacked[5] = 0xFFFFFFFFu;
    stacked[6] = (uint32_t)code & ~1u;
    stacked[7] = 1u << 24;
    __asm volatile("msr psp, %0\n\tmsr control, %1\n\tisb" ::"r"(stacked), "r"(1u) : "memory");
}

__attribute__((used)) void TIM_Callback(void)
{
    const uint32_t present = mailbox == 1u;

    *drv_reg(0x40000000u, 0x10) = 0u;
    *drv_reg(0x40000000u, 0x34) = 0u - present;
    memory_fill(layout_confined_start, 0u, (uint32_t)(layout_confined_end - layout_confined_start));
    *drv_reg(0xE000ED24u, 0) = 7u << 16;
    if (DCMI_Poll(frame, 96u, 96u) == DRV_OK) {
        return_to(confined_entry);
    } else {
        return_to(confined_idle);
    }
}

__attribute__((used)) void Fault_Callback(void)
{
    mailbox = 0u;
    *drv_reg(0xE000ED28u, 0) = 0x030FBFBBu;
    *drv_reg(0xE000ED2Cu, 0) = 0xC0000002u;
    return_to(confined_idle);
}
