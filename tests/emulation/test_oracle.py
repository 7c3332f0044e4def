"""The oracle itself: on stores made up and on gates that are wrong on purpose, it must see what is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reference_module.build import gate_text, patched
from reference_module.emulate.events import TICK_EXCEPTION, DeviceWrite, Event, ExceptionTaken, Origin, Tick
from tests.emulation.attacks import ATTACKS, attack_frame, build_attacks, honest_frame
from tests.emulation.observation import run_variant
from tests.emulation.oracle import Departure, Judgement, departures, judge
from tests.emulation.pin import Cause, Level, levels, pin_edges

_GATE = 0x08000100
_MODER, _AFRL, _BSRR, _LCKR = 0x40020000, 0x40020020, 0x40020018, 0x4002001C
_CR1, _SR, _EGR, _CCMR1, _CCER, _ARR, _CCR1 = (0x40000000 + at for at in (0, 0x10, 0x14, 0x18, 0x20, 0x2C, 0x34))
_AHB1RSTR, _APB1RSTR, _AHB1ENR, _APB1ENR = (0x40023800 + at for at in (0x10, 0x20, 0x30, 0x40))
_SHCSR, _CFSR = 0xE000ED24, 0xE000ED28
_HIGH = 0xFFFFFFFF


def _write(address: int, value: int, tick: int = 0, width: int = 4, **changes: object) -> DeviceWrite:
    store = DeviceWrite(
        tick=tick,
        address=address,
        value=value,
        width=width,
        program_counter=_GATE + (address & 0xFF),
        refused=False,
        origin=Origin.HANDLER if tick else Origin.BOOT,
        exception=TICK_EXCEPTION if tick else None,
        since_entry=address & 0xFF if tick else None,
        instructions=0,
        milliseconds_in_period=0,
    )
    return replace(store, **changes)  # type: ignore[arg-type]


def _set_up() -> list[Event]:
    """As the design says: the pin is connected to a timer that holds it low, then the timer starts."""
    stores = [(_AHB1ENR, 1), (_APB1ENR, 1), (_AFRL, 1 << 20), (_CCR1, 0), (_ARR, 84008399), (_CCMR1, 0x68)]
    stores += [(_CR1, 0x84), (_EGR, 1), (_SR, 0), (_CCER, 1), (_MODER, 0xFFFFFBFF), (_CR1, 0x85)]
    return [_write(address, value) for address, value in stores]


def _tick(number: int, *stores: DeviceWrite) -> list[Event]:
    taken = ExceptionTaken(
        tick=number, number=TICK_EXCEPTION, origin=Origin.CONFINED, details=(), milliseconds_in_period=0
    )
    return [Tick(number=number, milliseconds=0), taken, *stores]


def _good(number: int, level: int) -> list[Event]:
    return _tick(number, _write(_SR, 0, number), _write(_CCR1, level, number), _write(_SHCSR, 7 << 16, number))


def test_a_good_run_has_no_findings_and_moves_at_updates() -> None:
    events = [*_set_up(), *_good(1, _HIGH), *_good(2, _HIGH), *_good(3, 0), *_good(4, 0)]
    edges = pin_edges(events)
    assert list(departures(events)) == []
    assert [(edge.tick, edge.level, edge.cause) for edge in edges] == [
        (0, Level.LOW, Cause.SOFTWARE),
        (2, Level.HIGH, Cause.UPDATE),
        (4, Level.LOW, Cause.UPDATE),
    ]
    assert levels(edges, 4) == (Level.LOW, Level.HIGH, Level.HIGH, Level.LOW)


_OFF_TICK = {
    "forced update": [_write(_CCR1, _HIGH, 1), _write(_EGR, 1, 1)],
    "forced high": [_write(_CCMR1, 0x58, 1)],
    "preload off": [_write(_CCMR1, 0x60, 1), _write(_CCR1, _HIGH, 1)],
    "polarity": [_write(_CCER, 3, 1)],
    "pin as output, set": [_write(_BSRR, 1 << 5, 1), _write(_MODER, 0xFFFFF7FF, 1)],
    "pin floating": [_write(_MODER, 0xFFFFFFFF, 1)],
    "another function": [_write(_AFRL, 2 << 20, 1)],
    "counting down": [_write(_CR1, 0x95, 1)],
    "port reset": [_write(_AHB1RSTR, 1, 1)],
}


@pytest.mark.parametrize("stores", _OFF_TICK.values(), ids=_OFF_TICK)
def test_a_store_that_moves_the_pin_at_once_is_seen(stores: list[DeviceWrite]) -> None:
    edges = pin_edges([*_set_up(), *_tick(1, *stores)])
    assert [edge.cause for edge in edges if edge.tick] == [Cause.SOFTWARE]
    assert edges[-1].write == stores[-1]


@pytest.mark.parametrize(("value", "width"), [(1, 4), (84008399, 4), (1, 1), (1, 2)])
def test_a_compare_value_inside_the_period_makes_an_edge_there(value: int, width: int) -> None:
    events = [*_set_up(), *_tick(1, _write(_CCR1, value, 1, width)), *_tick(2)]
    assert [(edge.tick, edge.cause) for edge in pin_edges(events)[1:]] == [(2, Cause.UPDATE), (2, Cause.COMPARE)]


def test_without_update_events_nothing_is_taken_over() -> None:
    events = [*_set_up(), *_tick(1, _write(_CR1, 0x87, 1), _write(_CCR1, _HIGH, 1)), *_tick(2), *_tick(3)]
    assert len(pin_edges(events)) == 1


def test_stores_to_a_timer_without_clock_are_lost() -> None:
    events = [event for event in _set_up() if not (isinstance(event, DeviceWrite) and event.address == _APB1ENR)]
    assert Level.HIGH not in {edge.level for edge in pin_edges([*events, *_good(1, _HIGH), *_good(2, 0)])}


def test_a_locked_port_keeps_its_mode() -> None:
    lock = [_write(_LCKR, 0x1FFFF), _write(_LCKR, 0xFFFF), _write(_LCKR, 0x1FFFF)]
    assert len(pin_edges([*_set_up(), *lock, *_tick(1, _write(_MODER, 0xFFFFFFFF, 1))])) == 1
    assert len(pin_edges([*_set_up(), *lock[:2], *_tick(1, _write(_MODER, 0xFFFFFFFF, 1))])) == 2


_WRONG: dict[str, tuple[list[Event], Departure]] = {
    "address": (_tick(1, _write(_EGR, 1, 1)), Departure.ADDRESS),
    "value": (_tick(1, _write(_SR, 0, 1), _write(_CCR1, 1, 1)), Departure.VALUE),
    "width": (_tick(1, _write(_SR, 0, 1, 2)), Departure.WIDTH),
    "order": (_tick(1, _write(_CCR1, 0, 1)), Departure.ORDER),
    "twice": (_tick(1, _write(_SR, 0, 1), _write(_SR, 0, 1)), Departure.ORDER),
    "missing": ([*_tick(1, _write(_SR, 0, 1)), *_good(2, 0)], Departure.MISSING),
    "place": ([*_good(1, 0), *_tick(2, _write(_SR, 0, 2, program_counter=_GATE))], Departure.TWO_PLACES),
    "time": ([*_good(1, 0), *_tick(2, _write(_SR, 0, 2, since_entry=99))], Departure.TIME),
    "outside the gate": (_tick(1, _write(_SR, 0, 1, program_counter=0x08001004)), Departure.NOT_THE_GATE),
    "no handler": ([_write(_CCR1, 0, 1, origin=Origin.CONFINED, exception=None)], Departure.NOT_A_HANDLER),
    "timer in a fault": ([_write(_CCR1, 0, 1, exception=4)], Departure.ADDRESS),
}


@pytest.mark.parametrize(("events", "departure"), _WRONG.values(), ids=_WRONG)
def test_a_departure_is_found(events: list[Event], departure: Departure) -> None:
    assert departure in {finding.departure for finding in departures([*_set_up(), *events])}


def test_a_fault_handler_may_clear_its_status() -> None:
    assert list(departures([*_set_up(), _write(_CFSR, 0x82, 1, exception=4)])) == []


_BAD_FAULT_HANDLERS = {
    "forced update": "word_write(kTim2Ccr1, 0u); word_write(kTim2Egr, 1u);",
    "forced low": "word_write(kTim2Ccmr1, 0x48u);",
    "channel off": "word_write(kTim2Ccer, 0u);",
}
_SERIAL = next(number for number, attack in enumerate(ATTACKS, 1) if attack.name == "serial port")
_COMPARE = next(number for number, attack in enumerate(ATTACKS, 1) if attack.name == "timer: compare value")


@pytest.mark.emulation
@pytest.mark.toolchain
@pytest.mark.usefixtures("emulation_tools")
@pytest.mark.parametrize("statement", _BAD_FAULT_HANDLERS.values(), ids=_BAD_FAULT_HANDLERS)
def test_a_fault_handler_that_moves_the_pin_is_seen(tmp_path: Path, statement: str) -> None:
    """The output is high when the confined part chooses to fault."""
    judgement = _faulting(tmp_path, statement)
    assert Departure.ADDRESS in {finding.departure for finding in judgement.findings}
    assert [(edge.cause, edge.level) for edge in judgement.moved_outside_updates] == [(Cause.SOFTWARE, Level.LOW)]


@pytest.mark.emulation
@pytest.mark.toolchain
@pytest.mark.usefixtures("emulation_tools")
def test_a_fault_handler_cannot_disconnect_the_pin_of_a_locked_port(tmp_path: Path) -> None:
    """QEMU has no lock: this is the model's reading of it, and of the gate's sequence. The store is wrong anyway."""
    judgement = _faulting(tmp_path, "word_write(kGpioA + kGpioModer, 0xFFFFFFFFu);")
    assert {finding.departure for finding in judgement.findings} == {Departure.ADDRESS}
    assert judgement.moved_outside_updates == ()


def _faulting(directory: Path, statement: str) -> Judgement:
    bad = patched(gate_text("fault.c"), "    mailbox = 0u;\n", f"    mailbox = 0u;\n    {statement}\n")
    frames = [honest_frame(bright=True), honest_frame(bright=True), attack_frame(_SERIAL)]
    return judge(run_variant(build_attacks(directory / "bad.elf", {"fault.c": bad}), frames))


@pytest.mark.emulation
@pytest.mark.toolchain
@pytest.mark.usefixtures("emulation_tools")
def test_confined_code_that_reaches_the_timer_is_seen(tmp_path: Path) -> None:
    """The control for the silence of all attempts against the reference gate: here memory protection stays off."""
    open_gate = patched(gate_text("protection.c"), "word_write(kMpuCtrl, kControl);", "(void)kControl;")
    image = build_attacks(tmp_path / "open.elf", {"protection.c": open_gate})
    observation = run_variant(image, [attack_frame(_SERIAL), attack_frame(_COMPARE)])
    assert {write.address for write in observation.from_confined()} == {0x40004404, _CCR1}
    found = {finding.departure for finding in judge(observation).findings}
    assert {Departure.NOT_A_HANDLER, Departure.NOT_THE_GATE} <= found
