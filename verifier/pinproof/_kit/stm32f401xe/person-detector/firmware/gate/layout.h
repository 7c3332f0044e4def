/*
 * Memory layout. The numbers are in ld/stm32f401re.ld alone; these are its symbols. Arrays, so that only their
 * address can be used.
 */
#ifndef GATE_LAYOUT_H
#define GATE_LAYOUT_H

#include <stdint.h>

enum {
    kFrameWidth = 96,
    kFrameHeight = 96,
    kFrameSize = kFrameWidth * kFrameHeight, /* bytes, 8 bits a pixel */
};

/* Memory of the confined part: first byte, and one past the last. The confined stack starts at the end. */
extern uint32_t layout_confined_start[];
extern uint32_t layout_confined_end[];

/* All memory of the part, the confined part's included. */
extern uint32_t layout_ram_start[];
extern uint32_t layout_ram_end[];

/* Where the gate's stack starts; it grows down. */
extern uint32_t layout_gate_stack_end[];

/* Written by the confined part: 1 says "present". Anything else says "absent". Read by the gate once a tick. */
extern volatile uint32_t mailbox;

/*
 * What was sensed: a picture row by row, kFrameSize bytes, or a window of sound, 2 * kWindowSamples bytes. Written by the
 * function that captures alone, read by the confined part.
 */
extern volatile uint8_t frame[];

/* Where the confined part starts for each frame. Nothing is known of it. */
extern void confined_entry(void);

#endif
