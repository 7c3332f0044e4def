// What runs after the drop, and the vector table.
#include "layout.hh"

using namespace hw;

namespace {

using camera = port<'C'>;
constexpr u32 pixel_clock = 1 << 8, line_valid = 1 << 9, frame_valid = 1 << 10;

/// A value that may be missing.
template <class T>
struct maybe {
    bool there;
    T value;
};

/// The camera's lines once `signal` is high or low; nothing after so many looks.
template <u32 Signal, bool High>
maybe<u32> await(unsigned looks)
{
    for (unsigned look = 0; look < looks; ++look) {
        const u32 lines = camera::idr::read();
        if (((lines & Signal) != 0) == High) {
            return {true, lines};
        }
    }
    return {false, 0};
}

template <u32 Signal>
maybe<u32> rising(unsigned low, unsigned high)
{
    if (!await<Signal, false>(low).there) {
        return {false, 0};
    }
    return await<Signal, true>(high);
}

constexpr unsigned width = 162, height = 122, side = 96;

/// Calls `take(column, lines)` for each pixel of the middle of a line.
template <class Take>
bool middle_of_line(Take take)
{
    if (!await<line_valid, true>(4000).there) {
        return false;
    }
    for (unsigned column = 0; column < (width - side) / 2; ++column) {
        if (!rising<pixel_clock>(12, 12).there) {
            return false;
        }
    }
    for (unsigned column = 0; column < side; ++column) {
        const auto lines = rising<pixel_clock>(12, 12);
        if (!lines.there) {
            return false;
        }
        take(column, lines.value);
    }
    return await<line_valid, false>(4000).there;
}

/// The frame that an exception return pops (DDI 0403 B1.5.6).
struct stacked {
    u32 r0, r1, r2, r3, r12, lr, pc, xpsr;
};

/// The confined part begins at `entry`, with everything at 0.
void return_to(void (*entry)())
{
    auto *const top = reinterpret_cast<volatile stacked *>(layout_confined_end) - 1;
    top->r0 = 0;
    top->r1 = 0;
    top->r2 = 0;
    top->r3 = 0;
    top->r12 = 0;
    top->lr = 0xFFFFFFFF;
    top->pc = reinterpret_cast<u32>(entry) & ~u32{1};
    top->xpsr = u32{1} << 24;
    asm volatile("msr psp, %0\n\tmsr control, %1\n\tisb" ::"r"(top), "r"(1) : "memory");
}

}  // namespace

extern "C" [[gnu::noinline]] bool grab()
{
    if (!rising<frame_valid>(300000, 30000).there) {
        return false;
    }
    for (unsigned row = 0; row < (height - side) / 2; ++row) {
        if (!await<line_valid, true>(3000).there || !await<line_valid, false>(3000).there) {
            return false;
        }
    }
    for (unsigned row = 0; row < side; ++row) {
        const auto store = [row](unsigned column, u32 lines) { frame[row * side + column] = lines & 0xFF; };
        if (!middle_of_line(store)) {
            return false;
        }
    }
    return true;
}

extern "C" [[gnu::used]] void on_tick()
{
    constexpr u32 never = 0, always = 0xFFFF;  // the counter never comes as far
    tim2::sr::raw(0);
    static_cast<void>(tim2::sr::read());
    tim2::ccr1::raw(mailbox == 1 ? always : never);
    for (volatile u32 &word : layout::confined_words{}) {
        word = 0;
    }
    core::shcsr::write(core::faults::is(7));  // and no fault pending
    return_to(grab() ? confined_entry : confined_idle);
}

extern "C" [[gnu::used]] void on_fault()
{
    mailbox = 0;
    core::cfsr::raw(0x030FBFBB);
    core::hfsr::raw(0xC0000002);
    return_to(confined_idle);
}

#define CLEAR "mov r0, #0; mov r1, r0; mov r2, r0; mov r3, r0; mov r4, r0; mov r5, r0; mov r6, r0; mov r7, r0\n" \
              "mov r8, r0; mov r9, r0; mov r10, r0; mov r11, r0; mov r12, r0\n"

extern "C" [[gnu::naked]] void tick()
{
    asm volatile(CLEAR "bl on_tick\n" CLEAR "ldr lr, =0xFFFFFFFD\n dsb\n bx lr\n .ltorg");
}

extern "C" [[gnu::naked]] void fault()
{
    asm volatile(CLEAR "bl on_fault\n" CLEAR "ldr lr, =0xFFFFFFFD\n dsb\n bx lr\n .ltorg");
}

extern "C" void start();

namespace {

using entry = void (*)();

struct table {
    volatile u32 *stack;
    entry reset;
    entry system[14];
    entry device[85];
};

/// Everything but the tick is a fault.
constexpr table make_table()
{
    table made{layout_gate_stack_end, start, {}, {}};
    for (auto &each : made.system) {
        each = fault;
    }
    for (auto &each : made.device) {
        each = fault;
    }
    made.device[tim2::interrupt] = tick;
    return made;
}

}  // namespace

extern "C" [[gnu::section(".vectors"), gnu::used]] constexpr table vectors = make_table();
