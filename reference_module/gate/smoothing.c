#include "smoothing.h"

#include "product.h"

enum {
    kNeeded = 2, /* answers that say "present" ... */
    kOf = 3,     /* ... of so many last ones */
    kDwell = 3,  /* periods from one change of the pin to the next, at the least */
    kMemory = (1 << kOf) - 1,
};

/*
 * All that outlives a tick, in the gate's memory, where the confined part can neither read nor write. 0 after a reset.
 */
static uint32_t smoothing_answers; /* the last kOf answers, the latest in bit 0 */
static uint32_t smoothing_shown;   /* what the pin says */
static uint32_t smoothing_wait;    /* periods in which it may not change */

/* Arithmetic and comparisons without branches: how long a tick takes must not tell what was said before. */
static uint32_t smoothing_count(uint32_t answers)
{
    uint32_t count = 0;

    for (uint32_t bit = 0; bit < kOf; bit++) {
        count += (answers >> bit) & 1u;
    }
    return count;
}

// REQ: out-budget
uint32_t smoothing_step(uint32_t present)
{
    if (kOutputs != 1) {
        return present; /* commands: each is said once, in one window */
    }
    const uint32_t shown = smoothing_shown;
    const uint32_t wait = smoothing_wait;
    const uint32_t answers = ((smoothing_answers << 1) | present) & kMemory;
    const uint32_t enough = smoothing_count(answers) >= kNeeded;
    const uint32_t wanted = enough & (present | shown); /* it rises on an answer that says so, never on silence */
    const uint32_t waiting = wait != 0u;
    const uint32_t change = (wanted ^ shown) & (waiting ^ 1u);

    smoothing_answers = answers;
    smoothing_shown = shown ^ change;
    smoothing_wait = wait - waiting + change * (kDwell - 1);
    return shown ^ change;
}
