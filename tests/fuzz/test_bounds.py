"""The bounds that spec/declaration.md states: an answer, in bounded time, memory and length of message."""

from __future__ import annotations

import pytest

from tests.fuzz.bombs import BOMBS
from tests.fuzz.bounded import measured
from tests.fuzz.judges import LONGEST_MESSAGE

MOST_SECONDS, MOST_MEGABYTES = 20.0, 600.0
"""Processor time, and memory with the interpreter's own 50 MB; a coarse bound, twice what the worst takes."""


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_little(name: str) -> None:
    bomb = BOMBS[name]
    found = measured(bomb.reader, bomb.build())
    assert found.seconds < MOST_SECONDS
    assert found.megabytes < MOST_MEGABYTES
    if bomb.says is None:
        assert found.error is None
        return
    assert found.error is not None and bomb.says in found.error
    assert found.error.startswith("input") and found.error.isprintable() and len(found.error) < LONGEST_MESSAGE
