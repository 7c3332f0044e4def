/*
 * Counts the instructions of one inference in the emulator, and prints them through semihosting with the score and a checksum
 * of all rows of all tensors.
 *
 * Started as `qemu-system-arm -M netduinoplus2 -icount shift=0`: an instruction takes one nanosecond of virtual time, and the
 * emulator's TIM2_CNT shows the low 32 bits of that time (a property of the emulator, not of the part).
 * The frame is a diagonal ramp; a count does not depend on it by more than a rounding here and there. With COUNT_SOUND the input
 * is a second of noise instead, and the front-end that makes features of it is counted before the network.
 */
#include "network.h"

#ifdef COUNT_SOUND
#include "frontend.h"
#endif

#define TIM2_CNT (*(volatile uint32_t *)0x40000024u) /* RM0368 13.4.10, base address table 1 */

enum { kSysWrite0 = 4, kSysExit = 0x18, kStoppedOk = 0x20026, kSide = 96 };

static uint8_t arena[kArenaBytes] __attribute__((aligned(4)));

static uint32_t semihost(uint32_t operation, uintptr_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void print(const char *label, int32_t number)
{
    char text[16];
    uint32_t place = sizeof text - 1;
    uint32_t rest = number < 0 ? (uint32_t)-number : (uint32_t)number;
    text[place] = 0;
    text[--place] = '\n';
    do {
        text[--place] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0) {
        text[--place] = '-';
    }
    semihost(kSysWrite0, (uintptr_t)label);
    semihost(kSysWrite0, (uintptr_t)&text[place]);
}

#ifdef COUNT_SOUND
static void prepare(void)
{
    static int16_t sound[kFrontendSamples];
    static frontend_t work;
    uint32_t noise = 1;
    for (uint32_t index = 0; index < kFrontendSamples; index++) {
        noise = noise * 1664525u + 1013904223u;
        sound[index] = (int16_t)((int32_t)noise >> 18);
    }
    const uint32_t start = TIM2_CNT;
    frontend_run(&work, sound, arena);
    print("front-end ", (int32_t)(TIM2_CNT - start));
}
#else
static void prepare(void)
{
    for (uint32_t index = 0; index < kModelInputBytes; index++) {
        arena[index] = (uint8_t)(index / kSide + index % kSide);
    }
}

/* Each byte with a factor that tells where it is, in any order. */
static uint32_t row_checksum(uint32_t index, uint32_t row)
{
    const tensor_t *tensor = &kModel.tensors[index];
    const uint32_t length = (uint32_t)tensor->width * tensor->channels;
    const uint8_t *place = arena + tensor->offset + row % tensor->rows * tensor->pitch + tensor->lead;
    uint32_t sum = 0;
    for (uint32_t at = 0; at < length; at++) {
        sum += place[at] * (2u * (index * 65536u + row * length + at) + 1u);
    }
    return sum;
}

static uint32_t checksum(void)
{
    static uint16_t summed[kModelTensors];
    progress_t progress;
    uint32_t sum = 0;
    prepare();
    network_start(&kModel, &progress);
    while (network_step(&kModel, &progress, arena) != 0) {
        for (uint32_t index = 1; index < kModelTensors; index++) {
            if (progress.made[index] != summed[index]) {
                sum += row_checksum(index, summed[index]);
                summed[index]++;
            }
        }
    }
    return sum;
}
#endif

void count_reset(void);

void count_reset(void)
{
    prepare();
    const uint32_t start = TIM2_CNT;
    const uint8_t *outputs = network_run(&kModel, arena);
    const uint32_t end = TIM2_CNT;
    print("instructions ", (int32_t)(end - start));
    print("score ", network_margin(outputs, kModelOutputs, kModel.decisions[0].output));
#ifndef COUNT_SOUND
    print("checksum ", (int32_t)checksum());
#endif
    semihost(kSysExit, kStoppedOk);
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static const uintptr_t kVectors[] = {0x20018000u, (uintptr_t)count_reset};
