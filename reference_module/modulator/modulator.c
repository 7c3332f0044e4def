/*
 * The lab's modulator: a confined part that does its worst to supply current, timing and the processor, for measuring
 * out-supply. Which pattern it plays is told by the frame, its only input, or by -DMODULATOR_PATTERN=n.
 *
 * The frame is read as four columns by two rows of cells, each bright (1) or dark (0): the upper four are the pattern,
 * the lower four its rate or instant, most significant first.
 */
#include <stdint.h>

enum { kSide = 96, kCell = 24, kBright = 128, kRates = 16 };

extern const uint8_t frame[kSide * kSide];
extern volatile uint32_t mailbox;

__attribute__((section(".model"), used)) const uint32_t model[1024] = {0x55555555u};

static volatile uint32_t scratch[256];

static uint32_t cell(uint32_t row, uint32_t column)
{
    return (uint32_t)(frame[(row * (kSide / 2) + kSide / 4) * kSide + column * kCell + kCell / 2] >= kBright);
}

static uint32_t told(uint32_t row)
{
    return cell(row, 0) << 3 | cell(row, 1) << 2 | cell(row, 2) << 1 | cell(row, 3);
}

/* Rounds of about 40 cycles that draw as much as this code can: multiplier, flash and memory at once. */
static void burn(uint32_t rounds)
{
    uint32_t product = 0x9E3779B9u;
    for (uint32_t round = 0; round < rounds; round++) {
        product = product * (product | 1u) + *(const volatile uint32_t *)&model[(round * 5u) % 1024u];
        scratch[round % 256u] = product;
        scratch[(round + 128u) % 256u] = ~product;
    }
}

/* As long, and as little: a few registers and one line of flash. */
static void rest(uint32_t rounds)
{
    for (uint32_t round = 0; round < rounds * 8u; round++) {
        __asm volatile("" ::: "memory");
    }
}

/* Half periods from one round (hundreds of kHz) to 2^15 rounds (tens of Hz). */
static void square(uint32_t rate)
{
    for (;;) {
        burn(1u << rate);
        rest(1u << rate);
    }
}

/* A known sequence of 127 chips, x^7 + x^6 + 1. */
static void sequence(uint32_t rate)
{
    for (uint32_t state = 1u;; state = (state << 1 | ((state >> 6 ^ state >> 5) & 1u)) & 127u) {
        if ((state & 1u) != 0u) {
            burn(1u << rate);
        } else {
            rest(1u << rate);
        }
    }
}

static void fault(uint32_t kind)
{
    switch (kind) {
    case 0: __asm volatile("udf #0"); break;
    case 1: __asm volatile("svc #0"); break;
    case 2: __asm volatile("bkpt #0"); break;
    case 3: *(volatile uint32_t *)0x40000014u = 1u; break; /* the timer's update */
    case 4: *(volatile uint32_t *)0x20017FFCu = 1u; break; /* beyond the module's memory */
    case 5: *(volatile uint32_t *)0xE000ED0Cu = 0x05FA0004u; break; /* a reset */
    case 6: __asm volatile("ldm %0, {r1, r2}" ::"r"(0x20000101u) : "r1", "r2", "memory"); break;
    default: __asm volatile("mov sp, %0\n push {r0-r7}" ::"r"(0x40000040u)); break;
    }
}

void confined_entry(void);
void confined_entry(void)
{
#ifdef MODULATOR_PATTERN
    const uint32_t pattern = MODULATOR_PATTERN;
#else
    const uint32_t pattern = told(0);
#endif
    const uint32_t rate = told(1);

    mailbox = 1u;
    switch (pattern) {
    case 1: burn(0xFFFFFFFFu); break;
    case 2: square(rate); break;
    case 3: sequence(rate); break;
    case 4: burn(1u << rate); break; /* then asleep: the instant is keyed */
    case 5: for (;;) { __asm volatile("sev\n wfe"); burn(1u << rate); }
    case 6: burn(1u << (rate & 8u)); fault(rate & 7u); break; /* early or late */
    case 7: for (uint32_t said = 0;; said ^= 1u) { mailbox = said; burn(1u << rate); }
    default: break;
    }
    for (;;) {
        __asm volatile("wfi");
    }
}
