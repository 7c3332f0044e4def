"""Attacks on the seal: code and data that are not what was certified, or do not stay so."""

from __future__ import annotations

from tests.attacks.danger import in_handler, stored
from tests.attacks.variant import (
    DatasheetEdit,
    Kind,
    LinkerEdit,
    NotShown,
    Patch,
    Shown,
    Variant,
    WrongDigest,
    declaration,
    gate,
    in_boot,
    in_tick,
    linker,
    provisioning,
    word,
)

_FLASH_END = "    .model :\n"
_CLAIM = "The image is the reference's; only what is claimed of it is wrong."
_SEALING = "QEMU has no option bytes."


def _stray(memory: str, region: str, content: str) -> tuple[LinkerEdit, ...]:
    """One more segment, of these bytes, in a region of its own."""
    return (
        *linker("    GATE_RAM (rw) ", f"    {memory}\n    GATE_RAM (rw) "),
        *linker("    model    PT_LOAD FLAGS(4);", "    model    PT_LOAD FLAGS(4);\n    stray    PT_LOAD FLAGS(4);"),
        *linker(_FLASH_END, f"    .stray : {{ {content} }} > {region} : stray\n\n{_FLASH_END}"),
    )


_FLASH = (
    Variant(
        name="flash-unlock",
        gain="The controller is unlocked: one more store rewrites the module.",
        edits=in_boot("word_write(0x40023C04u, 0x45670123u);\n    word_write(0x40023C04u, 0xCDEF89ABu);"),
        requirement="imm-flash-locked",
        reason="flash-unlock",
        danger=Shown(what="gives the controller its keys", seen=stored(0x40023C04, 0xCDEF89AB)),
    ),
    Variant(
        name="option-bytes-unlock",
        gain="The option bytes are unlocked: the seal can be opened.",
        edits=in_boot("word_write(0x40023C08u, 0x08192A3Bu);"),
        requirement="imm-flash-locked",
        reason="flash-unlock",
        danger=Shown(what="gives the controller a key for the option bytes", seen=stored(0x40023C08)),
    ),
    Variant(
        name="flash-programmed",
        gain="The gate sets the controller to program flash.",
        edits=in_boot("word_write(0x40023C10u, 0x201u);"),
        requirement="imm-flash-locked",
        reason="flash-control-written",
        danger=Shown(what="sets the controller to program", seen=stored(0x40023C10)),
    ),
    Variant(
        name="flash-stored-to",
        gain="The answers are logged in flash.",
        edits=in_tick("word_write(0x08070000u, 0u);"),
        requirement="run-gate-proved",
        reason="fault-possible",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="QEMU ignores stores to flash."),
    ),
)

_OPTIONS = (
    Variant(
        name="read-out-level-1",
        gain="The seal can be undone: level 1 falls back to 0 with a mass erase, and the debug port stays.",
        edits=provisioning("rdp = 0xCC ", "rdp = 0xBB "),
        requirement="imm-option-bytes",
        reason="read-out-open",
        danger=NotShown(why=_SEALING),
    ),
    Variant(
        name="debug-port-open",
        gain="A debugger on the connector reads frames.",
        edits=provisioning("rdp = 0xCC ", "rdp = 0xAA "),
        requirement="imm-debug-closed",
        reason="debug-open",
        danger=NotShown(why=_SEALING),
    ),
    Variant(
        name="loader-open",
        gain="The boot loader takes another program over the serial port.",
        edits=provisioning("rdp = 0xCC ", "rdp = 0xBA "),
        requirement="imm-no-loader",
        reason="loader-open",
        danger=NotShown(why=_SEALING),
    ),
    Variant(
        name="sector-unprotected",
        gain="One sector can be rewritten.",
        edits=provisioning("nwrp = 0x00 ", "nwrp = 0x80 "),
        requirement="imm-option-bytes",
        reason="sectors-unprotected",
        danger=NotShown(why=_SEALING),
    ),
    Variant(
        name="protection-means-something-else",
        gain="The protection bits mean read protection: every sector can be written.",
        edits=provisioning("sprmod = 0 ", "sprmod = 1 "),
        requirement="imm-option-bytes",
        reason="lock-open",
        danger=NotShown(why=_SEALING),
    ),
    Variant(
        name="sealed-before-programmed",
        gain="Something is programmed after the part was sealed, or it was not sealed.",
        edits=provisioning(
            '"program", "read-back", "seal", "show-closed"', '"seal", "program", "read-back", "show-closed"'
        ),
        requirement="imm-option-bytes",
        reason="sealed-too-early",
        danger=NotShown(why=_SEALING),
    ),
    Variant(
        name="provisioning-swapped",
        gain="Units are provisioned with another file than the certified one.",
        edits=(WrongDigest(table="provisioning"),),
        requirement="imm-option-bytes",
        reason="provisioning-differs",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="option-bytes-in-image",
        gain="Programming the image seals the part before it was read back.",
        edits=_stray("OPTIONS (r) : ORIGIN = 0x1FFFC000, LENGTH = 16", "OPTIONS", "LONG(0x0000CCFF)"),
        requirement="imm-option-bytes",
        reason="option-bytes-in-image",
        danger=NotShown(why=_SEALING),
    ),
)

_BYTES = (
    Variant(
        name="model-altered",
        gain="Another network than the certified one.",
        edits=(Patch(address=0x08010000, mask=0x01),),
        requirement="imm-model-read-only",
        reason="model-digest",
        danger=NotShown(why="The confined part is not judged by what it answers."),
    ),
    Variant(
        name="model-in-memory",
        gain="The network lies where it can be changed.",
        edits=declaration("start = 0x08010000", "start = 0x20001000"),
        requirement="imm-model-read-only",
        reason="model-not-in-flash",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="model-elsewhere",
        gain="What is called the model is erased flash; the network is something else.",
        edits=declaration("start = 0x08010000", "start = 0x08030000"),
        requirement="imm-model-read-only",
        reason="model-not-loaded",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="code-outside-flash",
        gain="Part of the program is loaded into memory, where no digest of flash covers it.",
        edits=linker(
            "    .gate_stack (NOLOAD) :",
            "    .stray : { LONG(0x47704770) } > GATE_RAM : gate_ram\n\n    .gate_stack (NOLOAD) :",
        ),
        requirement="run-accounted",
        reason="bytes-outside-flash",
        danger=NotShown(why="A boot loader or debugger would load it; the part's reset does not."),
    ),
    Variant(
        name="bytes-undeclared",
        gain="Bytes behind the model that nobody has declared.",
        edits=_stray("STRAY (r) : ORIGIN = 0x08078000, LENGTH = 16", "STRAY", "LONG(0x47704770)"),
        requirement="run-accounted",
        reason="undeclared-bytes",
        danger=NotShown(why="Data does nothing by itself."),
    ),
    Variant(
        name="hidden-code",
        gain="Code in the gate's flash that no path reaches, for a glitch to find.",
        edits=linker(
            "        gate/*.o(.rodata .rodata.*)\n",
            "        gate/*.o(.rodata .rodata.*)\n        LONG(0x60014801) LONG(0x40020018) LONG(0x47704770)\n",
        ),
        requirement="run-accounted",
        reason="hidden-bytes",
        danger=NotShown(why="No path reaches it: that is the point."),
    ),
    Variant(
        name="gate-smaller-than-declared",
        gain="Gate code lies where the declaration says confined code is.",
        edits=declaration(
            "gate = { start = 0x08000000, size = 0x1000 }\nconfined = { start = 0x08001000, size = 0xF000 }",
            "gate = { start = 0x08000000, size = 0x700 }\nconfined = { start = 0x08000700, size = 0xF900 }",
        ),
        requirement="run-accounted",
        reason="gate-code-outside-gate",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="hidden-code-by-pointer",
        gain="The gate calls what the mailbox points to: the confined part has a privileged subroutine.",
        edits=gate(
            "tick.c",
            "timer_preload(smoothing_step(tick_is_present(mailbox)));",
            "const uint32_t message = mailbox;\n"
            "    ((void (*)(void))((message != 0u ? message : (uint32_t)timer_acknowledge) | 1u))();\n"
            "    timer_preload(0u);",
        ),
        requirement="run-gate-proved",
        reason="computed-branch",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(
            what="runs the confined part's code with privilege",
            seen=in_handler(0x40020018),
            confined="extern void hidden(void); mailbox = (uint32_t)hidden; for (;;) { } } "
            "void hidden(void) { R(0x40020018) = 32; } void unused(void) {",
        ),
    ),
    Variant(
        name="hidden-code-by-table",
        gain="A table in flash holds an address that is reached only for one mailbox value.",
        edits=gate(
            "tick.c",
            "timer_preload(smoothing_step(tick_is_present(mailbox)));",
            "const uint32_t message = mailbox;\n    timer_preload(smoothing_step(tick_is_present(message)));\n"
            "    ((void (*)(void))word_read(0x08000004u + 4u * (message & 1u)))();",
        ),
        requirement="run-gate-proved",
        reason="computed-branch",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(
            what="starts anew when the confined part asks for it",
            seen=in_handler(0x40023830),
            confined="mailbox = 2;",
        ),
    ),
)

_LOOPS = (
    Variant(
        name="behind-a-branch-to-the-next-instruction",
        gain="One message of the confined part makes an edge at once, behind a branch that goes nowhere else.",
        edits=gate(
            "tick.c",
            "timer_preload(smoothing_step(tick_is_present(mailbox)));",
            "const uint32_t message = mailbox;\n    timer_preload(smoothing_step(tick_is_present(message)));\n"
            "    if (message == 90u) {\n"
            '        __asm volatile("b 1f\\n1:");\n        word_write(0x40000014u, 1u);\n    }',
        ),
        requirement="out-clocked",
        reason="update-forced",
        danger=Shown(
            what="makes the edge when the confined part says so",
            seen=in_handler(0x40000014),
            confined="mailbox = 90;",
        ),
    ),
    Variant(
        name="loop-entered-in-the-middle",
        gain="Behind its head, the loop still has another address in the register: that of the key to flash.",
        edits=in_boot(
            '__asm volatile("mov r2, %0\\n ldr r0, [%1]\\n mov r1, #0\\n tst r0, #0x20000\\n bne 2f\\n"\n'
            '                   "1: mov r2, %2\\n 2: str %3, [r2]\\n adds r1, #1\\n cmp r1, #2\\n blo 1b"\n'
            '                   : : "r"(0x40023C04u), "r"(0x40023800u), "r"(0x20000000u), "r"(0u)\n'
            '                   : "r0", "r1", "r2", "memory", "cc");'
        ),
        requirement="run-gate-proved",
        reason="irreducible-loop",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="The crystal's ready bit chooses the way in; the emulator has no clock tree and reads 0."),
    ),
)

_DEBUG = tuple(
    Variant(
        name=name,
        gain=gain,
        edits=in_boot(f"word_write({address:#010x}u, {value});"),
        requirement="imm-debug-closed",
        reason="debug-unit-used",
        danger=danger,
    )
    for name, address, value, gain, danger in (
        (
            "breakpoint-unit-written",
            0xE0002000,
            "3u",
            "The patch unit replaces instructions of the gate.",
            NotShown(why="QEMU has no patch unit, and its answer would say nothing of the part's."),
        ),
        (
            "trace-enabled",
            0xE000EDFC,
            "1u << 24",
            "Trace is on: every address and value can leave on a pin.",
            Shown(what="enables trace", seen=stored(0xE000EDFC)),
        ),
        (
            "stimulus-ports-open",
            0xE0000E40,
            "0u",
            "Unprivileged code may write to the trace port.",
            NotShown(why="QEMU has no trace port."),
        ),
        (
            "trace-pins-routed",
            0xE0042004,
            "0x20u",
            "The trace pins are routed to the trace unit.",
            NotShown(why="QEMU has no debug block there: the store faults."),
        ),
        (
            "cycle-counter-on",
            0xE0001000,
            "1u",
            "A counter that tells the gate how long the confined part took.",
            NotShown(why="QEMU has no such unit."),
        ),
    )
)

_PAPERS = (
    Variant(
        name="flash-digest-wrong",
        gain="What is published is another image than this one.",
        edits=(WrongDigest(table="build", key="flash_sha256"),),
        requirement="bld-reproducible",
        reason="flash-digest",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="datasheet-without-privacy",
        gain="Buyers are not told.",
        edits=(DatasheetEdit(old="## Privacy", new="## Other things"),),
        requirement="doc-datasheet",
        reason="datasheet-section",
        danger=NotShown(why="A text."),
    ),
    Variant(
        name="datasheet-swapped",
        gain="Another datasheet than the certified one is given out.",
        edits=(WrongDigest(table="datasheet"),),
        requirement="doc-datasheet",
        reason="datasheet-digest",
        danger=NotShown(why="A text."),
    ),
    Variant(
        name="battery-not-stated",
        gain="The module ends as waste that nobody can sort.",
        edits=declaration('battery = "None."', 'battery = "tbd"'),
        requirement="lif-end-of-life",
        reason="statement-missing",
        danger=NotShown(why="A text."),
    ),
    Variant(
        name="identity-read-by-gate",
        gain="The unit's number goes into the frame.",
        edits=in_boot(f"{word(0x20000000)} = word_read(0x1FFF7A10u);"),
        requirement="run-gate-proved",
        reason="unlisted-address",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="QEMU's machine has no such memory."),
    ),
    Variant(
        name="silicon-revision-unlisted",
        gain="A revision whose errata nobody has looked at.",
        edits=declaration('revisions = ["A", "Z"]', 'revisions = ["A", "Q"]'),
        requirement="run-errata",
        reason="revision-unlisted",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="barrier-left-out",
        gain="A store that is under way at the exception return can send the core to the wrong vector.",
        edits=gate("restart.h", '    "dsb\\n" \\\n', '    "nop\\n" \\\n'),
        requirement="run-errata",
        reason="store-before-return",
        danger=NotShown(why="QEMU has no errata."),
    ),
    Variant(
        name="clock-not-read-back",
        gain="The first store to the block may be lost: the set-up is not what the code says.",
        edits=gate("timer.c", "    (void)word_read(kRccApb1enr); /*", "    /*"),
        requirement="run-errata",
        reason="clock-enable-not-read-back",
        danger=NotShown(why="QEMU has no errata."),
    ),
)

VARIANTS = (*_FLASH, *_OPTIONS, *_BYTES, *_LOOPS, *_DEBUG, *_PAPERS)
