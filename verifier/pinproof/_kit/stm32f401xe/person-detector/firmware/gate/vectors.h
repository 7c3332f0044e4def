/* Vector table. */
#ifndef GATE_VECTORS_H
#define GATE_VECTORS_H

enum {
    kVectorSystem = 16,  /* stack pointer, reset, faults and system calls */
    kVectorDevice = 85,  /* interrupts of the STM32F401xE (RM0368 10.1.3) */
    kVectorCount = kVectorSystem + kVectorDevice,
};

typedef void (*vector_t)(void);

extern const vector_t vectors[kVectorCount];

#endif
