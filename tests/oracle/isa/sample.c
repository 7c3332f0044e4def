/* Ordinary code of many shapes, compiled at several levels to compare disassemblers on what compilers really emit. */
#include <stdint.h>

volatile uint32_t device[64];

__attribute__((noinline)) int32_t helper(int32_t a, int32_t b)
{
    device[0] = (uint32_t)b;
    return a - b;
}

uint32_t poll(volatile uint32_t *reg, uint32_t mask)
{
    uint32_t left = 100000;
    while ((*reg & mask) == 0u && left != 0u) { left--; }
    return left;
}

void clear(uint32_t *from, uint32_t *to)
{
    while (from < to) { *from++ = 0u; }
}

int64_t wide(int64_t a, int64_t b, uint32_t c, int32_t d)
{
    return a * b + (uint64_t)c * c - (int64_t)d * d + (a >> 5) + (b << 9);
}

uint32_t fields(uint32_t x, uint32_t y)
{
    x = (x & ~0x00000FF0u) | ((y & 0xFFu) << 4);
    return ((x >> 7) & 0x1FFu) ^ (uint32_t)((int32_t)(y << 3) >> 20) ^ __builtin_bswap32(x) ^ (uint32_t)__builtin_clz(y | 1u);
}

int32_t choose(int32_t a, int32_t b, int32_t c)
{
    int32_t r = a > b ? a : b;
    if (c < 0) { r = -r; } else if (c == 7) { r += 3; }
    return a == c ? ~r : r | (b << 4);
}

uint32_t divide(uint32_t a, uint32_t b, int32_t c, int32_t d)
{
    return a / b + a % b + (uint32_t)(c / d) + (uint32_t)(c % d) + a / 10u;
}

int32_t table(uint32_t which, int32_t v)
{
    switch (which) {
    case 0: return v + 1;
    case 1: return helper(v, 2);
    case 2: return v * 7;
    case 3: device[3] = (uint32_t)v; return 4;
    case 4: return v ^ 0x55;
    case 5: return helper(v, v);
    case 6: return v >> 3;
    default: return -1;
    }
}

uint32_t bytes(const uint8_t *p, const int8_t *q, const uint16_t *h, const int16_t *k, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) { sum += p[i] * 3u + (uint32_t)q[i] + (uint32_t)(h[i] << 2) + (uint32_t)k[n - i]; }
    return sum;
}

uint8_t narrow(uint8_t a, int8_t b, uint16_t c)
{
    return (uint8_t)(a + b * c - (a << 3));
}

void locals(uint32_t n)
{
    volatile uint8_t big[600];
    volatile uint64_t pair[4];
    for (uint32_t i = 0; i < 600u; i++) { big[i] = (uint8_t)(i * n); }
    pair[1] = (uint64_t)n << 20;
    device[big[n % 600u] & 63u] = (uint32_t)(pair[1] >> 11);
}

void system(uint32_t stack)
{
    __asm volatile("cpsid i \n cpsie f \n msr psp, %0 \n msr control, %0 \n isb \n dsb \n dmb" ::"r"(stack) : "memory");
    __asm volatile("mrs %0, ipsr \n mrs %0, primask \n msr basepri, %0 \n nop \n wfi \n wfe \n sev" : "+r"(stack));
    __asm volatile("ldrt %0, [%0, #4] \n strbt %0, [%0] \n svc 3 \n bkpt 1 \n udf 2" : "+r"(stack));
    __asm volatile("rrx %0, %0 \n adr %0, . + 8 \n nop \n nop \n rbit %0, %0 \n ldmdb %0, {r1, r2} \n stmdb %0!, {r1, r2}"
                   : "+r"(stack)::"r1", "r2");
}
