// Registers as types: an address, and fields that know the register they belong to. DDI 0403 is Arm's ARMv7-M manual,
// RM0368 is ST's manual of the part.
#pragma once

using u32 = unsigned long;
static_assert(sizeof(u32) == 4);

namespace hw {

/// A set of field values of one register: bits, and which bits they are.
template <class Register>
struct bits {
    u32 value;
    u32 mask;

    constexpr bits operator|(bits other) const
    {
        return {value | other.value, mask | other.mask};
    }
};

template <u32 Address>
struct reg {
    static void write(bits<reg> fields)
    {
        raw(fields.value);
    }

    static void raw(u32 value)
    {
        *reinterpret_cast<volatile u32 *>(Address) = value;
    }

    static u32 read()
    {
        return *reinterpret_cast<const volatile u32 *>(Address);
    }

    /// Changes the given fields and keeps the others.
    static void modify(bits<reg> fields)
    {
        raw((read() & ~fields.mask) | fields.value);
    }

    /// Whether the given fields were seen to have these values within so many reads.
    [[nodiscard]] static bool becomes(bits<reg> fields, u32 reads)
    {
        while (reads-- > 0) {
            if ((read() & fields.mask) == fields.value) {
                return true;
            }
        }
        return false;
    }
};

/// `Width` bits from bit `Low` on.
template <class Register, unsigned Low, unsigned Width = 1>
struct field {
    static constexpr u32 mask = (Width == 32 ? 0 : (u32{1} << Width % 32)) - 1;

    static constexpr bits<Register> is(u32 value)
    {
        return {(value & mask) << Low, mask << Low};
    }
};

namespace rcc {  // RM0368 6.3
using cr = reg<0x40023800>;
using pllcfgr = reg<0x40023804>;
using cfgr = reg<0x40023808>;
using ahb1enr = reg<0x40023830>;
using apb1enr = reg<0x40023840>;
using apb1lpenr = reg<0x40023860>;
using hse_on = field<cr, 16>;
using hse_ready = field<cr, 17>;
using pll_on = field<cr, 24>;
using pll_ready = field<cr, 25>;
using pll_m = field<pllcfgr, 0, 6>;
using pll_n = field<pllcfgr, 6, 9>;
using pll_p = field<pllcfgr, 16, 2>;
using pll_from_hse = field<pllcfgr, 22>;
using pll_q = field<pllcfgr, 24, 4>;
using system_clock = field<cfgr, 0, 2>;
using apb1_divider = field<cfgr, 10, 3>;
using ports = field<ahb1enr, 0, 8>;
using tim2_clock = field<apb1enr, 0>;
using tim2_clock_asleep = field<apb1lpenr, 0>;
}  // namespace rcc

namespace flash {  // RM0368 3.8
using acr = reg<0x40023C00>;
using latency = field<acr, 0, 4>;
}  // namespace flash

template <char Name>
struct port {  // RM0368 8.4
    static constexpr u32 base = 0x40020000 + 0x400 * (Name - 'A');
    using moder = reg<base + 0x00>;
    using pupdr = reg<base + 0x0C>;
    using idr = reg<base + 0x10>;
    using lckr = reg<base + 0x1C>;
    using afrl = reg<base + 0x20>;
};

namespace tim2 {  // RM0368 13.4
using cr1 = reg<0x40000000>;
using dier = reg<0x4000000C>;
using sr = reg<0x40000010>;
using egr = reg<0x40000014>;
using ccmr1 = reg<0x40000018>;
using ccer = reg<0x40000020>;
using psc = reg<0x40000028>;
using arr = reg<0x4000002C>;
using ccr1 = reg<0x40000034>;
using counter_enable = field<cr1, 0>;
using reload_buffered = field<cr1, 7>;
using update_interrupt = field<dier, 0>;
using update = field<egr, 0>;
using preload_1 = field<ccmr1, 3>;
using mode_1 = field<ccmr1, 4, 3>;
using enable_1 = field<ccer, 0>;
constexpr unsigned interrupt = 28;
}  // namespace tim2

namespace core {  // DDI 0403 B3.2, B3.4, B3.5
using iser0 = reg<0xE000E100>;
using shcsr = reg<0xE000ED24>;
using cfsr = reg<0xE000ED28>;
using hfsr = reg<0xE000ED2C>;
using mpu_ctrl = reg<0xE000ED94>;
using mpu_rbar = reg<0xE000ED9C>;
using mpu_rasr = reg<0xE000EDA0>;
using faults = field<shcsr, 16, 3>;
}  // namespace core

inline void synchronise()
{
    asm volatile("dsb\n\tisb" ::: "memory");
}

/// Interrupts stay masked while one of these lives.
class lock {
public:
    lock()
    {
        asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(before_)::"memory");
    }
    ~lock()
    {
        asm volatile("msr primask, %0" ::"r"(before_) : "memory");
    }
    lock(const lock &) = delete;
    lock &operator=(const lock &) = delete;

private:
    u32 before_;
};

}  // namespace hw
