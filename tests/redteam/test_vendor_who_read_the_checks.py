"""Modules by a vendor who has read every check, each of which the verifier once let pass.

An edit is of the reference gate; the reason is that of the requirement whose sentence the module breaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.redteam.images import Edit, built, declared, refusals, verdict

pytestmark = pytest.mark.toolchain

TAKE = "timer_preload(smoothing_step(tick_is_present(mailbox))); //"
START = "        restart_at((uint32_t)confined_entry & ~1u);"
FAULT = "    mailbox = 0u;"
ACCESS: Edit = ("reset.c", '#include "clocks.h"', '#include "access.h"\n#include "clocks.h"')
SENSOR_PINS = 'pins = ["PB8"'


def tick(code: str) -> Edit:
    """The tick reads the mailbox once, as `m`, hands it over and runs more code."""
    return "tick.c", TAKE, f"uint32_t m = mailbox; timer_preload(smoothing_step(tick_is_present(m))); {code} //"


def captured(code: str) -> Edit:
    """More code once the frame is there."""
    return "tick.c", START, f"        {code}\n{START}"


def fault(code: str) -> Edit:
    return "fault.c", FAULT, f"{FAULT} {code}"


def vector(number: int, handler: str) -> Edit:
    old = "[2 ... kVectorTick - 1] = fault_handler"
    before, after = f"[2 ... {number - 1}] = fault_handler", f"[{number + 1} ... kVectorTick - 1] = fault_handler"
    return "vectors.c", old, f"{before}, [{number}] = {handler}, {after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    name: str
    edits: tuple[Edit, ...]
    requirement: str
    reason: str
    declaration: Mapping[str, str] = field(default_factory=dict)


MODULES = (
    # State that the next frame feels.
    Module(
        name="caches",
        edits=(("clocks.c", "kFlashPrefetch = 1u << 8", "kFlashPrefetch = 7u << 8"),),
        requirement="mem-forgetful",
        reason="cache-on",
    ),
    Module(
        name="slower-core-on-request",
        edits=(tick("word_write(0xE000E008u, (m >> 1) & 1u);"),),
        requirement="mem-forgetful",
        reason="device-written",
    ),
    Module(
        name="event-mask-on-request",
        edits=(tick("word_write(0x40013C04u, (m >> 1) & 1u);"),),
        requirement="mem-forgetful",
        reason="device-written",
    ),
    Module(
        name="fault-address-as-memory",
        edits=(tick("word_write(0xE000ED34u, m);"),),
        requirement="mem-forgetful",
        reason="device-written",
    ),
    Module(
        name="frame-byte-through-a-table",
        edits=(
            (
                "tick.c",
                "static const uint32_t kPresent",
                "static const uint8_t kTable[256] = {1, 7, 3, [255] = 9};\nstatic const uint32_t kPresent",
            ),
            tick(""),
            captured("frame[0] ^= kTable[m & 255u];"),
        ),
        requirement="mem-forgetful",
        reason="frame-holds-more",
    ),
    Module(
        name="frame-byte-at-a-chosen-place",
        edits=(tick(""), captured("frame[m & 255u] = 0u;")),
        requirement="mem-forgetful",
        reason="frame-holds-more",
    ),
    Module(
        name="array-that-a-fault-fills",
        edits=(
            fault("for (uint32_t i = 0; i < 400u; i += 4u) { word_write(0x20014000u + i, 1u); }"),
            captured("frame[0] ^= (uint8_t)word_read(0x20014064u);"),
        ),
        requirement="mem-forgetful",
        reason="frame-holds-more",
    ),
    Module(
        name="thresholded-picture-kept",
        edits=(
            captured(
                "for (uint32_t i = 0; i < 16u; i++) if (word_read(0x40020810u) & 1u) word_write(0x20012000u, 1u);"
            ),
        ),
        requirement="mem-forgetful",
        reason="gate-remembers",
    ),
    Module(
        name="last-bit-in-the-frame",
        edits=(
            (
                "camera.c",
                "levels = word_read(kGpioC + kGpioIdr);",
                "levels = word_read(kGpioC + kGpioIdr) | (word_read(kGpioA + kGpioIdr) >> 5 & 1u);",
            ),
        ),
        declaration={SENSOR_PINS: 'pins = ["PA0", "PB8"'},
        requirement="mem-forgetful",
        reason="output-read-back",
    ),
    # The way out of a handler.
    Module(
        name="fault-costs-the-next-frame",
        edits=(
            fault("word_write(0x20014000u, 4u);"),
            (
                "tick.c",
                START,
                "        restart_at(((uint32_t)confined_entry & ~1u) - word_read(0x20014000u));"
                " word_write(0x20014000u, 0u);",
            ),
        ),
        requirement="run-handlers",
        reason="return-target",
    ),
    Module(
        name="late-tick-costs-the-frame",
        edits=(
            ("timer.c", "word_write(kTim2Psc, 0u);", "word_write(kTim2Psc, 0u); word_write(0x40000038u, 60u);"),
            (
                "tick.c",
                START,
                "        restart_at(((uint32_t)confined_entry & ~1u) - (~word_read(0x40000010u) & 4u));",
            ),
        ),
        requirement="run-handlers",
        reason="return-target",
    ),
    Module(
        name="tick-on-request",
        edits=(vector(11, "tick_handler"),),
        requirement="out-fault-safe",
        reason="fault-runs-tick",
    ),
    Module(
        name="fault-hands-a-bit-over",
        edits=(vector(6, "tick_handler"),),
        requirement="out-fault-safe",
        reason="fault-runs-tick",
    ),
    Module(
        name="bit-from-a-register",
        edits=(
            ("tick.c", "static void tick_serve(void)", "static void tick_serve(uint32_t unused, uint32_t found)"),
            ("tick.c", TAKE, "(void)mailbox; timer_preload(smoothing_step(tick_is_present(found))); //"),
            (
                "tick.c",
                "RESTART_HANDLER(tick_serve)",
                '"mov r1, r7\\n" "bl tick_serve\\n" RESTART_CLEAR_REGISTERS "mvn lr, #2\\ndsb\\nbx lr\\n"',
            ),
            (
                "fault.c",
                "RESTART_HANDLER(fault_serve)",
                '"push {r7, lr}\\nbl fault_serve\\npop {r7, lr}\\ndsb\\nbx lr\\n"',
            ),
        ),
        requirement="out-one-write",
        reason="output-not-from-mailbox",
    ),
    # Handlers that do not end.
    Module(
        name="sleeping-tick",
        edits=(tick('__asm volatile("wfi");'),),
        requirement="run-handlers",
        reason="handler-may-not-end",
    ),
    Module(
        name="sleeping-fault",
        edits=(fault('__asm volatile("wfe");'),),
        requirement="run-handlers",
        reason="handler-may-not-end",
    ),
    Module(
        name="fault-that-ends-itself",
        edits=(fault("word_write(kScbShcsr, kScbShcsrFaultsEnabled);"),),
        requirement="run-handlers",
        reason="system-handlers-written",
    ),
    Module(
        name="fault-that-holds-the-tick-up",
        edits=(fault('for (uint32_t i = 0; i < 900000u; i++) { __asm volatile("nop"); }'),),
        requirement="run-handlers",
        reason="handler-too-long",
    ),
    Module(
        name="division-that-faults",
        edits=(
            tick("volatile uint32_t quotient = 7u / m; (void)quotient;"),
            (
                "exceptions.c",
                "    word_write(kScbScr, 0u);",
                "    word_write(0xE000ED14u, 0x210u); word_write(kScbScr, 0u);",
            ),
        ),
        requirement="run-gate-proved",
        reason="fault-possible",
    ),
    Module(
        name="division-that-takes-its-time",
        edits=(tick("volatile uint32_t quotient = m / 7u; quotient = 0xFFFFFFFFu / (m | 1u); (void)quotient;"),),
        requirement="mem-forgetful",
        reason="branch-on-confined",
    ),
    Module(
        name="handlers-that-cannot-run",
        edits=(
            (
                "protection.c",
                "    protection_region(kRegionMemory,",
                "    protection_region(7u, kFlashBase, (1u << 28) | (6u << 24) | (1u << 17) | (11u << 1) | 1u);\n"
                "    protection_region(kRegionMemory,",
            ),
            ("protection.c", "kRegionCount = 8", "kRegionCount = 7"),
        ),
        requirement="run-confined",
        reason="gate-not-runnable",
    ),
    # What boot tells, and what reaches the part.
    Module(
        name="boot-shows-old-memory",
        edits=(
            (
                "reset.c",
                '"cpsid i\\n" RESTART_CLEAR_REGISTERS',
                '"cpsid i\\nldr r0, =0x40023830\\nmovs r1, #1\\nstr r1, [r0]\\nldr r1, [r0]\\n'
                "ldr r0, =0x40020000\\nldr r1, =0xA8000400\\nstr r1, [r0]\\nldr r2, =0x20000100\\nldr r3, =2304\\n"
                '2: ldr r4, [r2], #4\\nstr r4, [r0, #20]\\nsubs r3, #1\\nbne 2b\\n" RESTART_CLEAR_REGISTERS',
            ),
        ),
        requirement="mem-cleared",
        reason="boot-depends-on-memory",
    ),
    Module(
        name="boot-shows-a-bit-of-old-memory",
        edits=(
            (
                "reset.c",
                '"cpsid i\\n" RESTART_CLEAR_REGISTERS',
                '"cpsid i\\nldr r0, =0x20000100\\nldr r1, [r0]\\nldr r0, =0x40023830\\ntst r1, #1\\nitt ne\\n'
                'movne r1, #1\\nstrne r1, [r0]\\n" RESTART_CLEAR_REGISTERS',
            ),
        ),
        requirement="mem-cleared",
        reason="boot-depends-on-memory",
    ),
    Module(
        name="boot-shows-a-picture",
        edits=(
            ACCESS,
            (
                "reset.c",
                "    clocks_start();",
                "    clocks_start();\n    word_write(0x40020000u, 0xABFFF7FFu);\n"
                "    for (uint32_t i = 0; i < 9216u; i++) {\n"
                "        word_write(0x40020014u, (word_read(0x40020810u) & 1u) << 5);\n    }",
            ),
        ),
        requirement="mem-frame-bounded",
        reason="capture-in-boot",
    ),
    Module(
        name="pin-edge-as-event",
        edits=(
            ACCESS,
            (
                "reset.c",
                "    timer_start(); /*",
                "    word_write(0x40013C04u, 2u); word_write(0x40013C08u, 2u);\n    timer_start(); /*",
            ),
        ),
        requirement="inp-none",
        reason="external-interrupt-used",
    ),
    Module(
        name="output-on-a-sensor-pin",
        edits=(
            ("product.h", "kPortAOutput = 0xFFFFFBFFu", "kPortAOutput = 0xFFFFFBFEu"),
            ("product.h", "kPortAOutputTimer = 1u << 20", "kPortAOutputTimer = (1u << 20) | 1u"),
        ),
        declaration={SENSOR_PINS: 'pins = ["PA0", "PB8"'},
        requirement="out-declared-pins",
        reason="output-copied",
    ),
    # A part that is not what its manual says.
    Module(
        name="flash-read-too-fast",
        edits=(("clocks.c", "kFlashWaitStates = 2u", "kFlashWaitStates = 0u"),),
        requirement="run-gate-proved",
        reason="too-few-wait-states",
    ),
    Module(
        name="core-voltage-too-low",
        edits=(
            ACCESS,
            (
                "reset.c",
                "    timer_start(); /*",
                "    word_write(0x40023840u, (1u << 28) | 1u);\n    (void)word_read(0x40023840u);\n"
                "    word_write(0x40007000u, 0u);\n    word_write(0x40023840u, 1u);\n"
                "    (void)word_read(0x40023840u);\n    timer_start(); /*",
            ),
        ),
        requirement="out-clock-steady",
        reason="power-written",
    ),
    Module(
        name="twice-the-rated-clock",
        edits=(
            ("clocks.c", "(1u << 16) | (336u", "(0u << 16) | (336u"),
            ("product.h", "kPeriodCounts = 84008400u", "kPeriodCounts = 168016800u"),
        ),
        requirement="out-period",
        reason="pll-out-of-range",
    ),
)


def test_the_module_without_edits_conforms() -> None:
    image = built()
    assert refusals(verdict(image, declared(image))) == {}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_it_is_refused(module: Module) -> None:
    image = built(module.edits)
    found = refusals(verdict(image, declared(image, module.declaration)))
    assert found.get(module.requirement) == module.reason, found
