"""The shipped gate, in the emulator: the pin follows two of three answers, and keeps each level for three periods."""

from __future__ import annotations

from itertools import pairwise

import pytest

from reference_module.build import Recipe, build
from reference_module.emulate.emulator import Stop
from tests.emulation.observation import FRAME_SIZE, Observation, run_variant

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_BRIGHT, _DARK = bytes([200]) * FRAME_SIZE, bytes([20]) * FRAME_SIZE
_ANSWERS = (1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, None, 0, 1, 1, None, None, None, None, 1, 1)
"""Bright, dark, and no frame at all, which is no answer."""
_DWELL = 3


def _smoothed(answers: tuple[int | None, ...]) -> tuple[int, ...]:
    """What the pin says after each answer, from the description alone."""
    said = [answer or 0 for answer in answers]
    levels: list[int] = []
    shown, changed = 0, -_DWELL
    for at, answer in enumerate(said):
        enough = sum(said[max(0, at - 2) : at + 1]) > 1
        wanted = int(enough and bool(answer or shown))
        if wanted != shown and at - changed >= _DWELL:
            shown, changed = wanted, at
        levels.append(shown)
    return tuple(levels)


@pytest.fixture(scope="module")
def observation(emulation_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Observation:
    image = build(tmp_path_factory.mktemp("smoothed") / "stub.elf", Recipe())
    frames = [None if answer is None else _BRIGHT if answer else _DARK for answer in _ANSWERS]
    return run_variant(image, frames)


def test_the_run_was_complete(observation: Observation) -> None:
    assert observation.end is Stop.TICKS


def test_the_pin_follows_the_answers_smoothed(observation: Observation) -> None:
    levels = _smoothed(_ANSWERS)
    assert observation.bits[1 : 1 + len(levels)] == levels
    assert set(levels) == {0, 1}
    assert levels != tuple(answer or 0 for answer in _ANSWERS)


def test_no_two_changes_are_closer_than_the_dwell(observation: Observation) -> None:
    bits = observation.bits
    changes = [at for at in range(1, len(bits)) if bits[at] != bits[at - 1]]
    assert len(changes) > 1
    assert min(after - before for before, after in pairwise(changes)) >= _DWELL
