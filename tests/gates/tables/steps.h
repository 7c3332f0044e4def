/* A program of steps in flash, and its interpreter: all set-up of this gate is data. */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    STEP_WRITE,  /* *address = value */
    STEP_CHANGE, /* the bits of mask become those of value */
    STEP_READ,   /* read and drop */
    STEP_WAIT,   /* until the bits of mask are those of value, at most `limit` reads; then the program fails */
    STEP_BYTE,   /* *address = byte number `value` of the argument */
} step_kind_t;

typedef struct {
    uint32_t kind;
    uint32_t address;
    uint32_t value;
    uint32_t mask;
    uint32_t limit;
} step_t;

#define WRITE(address, value) {STEP_WRITE, (address), (value), 0, 0}
#define CHANGE(address, mask, value) {STEP_CHANGE, (address), (value), (mask), 0}
#define READ(address) {STEP_READ, (address), 0, 0, 0}
#define WAIT(address, mask, value, limit) {STEP_WAIT, (address), (value), (mask), (limit)}
#define BYTE(address, number) {STEP_BYTE, (address), (number), 0, 0}

typedef struct {
    uint32_t base;
    uint32_t attributes;
} region_t;

/* Runs the steps in order. False when a wait failed: the rest is left out. */
bool steps_run(const step_t *step, const step_t *end, uint32_t argument);

#define RUN(program, argument) steps_run((program), (program) + sizeof(program) / sizeof((program)[0]), (argument))

#endif
