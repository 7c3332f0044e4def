#include "steps.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

static bool wait(const step_t *step)
{
    uint32_t left = step->limit;
    while ((REGISTER(step->address) & step->mask) != step->value) {
        if (--left == 0) {
            return false;
        }
    }
    return true;
}

bool steps_run(const step_t *step, const step_t *end, uint32_t argument)
{
    for (; step != end; step++) {
        switch (step->kind) {
        case STEP_WRITE:
            REGISTER(step->address) = step->value;
            break;
        case STEP_CHANGE:
            REGISTER(step->address) = (REGISTER(step->address) & ~step->mask) | step->value;
            break;
        case STEP_READ:
            (void)REGISTER(step->address);
            break;
        case STEP_WAIT:
            if (!wait(step)) {
                return false;
            }
            break;
        case STEP_BYTE:
            REGISTER(step->address) = (argument >> (8 * step->value)) & 0xFF;
            break;
        }
    }
    return true;
}
