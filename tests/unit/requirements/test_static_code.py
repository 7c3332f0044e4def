"""Which bytes of the gate are code that its executed instructions lead to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pinproof.facts import static_code
from pinproof.image import Segment

from tests.unit.requirements.builders import GATE, conforming_facts

_START = GATE + 404


def found(halfwords: list[int], executed: int) -> list[tuple[int, int]]:
    """The offsets found in a gate of these halfwords, of which so many from the first on were executed."""
    facts = conforming_facts()
    code = b"".join(half.to_bytes(2, "little") for half in halfwords)
    segments = (Segment(address=_START, data=code),)
    facts = replace(facts, image=replace(facts.image, segments=segments))
    facts = replace(facts, exploration=replace(facts.exploration, executed=((_START, _START + 2 * executed),)))
    return [(start - _START, end - _START) for start, end in static_code(facts)]


@pytest.mark.parametrize(
    ("halfwords", "executed", "expected"),
    [
        pytest.param([0x4770, 0x2000, 0x4770], 1, [(0, 2)], id="nothing leads behind a return"),
        pytest.param([0xB100, 0x4770, 0x2000, 0x4770], 2, [(0, 8)], id="cbz"),
        pytest.param([0xD001, 0x4770, 0x4770, 0x2000, 0x4770], 2, [(0, 4), (6, 10)], id="beq over a stranger"),
        pytest.param([0xBF08, 0x4770, 0x2000, 0x4770], 2, [(0, 8)], id="a conditional return"),
        pytest.param([0xE7FE, 0x2000], 1, [(0, 2)], id="a branch to itself"),
        pytest.param([0xB100, 0x4770, 0xE7FE, 0x4770], 2, [(0, 6)], id="an endless loop on the dead side"),
        pytest.param([0xB100, 0x4770, 0x4800, 0x4770, 1, 2, 3], 2, [(0, 12)], id="a literal of dead code"),
        pytest.param([0xB100, 0x4770, 0xFFFF, 0xFFFF], 2, [(0, 4)], id="no code on the dead side"),
        pytest.param([0xF000, 0xF801, 0x4770, 0x2000, 0x4770], 3, [(0, 10)], id="a function called"),
        pytest.param(
            [0xE8DF, 0xF000, 0x0201, 0x4770, 0x4770, 0x4770], 2, [(0, 10)], id="a branch table with two entries"
        ),
    ],
)
def test_static_code(halfwords: list[int], executed: int, expected: list[tuple[int, int]]) -> None:
    assert found(halfwords, executed) == expected


def test_nothing_outside_the_declared_gate_counts() -> None:
    far = [0xF000, 0xBFFE]  # b.w to 4 KB further on
    assert found([*far, *([0] * 0x800), 0x4770], 2) == [(0, 4)]
