"""Images of which everything could be said, because there is nothing: each claim over them must be refused, not pass.

Each is the standard's passing image with a few bytes changed, so that a proof over "all stores", "each handler" or "the
drop" has nothing to run over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from pinproof.declaration import read_declaration
from pinproof.image import Image, read_image
from pinproof.machine.explore import explore
from pinproof.machine.result import Exploration
from pinproof.silicon import load_silicon

from tests.attacks.building import DATASHEET, DECLARATION, PROVISIONING, Case
from tests.attacks.judging import judge

VECTORS = Path(__file__).resolve().parents[2] / "spec" / "vectors"
FLASH = 0x08000000
TO_ITSELF = 0xE7FE.to_bytes(2, "little")
RETURN = 0x4770.to_bytes(2, "little")
NOTHING = 0xBF00.to_bytes(2, "little")
_TIMER = 16 + 28
"""The exception of TIM2."""
_LAST = 100

Patches = dict[int, bytes]


def _reference() -> bytes:
    return (VECTORS / "run-gate-proved" / "reference.pass.elf").read_bytes()


@cache
def _image() -> Image:
    return read_image(_reference(), "image")


@cache
def _explored() -> Exploration:
    """Where things are in the passing image."""
    declared = read_declaration((VECTORS / "shared" / DECLARATION).read_bytes(), DECLARATION)
    return explore(_image(), load_silicon(declared.module.part), frozenset())


def _patched(patches: Patches) -> Case:
    data = bytearray(_reference())
    for address, code in patches.items():
        (segment,) = [each for each in _image().segments if each.address <= address < each.end]
        assert _reference().count(segment.data) == 1
        start = _reference().find(segment.data) + address - segment.address
        data[start : start + len(code)] = code
    shared = VECTORS / "shared"
    files = {name: (shared / name).read_bytes() for name in (PROVISIONING, DATASHEET)}
    return Case(image=bytes(data), declaration=(shared / DECLARATION).read_bytes(), files=files)


def _handler(exception: int) -> int:
    (run,) = [run for run in _explored().handlers if exception in run.exceptions]
    return run.entry


def _vector(exception: int, value: int) -> Patches:
    return {FLASH + 4 * exception: value.to_bytes(4, "little")}


def _control_writes() -> Patches:
    """Every MSR that writes CONTROL in the boot, replaced: privilege is never given up."""
    sites = {site.address for name, site, _ in _explored().boot.system_writes if name == "CONTROL"}
    return dict.fromkeys(sites, NOTHING * 2)


def _branch(source: int, target: int) -> bytes:
    """B.W (DDI 0403, A7.7.12, T4)."""
    offset = target - source - 4
    sign = offset >> 24 & 1
    j1, j2 = (~(offset >> 23 & 1 ^ sign)) & 1, (~(offset >> 22 & 1 ^ sign)) & 1
    high = 0xF000 | sign << 10 | offset >> 12 & 0x3FF
    low = 0x9000 | j1 << 13 | j2 << 11 | offset >> 1 & 0x7FF
    return high.to_bytes(2, "little") + low.to_bytes(2, "little")


def _straight_to_the_drop() -> Patches:
    """From reset to the first instruction that touches CONTROL: no store, no set-up."""
    first = min(site.address for name, site, _ in _explored().boot.system_writes if name == "CONTROL")
    entry = _explored().boot.entry
    return {entry: _branch(entry, first)}


@dataclass(frozen=True, slots=True)
class Vacuous:
    name: str
    patches: Callable[[], Patches]
    expected: dict[str, str]
    """What some requirements come to."""


NO_DROP = {"run-confined": "inconclusive nothing-explored", "mem-forgetful": "inconclusive no-tick"}
"""Nothing that speaks of what comes after the drop may pass; these two say why."""
AFTER_THE_DROP = (
    *(
        "out-declared-pins",
        "out-clocked",
        "out-clock-steady",
        "out-one-write",
        "out-fault-safe",
        "out-capacity",
        "inp-none",
    ),
    *("mem-forgetful", "mem-cleared", "imm-flash-locked", "run-gate-proved", "run-confined", "run-handlers"),
)

IMAGES = (
    Vacuous(
        "drop-unreachable",
        lambda: {_explored().boot.entry: TO_ITSELF},
        {**NO_DROP, "run-gate-proved": "inconclusive nothing-explored"},
    ),
    Vacuous("privilege-kept", _control_writes, {**NO_DROP, "run-gate-proved": "inconclusive preemption-before-drop"}),
    Vacuous("drop-without-set-up", _straight_to_the_drop, {**NO_DROP, "run-gate-proved": "inconclusive unpredictable"}),
    Vacuous("vector-zero", lambda: _vector(_LAST, 0), {"run-handlers": "fail vector-differs"}),
    Vacuous("vector-even", lambda: _vector(_LAST, _handler(_LAST)), {"run-gate-proved": "inconclusive fault-possible"}),
    Vacuous(
        "vector-to-erased-flash",
        lambda: _vector(_LAST, 0x08070001),
        {"run-gate-proved": "inconclusive code-not-in-image", "run-handlers": "inconclusive handler-without-exit"},
    ),
    # The table's first word, the stack's end, is a store to an address of the confined part's choice.
    Vacuous(
        "vector-to-the-table",
        lambda: _vector(_LAST, FLASH + 1),
        {"run-handlers": "inconclusive handler-without-exit"},
    ),
    Vacuous("tick-never-ends", lambda: {_handler(_TIMER): TO_ITSELF}, {"run-handlers": "fail handler-may-not-end"}),
    Vacuous("fault-never-ends", lambda: {_handler(_LAST): TO_ITSELF}, {"run-handlers": "fail handler-may-not-end"}),
    Vacuous(
        "tick-does-nothing",
        lambda: {_handler(_TIMER): RETURN},
        {
            "out-one-write": "fail mailbox-not-read",
            "mem-forgetful": "fail wipe-incomplete",
            "mem-frame-bounded": "inconclusive no-capture",
            "run-handlers": "fail return-privileged",
        },
    ),
    Vacuous("fault-does-nothing", lambda: {_handler(_LAST): RETURN}, {"out-fault-safe": "fail fault-leaves-output"}),
    Vacuous(
        "handlers-do-nothing",
        lambda: {_handler(_TIMER): RETURN, _handler(_LAST): RETURN},
        {"out-one-write": "fail mailbox-not-read", "out-fault-safe": "fail fault-leaves-output"},
    ),
)


def test_the_image_without_patches_passes() -> None:
    assert set(judge(_patched({})).values()) <= {"pass", "not-applicable"}


@pytest.mark.slow
@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_nothing_is_proved_of_nothing(image: Vacuous) -> None:
    outcomes = judge(_patched(image.patches()))
    assert {name: outcomes[name] for name in image.expected} == image.expected
    if image.expected.items() >= NO_DROP.items():
        assert not [name for name in AFTER_THE_DROP if outcomes[name] == "pass"]
