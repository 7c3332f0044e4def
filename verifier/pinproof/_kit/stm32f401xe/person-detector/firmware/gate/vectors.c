#include "vectors.h"

#include "fault.h"
#include "layout.h"
#include "registers.h"
#include "reset.h"
#include "tick.h"

enum { kVectorTick = kVectorSystem + 28 };

_Static_assert(sizeof(vectors) == 404, "the table is followed by code; its size is part of the layout");

/* Reserved entries lead to the fault handler too: no value that the core could load is left to chance. */
// REQ: run-handlers
__attribute__((section(".vectors"), used)) const vector_t vectors[kVectorCount] = {
    [0] = (vector_t)layout_gate_stack_end,
    [1] = reset_handler,
    [2 ... kVectorTick - 1] = fault_handler,
    [kVectorTick] = tick_handler,
    [kVectorTick + 1 ... kVectorCount - 1] = fault_handler,
};
