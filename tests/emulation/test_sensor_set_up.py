"""The shipped set-up of the sensor, instruction by instruction, on a bus that works, and on some that do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reference_module.build import gate_text
from tests.emulation.bus_model import CR1, Bus
from tests.emulation.observation import Observation, run_variant
from tests.emulation.stepping import FAST, LINES, SLOW, Costs, Stepper

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_APB1ENR, _PORT_C_MODER = 0x40023840, 0x40020800
_MILLISECOND = 84_000
_LONGEST = 1000 * _MILLISECOND
"""Of a bus that never answers, with the slowest table; a stuck one takes the tries and no more."""


def _table() -> list[bytes]:
    """What the gate's source says is sent, each setting with the sensor's address before it."""
    settings = re.findall(r"^    SENSOR_SET\(0x([0-9A-F]{4}), 0x([0-9A-F]{2})\)", gate_text("sensor.c"), re.MULTILINE)
    return [bytes.fromhex("48" + number + value) for number, value in settings]


def _configure(stub: Path, bus: Bus, costs: Costs = LINES) -> tuple[bool, int, list[tuple[int, int]]]:
    """Whether it succeeded, how long it took, and what was stored."""
    stores: list[tuple[int, int]] = []

    def write(address: int, value: int, time: int) -> None:
        stores.append((address, value))
        bus.write(address, value, time)

    machine = Stepper(stub, costs, bus.read, write)
    result = machine.call("sensor_configure", limit=_LONGEST)
    return bool(result), machine.cycles, stores


@pytest.mark.parametrize("costs", [FAST, SLOW], ids=lambda costs: costs.name)
def test_the_table_is_sent_and_nothing_else(stub: Path, costs: Costs) -> None:
    """The first setting goes out twice: once to find the sensor awake."""
    bus = Bus()
    configured, cycles, _ = _configure(stub, bus, costs)
    table = _table()
    assert configured
    assert len(table) == 60
    assert bus.messages == [table[0], *table]
    assert cycles < 40 * _MILLISECOND


def test_a_sensor_that_wakes_late_is_waited_for(stub: Path) -> None:
    bus = Bus(wakes=60 * _MILLISECOND)
    configured, _, _ = _configure(stub, bus, FAST)
    assert configured
    assert bus.messages == [_table()[0], *_table()]


_BROKEN = {
    "absent": Bus(wakes=1 << 60),
    "stuck": Bus(stuck=True),
    "no stop": Bus(no_stop=True),
    "refuses a setting": Bus(refuses=42),
    "refuses the last byte": Bus(refuses=4 * 61 - 1),
}


@pytest.mark.parametrize("bus", _BROKEN.values(), ids=_BROKEN)
def test_a_bus_that_fails_is_given_up_in_time_and_switched_off(stub: Path, bus: Bus) -> None:
    configured, _, stores = _configure(stub, bus)
    assert not configured
    assert stores[-2:] == [(CR1, 0), (_APB1ENR, 0)]
    assert set(bus.messages) <= set(_table())


@pytest.fixture(scope="module")
def without_sensor(stub: Path) -> Observation:
    return run_variant(stub, [], 3)


def test_without_a_sensor_the_cameras_pins_are_given_up(without_sensor: Observation) -> None:
    """QEMU's bus never answers: the last word on port C's mode is analogue, and the module ticks on, idle."""
    modes = [store.value for store in without_sensor.writes if store.address == _PORT_C_MODER]
    assert modes == [0xFFC00000, 0xFFFFFFFF]
    assert without_sensor.ticks == 3
    assert without_sensor.bits == (0, 0, 0)
