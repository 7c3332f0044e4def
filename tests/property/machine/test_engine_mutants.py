"""Each wrong line in the engine is noticed by the program written for it."""

from __future__ import annotations

import pytest

from tests.property.machine.engine_mutants import MUTANTS, Mutant, notice

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_wrong_line_is_noticed(mutant: Mutant) -> None:
    assert notice(mutant) is not None


def test_there_are_enough_of_them() -> None:
    assert len(MUTANTS) >= 25 and len({each.name for each in MUTANTS}) == len(MUTANTS)
