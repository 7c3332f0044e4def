"""Whole images in assembly: a boot that sets up protection and drops, handlers, and a place for the confined part."""

from __future__ import annotations

from pinproof.image import Image
from pinproof.machine.explore import STEP_BUDGET, explore
from pinproof.machine.result import Exploration, Run

from tests.unit.machine.support import FLASH, assembled, image_of, silicon

REGIONS = ((0x08000000, 0x06020025), (0x20000000, 0x11060021), (0x20000000, 0x1306001F))
"""Flash read-only to all, RAM to the gate alone, its first 64 KB to all."""
CONFINED_END = 0x20010000

MPU = """
    ldr r5, =0xe000ed94
    ldr r4, =regions
    movs r0, #0
m:  str r0, [r5, #4]
    ldr r1, [r4], #4
    str r1, [r5, #8]
    ldr r1, [r4], #4
    str r1, [r5, #12]
    adds r0, #1
    cmp r0, #8
    bne m
    movs r0, #7
    str r0, [r5]
    dsb
    isb
"""
DROP = """
    ldr r0, =0x20010000
    msr psp, r0
    movs r0, #3
    msr control, r0
    isb
    b idle
"""
RETURN = """
    mvn lr, #2
    bx lr
"""


def text_of(*, boot: str = "", drop: str = DROP, tick: str = RETURN, fault: str = RETURN, more: str = "") -> str:
    """`boot` runs before the protection is set up; `tick` is interrupt 28, `fault` every other vector."""
    words = ", ".join(f"{base:#x}, {attributes:#x}" for base, attributes in REGIONS)
    others = silicon().exceptions.count - 16 - 29
    return f"""
    .word 0x20018000, reset + 1
    .rept 14 + 28
    .word fault + 1
    .endr
    .word tick + 1
    .rept {others}
    .word fault + 1
    .endr
reset:
    cpsid i
    {boot}
    {MPU}
    {drop}
    .pool
tick:
    {tick}
    .pool
    .balign 4
fault:
    {fault}
    .pool
    .balign 4
{more}
    .balign 4
regions: .word {words}
    .rept {2 * (8 - len(REGIONS))}
    .word 0
    .endr
idle: b idle
"""


def image(**parts: str) -> Image:
    code, _ = assembled(text_of(**parts), FLASH)
    return image_of((FLASH, code))


def explored(*, budget: int = STEP_BUDGET, sensor: frozenset[int] = frozenset(), **parts: str) -> Exploration:
    return explore(image(**parts), silicon(), sensor, budget)


def codes(exploration: Exploration) -> set[str]:
    return {obstacle.code for obstacle in exploration.obstacles}


def tick_of(exploration: Exploration) -> Run:
    (run,) = (run for run in exploration.handlers if 16 + 28 in run.exceptions)
    return run
