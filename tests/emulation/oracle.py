"""Judges a run: did privileged code do exactly what the design allows, and did the pin move only at updates?

Two independent questions, both asked of what was seen in QEMU and neither of the verifier:

- `departures`: every store to a device or system register after the timer was started is held against a list written
  from the design: which handler may make it, with which value, in which order, as one word, from one instruction
  inside the gate, and in the tick always at the same number of instructions after the handler's entry (which under
  -icount is virtual time).
- `pin_edges` in pin.py: what those stores make of the pin if the manual is read as it is there.

What it does not prove: anything about silicon (caches, wait states, bus arbitration, the port, the clock tree), that
a store QEMU refuses is refused by the part, and loads, which may have side effects too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reference_module.emulate.events import TICK_EXCEPTION, DeviceWrite, Event, ExceptionTaken, Origin
from tests.emulation.observation import GATE_FLASH, Observation
from tests.emulation.pin import Cause, Edge, Level, levels, pin_edges

_TIM2_CR1, _TIM2_SR, _TIM2_CCR1 = 0x40000000, 0x40000010, 0x40000034
_SHCSR, _CFSR, _HFSR = 0xE000ED24, 0xE000ED28, 0xE000ED2C
_FAULTS_ENABLED = 7 << 16


class Departure(StrEnum):
    """In which respect a store is not what the design allows."""

    NOT_A_HANDLER = "made outside any handler"
    NOT_THE_GATE = "made by an instruction outside the gate"
    ADDRESS = "to an address that this handler may not write"
    VALUE = "of a value that is not allowed there"
    WIDTH = "narrower than a word"
    ORDER = "out of order"
    MISSING = "a store that the handler must make did not come"
    TWO_PLACES = "made by two different instructions"
    TIME = "at another time after the handler's entry than before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    departure: Departure
    tick: int
    write: DeviceWrite | None

    def __str__(self) -> str:
        if self.write is None:
            return f"tick {self.tick}: {self.departure}"
        place = "?" if self.write.program_counter is None else f"{self.write.program_counter:#010x}"
        return f"tick {self.tick}: {self.departure}: {self.write.value:#x} to {self.write.address:#010x} from {place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A store that a handler makes."""

    address: int
    values: frozenset[int]
    timed: bool
    """Whether its time after the handler's entry must be the same each time."""


_LEVELS = frozenset({0, 0xFFFFFFFF})
"""Low throughout, and high throughout whatever the reload value but the largest (RM0368, PWM mode)."""

TICK_STORES = (
    Allowed(address=_TIM2_SR, values=frozenset({0}), timed=True),
    Allowed(address=_TIM2_CCR1, values=_LEVELS, timed=True),
    Allowed(address=_SHCSR, values=frozenset({_FAULTS_ENABLED}), timed=True),
)
FAULT_REGISTERS = frozenset({_CFSR, _HFSR})
"""Status bits, cleared by writing 1: no value does anything else (ARMv7-M ARM B3.2.15, B3.2.16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    findings: tuple[Finding, ...]
    edges: tuple[Edge, ...]
    levels: tuple[Level, ...]
    """After each update event."""

    @property
    def moved_outside_updates(self) -> tuple[Edge, ...]:
        """Changes of the pin after the first update event that were not made by one."""
        return tuple(edge for edge in self.edges if edge.tick and edge.cause is not Cause.UPDATE)


def judge(observation: Observation) -> Judgement:
    """Raises ValueError for a run in which nothing was to be seen: an empty run must not look like a good one."""
    if not observation.ticks or not any(write.tick for write in observation.writes):
        raise ValueError("the run has no tick, or no store after one")
    edges = pin_edges(observation.events)
    return Judgement(
        findings=tuple(departures(observation.events)),
        edges=edges,
        levels=levels(edges, observation.ticks),
    )


def departures(events: Sequence[Event]) -> Iterator[Finding]:
    """In order of time. A handler's missing stores are found when the next exception is taken, the last one's never."""
    places: dict[int, int | None] = {}
    times: dict[int, int | None] = {}
    started = False
    expected: list[Allowed] = []
    for event in events:
        if isinstance(event, ExceptionTaken):
            yield from (Finding(departure=Departure.MISSING, tick=event.tick, write=None) for _ in expected)
            expected = list(TICK_STORES) if event.number == TICK_EXCEPTION else []
        elif isinstance(event, DeviceWrite) and not event.refused:
            if started:
                found = [*_place(event, places), *_content(event, expected, times)]
                yield from (Finding(departure=departure, tick=event.tick, write=event) for departure in found)
            started = started or (event.address == _TIM2_CR1 and event.value & 1 == 1)


def _place(write: DeviceWrite, places: dict[int, int | None]) -> Iterator[Departure]:
    if write.origin is not Origin.HANDLER:
        yield Departure.NOT_A_HANDLER
    if write.program_counter not in GATE_FLASH:
        yield Departure.NOT_THE_GATE
    if write.width != 4:
        yield Departure.WIDTH
    if places.setdefault(write.address, write.program_counter) != write.program_counter:
        yield Departure.TWO_PLACES


def _content(write: DeviceWrite, expected: list[Allowed], times: dict[int, int | None]) -> Iterator[Departure]:
    if write.exception != TICK_EXCEPTION:
        if write.address not in FAULT_REGISTERS:
            yield Departure.ADDRESS
        return
    allowed = next((each for each in TICK_STORES if each.address == write.address), None)
    if allowed is None:
        yield Departure.ADDRESS
        return
    if write.value not in allowed.values:
        yield Departure.VALUE
    if allowed.timed and times.setdefault(write.address, write.since_entry) != write.since_entry:
        yield Departure.TIME
    if expected and expected[0] is allowed:
        expected.pop(0)
    else:
        yield Departure.ORDER
