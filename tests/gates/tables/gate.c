/* Reset, tick and faults. What is to be done is in the tables; this walks them. */
#include "tables.h"

typedef void (*routine_t)(void);

extern uint32_t layout_ram_start[], layout_ram_end[], layout_confined_start[], layout_confined_end[];
extern uint32_t layout_gate_stack_end[];
extern volatile uint32_t mailbox;
extern volatile uint8_t frame[96 * 96];
void confined_entry(void);
void confined_idle(void);

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define TIM2_SR REGISTER(0x40000010)
#define TIM2_CCR1 REGISTER(0x40000034)
#define GPIOC_IDR REGISTER(0x40020810)
#define SCB_SHCSR REGISTER(0xE000ED24)
#define SCB_CFSR REGISTER(0xE000ED28)
#define SCB_HFSR REGISTER(0xE000ED2C)
#define MPU_RNR REGISTER(0xE000ED98)
#define MPU_RBAR REGISTER(0xE000ED9C)
#define MPU_RASR REGISTER(0xE000EDA0)

static void sensor(void)
{
    RUN(kBusOn, 0);
    for (unsigned i = 0; i < kSensorCount && RUN(kSetting, kSensor[i]); i++) {
    }
    RUN(kBusOff, 0);
}

static void regions(void)
{
    for (unsigned i = 0; i < kRegionsCount; i++) {
        MPU_RNR = i;
        MPU_RBAR = kRegions[i].base;
        MPU_RASR = kRegions[i].attributes;
    }
}

static void pins(void)
{
    RUN(kPins, 0);
}

static void clocks(void)
{
    RUN(kClocks, 0);
}

static void core(void)
{
    RUN(kCore, 0);
    __asm volatile("dsb\n isb" ::: "memory");
}

static void timer(void)
{
    RUN(kTimer, 0);
}

static const routine_t kStart[] = {pins, clocks, sensor, regions, core, timer};

__attribute__((used)) static void start(void)
{
    for (unsigned i = 0; i < sizeof(kStart) / sizeof(kStart[0]); i++) {
        kStart[i]();
    }
}

/* A wait for a level of the camera's lines: which, at which level, at most how many reads. */
typedef struct {
    uint32_t line;
    uint32_t level;
    uint32_t limit;
} edge_t;

enum { PCLK = 1 << 8, LVLD = 1 << 9, FVLD = 1 << 10 };
static const edge_t kFrameStart[] = {{FVLD, 0, 400000}, {FVLD, FVLD, 30000}};
static const edge_t kWholeLine[] = {{LVLD, LVLD, 3000}, {LVLD, 0, 3000}};
static const edge_t kLineStart[] = {{LVLD, LVLD, 1000}};
static const edge_t kLineEnd[] = {{LVLD, 0, 1000}};
static const edge_t kPixel[] = {{PCLK, 0, 12}, {PCLK, PCLK, 12}};

/* Waits for the edges in order. Returns the levels at the last, with bit 31; 0 if one did not come. */
static inline uint32_t follow(const edge_t *edge, unsigned count)
{
    uint32_t levels = 0;
    for (; count != 0; count--, edge++) {
        uint32_t left = edge->limit;
        do {
            if (left-- == 0) {
                return 0;
            }
            levels = GPIOC_IDR;
        } while ((levels & edge->line) != edge->level);
    }
    return levels | 1u << 31;
}
#define FOLLOW(edges) follow((edges), sizeof(edges) / sizeof((edges)[0]))

__attribute__((noinline)) bool camera_capture(void)
{
    volatile uint8_t *next = frame;
    if (!FOLLOW(kFrameStart)) {
        return false;
    }
    for (unsigned row = 0; row < 13; row++) {
        if (!FOLLOW(kWholeLine)) {
            return false;
        }
    }
    for (unsigned row = 0; row < 96; row++) {
        if (!FOLLOW(kLineStart)) {
            return false;
        }
        for (unsigned column = 0; column < 33; column++) {
            if (!FOLLOW(kPixel)) {
                return false;
            }
        }
        for (unsigned column = 0; column < 96; column++) {
            const uint32_t levels = FOLLOW(kPixel);
            if (!levels) {
                return false;
            }
            *next++ = (uint8_t)levels;
        }
        if (!FOLLOW(kLineEnd)) {
            return false;
        }
    }
    return true;
}

/* What the confined part starts with: r0-r3, r12, lr, then the program and xPSR. */
static const uint32_t kFreshFrame[8] = {0, 0, 0, 0, 0, 0xFFFFFFFF, 0, 1u << 24};

static void leave_to(routine_t program)
{
    volatile uint32_t *const stack = layout_confined_end - 8;
    for (unsigned i = 0; i < 8; i++) {
        stack[i] = kFreshFrame[i];
    }
    stack[6] = (uint32_t)program & ~1u;
    __asm volatile("msr psp, %0\n msr control, %1\n isb" : : "r"(stack), "r"(1) : "memory");
}

static void acknowledge(void)
{
    TIM2_SR = 0;
    (void)TIM2_SR;
}

static void answer(void)
{
    const uint32_t other = mailbox ^ 1u; /* 0 if somebody is there */
    TIM2_CCR1 = ~(uint32_t)((int32_t)(other | (0u - other)) >> 31);
}

static void forget(void)
{
    for (volatile uint32_t *word = layout_confined_start; word != layout_confined_end; word++) {
        *word = 0;
    }
    SCB_SHCSR = 0x70000; /* no fault of the last frame stays pending */
}

static void look(void)
{
    leave_to(camera_capture() ? confined_entry : confined_idle);
}

static const routine_t kTick[] = {acknowledge, answer, forget, look};

__attribute__((used)) static void tick_serve(void)
{
    for (unsigned i = 0; i < sizeof(kTick) / sizeof(kTick[0]); i++) {
        kTick[i]();
    }
}

__attribute__((used)) static void fault_serve(void)
{
    mailbox = 0;
    SCB_CFSR = 0xFFFFFFFF;
    SCB_HFSR = 0xFFFFFFFF;
    leave_to(confined_idle);
}

#define CLEAR \
    "movs r0, #0\n movs r1, #0\n movs r2, #0\n movs r3, #0\n movs r4, #0\n movs r5, #0\n movs r6, #0\n" \
    "movs r7, #0\n mov r8, r0\n mov r9, r0\n mov r10, r0\n mov r11, r0\n mov r12, r0\n"
#define HANDLER(name, serve) \
    __attribute__((naked)) static void name(void) \
    { \
        __asm volatile(CLEAR "bl " #serve "\n" CLEAR "mvn lr, #2\n dsb\n bx lr\n"); \
    }
HANDLER(tick, tick_serve)
HANDLER(fault, fault_serve)

__attribute__((naked)) static void reset(void)
{
    __asm volatile("cpsid i\n" CLEAR
                   "ldr r0, =layout_ram_start\n ldr r1, =layout_ram_end\n"
                   "1: str r2, [r0], #4\n cmp r0, r1\n bne 1b\n"
                   "bl start\n"
                   "ldr r0, =layout_confined_end\n msr psp, r0\n"
                   "movs r0, #2\n msr control, r0\n isb\n"
                   "cpsie i\n"
                   "movs r0, #3\n msr control, r0\n isb\n"
                   "b confined_idle\n .ltorg\n");
}

__attribute__((naked, section(".confined_idle"))) void confined_idle(void)
{
    __asm volatile("b .");
}

__attribute__((section(".vectors"), used)) static const routine_t kVectors[101] = {
    (routine_t)layout_gate_stack_end, reset, [2 ... 43] = fault, [44] = tick, [45 ... 100] = fault,
};
