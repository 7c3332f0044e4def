"""Deviations that the requirements on the proof itself must notice."""

from __future__ import annotations

from dataclasses import replace

from pinproof.declaration import Range
from pinproof.facts import Facts
from pinproof.image import Segment
from pinproof.machine.result import AccessKind, EndlessLoop, Origin, Site, Word
from pinproof.requirements.run_gate_proved import REASONS as GATE_REASONS
from pinproof.silicon import BusMaster

from tests.unit.requirements.builders import (
    CODE_END,
    CONFINED_CODE,
    DETECTOR,
    GATE,
    IDLE,
    MODEL,
    RAM,
    RESET_CODE,
    known,
)
from tests.unit.requirements.cases import Case, Deviation, fails, undecided
from tests.unit.requirements.deviations import (
    BOOT,
    FAULT,
    TICK,
    anything,
    declaration,
    device,
    drop,
    drop_state,
    exit_of,
    exploration,
    forgotten,
    leaving,
    leaving_state,
    obstacle,
    region,
    run,
    silicon,
    stacked,
    stored,
    system_written,
    the_run,
    written,
)
from tests.unit.requirements.imm_cases import with_segment
from tests.unit.requirements.out_cases import no_drop, open_peripherals, unknown_region, unknown_timer

CONFINED_RIGHTS = 1 << 28 | 3 << 24
ENDLESS = EndlessLoop(site=Site(address=0x08000320), touches_devices=True)


def meets(code: str) -> Deviation:
    return lambda facts: obstacle(facts, code)


def barriers(*kept: str) -> Deviation:
    return lambda facts: drop_state(facts, barriers=frozenset(kept))


def control(number: int) -> Deviation:
    return lambda facts: drop_state(facts, mpu_control=known(number))


def third(base: int, attributes: int) -> Deviation:
    return lambda facts: region(facts, 3, base, attributes)


def vectors(index: int, value: int) -> Deviation:
    def deviation(facts: Facts) -> Facts:
        table = list(facts.exploration.vectors)
        table[index] = value
        return exploration(facts, vectors=tuple(table))

    return deviation


def without_exception(facts: Facts) -> Facts:
    numbers = tuple(number for number in the_run(facts, FAULT).exceptions if number != 11)
    return run(facts, FAULT, exceptions=numbers)


def no_control_write(facts: Facts) -> Facts:
    return run(facts, TICK, system_writes=(("psp", Site(address=0x08000300), known(0)),))


def unmasked(facts: Facts) -> Facts:
    kept = tuple(item for item in the_run(facts, BOOT).system_writes if item[0] != "primask")
    return run(facts, BOOT, system_writes=kept)


def gate_bytes(offset: int, data: bytes) -> Deviation:
    """Other bytes in the gate's segment."""

    def deviation(facts: Facts) -> Facts:
        first, *rest = facts.image.segments
        patched = first.data[:offset] + data + first.data[offset + len(data) :]
        return replace(facts, image=replace(facts.image, segments=(Segment(address=GATE, data=patched), *rest)))

    return deviation


def erratum(check: str) -> Deviation:
    def deviation(facts: Facts) -> Facts:
        return silicon(facts, errata=(replace(facts.silicon.errata[0], check=check),))

    return deviation


def early_use(facts: Facts) -> Facts:
    """The port is used before its clock enable was read back."""
    return written(forgotten(facts, BOOT, 0x40023830, AccessKind.LOAD), BOOT, "GPIOA", "ODR", 0)


def confined_exit_target(facts: Facts) -> Facts:
    return stacked(facts, TICK, 6, Word.exactly(DETECTOR, IDLE, origins=frozenset({Origin.CONFINED})))


def marked_exit_target(facts: Facts) -> Facts:
    """A mark in gate memory chooses between the tick's two ends."""
    return stacked(facts, TICK, 6, Word.exactly(DETECTOR, IDLE, origins=frozenset({Origin.GATE})))


CASES: list[Case] = [
    *undecided(
        "run-gate-proved",
        *[
            (code, meets(code))
            for code in sorted(
                set(GATE_REASONS)
                - {"nothing-explored", "gate-not-proved", "other-obstacle", "endless-in-boot", "entry-differs"}
            )
        ],
    ),
    *undecided("run-gate-proved", ("other-obstacle", meets("something-new")), ("nothing-explored", no_drop)),
    *fails(
        "run-gate-proved",
        ("endless-in-boot", lambda facts: run(facts, BOOT, endless=(ENDLESS,))),
        ("entry-differs", vectors(1, 0x08000301)),
    ),
    *fails(
        "run-confined",
        ("mpu-control-reserved", control(0x17)),
        ("mpu-control-unpredictable", control(2)),
        ("mpu-attribute-reserved", third(0x20000000, CONFINED_RIGHTS | 1 << 31 | 15 << 1 | 1)),
        ("mpu-region-too-small", third(0x20000000, CONFINED_RIGHTS | 3 << 1 | 1)),
        ("mpu-region-misaligned", third(0x20000020, CONFINED_RIGHTS | 15 << 1 | 1)),
        ("mpu-subregion-small", third(0x20000000, CONFINED_RIGHTS | 1 << 8 | 6 << 1 | 1)),
        ("mpu-permission-reserved", third(0x20000000, 1 << 28 | 4 << 24 | 15 << 1 | 1)),
        ("mpu-memory-type-reserved", third(0x20000000, CONFINED_RIGHTS | 1 << 19 | 1 << 16 | 15 << 1 | 1)),
        ("mpu-disabled", control(4)),
        ("mpu-off-in-faults", control(5)),
        ("mpu-region-too-large", lambda facts: region(facts, 2, RAM, CONFINED_RIGHTS | 16 << 1 | 1)),
        ("mpu-region-too-large", third(0x20010000, 1 << 28 | 2 << 24 | 7 << 1 | 1)),
        ("mpu-region-too-large", third(0x1FFF0000, 6 << 24 | 15 << 1 | 1)),
        ("peripheral-reachable", open_peripherals),
        ("peripheral-reachable", third(0x40020000, CONFINED_RIGHTS | 9 << 1 | 1)),
        ("peripheral-reachable", third(0x40004400, 1 << 28 | 2 << 24 | 9 << 1 | 1)),
        ("peripheral-reachable", third(0x42000000, CONFINED_RIGHTS | 19 << 1 | 1)),
        ("flash-writable", lambda facts: region(facts, 0, GATE, 3 << 24 | 18 << 1 | 1)),
        ("confined-memory-executable", lambda facts: region(facts, 2, RAM, 3 << 24 | 15 << 1 | 1)),
        ("confined-memory-differs", lambda facts: region(facts, 2, RAM, CONFINED_RIGHTS | 14 << 1 | 1)),
        ("confined-memory-differs", lambda facts: region(facts, 2, RAM, CONFINED_RIGHTS | 1 << 8 | 15 << 1 | 1)),
        (
            "confined-not-ram",
            lambda facts: declaration(facts, "memory", confined=Range(start=RAM, size=0x20000)),
        ),
        ("flash-not-normal", lambda facts: region(facts, 0, GATE, 6 << 24 | 18 << 1 | 1)),
        ("flash-not-normal", lambda facts: region(facts, 0, GATE, 6 << 24 | 1 << 16 | 18 << 1 | 1)),
        ("flash-not-normal", lambda facts: region(facts, 0, GATE, 6 << 24 | 1 << 20 | 18 << 1 | 1)),
        ("flash-not-runnable", lambda facts: region(facts, 0, GATE, 6 << 24 | 15 << 1 | 1)),
        ("gate-not-runnable", third(GATE, 1 << 28 | 6 << 24 | 11 << 1 | 1)),
        ("gate-not-runnable", lambda facts: region(facts, 7, GATE, 1 << 28 | 6 << 24 | 11 << 1 | 1)),
        ("missing-barrier", barriers("control-synchronised")),
        ("missing-barrier", barriers("mpu-synchronised")),
        ("still-privileged", lambda facts: drop_state(facts, control=known(2))),
        ("still-privileged", lambda facts: drop_state(facts, control=anything())),
        ("shares-main-stack", lambda facts: drop_state(facts, control=known(1))),
        ("drop-target", lambda facts: drop(facts, target=known(0x08002000))),
        ("drop-target", lambda facts: drop(facts, target=known(RESET_CODE))),
        ("mpu-written-after-drop", lambda facts: written(facts, TICK, "MPU", "CTRL", 0)),
        ("mpu-written-after-drop", lambda facts: written(facts, FAULT, "MPU", "RASR_A1", 0)),
        ("mpu-narrow-store", lambda facts: written(facts, BOOT, "MPU", "RASR", 0, width=2)),
        ("vector-table-moved", lambda facts: device(facts, "SCB", "VTOR", 0x20000000)),
        ("vector-table-moved", lambda facts: device(facts, "SCB", "VTOR", anything(Origin.DEVICE))),
        ("vector-table-moved", lambda facts: written(facts, TICK, "SCB", "VTOR", GATE)),
        ("control-written-back", lambda facts: system_written(facts, FAULT, "control", 0)),
        ("control-written-back", lambda facts: system_written(facts, TICK, "CONTROL", anything(Origin.CONFINED))),
        ("configuration-control", lambda facts: device(facts, "SCB", "CCR", 0x202)),
        ("configuration-control", lambda facts: device(facts, "SCB", "CCR", 0x201)),
        ("configuration-control", lambda facts: written(facts, TICK, "SCB", "CCR", 0x200)),
    ),
    *undecided(
        "run-confined",
        ("mpu-words-unknown", unknown_region),
        ("mpu-words-unknown", lambda facts: drop_state(facts, mpu_control=Word.exactly(0, 7))),
        ("drop-target-unknown", lambda facts: drop(facts, target=anything(Origin.RESET))),
    ),
    *fails(
        "run-handlers",
        ("output-timer-unknown", unknown_timer),
        ("vector-differs", vectors(11, 0x08000301)),
        ("vector-differs", vectors(3, 0x08000400)),
        ("handler-may-not-end", lambda facts: run(facts, FAULT, endless=(ENDLESS,))),
        ("handler-may-not-end", lambda facts: system_written(facts, TICK, "WFI", 0)),
        ("handler-may-not-end", lambda facts: system_written(facts, TICK, "WFI", 0)),
        ("handler-may-not-end", lambda facts: system_written(facts, FAULT, "WFE", 0)),
        ("handler-too-long", lambda facts: run(facts, TICK, cycles=84_000_000)),
        ("handler-too-long", lambda facts: run(facts, FAULT, cycles=1_000_000)),
        ("system-handlers-written", lambda facts: written(facts, FAULT, "SCB", "SHCSR", 0x70000)),
        ("exception-return", lambda facts: leaving(facts, TICK, exception_return=known(0xFFFFFFF9))),
        ("exception-return", lambda facts: leaving(facts, FAULT, exception_return=anything(Origin.CONFINED))),
        ("exception-return", lambda facts: leaving(facts, FAULT, exception_return=known(0xFFFFFFED))),
        ("return-privileged", lambda facts: leaving_state(facts, TICK, control=Word.exactly(0, 1))),
        ("return-target", lambda facts: stacked(facts, TICK, 6, known(0x08002000))),
        ("return-target", lambda facts: stacked(facts, FAULT, 6, known(DETECTOR))),
        ("return-target", lambda facts: stacked(facts, TICK, 6, anything(Origin.CONFINED))),
        ("return-target", confined_exit_target),
        ("return-target", marked_exit_target),
        ("return-frame", lambda facts: stacked(facts, TICK, 5, anything(Origin.CONFINED))),
        ("return-frame", lambda facts: stacked(facts, FAULT, 7, known(0x01000010))),
        ("return-frame", lambda facts: leaving(facts, TICK, frame=exit_of(facts, TICK).frame[:7])),
        ("interrupts-masked", lambda facts: drop_state(facts, primask=known(1))),
        ("interrupts-masked", lambda facts: leaving_state(facts, TICK, primask=known(1))),
        ("mask-register-written", lambda facts: system_written(facts, BOOT, "basepri", 0x40)),
        ("mask-register-written", lambda facts: system_written(facts, TICK, "faultmask", 1)),
        ("main-stack-moved", lambda facts: system_written(facts, TICK, "msp", 0x20010000)),
        ("privilege-not-dropped", no_control_write),
        ("interrupts-open-in-boot", unmasked),
        ("interrupt-enabled", lambda facts: device(facts, "NVIC", "ISER1", 1)),
        ("interrupt-enabled", lambda facts: device(facts, "NVIC", "ISER0", 3 << 28)),
        ("interrupt-enabled", lambda facts: written(facts, BOOT, "NVIC", "ISER1", 2)),
        ("tick-not-enabled", lambda facts: device(facts, "NVIC", "ISER0", 0)),
        ("systick-enabled", lambda facts: device(facts, "SysTick", "CSR", 7)),
        ("interrupt-pended", lambda facts: written(facts, TICK, "SCB", "ICSR", 1 << 28)),
        ("interrupt-pended", lambda facts: written(facts, BOOT, "STIR", "STIR", 28)),
        ("priorities-differ", lambda facts: device(facts, "NVIC", "IPR7", 0)),
        ("priorities-differ", lambda facts: device(facts, "SCB", "SHPR1", 0x00408040)),
        ("priorities-differ", lambda facts: device(facts, "SCB", "SHPR3", anything(Origin.RESET))),
        ("fault-not-enabled", lambda facts: device(facts, "SCB", "SHCSR", 0x30000)),
        ("fault-marked-active", lambda facts: written(facts, BOOT, "SCB", "SHCSR", 0x70001)),
        ("fault-marked-active", lambda facts: written(facts, BOOT, "SCB", "SHCSR", anything(Origin.RESET))),
        ("system-handlers-written", lambda facts: written(facts, FAULT, "SCB", "SHCSR", 0)),
        ("system-handlers-written", lambda facts: written(facts, TICK, "SCB", "SHCSR", 0x70001)),
        ("priority-written", lambda facts: written(facts, TICK, "NVIC", "IPR7", 0)),
        ("priority-written", lambda facts: written(facts, FAULT, "SCB", "SHPR2", 0)),
    ),
    *undecided(
        "run-handlers",
        ("reload-unknown", no_drop),
        ("vector-unexplored", without_exception),
        ("vector-unexplored", lambda facts: exploration(facts, vectors=facts.exploration.vectors[:50])),
        ("handler-without-exit", lambda facts: run(facts, FAULT, exits=())),
        ("handler-unbounded", lambda facts: run(facts, TICK, cycles=None)),
    ),
    *fails(
        "run-no-other-master",
        ("master-used", lambda facts: stored(facts, BOOT, 0x40026010, 1)),
        ("master-used", lambda facts: stored(facts, TICK, 0x40026458, 1)),
        ("master-clocked", lambda facts: device(facts, "RCC", "AHB1ENR", 0x9F | 1 << 22)),
        ("master-reachable", open_peripherals),
        (
            "master-not-listed",
            lambda facts: silicon(facts, masters=(*facts.silicon.masters, BusMaster(name="core 1", cite="none"))),
        ),
    ),
    *undecided("run-no-other-master", ("no-drop", no_drop), ("mpu-words-unknown", unknown_region)),
    *fails(
        "run-accounted",
        ("bytes-outside-flash", with_segment(0x20000000, b"code")),
        ("bytes-outside-flash", with_segment(0x1FFFC000, bytes(16))),
        ("undeclared-bytes", with_segment(0x08060000, b"code")),
        (
            "range-outside-flash",
            lambda facts: declaration(facts, "flash", confined=Range(start=CONFINED_CODE, size=0x80000)),
        ),
        (
            "gate-code-outside-gate",
            lambda facts: exploration(facts, executed=(*facts.exploration.executed, (MODEL, MODEL + 4))),
        ),
        (
            "gate-code-outside-gate",
            lambda facts: exploration(
                facts, constants=(*facts.exploration.constants, (CONFINED_CODE, CONFINED_CODE + 8))
            ),
        ),
        ("hidden-bytes", lambda facts: exploration(facts, executed=((GATE + 408, CODE_END),))),
        ("hidden-bytes", with_segment(0x08000F00, b"\x01" * 8)),
    ),
    *fails(
        "run-errata",
        ("revision-unlisted", lambda facts: declaration(facts, "module", revisions=("Z", "Q"))),
        ("store-before-return", lambda facts: leaving_state(facts, TICK, barriers=frozenset({"mpu-synchronised"}))),
        ("load-to-stack-pointer", gate_bytes(0x200, bytes((0xD0, 0xF8, 0x04, 0xD0)))),
        ("load-to-stack-pointer", gate_bytes(0x200, bytes((0xDF, 0xF8, 0x10, 0xD0)))),
        ("fpu-on", lambda facts: device(facts, "SCB", "CPACR", 0xF << 20)),
        ("clock-enable-not-read-back", early_use),
    ),
    *undecided("run-errata", ("erratum-unchecked", erratum("a-new-check"))),
]
