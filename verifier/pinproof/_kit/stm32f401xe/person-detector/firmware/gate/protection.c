#include "protection.h"

#include "access.h"
#include "product.h"
#include "registers.h"

enum {
    kRegionFlash = 0,
    kRegionMemory = 1,
    kRegionConfined = 2, /* overlaps kRegionMemory; the higher number wins (ARMv7-M ARM B3.5.3) */
    kRegionFirstUnused = 3,
    kRegionCount = 8,
};

/*
 * RASR, ARMv7-M ARM B3.5.9: XN bit 28, AP bits 26-24, S bit 18, C bit 17, SIZE bits 5-1 (2^(SIZE+1) bytes), ENABLE
 * bit 0
 */
static const uint32_t kFlashBase = 0x08000000u;
static const uint32_t kFlashAttributes = /* 512 KB, read-only for all, code */
    (6u << 24) | (1u << 17) | (18u << 1) | 1u;
static const uint32_t kMemoryBase = 0x20000000u;
static const uint32_t kMemoryAttributes = /* 128 KB, read and written by the gate only, no code */
    (1u << 28) | (1u << 24) | (3u << 17) | (16u << 1) | 1u;
static const uint32_t kConfinedAttributes = /* read and written by all, no code */
    (1u << 28) | (3u << 24) | (3u << 17) | (kConfinedSize << 1) | 1u;

/* ENABLE; HFNMIENA: also in HardFault and NMI; PRIVDEFENA: the gate sees devices by the default map. */
static const uint32_t kControl = 7u;

static void protection_region(uint32_t number, uint32_t base, uint32_t attributes)
{
    word_write(kMpuRnr, number);
    word_write(kMpuRbar, base);
    word_write(kMpuRasr, attributes);
}

// REQ: run-confined
// REQ: imm-write-xor-execute
void protection_enable(void)
{
    protection_region(kRegionFlash, kFlashBase, kFlashAttributes);
    protection_region(kRegionMemory, kMemoryBase, kMemoryAttributes);
    protection_region(kRegionConfined, kMemoryBase, kConfinedAttributes);
    for (uint32_t number = kRegionFirstUnused; number < kRegionCount; number++) {
        protection_region(number, 0u, 0u);
    }
    word_write(kMpuCtrl, kControl);
    barrier_data();
    barrier_instruction();
}
