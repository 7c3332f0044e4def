"""The comparison can fail: each deliberate fault is found, as what it is, and the right exploration has none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from pinproof.machine.result import Exploration

from tests.emulation.containment.check import Result
from tests.emulation.containment.findings import Kind
from tests.emulation.containment.images import VECTORS, Recording, Subject, checker, compared, explored, recorded
from tests.emulation.containment.record import MEMORY_SIZE, Enter, Event, Returning, read_record
from tests.emulation.containment.seeded import FAULTS, TICK, Fault

pytestmark = [pytest.mark.emulation, pytest.mark.usefixtures("emulation_tools")]

_IMAGE = (VECTORS / "mem-cleared" / "reference.pass.elf").read_bytes()
_SUBJECT = Subject(name="reference", data=_IMAGE, conforms=True)
_HARD_FAULT = 3


@pytest.fixture(scope="module")
def recording(emulation_tools: None) -> Recording:
    return recorded(_IMAGE)


@pytest.fixture(scope="module")
def exploration() -> Exploration:
    return explored(_IMAGE)


def test_without_a_fault_nothing_is_found(recording: Recording, exploration: Exploration) -> None:
    assert _kinds(compared(_SUBJECT, recording, exploration)) == set()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_wrong_exploration_is_found(recording: Recording, exploration: Exploration, fault: Fault) -> None:
    spoilt = fault.spoil(exploration)
    assert spoilt != exploration
    assert fault.kind in _kinds(compared(_SUBJECT, recording, spoilt))


def test_a_fault_of_the_gate_is_found(recording: Recording, exploration: Exploration) -> None:
    def events() -> Iterator[Event]:
        for event in read_record(recording.text):
            yield event
            if isinstance(event, Enter) and event.number == TICK:
                yield replace(event, number=_HARD_FAULT)

    assert Kind.FAULT in _kinds(_followed(events(), recording.memory, exploration))


def test_a_write_to_gate_memory_between_handlers_is_found(recording: Recording, exploration: Exploration) -> None:
    """The memory that the second tick finds, changed far above the gate's stack."""
    entered = [event for event in read_record(recording.text) if isinstance(event, Enter) and event.number == TICK]
    dump = entered[1].at.memory
    assert dump is not None
    memory = bytearray(recording.memory)
    memory[dump * MEMORY_SIZE + 0x14000] ^= 1
    kinds = _kinds(_followed(read_record(recording.text), bytes(memory), exploration))
    assert kinds == {Kind.UNDISTURBED, Kind.MEMORY}


def test_a_frame_changed_in_memory_is_found(recording: Recording, exploration: Exploration) -> None:
    returning = next(event for event in read_record(recording.text) if isinstance(event, Returning))
    dump = returning.at.memory
    assert dump is not None
    memory = bytearray(recording.memory)
    memory[dump * MEMORY_SIZE + 0x8000 - 8] ^= 2
    kinds = _kinds(_followed(read_record(recording.text), bytes(memory), exploration))
    assert kinds == {Kind.FRAME, Kind.MEMORY}


def test_each_kind_of_fact_has_a_fault() -> None:
    elsewhere = {Kind.FAULT, Kind.UNDISTURBED}
    assert {fault.kind for fault in FAULTS} == set(Kind) - elsewhere


def _followed(events: Iterable[Event], memory: bytes, exploration: Exploration) -> Result:
    return checker(_SUBJECT, memory, exploration).follow(events)


def _kinds(result: Result) -> set[Kind]:
    return {violation.kind for violation in result.findings.violations}
