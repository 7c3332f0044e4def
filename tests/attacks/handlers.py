"""Attacks on handlers and clocks: when they run, whether they end, what they return to, what can stop the tick."""

from __future__ import annotations

from tests.attacks.danger import (
    answers_present,
    either,
    in_handler,
    locks_up,
    silent,
    stored,
    takes,
)
from tests.attacks.variant import Kind, NotShown, Shown, Storms, Variant, gate, in_boot, in_fault, in_tick

_UNDEFINED = 'mailbox = 1; asm volatile("udf #0");'
_NO_CLOCKS = "QEMU has no clock tree, no sleep modes that stop its timer, and a crystal that never fails."
_FAULT_WRAP = "__asm volatile(RESTART_HANDLER(fault_serve));"
_RETURN = '    "mvn lr, #2\\n" \\\n'

_FAULTS = (
    Variant(
        name="fault-leaves-answer",
        gain="A fault after the answer was written leaves the output high: the period is not idle.",
        edits=gate("fault.c", "    mailbox = 0u;\n", ""),
        requirement="out-fault-safe",
        reason="fault-leaves-output",
        danger=Shown(what="answers present after a fault", seen=answers_present, confined=_UNDEFINED),
    ),
    Variant(
        name="idle-word-present",
        gain="The tick takes the word that a fault leaves for the answer: every fault raises the pin.",
        edits=gate(
            "tick.c",
            "return ((difference - 1u) & ~difference) >> 31;",
            "return (difference | (0u - difference)) >> 31;",
        ),
        requirement="out-fault-safe",
        reason="fault-raises-output",
        danger=Shown(what="answers present after a fault", seen=answers_present, confined=_UNDEFINED),
    ),
    Variant(
        name="fault-restarts-detector",
        gain="A fault starts the confined part again in the same period, at an instant of its choice, with its memory.",
        edits=(
            *gate(
                "fault.c", "restart_at((uint32_t)confined_idle & ~1u);", "restart_at((uint32_t)confined_entry & ~1u);"
            ),
        ),
        requirement="out-fault-safe",
        reason="fault-returns-to-detector",
        danger=Shown(
            what="remembers across a fault",
            seen=answers_present,
            confined='if (W == 0) { W = 1; asm volatile("udf #0"); } mailbox = 1;',
        ),
    ),
    Variant(
        name="fault-stores-output",
        gain="A fault stores to the timer: the instant is the confined part's choice.",
        edits=in_fault("word_write(0x40000020u, 1u);"),
        requirement="out-fault-safe",
        reason="fault-moves-output",
        danger=Shown(what="stores to the timer after a fault", seen=in_handler(0x40000020), confined=_UNDEFINED),
    ),
    Variant(
        name="fault-waits-for-flag",
        gain="The fault handler waits for the timer's flag and then acts: a sticky flag makes the instant the fault's.",
        edits=in_fault("while ((word_read(kTim2Sr) & 1u) == 0u) {\n    }\n    word_write(kTim2Ccr1, 0u);"),
        requirement="run-handlers",
        reason="handler-unbounded",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(
            what="stores to the compare register after a fault",
            seen=either(silent, lambda seen: len(seen.written(0x40000034)) > seen.ticks),
            confined=_UNDEFINED,
        ),
    ),
    Variant(
        name="fault-resets",
        gain="A fault resets the part, whose pins float at an instant of the confined part's choice.",
        edits=in_fault("word_write(0xE000ED0Cu, 0x05FA0004u);"),
        requirement="out-fault-safe",
        reason="reset-requested",
        danger=Shown(what="requests a reset after a fault", seen=in_handler(0xE000ED0C), confined=_UNDEFINED),
    ),
    Variant(
        name="fault-spins",
        gain="A fault stops everything with the pin as it is.",
        edits=in_fault("for (;;) {\n    }"),
        requirement="run-handlers",
        reason="handler-may-not-end",
        danger=Shown(what="hands over nothing any more after a fault", seen=silent, confined=_UNDEFINED),
    ),
    Variant(
        name="fault-in-handler",
        gain="A fault in the fault handler locks the core up with the pin as it is.",
        edits=in_fault("(void)word_read(0x60000000u);"),
        requirement="run-gate-proved",
        reason="unlisted-address",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(what="locks up after a fault", seen=locks_up, confined=_UNDEFINED),
    ),
    Variant(
        name="fault-vector-to-tick",
        gain="A HardFault runs the tick: the confined part gets another frame, and another answer, when it likes.",
        edits=gate(
            "vectors.c",
            "    [2 ... kVectorTick - 1] = fault_handler,",
            "    [2] = fault_handler,\n    [3] = tick_handler,\n    [4 ... kVectorTick - 1] = fault_handler,",
        ),
        requirement="out-fault-safe",
        reason="fault-runs-tick",
        danger=Shown(
            what="hands over more than one level in a period",
            seen=lambda seen: len(seen.written(0x40000034)) > seen.ticks,
            confined='mailbox = 1; asm volatile("bkpt #0");',
        ),
    ),
    Variant(
        name="nmi-vector-to-tick",
        gain="An NMI runs the tick.",
        edits=gate(
            "vectors.c",
            "    [2 ... kVectorTick - 1] = fault_handler,",
            "    [2] = tick_handler,\n    [3 ... kVectorTick - 1] = fault_handler,",
        ),
        requirement="out-fault-safe",
        reason="fault-runs-tick",
        danger=NotShown(why="QEMU's machine raises no NMI."),
    ),
    Variant(
        name="service-vector-to-tick",
        gain="A supervisor call runs the tick.",
        edits=gate(
            "vectors.c",
            "    [2 ... kVectorTick - 1] = fault_handler,",
            "    [2 ... 10] = fault_handler,\n    [11] = tick_handler,\n    [12 ... kVectorTick - 1] = fault_handler,",
        ),
        requirement="out-fault-safe",
        reason="fault-runs-tick",
        danger=Shown(
            what="hands over more than one level in a period",
            seen=lambda seen: len(seen.written(0x40000034)) > seen.ticks,
            confined='mailbox = 1; asm volatile("svc #0");',
        ),
    ),
    Variant(
        name="vector-missing",
        gain="A vector of zero: the core faults where it should handle a fault.",
        edits=gate(
            "vectors.c", "    [2 ... kVectorTick - 1] = fault_handler,", "    [4 ... kVectorTick - 1] = fault_handler,"
        ),
        requirement="run-handlers",
        reason="vector-differs",
        danger=Shown(
            what="locks up after a breakpoint instruction",
            seen=locks_up,
            confined='asm volatile("bkpt #0");',
        ),
    ),
    Variant(
        name="vector-to-confined-code",
        gain="The confined part has a privileged handler.",
        edits=gate(
            "vectors.c",
            "    [2 ... kVectorTick - 1] = fault_handler,",
            "    [2 ... 10] = fault_handler,\n    [11] = confined_entry,\n"
            "    [12 ... kVectorTick - 1] = fault_handler,",
        ),
        requirement="run-accounted",
        reason="gate-code-outside-gate",
        danger=Shown(
            what="runs confined code with privilege",
            seen=in_handler(0x40020018),
            confined='uint32_t where; asm volatile("mrs %0, ipsr" : "=r"(where)); if (where) R(0x40020018) = 32; '
            'else asm volatile("svc #0");',
        ),
    ),
    Variant(
        name="usage-fault-not-enabled",
        gain="An undefined instruction escalates above the tick, and holds it up.",
        edits=gate("registers.h", "kScbShcsrFaultsEnabled = 7u << 16;", "kScbShcsrFaultsEnabled = 3u << 16;"),
        requirement="run-handlers",
        reason="fault-not-enabled",
        danger=Shown(what="takes a HardFault for an undefined instruction", seen=takes(3), confined=_UNDEFINED),
    ),
    Variant(
        name="fault-marked-active",
        gain="An exception that boot marks as active holds up the tick for ever, and the first fault locks up.",
        edits=gate(
            "exceptions.c", "word_write(kScbShcsr, kScbShcsrFaultsEnabled);", "word_write(kScbShcsr, 0x70001u);"
        ),
        requirement="run-handlers",
        reason="fault-marked-active",
        danger=NotShown(why="The module is dead: it never answers, which the harness cannot tell from a slow start."),
    ),
)

_RETURNS = (
    Variant(
        name="return-on-main-stack",
        gain="The confined part goes on with the gate's stack as its own.",
        edits=gate("restart.h", _RETURN, '    "mvn lr, #6\\n" \\\n'),
        requirement="run-handlers",
        reason="exception-return",
        danger=Storms(),
    ),
    Variant(
        name="return-to-handler-mode",
        gain="The confined part runs in handler mode, privileged.",
        edits=gate("restart.h", _RETURN, '    "mvn lr, #14\\n" \\\n'),
        requirement="run-handlers",
        reason="exception-return",
        danger=Storms(),
    ),
    Variant(
        name="privilege-left-to-chance",
        gain="An exception within boot's last instructions leaves thread mode privileged.",
        edits=gate("restart.c", '"msr control, %1\\n"', '"mov r3, %1\\n"'),
        requirement="run-handlers",
        reason="return-privileged",
        danger=NotShown(why="QEMU raises no exception there: the first tick is a whole period away."),
    ),
    Variant(
        name="return-to-other-code",
        gain="Not the declared entry is started.",
        edits=gate(
            "tick.c",
            "restart_at((uint32_t)confined_entry & ~1u);",
            "restart_at(((uint32_t)confined_entry & ~1u) + 2u);",
        ),
        requirement="run-handlers",
        reason="return-target",
        danger=NotShown(
            why="The second instruction of the stub is harmless; that of another confined part may not be."
        ),
    ),
    Variant(
        name="idle-is-not-a-loop",
        gain="What runs after a fault is not an idle loop but more of the confined part.",
        edits=(*gate("restart.c", '__asm volatile("1: b 1b");', '__asm volatile("nop\\nnop");'),),
        requirement="out-fault-safe",
        reason="idle-not-a-loop",
        danger=Shown(
            what="runs the confined part again after a fault",
            seen=answers_present,
            confined='if (W == 0) { W = 1; asm volatile("udf #0"); } mailbox = 1;',
        ),
    ),
)

_TIME = (
    Variant(
        name="tick-too-slow",
        gain="The tick waits for a frame longer than a period.",
        edits=gate("camera.c", "kFrameEndPolls = 480000u;", "kFrameEndPolls = 48000000u;"),
        requirement="run-handlers",
        reason="handler-too-long",
        danger=NotShown(why="The harness would have to run hundreds of millions of instructions."),
    ),
    Variant(
        name="tick-unbounded",
        gain="The tick waits for the sensor for ever.",
        edits=gate("camera.c", "left != 0u; left--", "left != 0u; left |= 1u"),
        requirement="run-handlers",
        reason="handler-unbounded",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(what="hands over nothing any more", seen=silent, frames=()),
    ),
    Variant(
        name="tick-sleeps",
        gain="The tick sleeps until something else wakes it.",
        edits=in_tick('__asm volatile("wfi");'),
        requirement="run-handlers",
        reason="handler-may-not-end",
        danger=Shown(what="hands over nothing any more", seen=silent),
    ),
    Variant(
        name="interrupts-masked",
        gain="After the first tick there is no other: the pin stays as it is.",
        edits=in_tick('__asm volatile("cpsid i");'),
        requirement="run-handlers",
        reason="interrupts-masked",
        danger=Shown(what="takes no second tick", seen=silent),
    ),
    Variant(
        name="base-priority-raised",
        gain="The same by another register.",
        edits=in_boot('__asm volatile("msr basepri, %0" : : "r"(0x40));'),
        requirement="run-handlers",
        reason="mask-register-written",
        danger=Shown(what="takes no tick", seen=lambda seen: not seen.written(0x40000034)),
    ),
    Variant(
        name="interrupts-open-in-boot",
        gain="Boot can be interrupted half way.",
        edits=gate("reset.c", '"cpsid i\\n"', '"nop\\n"'),
        requirement="run-handlers",
        reason="interrupts-open-in-boot",
        danger=NotShown(why="The first interrupt is enabled a period before it comes."),
    ),
    Variant(
        name="tick-above-faults",
        gain="A tick that interrupts a fault handler cannot return: the fault is still active.",
        edits=gate("exceptions.c", "kPriorityTick = 0x40404040u;", "kPriorityTick = 0x40404020u;"),
        requirement="run-handlers",
        reason="priorities-differ",
        danger=NotShown(why="It takes a tick within the few dozen instructions of a fault handler."),
    ),
    Variant(
        name="another-interrupt",
        gain="A second interrupt, of another timer, at an instant of its own.",
        edits=gate("timer.c", "1u << kTim2Irq", "3u << kTim2Irq"),
        requirement="run-handlers",
        reason="interrupt-enabled",
        danger=Shown(what="enables interrupt 29", seen=stored(0xE000E100, 0x30000000)),
    ),
    Variant(
        name="priority-written-in-tick",
        gain="The order of handlers changes while they run.",
        edits=in_tick("word_write(kNvicIpr7, 0x40404020u);"),
        requirement="run-handlers",
        reason="priority-written",
        danger=Shown(what="stores to a priority register", seen=in_handler(0xE000E41C)),
    ),
    Variant(
        name="tick-pended-by-fault",
        gain="A fault makes the tick pending: the confined part chooses its instant.",
        edits=in_fault("word_write(0xE000E200u, 1u << 28);"),
        requirement="run-handlers",
        reason="priority-written",
        danger=Shown(
            what="hands over more than one level in a period",
            seen=lambda seen: len(seen.written(0x40000034)) > seen.ticks,
            confined=_UNDEFINED,
        ),
    ),
    Variant(
        name="system-exception-pended",
        gain="The tick makes another exception pending, whose handler is above it.",
        edits=in_tick("word_write(0xE000ED04u, 1u << 28);"),
        requirement="run-handlers",
        reason="interrupt-pended",
        danger=Shown(what="makes PendSV pending in each tick", seen=in_handler(0xE000ED04)),
    ),
    Variant(
        name="main-stack-moved",
        gain="The gate's stack is moved in a handler, into memory that it does not own.",
        edits=in_tick('__asm volatile("msr msp, %0" : : "r"(0x20008300));'),
        requirement="run-handlers",
        reason="main-stack-moved",
        danger=Storms(),
    ),
    Variant(
        name="system-timer-tick",
        gain="A second tick, of the system timer.",
        edits=in_boot("word_write(0xE000E014u, 100000u);\n    word_write(0xE000E010u, 7u);"),
        requirement="run-handlers",
        reason="systick-enabled",
        danger=Shown(what="takes the system timer's exception", seen=takes(15)),
    ),
)

_CLOCKS = (
    Variant(
        name="boot-never-ends",
        gain="Without a crystal boot looks at devices for ever, privileged and not confined.",
        edits=in_boot(
            "if ((word_read(0x40023800u) & (1u << 17)) == 0u) {\n        for (;;) {\n"
            "            (void)word_read(0x40020010u);\n        }\n    }"
        ),
        requirement="run-gate-proved",
        reason="endless-in-boot",
        danger=Shown(what="never comes as far as a tick", seen=lambda seen: not seen.ticks),
    ),
    Variant(
        name="boot-never-ends-and-looks-at-times",
        gain="Without a crystal boot goes round for ever, and looks at a device on some of the ways round.",
        edits=in_boot(
            "if ((word_read(0x40023800u) & (1u << 17)) == 0u) {\n        for (uint32_t round = 0;; round++) {\n"
            '            __asm volatile("" : "+r"(round));\n'
            "            if ((round & 0x10000u) != 0u) {\n                look();\n            }\n        }\n    }"
        )
        + gate(
            "reset.c",
            "/* Everything between cleared memory",
            "__attribute__((noinline)) static void look(void)\n{\n    (void)word_read(0x40023800u);\n}\n\n"
            "/* Everything between cleared memory",
        ),
        requirement="run-gate-proved",
        reason="endless-in-boot",
        danger=Shown(what="never comes as far as a tick", seen=lambda seen: not seen.ticks),
    ),
    Variant(
        name="deep-sleep",
        gain="WFI stops the timer: the confined part stretches the period.",
        edits=gate("exceptions.c", "word_write(kScbScr, 0u);", "word_write(kScbScr, 4u);"),
        requirement="out-clock-steady",
        reason="deep-sleep",
        danger=Shown(what="sets SLEEPDEEP", seen=stored(0xE000ED10, 4)),
    ),
    Variant(
        name="timer-stops-in-sleep",
        gain="WFI stops the timer's clock.",
        edits=gate(
            "timer.c", "word_write(kRccApb1lpenr, kRccApb1Tim2 | kRccApb1Sensor);", "word_write(kRccApb1lpenr, 0u);"
        ),
        requirement="out-clock-steady",
        reason="timer-stops-in-sleep",
        danger=Shown(what="takes the timer's clock away in sleep", seen=stored(0x40023860, 0)),
    ),
    Variant(
        name="clock-security-on",
        gain="A failing crystal switches the clock by itself, and raises an NMI.",
        edits=gate("registers.h", "kRccCrHsi = 0x00000081u;", "kRccCrHsi = 0x00080081u;"),
        requirement="out-clock-steady",
        reason="clock-security-on",
        danger=Shown(what="sets CSSON", seen=stored(0x40023800, 0x00090081)),
    ),
    Variant(
        name="clock-from-outside",
        gain="The clock is a signal from the connector.",
        edits=gate("registers.h", "kRccCrHsi = 0x00000081u;", "kRccCrHsi = 0x00040081u;"),
        requirement="out-clock-steady",
        reason="clock-from-outside",
        danger=Shown(what="sets HSEBYP", seen=stored(0x40023800, 0x00050081)),
    ),
    Variant(
        name="clock-tree-in-tick",
        gain="The tick changes the clock of the next period.",
        edits=in_tick("word_write(kRccCfgr, 0x9000u);"),
        requirement="out-clock-steady",
        reason="clock-tree-written",
        danger=Shown(what="stores to the clock configuration in each tick", seen=in_handler(0x40023808)),
    ),
    Variant(
        name="clock-tree-after-start",
        gain="The first periods have another length.",
        edits=gate("reset.c", "    clocks_start();\n", "")
        + gate("reset.c", "    timer_start(); /*", "    timer_start();\n    clocks_start(); /*"),
        requirement="out-clock-steady",
        reason="clock-tree-written",
        danger=NotShown(why=_NO_CLOCKS),
    ),
    Variant(
        name="sleep-control-in-tick",
        gain="Deep sleep comes on later.",
        edits=in_tick("word_write(kScbScr, 4u);"),
        requirement="out-clock-steady",
        reason="sleep-control-written",
        danger=Shown(what="stores to the sleep control in each tick", seen=in_handler(0xE000ED10)),
    ),
    Variant(
        name="watchdog",
        gain="A watchdog resets the part when the confined part makes the tick late.",
        edits=in_boot("word_write(0x40003000u, 0xCCCCu);"),
        requirement="out-clock-steady",
        reason="watchdog-used",
        danger=Shown(what="starts the watchdog", seen=stored(0x40003000)),
    ),
    Variant(
        name="window-watchdog",
        gain="The same with the other watchdog.",
        edits=in_boot("word_write(0x40002C00u, 0xFFu);"),
        requirement="out-clock-steady",
        reason="watchdog-used",
        danger=Shown(what="starts the watchdog", seen=stored(0x40002C00)),
    ),
    Variant(
        name="power-written-in-tick",
        gain="The regulator changes with the clock still fast.",
        edits=in_tick("word_write(0x40007000u, 0u);"),
        requirement="out-clock-steady",
        reason="power-written",
        danger=Shown(what="stores to the power block in each tick", seen=in_handler(0x40007000)),
    ),
)

VARIANTS = (*_FAULTS, *_RETURNS, *_TIME, *_CLOCKS)
