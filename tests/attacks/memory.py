"""Attacks on forgetting: ways to carry something from one frame to the next, or from before reset."""

from __future__ import annotations

from tests.attacks.danger import (
    REMEMBER,
    answers_present,
    either,
    in_handler,
    locks_up,
    remember_at,
    silent,
    stored,
    timing_varies,
)
from tests.attacks.variant import (
    Kind,
    NotShown,
    Shown,
    Variant,
    before_start,
    declaration,
    gate,
    in_boot,
    in_fault,
    in_tick,
    word,
)

_COUNTER_ADDRESS = 0x20008800
_COUNTER = word(_COUNTER_ADDRESS)
"""A word of gate memory that nothing wipes, behind what the linker gives to the gate's variables."""
_BRIGHT = (200, 200, 200)
_LOOP_START = "uint32_t word = (uint32_t)layout_confined_start;"
_LOOP_END = "word != (uint32_t)layout_confined_end;"
_TABLE = (
    "static const uint32_t kWalked[2][2] = {\n    {0x40000010u, 0u}, /* TIM2 SR */\n"
    "    {0xE000ED24u, 7u << 16}, /* SCB SHCSR */\n};\n\n"
)
_REFERENCE_FRAMES = (200, 20, 20, 20)
_NO_CAMERA = "QEMU has no camera: the loops that store pixels do not run."


def _register_kept(name: str, line: str, register: str) -> Variant:
    body = (
        f'asm volatile("ldr r0, =0x20000000\\n cmp {register}, #77\\n ite eq\\n moveq r1, #1\\n movne r1, #0\\n'
        f' str r1, [r0]\\n mov {register}, #77\\n 1: b 1b\\n .ltorg");'
    )
    return Variant(
        name=name,
        gain=f"{register} keeps what the confined part left in it.",
        edits=gate("restart.h", line, '    "nop\\n" \\\n'),
        requirement="mem-forgetful",
        reason="registers-not-cleared",
        danger=Shown(what=f"hands {register} from one frame to the next", seen=answers_present, confined=body),
    )


_WIPE = (
    Variant(
        name="no-wipe",
        gain="Everything is remembered: a picture can be kept and sent bit by bit.",
        edits=gate("tick.c", "    restart_wipe();\n", ""),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(what="remembers a word", seen=answers_present, confined=REMEMBER),
    ),
    Variant(
        name="wipe-spares-last-word",
        gain="One word below the stack's first frame is remembered.",
        edits=gate("restart.c", _LOOP_END, "word != (uint32_t)layout_confined_end - 36u;"),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(what="remembers a word", seen=answers_present, confined=remember_at(0x20007FDC)),
    ),
    Variant(
        name="wipe-spares-mailbox",
        gain="The mailbox is remembered.",
        edits=gate("restart.c", _LOOP_START, "uint32_t word = (uint32_t)layout_confined_start + 4u;"),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(
            what="lets the confined part read its last answer",
            seen=answers_present,
            confined="mailbox = mailbox == 5 ? 1 : 5;",
        ),
    ),
    Variant(
        name="wipe-half",
        gain="Every other word is remembered.",
        edits=gate("restart.c", "word += 4u", "word += 8u"),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(what="remembers a word", seen=answers_present, confined=remember_at(0x20006004)),
    ),
    Variant(
        name="wipe-every-other-period",
        gain="Two frames' time for memory.",
        edits=gate(
            "tick.c",
            "    restart_wipe();\n",
            f"    if (({_COUNTER}++ & 1u) != 0u) {{\n        restart_wipe();\n    }}\n",
        ),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(what="remembers a word", seen=answers_present, confined=REMEMBER, frames=_REFERENCE_FRAMES),
    ),
    Variant(
        name="wipe-by-byte-count",
        gain="The wipe stops where the mailbox says.",
        edits=(
            *gate("tick.c", "    restart_wipe();\n", "    restart_wipe(message);\n"),
            *gate(
                "tick.c",
                "timer_preload(smoothing_step(tick_is_present(mailbox)));",
                "const uint32_t message = mailbox;\n    timer_preload(smoothing_step(tick_is_present(message)));",
            ),
            *gate("restart.h", "void restart_wipe(void);", "void restart_wipe(uint32_t message);"),
            *gate("restart.c", "void restart_wipe(void)", "void restart_wipe(uint32_t message)"),
            *gate("restart.c", _LOOP_END, "word != (uint32_t)layout_confined_end - (message & 2u) * 0x1000u;"),
        ),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(
            what="remembers memory when asked to",
            seen=answers_present,
            confined="uint32_t old = R(0x20007000); R(0x20007000) = 1; mailbox = old ? 1 : 2;",
        ),
    ),
)

_REGISTERS = (
    _register_kept("register-r4-kept", '    "movs r4, #0\\n" \\\n', "r4"),
    _register_kept("register-r11-kept", '    "mov r11, r0\\n" \\\n', "r11"),
    Variant(
        name="counter-in-register",
        gain="The confined part is told how many periods have passed, and sends another bit each time.",
        edits=gate(
            "restart.c", "restart_push(base, kFrameR0, 0u);", f"restart_push(base, kFrameR0, {_COUNTER} ^= 1u);"
        ),
        requirement="run-handlers",
        reason="return-frame",
        danger=Shown(
            what="tells the confined part of earlier periods",
            seen=answers_present,
            confined='asm volatile("ldr r1, =0x20000000\\n cmp r0, #0\\n it ne\\n movne r0, #1\\n'
            ' str r0, [r1]\\n 1: b 1b\\n .ltorg");',
        ),
    ),
    Variant(
        name="counter-in-flags",
        gain="One bit of a counter reaches the confined part in the carry flag.",
        edits=gate(
            "restart.c",
            "restart_push(base, kFrameXpsr, kXpsrThumb);",
            f"restart_push(base, kFrameXpsr, kXpsrThumb | (({_COUNTER} ^= 1u) << 29));",
        ),
        requirement="run-handlers",
        reason="return-frame",
        danger=Shown(
            what="tells the confined part of earlier periods",
            seen=answers_present,
            confined='asm volatile("ldr r1, =0x20000000\\n mov r0, #0\\n it cs\\n movcs r0, #1\\n'
            ' str r0, [r1]\\n 1: b 1b\\n .ltorg");',
        ),
    ),
    Variant(
        name="floating-point-on",
        gain="Thirty-two registers that nothing clears.",
        edits=in_boot("word_write(0xE000ED88u, 0xFu << 20);"),
        requirement="mem-forgetful",
        reason="fpu-on",
        danger=Shown(
            what="hands s16 from one frame to the next",
            seen=answers_present,
            confined='asm volatile(".inst.w 0xEE180A10\\n ldr r1, =0x20000000\\n cmp r0, #0\\n it ne\\n movne r0, #1\\n'
            ' str r0, [r1]\\n mov r0, #77\\n .inst.w 0xEE080A10\\n 1: b 1b\\n .ltorg" ::: "r0", "r1");',
        ),
    ),
    Variant(
        name="stack-pointer-kept",
        gain="The confined part goes on with the stack pointer that it left: 14 bits of memory.",
        edits=gate("restart.c", '"msr psp, %0\\n"', '"nop\\n"'),
        requirement="mem-stack-bounded",
        reason="confined-stack-outside",
        danger=NotShown(
            why="In QEMU the return pops a frame that the wipe has cleared, and faults; no frame is answered."
        ),
    ),
)

_GATE = (
    Variant(
        name="counter-in-frame",
        gain="A counter lies in the first pixel: the confined part knows which bit comes next.",
        edits=before_start(f"*(volatile uint32_t *)(uint32_t)frame = {_COUNTER}++;"),
        requirement="mem-forgetful",
        reason="frame-holds-more",
        danger=Shown(
            what="tells the confined part of earlier periods",
            seen=answers_present,
            confined="mailbox = R((uint32_t)frame) != 0;",
            frames=(None, 0, 0, 0),
        ),
    ),
    Variant(
        name="counter-in-mailbox",
        gain="The same, in the mailbox.",
        edits=before_start(f"mailbox = {_COUNTER}++;"),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(
            what="tells the confined part of earlier periods",
            seen=answers_present,
            confined="mailbox = mailbox != 0;",
            frames=_REFERENCE_FRAMES,
        ),
    ),
    Variant(
        name="counter-of-six-bits",
        gain="A counter so small that all its values are known, in the mailbox.",
        edits=before_start(f"mailbox = {_COUNTER} = ({_COUNTER} + 1u) & 63u;"),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(
            what="tells the confined part of earlier periods",
            seen=answers_present,
            confined="mailbox = mailbox > 1;",
            frames=_REFERENCE_FRAMES,
        ),
    ),
    Variant(
        name="parity-in-mailbox",
        gain="Odd and even periods are told apart: two bits of one frame instead of one.",
        edits=before_start(f"mailbox = {_COUNTER} ^= 1u;"),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(
            what="tells the confined part of earlier periods",
            seen=answers_present,
            confined="mailbox = mailbox != 0;",
            frames=_REFERENCE_FRAMES,
        ),
    ),
    Variant(
        name="parity-chooses-store",
        gain="The same by two constants, one of which is stored.",
        edits=before_start(
            f"{_COUNTER} ^= 1u;\n        if ({_COUNTER} != 0u) {{\n            mailbox = 1u;\n        }}"
        ),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(
            what="tells the confined part of earlier periods",
            seen=answers_present,
            confined="mailbox = mailbox != 0;",
            frames=_REFERENCE_FRAMES,
        ),
    ),
    Variant(
        name="answer-remembered",
        gain="The gate counts the answers: whoever opens the module can read how often somebody was there.",
        edits=gate(
            "tick.c",
            "timer_preload(smoothing_step(tick_is_present(mailbox)));",
            "const uint32_t present = tick_is_present(mailbox);\n"
            f"    timer_preload(smoothing_step(present));\n    {_COUNTER} += present;",
        ),
        requirement="mem-forgetful",
        reason="gate-remembers",
        danger=Shown(
            what="has counted the bright frames when it ends",
            seen=lambda seen: seen.word(_COUNTER_ADDRESS) == len(_BRIGHT),
            frames=_BRIGHT,
        ),
    ),
    Variant(
        name="answer-kept-in-compare",
        gain="The compare register remembers: the gate reads back the last answer and tells the confined part.",
        edits=before_start("mailbox = word_read(kTim2Ccr1) & 2u;"),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=NotShown(
            why="QEMU's compare registers do read back, but the harness supplies the frame after this place."
        ),
    ),
    Variant(
        name="fault-address-as-memory",
        gain="The fault address register keeps a word for the gate, which no wipe reaches.",
        edits=(
            *in_tick("const uint32_t kept = word_read(0xE000ED34u);\n    word_write(0xE000ED34u, kept + 4u);"),
            *before_start("mailbox = kept & 8u;"),
        ),
        requirement="mem-forgetful",
        reason="wipe-incomplete",
        danger=Shown(what="stores to a register that keeps it", seen=in_handler(0xE000ED34)),
    ),
    Variant(
        name="fault-cause-steers-gate",
        gain="Whether the last frame ended in a fault decides whether the next is looked at: memory, without a store.",
        edits=(
            *gate("fault.c", "    word_write(kScbCfsr, kCfsrAll);\n", ""),
            *gate(
                "tick.c",
                "    if (product_capture()) {",
                "    if (product_capture() && (word_read(kScbCfsr) & 0x10000u) == 0u) {",
            ),
        ),
        requirement="mem-forgetful",
        reason="branch-on-confined",
        danger=Shown(
            what="does not look at a frame after a fault",
            seen=lambda seen: seen.bits[2] == 0 and bool(seen.faults(1)),
            confined='if (frame[0] == 20) asm volatile("udf #0"); mailbox = 1;',
            frames=(20, 200, 200),
        ),
    ),
    Variant(
        name="fault-cause-in-gate-memory",
        gain="The fault handler keeps the cause, which the confined part chooses, and the next tick acts on it.",
        edits=(
            *in_fault(f"{_COUNTER} = word_read(kScbCfsr);"),
            *gate(
                "tick.c",
                "    if (product_capture()) {",
                f"    if (product_capture() && ({_COUNTER} & 0x10000u) == 0u) {{",
            ),
        ),
        requirement="mem-forgetful",
        reason="gate-remembers",
        danger=Shown(
            what="does not look at a frame after a fault",
            seen=lambda seen: seen.bits[2] == 0 and bool(seen.faults(1)),
            confined='if (frame[0] == 20) asm volatile("udf #0"); mailbox = 1;',
            frames=(20, 200, 200),
        ),
    ),
    Variant(
        name="fault-counted",
        gain="The gate counts faults and, from one on, looks at no frame: one bit is remembered for ever.",
        edits=(
            *in_fault(f"{_COUNTER} = 1u;"),
            *gate("tick.c", "    if (product_capture()) {", f"    if (product_capture() && {_COUNTER} == 0u) {{"),
        ),
        requirement="mem-forgetful",
        reason="gate-remembers",
        danger=Shown(
            what="does not look at a frame after a fault",
            seen=lambda seen: seen.bits[2] == 0 and bool(seen.faults(1)),
            confined='if (frame[0] == 20) asm volatile("udf #0"); mailbox = 1;',
            frames=(20, 200, 200),
        ),
    ),
    Variant(
        name="branch-on-mailbox",
        gain="How long the tick takes tells the next frame what the last one said.",
        edits=gate(
            "tick.c",
            "timer_preload(smoothing_step(tick_is_present(mailbox)));",
            "const uint32_t message = mailbox;\n    if (message == kPresent) {\n"
            '        __asm volatile("nop\\nnop");\n'
            "    }\n    timer_preload(smoothing_step(tick_is_present(message)));",
        ),
        requirement="out-one-write",
        reason="output-conditional",
        danger=Shown(what="takes longer after one answer than after the other", seen=timing_varies(0x40000034)),
    ),
    Variant(
        name="pending-fault-kept",
        gain="A fault raised as the tick comes idles the next frame: one bit of memory.",
        edits=gate("tick.c", "    word_write(kScbShcsr, kScbShcsrFaultsEnabled);", "    /* none */"),
        requirement="mem-forgetful",
        reason="pending-fault-kept",
        danger=NotShown(why="QEMU takes a fault of stacking before the tick, so none is left pending."),
    ),
    Variant(
        name="pending-fault-kept-by-table",
        gain="The loop that withdraws pending faults may end before that, with the sensor: one bit of memory.",
        edits=(
            *gate("tick.c", "/* Bit in, frame out.", _TABLE + "/* Bit in, frame out."),
            *gate(
                "tick.c",
                "    word_write(kScbShcsr, kScbShcsrFaultsEnabled);",
                "    for (uint32_t entry = 0; entry < 2u; entry++) {\n"
                '        __asm volatile("" : "+r"(entry));\n'
                "        word_write(kWalked[entry][0], kWalked[entry][1]);\n"
                "        if ((word_read(kGpioC + kGpioIdr) & (1u << 10)) == 0u) {\n            break;\n"
                "        }\n    }",
            ),
        ),
        requirement="mem-forgetful",
        reason="pending-fault-kept",
        danger=Shown(
            what="leaves a tick without having stored to SHCSR",
            seen=lambda seen: seen.ticks > len(seen.written(0xE000ED24)),
        ),
    ),
    Variant(
        name="caches-on",
        gain="Flash caches hold what ran last: racing the tick, the next frame's code reads it from its own speed.",
        edits=gate("clocks.c", "kFlashPrefetch = 1u << 8;", "kFlashPrefetch = 7u << 8;"),
        requirement="mem-forgetful",
        reason="cache-on",
        danger=NotShown(why="QEMU has no caches."),
    ),
    Variant(
        name="wait-states-from-mailbox",
        gain="The tick stores the answer in the flash interface: the next period runs slower or faster.",
        edits=gate(
            "tick.c",
            "timer_preload(smoothing_step(tick_is_present(mailbox)));",
            "const uint32_t present = tick_is_present(mailbox);\n    timer_preload(present);\n"
            "    word_write(kFlashAcr, 0x102u + present);",
        ),
        requirement="mem-forgetful",
        reason="device-written",
        danger=Shown(
            what="changes the wait states with the answer",
            seen=in_handler(0x40023C00, 0x103),
        ),
    ),
)

_BOUNDS = (
    Variant(
        name="frame-one-row-more",
        gain="A row of pixels lands behind the frame.",
        edits=gate("camera.c", "row < kFrameHeight", "row <= kFrameHeight"),
        requirement="mem-frame-bounded",
        reason="frame-overrun",
        danger=NotShown(why=_NO_CAMERA),
    ),
    Variant(
        name="frame-one-column-more",
        gain="One pixel lands behind the frame.",
        edits=gate("camera.c", "place < kFrameWidth", "place <= kFrameWidth"),
        requirement="mem-frame-bounded",
        reason="frame-overrun",
        danger=NotShown(why=_NO_CAMERA),
    ),
    Variant(
        name="frame-indexed-by-sensor",
        gain="The sensor says where a pixel goes.",
        edits=gate(
            "camera.c",
            "row[place] = (uint8_t)(levels & kPixelMask);",
            "row[place + (levels & kPixelMask)] = (uint8_t)(levels & kPixelMask);",
        ),
        requirement="mem-frame-bounded",
        reason="frame-overrun",
        danger=NotShown(why=_NO_CAMERA),
    ),
    Variant(
        name="recursion",
        gain="The gate's stack has no bound: it grows into confined memory, as deep as the mailbox says.",
        edits=gate(
            "tick.c",
            "/* Bit in, frame out.",
            "__attribute__((noinline)) static uint32_t tick_deep(uint32_t left)\n"
            "{\n    volatile uint32_t kept = left;\n    return left == 0u ? 0u : tick_deep(left - 1u) + kept;\n}\n\n"
            "/* Bit in, frame out.",
        )
        + gate(
            "tick.c",
            "timer_preload(smoothing_step(tick_is_present(mailbox)));",
            "timer_preload(tick_deep(mailbox) & 1u);",
        ),
        requirement="run-gate-proved",
        reason="recursion",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(
            what="destroys its own state",
            seen=either(locks_up, silent, lambda seen: None in seen.bits[1:]),
            confined="mailbox = 100000;",
        ),
    ),
    Variant(
        name="memory-not-cleared-at-boot",
        gain="What memory held before reset reaches the confined part.",
        edits=gate("reset.c", '"ldr r0, =layout_ram_start\\n"', '"ldr r0, =layout_confined_end\\n"'),
        requirement="mem-cleared",
        reason="not-cleared",
        danger=NotShown(why="QEMU's memory is zero at the start, and the harness starts each run there."),
    ),
    Variant(
        name="gate-memory-not-cleared-at-boot",
        gain="A counter in gate memory survives reset.",
        edits=gate("reset.c", '"ldr r1, =layout_ram_end\\n"', '"ldr r1, =layout_confined_end\\n"'),
        requirement="mem-cleared",
        reason="not-cleared",
        danger=NotShown(why="QEMU's memory is zero at the start, and the harness starts each run there."),
    ),
)

_STORES = (
    Variant(
        name="backup-register-used",
        gain="A register that survives reset and loss of supply keeps the answer.",
        edits=in_boot("word_write(0x40002850u, 1u);"),
        requirement="mem-no-other-store",
        reason="storage-used",
        danger=Shown(what="stores to a backup register", seen=stored(0x40002850)),
    ),
    Variant(
        name="one-time-memory-read",
        gain="One-time memory tells units apart.",
        edits=in_boot("mailbox = word_read(0x1FFF7800u);")
        + gate("reset.c", '#include "exceptions.h"', '#include "exceptions.h"\n#include "layout.h"'),
        requirement="run-gate-proved",
        reason="unlisted-address",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="QEMU's machine has no one-time memory."),
    ),
    Variant(
        name="dma-armed",
        gain="A bus master reads and writes what the protection unit forbids.",
        edits=in_boot("word_write(0x40026410u, 1u);"),
        requirement="run-no-other-master",
        reason="master-used",
        danger=Shown(what="enables a DMA stream", seen=stored(0x40026410, 1)),
    ),
    Variant(
        name="dma-clocked",
        gain="A bus master has its clock on and waits to be used.",
        edits=gate("registers.h", "kRccAhb1Ports = 0x0000009Fu;", "kRccAhb1Ports = 0x0060009Fu;"),
        requirement="run-no-other-master",
        reason="master-clocked",
        danger=Shown(what="switches both DMA controllers' clocks on", seen=stored(0x40023830, 0x60009F)),
    ),
)

BY_PROTECTION = declaration('profile = "person-detector"', 'profile = "voice-command"')
"""Judged by a budget that the part does not keep, and the reference does."""

_BUDGET = (
    Variant(
        name="budget-all-memory-confined",
        gain="The confined part can write all of the part's memory: more than three seconds of sound.",
        edits=(
            *gate(
                "protection.c",
                "    protection_region(kRegionConfined, kMemoryBase, kConfinedAttributes);",
                "    protection_region(kRegionConfined, kMemoryBase, (kConfinedAttributes & ~0x3Eu) | (16u << 1));",
            ),
            *BY_PROTECTION,
        ),
        requirement="mem-writable-budget",
        reason="budget-exceeded",
        danger=Shown(
            what="lets the confined part write the last word of memory",
            seen=answers_present,
            confined="R(0x20017FFC) = 1; mailbox = 1;",
        ),
    ),
    Variant(
        name="budget-gate-stores-everywhere",
        gain="The tick stores to all memory that the protection keeps from the confined part.",
        edits=(
            *in_tick(
                "for (uint32_t at = (uint32_t)layout_gate_stack_end; at != (uint32_t)layout_ram_end; at += 4u) "
                "{ word_write(at, 0u); }"
            ),
            *BY_PROTECTION,
        ),
        requirement="mem-writable-budget",
        reason="budget-exceeded",
        danger=NotShown(why="It stores zeros, and QEMU's log has no stores to memory."),
    ),
    Variant(
        name="budget-gate-fills-from-a-table",
        gain="Where the tick stores comes from a table: its end is the end of memory.",
        edits=(
            *gate(
                "tick.c",
                "/* Bit in, frame out.",
                "static const uint32_t kEnds[2] = {0x20008400u, 0x20018000u};\n\n/* Bit in, frame out.",
            ),
            *in_tick(
                "for (uint32_t at = kEnds[0]; at != kEnds[1]; at += 4u) "
                '{ __asm volatile("" : "+r"(at)); word_write(at, 0u); }'
            ),
            *BY_PROTECTION,
        ),
        requirement="mem-writable-budget",
        reason="budget-exceeded",
        danger=NotShown(why="It stores zeros, and QEMU's log has no stores to memory."),
    ),
    Variant(
        name="budget-dma-clocked",
        gain="A bus master has its clock on: it could fill what neither the gate nor the confined part writes.",
        edits=(
            *gate("registers.h", "kRccAhb1Ports = 0x0000009Fu;", "kRccAhb1Ports = 0x0020009Fu;"),
            *BY_PROTECTION,
        ),
        requirement="mem-writable-budget",
        reason="budget-exceeded",
        danger=Shown(what="switches a DMA controller's clock on", seen=stored(0x40023830, 0x20009F)),
    ),
)

VARIANTS = (*_WIPE, *_REGISTERS, *_GATE, *_BOUNDS, *_STORES, *_BUDGET)
