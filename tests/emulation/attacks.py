"""What a hostile confined part may try while it runs. One image holds all attempts; the frame says which one is made.

The first byte of a frame is the number of the attempt, 0 for none. Before each attempt the mailbox is set to
"present", so that the answer shows whether the attempt was stopped: a period with a fault must be answered "absent".
These are attempts against the reference gate; images with a broken gate are another matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reference_module.build import Recipe, build
from tests.emulation.answers import unsmoothed
from tests.emulation.observation import FRAME_SIZE


class Ends(StrEnum):
    """How an attempt must end."""

    FAULT = "a fault, so the period is idle"
    NOTHING = "it has no effect, and the code goes on to say present"
    SILENCE = "no fault, and no answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    name: str
    code: str
    """C statements. R(address) is the word there."""
    ends: Ends = Ends.FAULT
    proves_nothing: str = ""
    """Why QEMU's answer says nothing about the part."""


_ONTO_DEVICE = 'asm volatile("mov sp, %0\\n 1: b 1b" :: "r"({address}));'

ATTACKS = (
    # Devices
    Attack(name="port: set the pin", code="R(0x40020018) = 1u << 5;"),
    Attack(name="port: read inputs", code="mailbox = 1 | R(0x40020010);"),
    Attack(name="timer: compare value", code="R(0x40000034) = 0xFFFFFFFFu;"),
    Attack(name="timer: compare value by byte", code="*(volatile uint8_t *)0x40000034 = 1;"),
    Attack(name="timer: compare value by halfword", code="*(volatile uint16_t *)0x40000034 = 1;"),
    Attack(name="timer: forced update", code="R(0x40000014) = 1;"),
    Attack(name="timer: read the count", code="mailbox = 1 | R(0x40000024);"),
    Attack(name="serial port", code="R(0x40004404) = 'A';"),
    Attack(name="flash: unlock", code="R(0x40023C04) = 0x45670123u;"),
    Attack(name="flash: option bytes", code="R(0x40023C08) = 0x08192A3Bu;"),
    Attack(name="clocks", code="R(0x40023800) = 0;"),
    Attack(name="power: backup domain", code="R(0x40007000) = 0x100;"),
    Attack(name="direct memory access", code="R(0x40026410) = 1;"),
    Attack(name="USB", code="R(0x50000000) = 1;"),
    Attack(name="bit-band alias of the port", code="R(0x42000000u + 0x20014u * 32 + 5 * 4) = 1;"),
    Attack(name="bit-band alias of the forced update", code="R(0x42000280) = 1;"),
    Attack(
        name="LDM from devices",
        code='asm volatile("ldm %0, {r0-r3}" :: "r"(0x40000000) : "r0", "r1", "r2", "r3");',
    ),
    Attack(name="STM onto devices", code='asm volatile("stm %0, {r0-r3}" :: "r"(0x40000030));'),
    Attack(name="STRD onto devices", code='asm volatile("strd r0, r1, [%0]" :: "r"(0x40000034));'),
    Attack(name="STRT onto devices", code='asm volatile("strt r0, [%0]" :: "r"(0x40000034));'),
    Attack(
        name="STREX onto devices",
        code='asm volatile("ldrex r0, [%0]\\n strex r1, r0, [%0]" :: "r"(0x40000034) : "r0", "r1");',
    ),
    # System registers
    Attack(name="protection off", code="R(0xE000ED94) = 0;"),
    Attack(name="protection: read", code="mailbox = 1 | R(0xE000ED90);"),
    Attack(name="SysTick", code="R(0xE000E010) = 0;"),
    Attack(name="vector table", code="R(0xE000ED08) = 0x20000000u;"),
    Attack(name="processor's identity", code="mailbox = 1 | R(0xE000ED00);"),
    Attack(name="software interrupt register", code="R(0xE000EF00) = 28;"),
    Attack(name="interrupt disable", code="R(0xE000E180) = 1u << 28;"),
    Attack(name="reset request", code="R(0xE000ED0C) = 0x05FA0004u;"),
    Attack(name="deep sleep", code='R(0xE000ED10) = 4; asm volatile("wfi");'),
    Attack(name="floating point on", code="R(0xE000ED88) = 0xFu << 20;"),
    Attack(name="cycle counter", code="mailbox = 1 | R(0xE0001004);"),
    Attack(name="debug: freeze the timer", code="R(0xE0042008) = 1;"),
    Attack(
        name="trace port",
        code="R(0xE0000000) = 0x55;",
        proves_nothing="QEMU has no trace port and refuses all access; the part may let unprivileged code write there",
    ),
    # Memory
    Attack(name="gate memory: write", code="R(0x20008000) = 0;"),
    Attack(name="gate memory: read", code="mailbox = 1 | R(0x20008000);"),
    Attack(name="gate memory: its stack", code="R(0x200083FC) = 0;"),
    Attack(name="gate memory: its bit-band alias", code="R(0x22000000u + 0x10000u * 32) = 1;"),
    Attack(name="gate memory: unaligned, half inside", code="*(volatile uint32_t *)0x20007FFE = 0xAAAAAAAAu;"),
    Attack(name="gate memory: STM across the border", code='asm volatile("stm %0, {r0-r7}" :: "r"(0x20007FF0));'),
    Attack(name="past gate memory", code="R(0x20018000) = 0;"),
    Attack(name="flash", code="R(0x08010000) = 0;"),
    Attack(name="flash: its alias at 0", code="R(0x00010000) = 0;"),
    Attack(name="system memory: read", code="mailbox = 1 | R(0x1FFF7A10);"),
    # Code
    Attack(
        name="run from memory",
        code='static uint16_t code[2]; code[0] = 0x4770; asm volatile("dsb\\nisb"); CALL((uint32_t)code);',
    ),
    Attack(name="run from the alias at 0", code="CALL((uint32_t)confined_entry - 0x08000000u);"),
    Attack(name="run from devices", code="CALL(0x40000000);"),
    Attack(name="run from system memory", code="CALL(0x1FFF0000);"),
    Attack(name="call the gate: preload the timer", code="((void (*)(uint32_t))timer_preload)(0xFFFFFFFFu);"),
    Attack(name="call the gate: its tick", code="CALL((uint32_t)tick_handler);"),
    Attack(name="call the gate: its fault handler", code="CALL((uint32_t)fault_handler);"),
    Attack(name="call the gate: its reset", code="CALL((uint32_t)reset_handler);"),
    # Privilege and exceptions
    Attack(
        name="CONTROL, then the port",
        code='asm volatile("msr control, %0\\n isb" :: "r"(0)); R(0x40020018) = 1u << 5;',
    ),
    Attack(name="CONTROL alone", code='asm volatile("msr control, %0\\n isb" :: "r"(0));', ends=Ends.NOTHING),
    Attack(name="main stack pointer", code='asm volatile("msr msp, %0" :: "r"(0x20000100));', ends=Ends.NOTHING),
    Attack(
        name="mask interrupts and spin",
        code='asm volatile("cpsid i\\n cpsid f\\n msr basepri, %0" :: "r"(255)); '
        'asm volatile("msr primask, %0\\n msr faultmask, %0" :: "r"(1));',
        ends=Ends.NOTHING,
    ),
    Attack(name="SVC", code='asm volatile("svc #7");'),
    Attack(name="breakpoint", code='asm volatile("bkpt #0xab");'),
    Attack(name="undefined instruction", code='asm volatile("udf #0");'),
    Attack(name="floating point", code='asm volatile(".inst.w 0xEEB70A00");'),
    Attack(name="ARM state", code='asm volatile("bx %0" :: "r"(0x08001004));'),
    Attack(name="forged exception return", code='asm volatile("bx %0" :: "r"(0xFFFFFFF9));'),
    Attack(
        name="forged exception return, from the stack",
        code='asm volatile("push {%0}\\n pop {pc}" :: "r"(0xFFFFFFF1));',
    ),
    Attack(name="return from the entry", code='asm volatile("mvn lr, #0\\n bx lr");'),
    # The stack pointer when the tick comes
    Attack(name="stack on the timer at the tick", code=_ONTO_DEVICE.format(address="0x40000054")),
    Attack(name="stack on the port at the tick", code=_ONTO_DEVICE.format(address="0x40020040")),
    Attack(name="stack on gate memory at the tick", code=_ONTO_DEVICE.format(address="0x20008400")),
    Attack(name="stack half on gate memory at the tick", code=_ONTO_DEVICE.format(address="0x20008010")),
    Attack(name="stack below memory at the tick", code=_ONTO_DEVICE.format(address="0x20000010")),
    Attack(name="stack on flash at the tick", code=_ONTO_DEVICE.format(address="0x08001000")),
    Attack(
        name="stack on the timer, undefined instruction",
        code='asm volatile("mov sp, %0\\n udf #0" :: "r"(0x40000054));',
    ),
    Attack(
        name="stack on gate memory, SVC",
        code='asm volatile("mov sp, %0\\n svc #0" :: "r"(0x20008400));',
    ),
    Attack(name="recursion without end", code="deep(0);"),
    # Sleep and harmless oddities
    Attack(name="WFI for ever", code='for (;;) { asm volatile("wfi"); }', ends=Ends.NOTHING),
    Attack(name="WFE and SEV", code='asm volatile("sev\\n wfe\\n wfe");', ends=Ends.NOTHING),
    Attack(
        name="division by zero",
        code='asm volatile("udiv r0, %0, %1" :: "r"(1), "r"(0) : "r0");',
        ends=Ends.NOTHING,
    ),
    Attack(name="mailbox: another value", code="mailbox = 3;", ends=Ends.SILENCE),
    Attack(name="mailbox: all ones", code="mailbox = 0xFFFFFFFFu;", ends=Ends.SILENCE),
    Attack(name="mailbox: a byte beside", code="*((volatile uint8_t *)&mailbox + 3) = 1;", ends=Ends.SILENCE),
)

_HEAD = """
#include <stdint.h>
#define R(address) (*(volatile uint32_t *)(address))
#define CALL(address) ((void (*)(void))((address) | 1u))()
extern const uint8_t frame[9216];
extern volatile uint32_t mailbox;
extern void timer_preload(uint32_t), tick_handler(void), fault_handler(void), reset_handler(void);
extern void confined_entry(void);
__attribute__((section(".model"), used)) const uint32_t model[4] = {0};

__attribute__((noinline)) static uint32_t deep(uint32_t depth)
{
    volatile uint32_t kept[64];
    kept[depth % 64] = depth;
    return deep(depth + 1) + kept[depth % 64];
}

static void attempt(uint32_t number)
{
    switch (number) {
"""
_TAIL = """
    default:
        break;
    }
}

__attribute__((section(".text.confined_entry"))) void confined_entry(void)
{
    const uint32_t number = frame[0];
    uint32_t sum = 0;
    for (uint32_t index = 1; index < 9216; index++) {
        sum += frame[index];
    }
    mailbox = sum > 100u * 9216u;
    if (number != 0) {
        mailbox = 1;
        attempt(number);
    }
    for (;;) {
    }
}
"""


def attack_source() -> str:
    """A confined part that makes any of ATTACKS on demand. It wants the compiler options -w -std=gnu11."""
    cases = (f"    case {number}: {{ {attack.code} }} break;\n" for number, attack in enumerate(ATTACKS, 1))
    return _HEAD + "".join(cases) + _TAIL


def build_attacks(output: Path, gate_files: Mapping[str, str] | None = None) -> Path:
    """The reference gate, but for smoothing, or one with changed files, with that confined part."""
    recipe = Recipe(
        gate_files=unsmoothed(gate_files),
        confined_files={"stub.c": attack_source()},
        confined_options=("-w", "-std=gnu11"),
    )
    return build(output, recipe)


def attack_frame(number: int) -> bytes:
    """Asks for ATTACKS[number - 1]."""
    return bytes([number]) + bytes([200]) * (FRAME_SIZE - 1)


def honest_frame(*, bright: bool) -> bytes:
    return bytes([0]) + bytes([200 if bright else 20]) * (FRAME_SIZE - 1)
