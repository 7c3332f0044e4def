"""The reference gate with its stub: the bit follows the frame, and only update events move the pin."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from reference_module.emulate.emulator import Stop
from reference_module.emulate.events import TICK_EXCEPTION, Origin
from tests.emulation.observation import BRIGHT, DARK, Observation, run_variant
from tests.emulation.oracle import Judgement, judge
from tests.emulation.pin import Level

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_FRAMES = (BRIGHT, DARK, BRIGHT, BRIGHT, DARK, DARK, None, BRIGHT, None, None, DARK, BRIGHT)
_ANSWERS = tuple(int(frame is BRIGHT) for frame in _FRAMES)
_CONFINED_STACK_END = 0x20008000
_TIM2_CCR1 = 0x40000034


@pytest.fixture(scope="module")
def observation(stub: Path) -> Observation:
    return run_variant(stub, _FRAMES, starts=True)


@pytest.fixture(scope="module")
def judgement(observation: Observation) -> Judgement:
    return judge(observation)


def test_the_run_was_complete(observation: Observation) -> None:
    assert observation.end is Stop.TICKS
    assert observation.ticks == len(_FRAMES) + 2
    assert len(observation.captures) == observation.ticks


def test_each_bit_answers_the_frame_before(observation: Observation) -> None:
    assert observation.bits[0] == 0
    assert observation.bits[1 : 1 + len(_ANSWERS)] == _ANSWERS


def test_the_compare_register_gets_one_word_a_tick(observation: Observation) -> None:
    stores = observation.written(_TIM2_CCR1)
    assert [(store.tick, store.width) for store in stores] == [(tick, 4) for tick in range(1, observation.ticks + 1)]


def test_the_pin_shows_each_bit_at_the_update_after_its_store(observation: Observation, judgement: Judgement) -> None:
    shown = [Level.HIGH if bit else Level.LOW for bit in observation.bits]
    assert list(judgement.levels[1:]) == shown[:-1]


def test_the_pin_moves_at_update_events_alone(judgement: Judgement) -> None:
    assert sum(edge.level is Level.HIGH for edge in judgement.edges) >= 3
    assert judgement.moved_outside_updates == ()


def test_the_pin_is_low_from_the_moment_it_is_driven(judgement: Judgement) -> None:
    assert [edge.level for edge in judgement.edges if edge.tick == 0] == [Level.LOW]


def test_the_gate_stores_what_the_design_allows_and_nothing_else(judgement: Judgement) -> None:
    assert judgement.findings == ()


def test_only_the_tick_interrupts(observation: Observation) -> None:
    assert {taken.number for taken in observation.exceptions} == {TICK_EXCEPTION}
    assert {taken.origin for taken in observation.exceptions} == {Origin.CONFINED}


def test_ticks_are_evenly_spaced(observation: Observation) -> None:
    """To the beat: a stop of the debugger must not have raised a tick, which would hide what the confined part does."""
    times = observation.tick_times
    spacings = {after - before for before, after in pairwise(times)}
    assert max(spacings) - min(spacings) <= 1


def test_each_start_is_fresh_and_unprivileged(observation: Observation) -> None:
    assert [start.tick for start in observation.starts] == [at for at, frame in enumerate(_FRAMES, 1) if frame]
    for start in observation.starts:
        general = {start.registers[f"r{number}"] for number in range(13)}
        assert general == {0}
        assert start.registers["sp"] == _CONFINED_STACK_END
        assert start.registers["lr"] == 0xFFFFFFFF
        assert start.registers["xpsr"] == 1 << 24
        assert not start.privileged


def test_nothing_outlives_the_wipe(observation: Observation) -> None:
    assert [capture.tick for capture in observation.captures if capture.survivors()] == []


def test_the_same_run_gives_the_same_events(stub: Path, observation: Observation) -> None:
    assert run_variant(stub, _FRAMES, starts=True).events == observation.events
