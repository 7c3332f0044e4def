"""Deviations that the requirements on sealing must notice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pinproof.declaration import Range
from pinproof.facts import Facts
from pinproof.image import Segment
from pinproof.machine.result import Origin
from pinproof.provisioning import Step

from tests.unit.requirements.builders import CONFINED_END, GATE, MODEL, PSP, RAM, known
from tests.unit.requirements.cases import Case, Deviation, fails, undecided
from tests.unit.requirements.deviations import (
    BOOT,
    TICK,
    anything,
    declaration,
    drop_state,
    held,
    loaded,
    options,
    provisioning,
    region,
    silicon,
    stored,
    written,
)
from tests.unit.requirements.out_cases import no_drop, open_peripherals, unknown_region


def not_given(facts: Facts) -> Facts:
    return replace(facts, provisioning=None)


def with_segment(address: int, data: bytes) -> Deviation:
    def deviation(facts: Facts) -> Facts:
        segments = (*facts.image.segments, Segment(address=address, data=data))
        ordered = tuple(sorted(segments, key=lambda segment: segment.address))
        return replace(facts, image=replace(facts.image, segments=ordered))

    return deviation


def without_segment(address: int) -> Deviation:
    def deviation(facts: Facts) -> Facts:
        kept = tuple(segment for segment in facts.image.segments if segment.address != address)
        return replace(facts, image=replace(facts.image, segments=kept))

    return deviation


def model(**changes: Any) -> Deviation:
    return lambda facts: declaration(facts, "model", **changes)


def without_blocks(capability: str) -> Deviation:
    def deviation(facts: Facts) -> Facts:
        kept = tuple(block for block in facts.silicon.peripherals if capability not in block.capabilities)
        return silicon(facts, peripherals=kept)

    return deviation


def reversible_locks(facts: Facts) -> Facts:
    return silicon(facts, locks=tuple(replace(lock, irreversible=False) for lock in facts.silicon.locks))


def other_lock(facts: Facts) -> Facts:
    lock = replace(facts.silicon.locks[0], id="brown-out", field="BOR_LEV", value=3)
    return silicon(facts, locks=(*facts.silicon.locks, lock))


def remembering(facts: Facts) -> Facts:
    return held(facts, TICK, PSP - 4, PSP, anything(Origin.CONFINED))


SEALING = (
    ("provisioning-differs", provisioning(sha256="3" * 64)),
    ("provisioning-differs", provisioning(part="stm32f411xe")),
)

CASES: list[Case] = [
    *fails(
        "imm-write-xor-execute",
        ("ram-executable", lambda facts: region(facts, 2, RAM, 3 << 24 | 15 << 1 | 1)),
        ("ram-executable", lambda facts: region(facts, 1, 0, 0)),
        ("flash-writable", lambda facts: region(facts, 0, GATE, 3 << 24 | 18 << 1 | 1)),
        ("flash-writable", lambda facts: region(facts, 0, 0, 0)),
        ("mpu-off", lambda facts: drop_state(facts, mpu_control=known(4))),
        ("memory-remapped", lambda facts: written(facts, BOOT, "SYSCFG", "MEMRMP", 3)),
    ),
    *undecided(
        "imm-write-xor-execute",
        ("no-drop", no_drop),
        ("mpu-words-unknown", unknown_region),
        ("mpu-words-unknown", lambda facts: region(facts, 3, 0x20000020, 3 << 24 | 7 << 1 | 1)),
    ),
    *fails(
        "imm-model-read-only",
        ("model-not-in-flash", model(range=Range(start=CONFINED_END, size=128))),
        ("model-not-loaded", without_segment(MODEL)),
        ("model-digest", model(sha256="0" * 64)),
        ("model-digest", model(range=Range(start=MODEL, size=127))),
        ("model-writable", lambda facts: region(facts, 0, GATE, 3 << 24 | 18 << 1 | 1)),
        ("model-copy", remembering),
    ),
    *undecided("imm-model-read-only", ("no-drop", no_drop), ("mpu-words-unknown", unknown_region)),
    *fails(
        "imm-flash-locked",
        ("no-flash-controller", without_blocks("flash-control")),
        ("flash-unlock", lambda facts: written(facts, BOOT, "FLASH", "KEYR", 0x45670123)),
        ("flash-unlock", lambda facts: written(facts, TICK, "FLASH", "OPTKEYR", 0x08192A3B)),
        ("flash-control-written", lambda facts: written(facts, BOOT, "FLASH", "CR", 2)),
        ("flash-control-written", lambda facts: written(facts, BOOT, "FLASH", "OPTCR", 0)),
        ("flash-stored-to", lambda facts: stored(facts, TICK, MODEL, 0)),
        ("flash-stored-to", lambda facts: stored(facts, BOOT, 0x100, 0)),
        ("flash-controller-reachable", open_peripherals),
    ),
    *undecided("imm-flash-locked", ("no-drop", no_drop), ("mpu-words-unknown", unknown_region)),
    *fails(
        "imm-option-bytes",
        *SEALING,
        ("no-irreversible-lock", reversible_locks),
        ("read-out-open", options(rdp=0xAA)),
        ("read-out-open", options(rdp=0xBB)),
        ("sectors-unprotected", options(nwrp=0xFF)),
        ("sectors-unprotected", options(nwrp=1)),
        ("lock-open", options(sprmod=1)),
        ("lock-open", other_lock),
        ("sealed-too-early", provisioning(steps=(Step.SEAL, Step.PROGRAM))),
        ("not-erased-first", provisioning(steps=(Step.PROGRAM, Step.READ_BACK, Step.SEAL, Step.SHOW_CLOSED))),
        ("not-erased-first", provisioning(steps=(Step.PROGRAM, Step.MASS_ERASE, Step.READ_BACK, Step.SEAL))),
        ("supply-unwatched", options(bor_lev=3)),
        ("option-bytes-in-image", with_segment(0x1FFFC000, bytes(16))),
    ),
    *undecided("imm-option-bytes", ("provisioning-missing", not_given)),
    *fails(
        "imm-debug-closed",
        *SEALING,
        ("debug-open", options(rdp=0xBB)),
        ("debug-open", reversible_locks),
        ("debug-unit-used", lambda facts: stored(facts, BOOT, 0xE0002008, 1)),
        ("debug-unit-used", lambda facts: loaded(facts, TICK, 0xE0001004, 1)),
        ("debug-unit-used", lambda facts: stored(facts, TICK, 0xE0000000, 1, width=1)),
        ("debug-unit-used", lambda facts: stored(facts, BOOT, 0xE0042004, 0)),
        ("no-debug-blocks", without_blocks("debug")),
    ),
    *undecided("imm-debug-closed", ("provisioning-missing", not_given)),
    *fails(
        "imm-no-loader",
        *SEALING,
        ("loader-open", options(rdp=0xBB)),
        ("no-vector-table", without_segment(GATE)),
    ),
    *undecided("imm-no-loader", ("provisioning-missing", not_given)),
]
