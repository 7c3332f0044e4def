"""A hostile confined part against the reference gate: no attempt reaches a device or the next frame's answer."""

from __future__ import annotations

import pytest

from reference_module.emulate.emulator import Stop
from tests.emulation.attacks import ATTACKS, Attack, Ends, attack_frame, build_attacks, honest_frame
from tests.emulation.observation import Observation, run_variant
from tests.emulation.oracle import Judgement, judge

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_NUMBERED = [pytest.param(number, attack, id=attack.name) for number, attack in enumerate(ATTACKS, 1)]


def _frames() -> list[bytes]:
    """Each attempt, then an honest frame, bright and dark in turns."""
    frames = []
    for number, _ in enumerate(ATTACKS, 1):
        frames += [attack_frame(number), honest_frame(bright=number % 2 == 1)]
    return frames


@pytest.fixture(scope="module")
def observation(emulation_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Observation:
    return run_variant(build_attacks(tmp_path_factory.mktemp("attacks") / "attacks.elf"), _frames())


@pytest.fixture(scope="module")
def judgement(observation: Observation) -> Judgement:
    return judge(observation)


def test_the_run_was_complete(observation: Observation) -> None:
    assert observation.end is Stop.TICKS
    assert observation.ticks == 2 * len(ATTACKS) + 2


@pytest.mark.parametrize(("number", "attack"), _NUMBERED)
def test_attempt_ends_as_it_must(observation: Observation, number: int, attack: Attack) -> None:
    """The attempt's period begins with tick 2 number - 1; a bad stack pointer faults only when the next tick comes."""
    period = 2 * number - 1
    taken = [*observation.faults(period), *observation.faults(period + 1)]
    assert bool(taken) is (attack.ends is Ends.FAULT)
    assert observation.bits[period] == int(attack.ends is Ends.NOTHING)


@pytest.mark.parametrize(("number", "attack"), _NUMBERED)
def test_the_next_honest_frame_is_answered(observation: Observation, number: int, attack: Attack) -> None:
    assert observation.bits[2 * number] == number % 2


def test_no_attempt_reaches_a_device(observation: Observation) -> None:
    """Refused ones are seen, so that the silence of the others means something."""
    assert observation.refused
    assert observation.from_confined() == ()


def test_nothing_but_flash_is_executed(observation: Observation) -> None:
    assert observation.outside_flash == ()


def test_the_gate_does_the_same_as_ever(judgement: Judgement) -> None:
    assert judgement.findings == ()


def test_the_pin_moves_at_update_events_alone(judgement: Judgement) -> None:
    assert judgement.edges
    assert judgement.moved_outside_updates == ()


def test_nothing_outlives_the_wipe(observation: Observation) -> None:
    assert [capture.tick for capture in observation.captures if capture.survivors()] == []


def test_attempts_that_prove_nothing_here_are_named() -> None:
    """The part may open trace to unprivileged code, QEMU has no trace port: the gate must leave trace off instead."""
    assert [attack.name for attack in ATTACKS if attack.proves_nothing] == ["trace port"]
