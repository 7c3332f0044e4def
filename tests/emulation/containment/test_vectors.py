"""Every image of the standard's vectors, passing, failing and inconclusive, does only what the verifier says it can."""

from __future__ import annotations

from functools import cache

import pytest

from tests.emulation.containment.check import Result
from tests.emulation.containment.departures import DEPARTURES, Departure, unexplained
from tests.emulation.containment.findings import Kind
from tests.emulation.containment.images import Subject, compared, explored, recorded, vectors

pytestmark = [pytest.mark.emulation, pytest.mark.usefixtures("emulation_tools")]

_ALWAYS = {Kind.EXECUTED, Kind.CONSTANT, Kind.ENTRY, Kind.SYSTEM_WRITE}
"""Compared in every image, however early it meets an obstacle: at the first call of boot, say."""
_DROPPED = {Kind.DROP, Kind.REGISTERS, Kind.STACKS, Kind.PROTECTION, Kind.STORED, Kind.READ_BACK, Kind.MEMORY}
_DROPPED |= {Kind.MUST, Kind.ONCE, Kind.STACK, Kind.CYCLES}
_HANDLED = {Kind.UNDISTURBED, Kind.RETURN}
_TICK = 44


@cache
def _result(subject: Subject) -> Result:
    return compared(subject, recorded(subject.data), explored(subject.data))


@pytest.mark.parametrize("subject", vectors(), ids=lambda subject: subject.name)
def test_what_it_does_is_contained(subject: Subject) -> None:
    result = _result(subject)
    assert unexplained(result.findings.violations) == []
    expected = set(_ALWAYS)
    if not result.boundary:
        expected.add(Kind.ACCESS)
    if not result.boundary and result.completed[0]:
        expected |= _DROPPED
    if not result.boundary and result.completed[_TICK] > 1:
        expected |= _HANDLED
    if result.followed:
        expected.add(Kind.FRAME)
    assert {kind for kind in expected if not result.findings.facts[kind]} == set()
    assert result.boundary or result.completed[0]


def test_few_images_end_early() -> None:
    """Nearly all are compared to the end; how many are not is known, so that a boundary cannot swallow the rest."""
    early = [subject.name for subject in vectors() if _result(subject).boundary]
    assert len(early) <= len(vectors()) // 5


@pytest.mark.parametrize("departure", DEPARTURES, ids=lambda departure: departure.name)
def test_departure_is_still_needed(departure: Departure) -> None:
    subject = next(each for each in vectors() if each.name == departure.witness)
    assert any(departure.explains(violation) for violation in _result(subject).findings.violations)
