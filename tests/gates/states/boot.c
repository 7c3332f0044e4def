/* From reset to the drop: all registers through helpers that take pointers. 25 MHz crystal, 84 MHz. */
#include "part.h"

extern uint32_t layout_ram_start[], layout_ram_end[], layout_confined_end[];
extern const uintptr_t vectors[];
void confined_idle(void);

#define HELPER __attribute__((noinline)) static

HELPER void write_register(volatile uint32_t *reg, uint32_t value)
{
    *reg = value;
}

HELPER void set_bits(volatile uint32_t *reg, uint32_t bits)
{
    *reg |= bits;
}

HELPER void clear_bits(volatile uint32_t *reg, uint32_t bits)
{
    *reg &= ~bits;
}

HELPER bool wait_for(const volatile uint32_t *reg, uint32_t mask, uint32_t value, uint32_t bound)
{
    for (; bound != 0; bound--) {
        if ((*reg & mask) == value) {
            return true;
        }
    }
    return false;
}

HELPER void copy_words(volatile uint32_t *to, const uint32_t *from, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

/* 25 MHz / 25 * 336 / 4. */
static void clocks(void)
{
    write_register(&RCC_CFGR, 4u << 10);
    write_register(&RCC_PLLCFGR, 25u | 336u << 6 | 1u << 16 | 1u << 22 | 7u << 24 | 1u << 29);
    write_register(&RCC_CR, 0x81 | 1u << 16);
    if (!wait_for(&RCC_CR, 1u << 17, 1u << 17, 200000)) {
        return;
    }
    write_register(&FLASH_ACR, 2u | 1u << 8);
    if (!wait_for(&FLASH_ACR, 0xF, 2, 1000)) {
        return;
    }
    write_register(&RCC_CR, 0x81 | 1u << 16 | 1u << 24);
    if (wait_for(&RCC_CR, 1u << 25, 1u << 25, 100000)) {
        set_bits(&RCC_CFGR, 2);
    }
}

typedef struct {
    volatile uint32_t *base;
    uint32_t mode;
    uint32_t pull;
    uint32_t select_low;
    uint32_t select_high;
} port_t;

HELPER void set_port(const port_t *port)
{
    write_register(port->base + 1, port->select_high != 0 ? 0x300 : 0); /* the bus is open drain */
    write_register(port->base + 3, port->pull);
    write_register(port->base + 8, port->select_low);
    write_register(port->base + 9, port->select_high);
    write_register(port->base, port->mode);
}

static void pins(void)
{
    static const port_t ports[] = {
        {&MODER(PORT_A), 0xFFFFFFFF, 0, 1u << 20, 0},
        {&MODER(PORT_B), 0xFFFAFFFF, 0, 0, 0x44},
        {&MODER(PORT_C), 0xFFC00000, 0x002AAAAA, 0, 0},
        {&MODER(PORT_D), 0xFFFFFFFF, 0, 0, 0},
        {&MODER(PORT_E), 0xFFFFFFFF, 0, 0, 0},
        {&MODER(PORT_H), 0xFFFFFFFF, 0, 0, 0},
    };
    write_register(&RCC_AHB1ENR, 0x9F);
    (void)RCC_AHB1ENR;
    for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        set_port(&ports[i]);
    }
}

typedef struct {
    volatile uint32_t *data;
    const volatile uint32_t *status;
    bool failed;
} bus_t;

HELPER void bus_byte(bus_t *bus, uint32_t byte, uint32_t flag)
{
    if (!bus->failed) {
        write_register(bus->data, byte);
        bus->failed = !wait_for(bus->status, flag, flag, 4000);
    }
}

HELPER void bus_set(bus_t *bus, uint32_t setting)
{
    write_register(&I2C_CR1, 0x101);
    bus->failed = !wait_for(bus->status, 1, 1, 4000);
    bus_byte(bus, 0x48, 2);
    (void)I2C_SR2;
    bus_byte(bus, setting >> 16, 0x80);
    bus_byte(bus, setting >> 8 & 0xFF, 0x80);
    bus_byte(bus, setting & 0xFF, 4);
    write_register(&I2C_CR1, 0x201);
    if (!wait_for(&I2C_CR1, 0x200, 0, 4000)) {
        bus->failed = true;
    }
}

static const uint32_t kSettings[] = {
    0x010000, 0x100308, 0x100708, 0x30440A, 0x304500, 0x30470A, 0x3050C0, 0x305142, 0x305250, 0x305300,
    0x305403, 0x3055F7, 0x3056F8, 0x305729, 0x30581F, 0x305982, 0x306030, 0x306400, 0x306504, 0x306701,
    0x306800, 0x100043, 0x100140, 0x100232, 0x03507F, 0x100601, 0x301001, 0x038303, 0x038703, 0x039003,
    0x034000, 0x034184, 0x034200, 0x0343D7, 0x210001, 0x21015A, 0x210500, 0x210682, 0x010401, 0x010001,
};

static void sensor(void)
{
    bus_t bus = {&I2C_DR, &I2C_SR1, false};
    set_bits(&RCC_APB1ENR, 1u << 21);
    (void)RCC_APB1ENR;
    write_register(&I2C_CR2, 42);
    write_register(&I2C_CCR, 210);
    write_register(&I2C_TRISE, 43);
    write_register(&I2C_CR1, 1);
    for (unsigned i = 0; i < sizeof(kSettings) / sizeof(kSettings[0]) && !bus.failed; i++) {
        bus_set(&bus, kSettings[i]);
    }
    write_register(&I2C_CR1, 0);
    clear_bits(&RCC_APB1ENR, 1u << 21);
    write_register(&MODER(PORT_B), 0xFFFFFFFF);
}

static void protection(void)
{
    static const uint32_t regions[8][2] = {{0x08000000, 0x06020025}, {0x20000000, 0x110C0021}, {0x20000000, 0x130C001F}};
    for (unsigned i = 0; i < 8; i++) {
        write_register(&MPU_RNR, i);
        write_register(&MPU_RBAR, regions[i][0]);
        write_register(&MPU_RASR, regions[i][1]);
    }
    write_register(&MPU_CTRL, 7);
    __asm volatile("dsb\n isb" ::: "memory");
}

static void exceptions(void)
{
    static const uint32_t priorities[3] = {0x00404040, 0x40000000, 0x40400000};
    write_register(&SCB_VTOR, (uint32_t)vectors);
    clear_bits(&SCB_SCR, 1u << 2);
    copy_words(&SCB_SHPR1, priorities, 3);
    write_register(&NVIC_IPR7, 0x40);
    write_register(&SCB_SHCSR, 7u << 16);
}

HELPER void lock(volatile uint32_t *key)
{
    write_register(key, 0x1FFFF);
    write_register(key, 0x0FFFF);
    write_register(key, 0x1FFFF);
    (void)*key;
}

static void timer(void)
{
    set_bits(&RCC_APB1ENR, 1);
    set_bits(&RCC_APB1LPENR, 1);
    (void)RCC_APB1ENR;
    write_register(&TIM2_CCR1, 0);
    write_register(&TIM2_PSC, 0);
    write_register(&TIM2_ARR, 84010000 - 1);
    write_register(&TIM2_CCMR1, 0x68);
    write_register(&TIM2_CR1, 0x84);
    write_register(&TIM2_EGR, 1);
    write_register(&TIM2_SR, 0);
    write_register(&TIM2_CCER, 1);
    write_register(&MODER(PORT_A), 0xFFFFFBFF);
    lock(&LCKR(PORT_A));
    lock(&LCKR(PORT_B));
    lock(&LCKR(PORT_C));
    lock(&LCKR(PORT_D));
    lock(&LCKR(PORT_E));
    lock(&LCKR(PORT_H));
    write_register(&TIM2_DIER, 1);
    write_register(&NVIC_ISER0, 1u << 28);
    set_bits(&TIM2_CR1, 1);
    (void)TIM2_CR1;
}

__attribute__((used)) static void boot(void)
{
    pins();
    clocks();
    sensor();
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
