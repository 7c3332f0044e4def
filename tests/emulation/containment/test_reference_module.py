"""The reference module under every act of the confined part, with frames, and with devices that never answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import pytest
from pinproof.machine.result import Exploration

from tests.emulation.containment.check import Result
from tests.emulation.containment.findings import Kind
from tests.emulation.containment.images import (
    HOSTILE,
    ROOT,
    SHORT,
    VECTORS,
    Recording,
    Subject,
    compared,
    explored,
    recorded,
    silicon,
)
from tests.emulation.containment.record import Moved, read_record
from tests.emulation.privileged import LACKING, READY, SILENT
from tests.emulation.puppet import QUIET, STANDARD

pytestmark = [pytest.mark.emulation, pytest.mark.usefixtures("emulation_tools")]

_DETECTOR = ROOT / "reference_module" / "person_detector.elf"
_STUB = VECTORS / "mem-cleared" / "reference.pass.elf"
_TICK, _CAMERA = 44, 0x40020810
_LONG = 60_000_000
Record = Callable[[bytes], Recording]


@cache
def _explored(image: bytes) -> Exploration:
    return explored(image)


def _result(image: bytes, recording: Recording) -> Result:
    return compared(Subject(name="reference", data=image, conforms=True), recording, _explored(image))


@cache
def _hostile(image: bytes) -> Recording:
    return recorded(image, HOSTILE, limit=_LONG)


_RUNS: dict[str, Record] = {
    "hostile": _hostile,
    "frames": partial(recorded, acts=(QUIET, *STANDARD[2:4]), camera=True, shift=5, limit=_LONG),
    "silent devices": partial(recorded, acts=SHORT, ready=SILENT, limit=_LONG),
}


@pytest.mark.parametrize("record", _RUNS.values(), ids=_RUNS)
def test_the_detector_is_contained(record: Record) -> None:
    image = _DETECTOR.read_bytes()
    recording = record(image)
    assert "\nend ticks " in recording.text
    result = _result(image, recording)
    assert [str(violation) for violation in result.findings.violations] == []
    assert result.boundary == ""
    assert {kind for kind in Kind if not result.findings.facts[kind]} <= {Kind.FAULT}
    assert result.completed[0] == 1
    assert result.completed[_TICK] >= 2


def test_the_stub_with_frames_is_contained() -> None:
    """As it is, without puppet: the real confined part starts, answers, and is interrupted in its idle loop."""
    image = _STUB.read_bytes()
    recording = recorded(image, (QUIET,), ticks=2, camera=True, puppet=False, shift=5, limit=_LONG)
    result = _result(image, recording)
    assert [str(violation) for violation in result.findings.violations] == []
    assert result.completed == {0: 1, _TICK: 2}
    levels = {each.value for each in read_record(recording.text) if isinstance(each, Moved) and each.address == _CAMERA}
    assert len(levels) > 256


def test_faults_of_all_kinds_are_taken() -> None:
    """What the hostile acts are for: MemManage, UsageFault, HardFault (breakpoint) and SVCall, beside the tick."""
    image = _DETECTOR.read_bytes()
    assert set(_result(image, _hostile(image)).completed) >= {0, 3, 4, 6, 11, _TICK}


@pytest.mark.parametrize("name", LACKING)
def test_devices_that_qemu_lacks_are_still_lacking(name: str) -> None:
    """Left to QEMU, all their registers read as 0, whatever was stored."""
    block = silicon().peripheral(name)
    addresses = range(block.base, block.base + block.size)
    others = tuple(each for each in READY if each[0] not in addresses)
    left_to_qemu = recorded(_STUB.read_bytes(), (QUIET,), ticks=1, ready=others)
    answered = recorded(_STUB.read_bytes(), (QUIET,), ticks=1)
    assert _values(left_to_qemu, addresses) == {0}
    assert _values(answered, addresses) - {0}


def _values(recording: Recording, addresses: range) -> set[int]:
    moved = [each for each in read_record(recording.text) if isinstance(each, Moved)]
    return {each.value for each in moved if each.address in addresses and not each.store}
