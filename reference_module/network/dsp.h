/*
 * The instructions of the DSP extension that the kernels use (ARMv7-M ARM A7.7), one function each. Elsewhere the same in
 * plain C, so that the kernels can be tested on any machine.
 */
#ifndef NETWORK_DSP_H
#define NETWORK_DSP_H

#include <stdint.h>

/* Four bytes at any address: the processor loads words unaligned. */
static inline uint32_t dsp_load(const void *bytes)
{
    uint32_t word;
    __builtin_memcpy(&word, bytes, sizeof word);
    return word;
}

#ifdef __ARM_FEATURE_DSP

/* Bytes 0 and 2, or 1 and 3, as two unsigned halfwords. */
static inline uint32_t dsp_unsigned_even(uint32_t bytes)
{
    uint32_t halves;
    __asm__("uxtb16 %0, %1" : "=r"(halves) : "r"(bytes));
    return halves;
}

static inline uint32_t dsp_unsigned_odd(uint32_t bytes)
{
    uint32_t halves;
    __asm__("uxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(bytes));
    return halves;
}

/* The same, signed. */
static inline uint32_t dsp_signed_even(uint32_t bytes)
{
    uint32_t halves;
    __asm__("sxtb16 %0, %1" : "=r"(halves) : "r"(bytes));
    return halves;
}

static inline uint32_t dsp_signed_odd(uint32_t bytes)
{
    uint32_t halves;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(bytes));
    return halves;
}

/* sum + a.low * b.low + a.high * b.high */
static inline int32_t dsp_multiply_both(uint32_t a, uint32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* sum + a.low * b.low */
static inline int32_t dsp_multiply_low(uint32_t a, uint32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* sum + a.high * b.high */
static inline int32_t dsp_multiply_high(uint32_t a, uint32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* (a * b + 2^31) / 2^32, rounded down */
static inline int32_t dsp_product_top(int32_t a, int32_t b)
{
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
}

/* value, or the nearest of 0 and 255 */
static inline uint32_t dsp_saturate_byte(int32_t value)
{
    uint32_t result;
    __asm__("usat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
}

#else

static inline uint32_t dsp_unsigned_even(uint32_t bytes)
{
    return bytes & 0x00FF00FFu;
}

static inline uint32_t dsp_unsigned_odd(uint32_t bytes)
{
    return (bytes >> 8) & 0x00FF00FFu;
}

static inline uint32_t dsp_pack(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

static inline uint32_t dsp_signed_even(uint32_t bytes)
{
    return dsp_pack((int8_t)bytes, (int8_t)(bytes >> 16));
}

static inline uint32_t dsp_signed_odd(uint32_t bytes)
{
    return dsp_signed_even(bytes >> 8);
}

static inline int32_t dsp_multiply_low(uint32_t a, uint32_t b, int32_t sum)
{
    return sum + (int16_t)a * (int16_t)b;
}

static inline int32_t dsp_multiply_high(uint32_t a, uint32_t b, int32_t sum)
{
    return sum + (int16_t)(a >> 16) * (int16_t)(b >> 16);
}

static inline int32_t dsp_multiply_both(uint32_t a, uint32_t b, int32_t sum)
{
    return dsp_multiply_high(a, b, dsp_multiply_low(a, b, sum));
}

static inline int32_t dsp_product_top(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + 0x80000000) >> 32);
}

static inline uint32_t dsp_saturate_byte(int32_t value)
{
    return (uint32_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

#endif

#endif
