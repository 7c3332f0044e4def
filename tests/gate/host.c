/*
 * Runs pieces of the gate on the host against simulated devices, and prints what they did for test_gate_on_host.py to judge.
 *
 *   camera HALF PHASE [STUCK]  captures one frame from a sensor whose half pixel clock lasts HALF reads, PHASE reads into its
 *                              frame; the lines in STUCK (a mask, with 0x10000: stuck high) do not move
 *   sensor FAIL                sends the sensor's settings; the bus dies after FAIL status reads (0: never)
 *   clocks READY               starts the clocks; READY: 1 crystal, 2 flash, 4 PLL, 8 switch answer
 *   pins                       isolates, connects and locks the pins
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "camera.h"
#include "clocks.h"
#include "layout.h"
#include "pins.h"
#include "registers.h"
#include "sensor.h"

volatile uint8_t frame[kFrameSize];

enum { kWidth = 162, kLine = 215, kHeight = 122, kLines = 132 };

static struct {
    uint64_t reads;
    uint64_t half;
    uint64_t phase;
    uint32_t stuck_mask;
    uint32_t stuck_value;
    uint64_t status_reads;
    uint64_t dies_after;
    uint32_t ready;
} host;

static uint32_t pixel(uint64_t line, uint64_t column)
{
    return (uint32_t)(line * 7u + column * 3u) & 0xFFu;
}

/* The camera's lines at one read: data, pixel clock (bit 8), line valid (9), frame valid (10). */
static uint32_t camera_levels(void)
{
    const uint64_t clock = 2u * host.half;
    const uint64_t now = (host.reads++ + host.phase) % (kLines * kLine * clock);
    const uint64_t line = now / (kLine * clock);
    const uint64_t column = now % (kLine * clock) / clock;
    uint32_t levels = 0;

    if (line < kHeight) {
        levels |= 1u << 10;
        if (column < kWidth) {
            levels |= (1u << 9) | pixel(line, column);
            if (now % clock >= host.half) {
                levels |= 1u << 8;
            }
        }
    }
    return (levels & ~host.stuck_mask) | host.stuck_value;
}

/* The bus answers every request at once, until it dies. */
static uint32_t bus_status(void)
{
    host.status_reads++;
    if (host.dies_after != 0u && host.status_reads > host.dies_after) {
        return 0u;
    }
    return kI2cSr1Started | kI2cSr1Addressed | kI2cSr1Finished | kI2cSr1Empty;
}

uint32_t word_read(uint32_t address)
{
    if (address == kGpioC + kGpioIdr) {
        return camera_levels();
    }
    if (address == kI2c1Sr1) {
        return bus_status();
    }
    if (address == kRccCr) {
        host.reads++;
        return ((host.ready & 1u) ? kRccCrHseReady : 0u) | ((host.ready & 4u) ? kRccCrPllReady : 0u);
    }
    if (address == kFlashAcr) {
        host.reads++;
        return (host.ready & 2u) ? 2u : 0u;
    }
    if (address == kRccCfgr) {
        host.reads++;
        return (host.ready & 8u) ? kRccCfgrOnPll : 0u;
    }
    return 0u;
}

void word_write(uint32_t address, uint32_t value)
{
    printf("%08x %08x\n", address, value);
}

static int run_camera(int count, char **words)
{
    host.half = strtoull(words[2], NULL, 0);
    host.phase = strtoull(words[3], NULL, 0);
    if (count > 4) {
        const uint32_t stuck = (uint32_t)strtoul(words[4], NULL, 0);
        host.stuck_mask = stuck & 0xFFFFu;
        host.stuck_value = (stuck & 0x10000u) ? host.stuck_mask : 0u;
    }
    const bool captured = camera_capture();
    uint32_t wrong = 0;
    for (uint32_t row = 0; row < kFrameHeight; row++) {
        for (uint32_t column = 0; column < kFrameWidth; column++) {
            wrong += frame[row * kFrameWidth + column] != pixel(row + 13u, column + 33u);
        }
    }
    printf("captured %d wrong %u reads %llu\n", captured, wrong, (unsigned long long)host.reads);
    return 0;
}

int main(int count, char **words)
{
    if (count >= 4 && strcmp(words[1], "camera") == 0) {
        return run_camera(count, words);
    }
    if (count == 3 && strcmp(words[1], "sensor") == 0) {
        host.dies_after = strtoull(words[2], NULL, 0);
        sensor_configure();
        return 0;
    }
    if (count == 3 && strcmp(words[1], "clocks") == 0) {
        host.ready = (uint32_t)strtoul(words[2], NULL, 0);
        clocks_start();
        printf("reads %llu\n", (unsigned long long)host.reads);
        return 0;
    }
    if (count == 2 && strcmp(words[1], "pins") == 0) {
        pins_isolate();
        pins_release_control_bus();
        pins_connect_output();
        pins_lock();
        return 0;
    }
    return 2;
}
