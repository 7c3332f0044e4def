/* No smoothing: a word is said once, and the window after it has forgotten it. */
#ifndef GATE_SMOOTHING_H
#define GATE_SMOOTHING_H

#include <stdint.h>

/* The answer itself: a bit for each output. */
static inline uint32_t smoothing_step(uint32_t answer)
{
    return answer;
}

#endif
