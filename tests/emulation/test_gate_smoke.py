"""The gate with its stub, as shipped, without a camera: it boots, drops privilege, ticks, leaves all else alone.

QEMU's clock and port registers read 0, so the crystal never starts and no frame ever comes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_module.emulate.emulator import Stop
from reference_module.emulate.events import TICK_EXCEPTION, Origin, Reached
from tests.emulation.observation import Observation, run_variant

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_TIM2_CR1, _TIM2_SR, _TIM2_CCR1 = 0x40000000, 0x40000010, 0x40000034
_SHCSR, _MPU_CTRL = 0xE000ED24, 0xE000ED94
_IDLE, _DETECTOR = 0x08001000, 0x08001004
_TICKS = 8


@pytest.fixture(scope="module")
def observation(stub: Path) -> Observation:
    return run_variant(stub, [], _TICKS)


def test_it_ticks(observation: Observation) -> None:
    assert (observation.end, observation.ticks) == (Stop.TICKS, _TICKS)


def test_each_tick_hands_over_one_level_as_a_word(observation: Observation) -> None:
    stores = [(store.tick, store.value, store.width) for store in observation.written(_TIM2_CCR1)]
    assert stores == [(tick, 0, 4) for tick in range(1, _TICKS + 1)]


def test_nothing_else_is_stored_after_the_drop(observation: Observation) -> None:
    assert {store.address for store in observation.writes if store.tick} == {_TIM2_SR, _TIM2_CCR1, _SHCSR}


def test_every_device_store_is_a_word(observation: Observation) -> None:
    assert {store.width for store in observation.writes} == {4}


def test_protection_is_on_before_the_timer_runs(observation: Observation) -> None:
    boot = [(store.address, store.value) for store in observation.writes if store.origin is Origin.BOOT]
    assert boot.index((_MPU_CTRL, 7)) < boot.index((_TIM2_CR1, 0x85))
    assert boot[-1] == (_TIM2_CR1, 0x85)


def test_only_the_tick_interrupts_and_it_returns_to_thread_mode(observation: Observation) -> None:
    taken = [(each.tick, each.number, each.origin) for each in observation.exceptions]
    assert taken == [(tick, TICK_EXCEPTION, Origin.CONFINED) for tick in range(1, _TICKS + 1)]


def test_without_a_frame_the_confined_part_stays_idle(observation: Observation) -> None:
    reached = {event.address for event in observation.events if isinstance(event, Reached)}
    assert _IDLE in reached
    assert _DETECTOR not in reached
