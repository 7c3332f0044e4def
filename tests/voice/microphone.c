/*
 * The gate's microphone on the host, against a simulated receiver.
 *
 *   capture PHASE KIND AFTER   takes one window. A word comes every 24 status reads, the first after PHASE of them; left and
 *                              right in turns. From word AFTER on KIND happens: 0 nothing, 1 the words stop, 2 one is lost,
 *                              3 a slot is skipped; 4 the words come twice as slowly
 *   configure                  sets the receiver up
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "microphone.h"
#include "registers.h"

_Alignas(4) volatile uint8_t frame[2 * kWindowSamples];

enum { kEvery = 24, kStopped = 1, kLost = 2, kSkipped = 3, kSlow = 4 };

static struct {
    uint64_t reads;    /* of the status */
    uint64_t next;     /* status read at which the next word is there */
    uint64_t words;    /* that have come */
    uint64_t kind;
    uint64_t after;
    uint32_t status;
    uint32_t data;
    uint32_t data_was_read;
} host = {.status = 1u << 0 | 1u << 2 | 1u << 6}; /* a word of long ago, and an overrun since */

static uint16_t sample_of(uint64_t word)
{
    return (uint16_t)(word * 40503u + 7u);
}

static void word_comes(void)
{
    const int happens = host.words >= host.after;
    if (happens && host.kind == kStopped) {
        return;
    }
    if (happens && host.kind == kLost) {
        host.status |= kSpiSrOverrun;
        host.kind = 0;
    }
    if (happens && host.kind == kSkipped) {
        host.words++;
        host.kind = 0;
    }
    host.status = (host.status & ~kSpiSrRight) | kSpiSrReady | (host.words % 2u == 1u ? kSpiSrRight : 0u);
    host.data = sample_of(host.words++);
    host.next = host.reads + (happens && host.kind == kSlow ? 2u * kEvery : kEvery);
}

uint32_t word_read(uint32_t address)
{
    if (address == kSpi2Sr) {
        host.reads++;
        const uint32_t before = host.status;
        if (host.data_was_read) {
            host.status &= ~kSpiSrOverrun; /* data, then status */
        }
        host.data_was_read = 0;
        if (host.reads >= host.next) {
            word_comes();
        }
        return before;
    }
    if (address == kSpi2Dr) {
        host.status &= ~kSpiSrReady;
        host.data_was_read = 1;
        return host.data;
    }
    if (address == kRccCr) {
        return kRccCrPlli2sReady;
    }
    return 0u;
}

void word_write(uint32_t address, uint32_t value)
{
    printf("%08x %08x\n", address, value);
}

/* Samples that are not the left words in turn, from the first one that is. */
static uint32_t wrong_samples(void)
{
    volatile uint16_t *samples = (volatile uint16_t *)frame;
    const uint64_t last = host.words - (host.words % 2u == 0u ? 2u : 1u);
    uint32_t wrong = 0;
    for (uint64_t index = 0; index < kWindowSamples; index++) {
        wrong += samples[kWindowSamples - 1 - index] != sample_of(last - 2u * index);
    }
    return wrong;
}

int main(int count, char **words)
{
    if (count == 5 && strcmp(words[1], "capture") == 0) {
        host.next = strtoull(words[2], NULL, 0);
        host.kind = strtoull(words[3], NULL, 0);
        host.after = strtoull(words[4], NULL, 0);
        const int captured = microphone_capture();
        printf("captured %d wrong %u reads %llu\n", captured, captured ? wrong_samples() : 0u, (unsigned long long)host.reads);
        return 0;
    }
    if (count == 2 && strcmp(words[1], "configure") == 0) {
        microphone_configure();
        return 0;
    }
    return 2;
}
