// What the linker script places.
#pragma once

#include "hardware.hh"

extern "C" {
extern volatile u32 layout_confined_start[], layout_confined_end[], layout_gate_stack_end[];
extern volatile u32 mailbox;
extern volatile unsigned char frame[96 * 96];
void confined_entry();
void confined_idle();
}

namespace layout {

/// The words that the confined part can write, for a range-based loop.
struct confined_words {
    volatile u32 *begin() const
    {
        return layout_confined_start;
    }
    volatile u32 *end() const
    {
        return layout_confined_end;
    }
};

}  // namespace layout
