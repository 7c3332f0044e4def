// Reset to drop.
#include "layout.hh"

using namespace hw;

namespace {

enum class pin : u32 { input = 0, output = 1, alternate = 2, analogue = 3 };

/// A mode register with all pins analogue but some.
template <class... Pins>
constexpr u32 modes(Pins... pins)
{
    u32 value = 0xFFFFFFFF;
    ((value = (value & ~(u32{3} << 2 * pins.number)) | static_cast<u32>(pins.mode) << 2 * pins.number), ...);
    return value;
}

struct one {
    unsigned number;
    pin mode;
};

template <class Port>
void isolate(u32 moder = modes(), u32 pupdr = 0)
{
    Port::pupdr::raw(pupdr);
    Port::moder::raw(moder);
}

template <class Port>
void freeze()
{
    constexpr u32 key = u32{1} << 16, all = 0xFFFF;
    Port::lckr::raw(key | all);  // RM0368 8.4.8
    Port::lckr::raw(all);
    Port::lckr::raw(key | all);
    static_cast<void>(Port::lckr::read());
}

template <char... Names>
struct ports {
    static void isolate_all()
    {
        (isolate<port<Names>>(), ...);
    }
    static void freeze_all()
    {
        (freeze<port<Names>>(), ...);
    }
};

void pins()
{
    rcc::ahb1enr::raw(0x9F);  // GPIOA to GPIOE and GPIOH, and nothing that moves data
    static_cast<void>(rcc::ahb1enr::read());
    ports<'A', 'B', 'D', 'E', 'H'>::isolate_all();
    isolate<port<'C'>>(
        modes(one{0, pin::input}, one{1, pin::input}, one{2, pin::input}, one{3, pin::input}, one{4, pin::input},
            one{5, pin::input}, one{6, pin::input}, one{7, pin::input}, one{8, pin::input}, one{9, pin::input},
            one{10, pin::input}),
        0x002AAAAA);
}

/// 84 MHz: 8 MHz / 4 * 168 / 4. Without crystal or PLL the part stays at 16 MHz.
void clocks()
{
    constexpr u32 patience = 60000;
    rcc::cfgr::modify(rcc::apb1_divider::is(4));
    rcc::pllcfgr::modify(rcc::pll_m::is(4) | rcc::pll_n::is(168) | rcc::pll_p::is(1) | rcc::pll_from_hse::is(1)
                         | rcc::pll_q::is(7));
    rcc::cr::modify(rcc::hse_on::is(1));
    if (!rcc::cr::becomes(rcc::hse_ready::is(1), patience)) {
        return;
    }
    flash::acr::write(flash::latency::is(2));
    if (!flash::acr::becomes(flash::latency::is(2), patience)) {
        return;
    }
    rcc::cr::modify(rcc::pll_on::is(1));
    if (!rcc::cr::becomes(rcc::pll_ready::is(1), patience)) {
        return;
    }
    rcc::cfgr::modify(rcc::system_clock::is(2));
}

enum class access : u32 { none = 0, privileged = 1, everybody = 3, everybody_reads = 6 };

struct region {
    u32 base;
    u32 attributes;

    /// DDI 0403 B3.5.9: XN 28, AP 26-24, S C B 18-16, SIZE 5-1, ENABLE 0.
    static constexpr region of(u32 base, unsigned log2_size, access who, bool code)
    {
        const u32 kind = code ? u32{2} << 16 : u32{6} << 16;
        return {base, (code ? 0 : u32{1} << 28) | static_cast<u32>(who) << 24 | kind | (log2_size - 1) << 1 | 1};
    }
};

constexpr region regions[8] = {
    region::of(0x08000000, 19, access::everybody_reads, true),
    region::of(0x20000000, 16, access::everybody, false),
    region::of(0x20010000, 15, access::privileged, false),
};

void protect()
{
    u32 number = 0;
    for (const region &each : regions) {
        constexpr u32 valid = u32{1} << 4;
        core::mpu_rbar::raw(each.base | valid | number++);
        core::mpu_rasr::raw(each.attributes);
    }
    core::mpu_ctrl::raw(7);  // on, in fault handlers too, and the default map for the gate
    synchronise();
}

/// 84,008,400 clocks: a crystal may be 100 ppm too fast.
constexpr u32 prescaler = 8400, counts = 10001;
static_assert(prescaler * counts == 84008400);

void timer()
{
    rcc::apb1enr::write(rcc::tim2_clock::is(1));
    rcc::apb1lpenr::write(rcc::tim2_clock_asleep::is(1));
    static_cast<void>(rcc::apb1enr::read());
    tim2::psc::raw(prescaler - 1);
    tim2::arr::raw(counts - 1);
    tim2::ccr1::raw(0);
    tim2::ccmr1::write(tim2::mode_1::is(6) | tim2::preload_1::is(1));
    tim2::ccer::write(tim2::enable_1::is(1));
    tim2::cr1::write(tim2::reload_buffered::is(1));
    tim2::egr::write(tim2::update::is(1));
    tim2::sr::raw(0);
}

void output()
{
    port<'A'>::afrl::modify(field<port<'A'>::afrl, 20, 4>::is(1));
    port<'A'>::moder::raw(modes(one{5, pin::alternate}));
    ports<'A', 'B', 'C', 'D', 'E', 'H'>::freeze_all();
}

void run()
{
    const lock quiet;
    core::shcsr::write(core::faults::is(7));
    tim2::dier::write(tim2::update_interrupt::is(1));
    core::iser0::raw(u32{1} << tim2::interrupt);
    tim2::cr1::modify(tim2::counter_enable::is(1));
}

}  // namespace

extern "C" [[gnu::noinline, gnu::used]] void set_up()
{
    pins();
    clocks();
    protect();
    timer();
    output();
    run();
    synchronise();
}

// Memory is cleared from the end, by an index.
extern "C" [[gnu::naked]] void start()
{
    asm volatile(R"(
        cpsid   i
        ldr     r0, =layout_ram_start
        ldr     r1, =layout_ram_end
        subs    r1, r1, r0
        movs    r2, #0
        mov     r3, r2
        mov     r4, r2
        mov     r5, r2
        mov     r6, r2
        mov     r7, r2
        mov     r8, r2
        mov     r9, r2
        mov     r10, r2
        mov     r11, r2
        mov     r12, r2
    1:  subs    r1, r1, #4
        str     r2, [r0, r1]
        bne     1b
        bl      set_up
        ldr     r0, =layout_confined_end
        msr     psp, r0
        movs    r1, #2
        msr     control, r1
        isb
        cpsie   i
        movs    r1, #3
        msr     control, r1
        isb
        b       confined_idle
        .ltorg)");
}

extern "C" [[gnu::naked, gnu::section(".confined_idle")]] void confined_idle()
{
    asm volatile("0: b 0b");
}
