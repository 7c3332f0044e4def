"""Attacks on the protection: what the confined part reaches, and how it would get privilege."""

from __future__ import annotations

from tests.attacks.danger import (
    answers_present,
    confined_reaches,
    either,
    in_handler,
    locks_up,
    runs_outside_flash,
    silent,
    store,
    stored,
    takes,
)
from tests.attacks.variant import (
    GateEdit,
    Kind,
    NotShown,
    Shown,
    Storms,
    Variant,
    declaration,
    gate,
    in_boot,
    in_tick,
    linker,
)

_LAST = "    word_write(kMpuCtrl, kControl);"
_CONFINED = "    protection_region(kRegionConfined, kMemoryBase, kConfinedAttributes);"
_READ_WRITE = "(1u << 28) | (3u << 24)"
_DROP = '"movs r0, #3\\n"\n                   "msr control, r0\\n"\n                   "isb\\n"'


def _region(base: int, size_field: int) -> tuple[GateEdit, ...]:
    """One more region that all may read and write: 2^(size_field + 1) bytes."""
    region = f"protection_region(3u, {base:#010x}u, {_READ_WRITE} | ({size_field}u << 1) | 1u);"
    return gate("protection.c", _LAST, f"    {region}\n{_LAST}")


def _opened(
    name: str, base: int, size_field: int, requirement: str, reason: str, gain: str, *, reaches: int | None = None
) -> Variant:
    address = base if reaches is None else reaches
    what = f"lets the confined part store to 0x{address:08X}"
    return Variant(
        name=f"open-{name}",
        gain=gain,
        edits=_region(base, size_field),
        requirement=requirement,
        reason=reason,
        danger=Shown(what=what, seen=confined_reaches(address), confined=store(address)),
    )


_OPENED = (
    _opened(
        "port", 0x40020000, 9, "run-confined", "peripheral-reachable", "The pins, at any instant.", reaches=0x40020018
    ),
    _opened("camera-port", 0x40020800, 9, "inp-none", "input-reachable", "Pins that are read without the gate."),
    _opened(
        "timer",
        0x40000000,
        9,
        "out-clock-steady",
        "clock-reachable",
        "The timer that makes the edges.",
        reaches=0x40000014,
    ),
    _opened(
        "clocks", 0x40023800, 9, "out-clock-steady", "clock-reachable", "The clock of the tick.", reaches=0x40023808
    ),
    _opened(
        "serial-port",
        0x40004400,
        9,
        "out-no-other-peripheral",
        "peripheral-reachable",
        "A serial port.",
        reaches=0x40004404,
    ),
    _opened("spi", 0x40013000, 9, "sns-declared", "sensor-reachable", "A bus to other sensors.", reaches=0x4001300C),
    _opened(
        "sensor-bus",
        0x40005400,
        9,
        "run-confined",
        "peripheral-reachable",
        "The sensor's own settings.",
        reaches=0x40005410,
    ),
    _opened("usb", 0x50000000, 17, "out-no-other-peripheral", "peripheral-reachable", "USB, and its memory."),
    _opened(
        "flash-controller",
        0x40023C00,
        9,
        "imm-flash-locked",
        "flash-controller-reachable",
        "Flash can be rewritten.",
        reaches=0x40023C04,
    ),
    _opened(
        "dma",
        0x40026400,
        9,
        "run-no-other-master",
        "master-reachable",
        "A bus master that no protection unit sees.",
        reaches=0x40026410,
    ),
    _opened(
        "backup-registers",
        0x40002800,
        9,
        "mem-no-other-store",
        "storage-reachable",
        "Eighty bytes that nothing wipes.",
        reaches=0x40002850,
    ),
    Variant(
        name="flash-as-device-memory",
        gain="What runs from Device memory is unpredictable, and so is what was proved of it.",
        edits=gate(
            "protection.c", "(6u << 24) | (1u << 17) | (18u << 1) | 1u;", "(6u << 24) | (1u << 16) | (18u << 1) | 1u;"
        ),
        requirement="run-confined",
        reason="flash-not-normal",
        danger=NotShown(why="QEMU runs code from memory of any type."),
    ),
    Variant(
        name="open-bit-band-of-timer",
        gain="The same timer, bit by bit, at other addresses.",
        edits=_region(0x42000000, 14),
        requirement="out-clock-steady",
        reason="clock-reachable",
        danger=Shown(
            what="lets the confined part force an update through the alias",
            seen=confined_reaches(0x40000014),
            confined=store(0x42000280),
        ),
    ),
    Variant(
        name="open-identity",
        gain="The unit's number reaches the confined part, which can tell units apart.",
        edits=gate(
            "protection.c",
            _LAST,
            "    protection_region(3u, 0x1FFF7A00u, (1u << 28) | (3u << 24) | (4u << 1) | 1u);\n" + _LAST,
        ),
        requirement="lif-identity",
        reason="identity-readable",
        danger=Shown(
            what="lets the confined part's load past the protection unit; QEMU's machine has nothing there",
            seen=takes(5),
            confined="(void)R(0x1FFF7A10);",
        ),
    ),
)

_REGIONS = (
    Variant(
        name="region-one-size-up",
        gain="The confined part's region is 64 KB: the gate's memory is inside.",
        edits=gate("protection.c", "(kConfinedSize << 1)", "(15u << 1)"),
        requirement="run-confined",
        reason="mpu-region-too-large",
        danger=Shown(
            what="lets the confined part write gate memory",
            seen=answers_present,
            confined="R(0x20008800) = 1; mailbox = 1;",
        ),
    ),
    Variant(
        name="region-overlap",
        gain="A later region with a higher number opens part of gate memory again.",
        edits=_region(0x20008000, 9),
        requirement="run-confined",
        reason="mpu-region-too-large",
        danger=Shown(
            what="lets the confined part write the gate's stack",
            seen=answers_present,
            confined="R(0x20008000) = 1; mailbox = 1;",
        ),
    ),
    Variant(
        name="subregion-forgotten",
        gain="A region of 128 KB with its upper subregions disabled, all but one.",
        edits=gate(
            "protection.c", "(3u << 17) | (kConfinedSize << 1) | 1u", "(3u << 17) | (0xF8u << 8) | (16u << 1) | 1u"
        ),
        requirement="run-confined",
        reason="mpu-region-too-large",
        danger=Shown(
            what="lets the confined part write gate memory",
            seen=answers_present,
            confined="R(0x20008000) = 1; mailbox = 1;",
        ),
    ),
    Variant(
        name="gate-memory-open",
        gain="The region of the gate's memory is readable and writable for all.",
        edits=gate("protection.c", "(1u << 28) | (1u << 24)", _READ_WRITE),
        requirement="run-confined",
        reason="mpu-region-too-large",
        danger=Shown(
            what="lets the confined part write gate memory",
            seen=answers_present,
            confined="R(0x20017000) = 1; mailbox = 1;",
        ),
    ),
    Variant(
        name="gate-memory-readable",
        gain="The confined part can read what the gate keeps.",
        edits=gate("protection.c", "(1u << 28) | (1u << 24)", "(1u << 28) | (2u << 24)"),
        requirement="run-confined",
        reason="mpu-region-too-large",
        danger=Shown(
            what="lets the confined part read gate memory",
            seen=answers_present,
            confined="(void)R(0x20008000); mailbox = 1;",
        ),
    ),
    Variant(
        name="flash-read-write",
        gain="The region of flash lets all store to it.",
        edits=gate("protection.c", "(6u << 24)", "(3u << 24)"),
        requirement="run-confined",
        reason="flash-writable",
        danger=Shown(
            what="lets the confined part's stores to flash through to the controller",
            seen=answers_present,
            confined="R(0x08070000) = 0; mailbox = 1;",
        ),
    ),
    Variant(
        name="confined-memory-executable",
        gain="The confined part runs code that it wrote: what was certified is not what runs.",
        edits=gate("protection.c", "(1u << 28) | (3u << 24)", "(3u << 24)"),
        requirement="run-confined",
        reason="confined-memory-executable",
        danger=Shown(
            what="runs code from memory",
            seen=runs_outside_flash,
            confined='*(volatile uint16_t *)&W = 0x4770; asm volatile("dsb\\nisb"); '
            "((void (*)(void))(0x20006000 | 1))();",
        ),
    ),
    Variant(
        name="gate-memory-executable",
        gain="The gate can run code from its own memory.",
        edits=gate("protection.c", "(1u << 28) | (1u << 24)", "(1u << 24)"),
        requirement="imm-write-xor-execute",
        reason="ram-executable",
        danger=NotShown(why="It takes a second deviation, a jump of the gate, to use it."),
    ),
    Variant(
        name="region-misaligned",
        gain="A base that is no multiple of the size: the part may take another than what is read in the source.",
        edits=gate(
            "protection.c", _CONFINED, "    protection_region(kRegionConfined, 0x20004000u, kConfinedAttributes);"
        ),
        requirement="run-gate-proved",
        reason="fault-possible",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="What the part does is not defined; QEMU ignores such a region."),
    ),
    Variant(
        name="permission-reserved",
        gain="A permission that the architecture reserves: the part decides what it means.",
        edits=gate("protection.c", "(1u << 28) | (1u << 24)", "(1u << 28) | (4u << 24)"),
        requirement="run-gate-proved",
        reason="fault-possible",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="What the part does is not defined."),
    ),
    Variant(
        name="region-not-constant",
        gain="A region's base comes from a device at start: it is what the vendor's board says.",
        edits=gate(
            "protection.c",
            _CONFINED,
            "    protection_region(kRegionConfined, kMemoryBase | "
            "((word_read(0x40020810u) & 1u) << 16), kConfinedAttributes);",
        ),
        requirement="run-gate-proved",
        reason="fault-possible",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="QEMU's ports read 0, so the base is the reference's."),
    ),
    Variant(
        name="gate-stack-in-confined-memory",
        gain="The gate's stack lies where the confined part writes: it chooses what the gate returns to.",
        edits=linker(
            "layout_gate_stack_end = ORIGIN(GATE_RAM) + 1K;", "layout_gate_stack_end = ORIGIN(CONFINED_RAM) + 0x7000;"
        ),
        requirement="run-gate-proved",
        reason="fault-possible",
        kind=Kind.INCONCLUSIVE,
        danger=Storms(),
    ),
    Variant(
        name="gate-stack-too-small",
        gain="Nested exceptions push the gate's stack into memory that the confined part reads.",
        edits=linker(
            "layout_gate_stack_end = ORIGIN(GATE_RAM) + 1K;", "layout_gate_stack_end = ORIGIN(GATE_RAM) + 120;"
        ),
        requirement="mem-stack-bounded",
        reason="stack-outside-gate-memory",
        danger=NotShown(why="It takes a HardFault and an NMI within a tick."),
    ),
    Variant(
        name="confined-memory-undeclared",
        gain="More memory is open than the declaration says.",
        edits=declaration("size = 0x8000 }", "size = 0x7000 }"),
        requirement="doc-declaration",
        reason="memory-differs",
        danger=NotShown(why="The image is the reference's; only what is claimed of it is wrong."),
    ),
)

_UNIT = (
    Variant(
        name="protection-never-on",
        gain="The confined part reaches everything that has no privilege bit of its own.",
        edits=gate("protection.c", _LAST, ""),
        requirement="run-confined",
        reason="mpu-disabled",
        danger=Shown(
            what="lets the confined part store to a port",
            seen=confined_reaches(0x40020018),
            confined=store(0x40020018),
        ),
    ),
    Variant(
        name="protection-late",
        gain="Protection comes on in the first tick; what thread mode did before was not confined.",
        edits=(
            *gate("protection.c", _LAST, ""),
            *in_tick("word_write(kMpuCtrl, 7u);"),
        ),
        requirement="run-confined",
        reason="mpu-disabled",
        danger=Shown(what="switches the protection on in a tick", seen=in_handler(0xE000ED94)),
    ),
    Variant(
        name="protection-off-behind-mask-bit",
        gain="Switches the protection off behind a test of a bit of PRIMASK that was written and does not exist.",
        edits=in_boot(
            'uint32_t mask = 3u;\n    __asm volatile("msr primask, %0\\nmrs %0, primask\\ncpsid i" : "+r"(mask));\n'
            "    if ((mask & 2u) == 0u) {\n        word_write(0xE000ED94u, 0u);\n    }"
        ),
        requirement="run-confined",
        reason="mpu-disabled",
        danger=Shown(
            what="lets the confined part store to a port",
            seen=confined_reaches(0x40020018),
            confined=store(0x40020018),
        ),
    ),
    Variant(
        name="protection-off-again",
        gain="The tick switches the protection off.",
        edits=in_tick("word_write(kMpuCtrl, 0u);"),
        requirement="run-gate-proved",
        reason="protection-changes",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(
            what="lets the confined part store to a port",
            seen=confined_reaches(0x40020018),
            confined=store(0x40020018),
        ),
    ),
    Variant(
        name="protection-not-in-faults",
        gain="In a HardFault handler confined pointers are followed without protection.",
        edits=gate("protection.c", "kControl = 7u;", "kControl = 5u;"),
        requirement="run-confined",
        reason="mpu-off-in-faults",
        danger=Shown(what="leaves HFNMIENA clear", seen=stored(0xE000ED94, 5)),
    ),
    Variant(
        name="no-background-map",
        gain="The gate itself cannot reach its devices any more: it faults in its own handler.",
        edits=gate("protection.c", "kControl = 7u;", "kControl = 3u;"),
        requirement="run-gate-proved",
        reason="fault-possible",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(what="never comes as far as a tick", seen=either(locks_up, lambda seen: not seen.ticks)),
    ),
    Variant(
        name="protection-through-alias",
        gain="A region is opened through the alias registers, which a simple check of the source overlooks.",
        edits=gate(
            "protection.c",
            _LAST,
            "    word_write(0xE000EDA4u, 0x40020013u);\n"
            f"    word_write(0xE000EDA8u, {_READ_WRITE} | (9u << 1) | 1u);\n{_LAST}",
        ),
        requirement="run-gate-proved",
        reason="mpu-alias",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(
            what="lets the confined part store to a port",
            seen=confined_reaches(0x40020018),
            confined=store(0x40020018),
        ),
    ),
    Variant(
        name="protection-by-halfword",
        gain="The attributes are written in halves: the part may take either for the whole.",
        edits=gate(
            "protection.c",
            "    word_write(kMpuRasr, attributes);",
            "    *(volatile uint16_t *)(kMpuRasr + 2u) = (uint16_t)(attributes >> 16);\n"
            "    *(volatile uint16_t *)kMpuRasr = (uint16_t)attributes;",
        ),
        requirement="run-confined",
        reason="mpu-narrow-store",
        danger=NotShown(why="QEMU answers with a fault; the architecture does not say what the part does."),
    ),
    Variant(
        name="no-barrier-at-the-drop",
        gain="Without ISB the next instructions may still be privileged.",
        edits=gate("reset.c", _DROP, '"movs r0, #3\\n"\n                   "msr control, r0\\n"'),
        requirement="run-confined",
        reason="missing-barrier",
        danger=NotShown(why="QEMU has no pipeline: CONTROL holds at once."),
    ),
    Variant(
        name="vector-table-in-memory",
        gain="The vectors lie where the confined part writes: it has handlers, privileged ones.",
        edits=gate("exceptions.c", "word_write(kScbVtor, (uint32_t)vectors);", "word_write(kScbVtor, 0x20000000u);"),
        requirement="run-confined",
        reason="vector-table-moved",
        danger=Shown(
            what="takes its vectors from confined memory, and locks up on zeros", seen=either(locks_up, silent)
        ),
    ),
    Variant(
        name="vector-table-moved-in-tick",
        gain="The same, after a first look.",
        edits=in_tick("word_write(kScbVtor, 0x20008000u);"),
        requirement="run-confined",
        reason="vector-table-moved",
        danger=Shown(what="moves the vector base in a tick", seen=in_handler(0xE000ED08)),
    ),
    Variant(
        name="privilege-given-back",
        gain="The confined part is started with privilege.",
        edits=gate("restart.c", '"r"(1u)', '"r"(0u)'),
        requirement="run-confined",
        reason="control-written-back",
        danger=Shown(
            what="lets the confined part store to a port, privileged",
            seen=confined_reaches(0x40020018),
            confined=store(0x40020018),
        ),
    ),
    Variant(
        name="privilege-not-dropped-at-boot",
        gain="Thread mode stays privileged until a handler says otherwise.",
        edits=gate("reset.c", _DROP, _DROP.replace("#3", "#2")),
        requirement="run-gate-proved",
        reason="nothing-explored",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="Until the first tick only the idle loop runs, which does nothing with it."),
    ),
    Variant(
        name="main-stack-shared",
        gain="Thread mode runs on the gate's stack.",
        edits=gate(
            "reset.c",
            '"movs r0, #2\\n"\n                   "msr control, r0\\n"',
            '"movs r0, #0\\n"\n                   "msr control, r0\\n"',
        ),
        requirement="run-gate-proved",
        reason="preemption-before-drop",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="Only an exception within a few instructions of boot would show it."),
    ),
    Variant(
        name="software-interrupts-open",
        gain="The confined part makes the tick pending whenever it likes.",
        edits=in_boot("word_write(0xE000ED14u, 0x202u);"),
        requirement="run-confined",
        reason="configuration-control",
        danger=Shown(
            what="lets the confined part make the tick pending",
            seen=confined_reaches(0xE000EF00),
            confined=store(0xE000EF00, 28),
        ),
    ),
    Variant(
        name="idle-claimed-elsewhere",
        gain="What runs between frames is not what the declaration names.",
        edits=declaration("idle = 0x08001000", "idle = 0x08001006"),
        requirement="run-confined",
        reason="drop-target",
        danger=NotShown(why="The image is the reference's; only what is claimed of it is wrong."),
    ),
)

VARIANTS = (*_OPENED, *_REGIONS, *_UNIT)
