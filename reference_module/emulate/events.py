"""What a run's log says, in order, in types. See emulator.py and plugin/trace.c for who writes which line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

TICK_EXCEPTION = 44
"""Timer 2 is interrupt 28 (RM0368, vector table), so exception 16 + 28."""


class Origin(StrEnum):
    """Who made a store."""

    BOOT = "boot"
    """Thread mode before the first instruction of confined code."""
    HANDLER = "handler"
    CONFINED = "confined"
    """Thread mode afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """An update event of timer 2."""

    number: int
    """From 1."""
    milliseconds: int
    """Virtual time since the start, rounded down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWrite:
    """A store to a device or to the system control space, carried out or refused."""

    tick: int
    """Ticks so far."""
    address: int
    value: int
    width: int
    """Bytes."""
    program_counter: int | None
    """None where the store was refused."""
    refused: bool
    """It reached a device that answered with a bus error, as all system registers do to unprivileged code."""
    origin: Origin
    exception: int | None
    """Number of the exception whose handler was running."""
    since_entry: int | None
    """Instructions since the first of that handler. None outside handlers, and where refused."""
    instructions: int | None
    """Instructions since reset. None where refused."""
    milliseconds_in_period: int
    """Virtual time since the last tick (or the start), rounded down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionTaken:
    tick: int
    number: int
    origin: Origin
    """What was interrupted. One that is taken instead of a handler's return counts as taken in that handler."""
    details: tuple[str, ...]
    """What QEMU says of it: status bits and fault addresses."""
    milliseconds_in_period: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A watched address was about to be executed."""

    tick: int
    address: int
    instructions: int
    outside_flash: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A watched word in memory was read or written."""

    tick: int
    address: int
    store: bool
    instructions: int
    origin: Origin


Event = Tick | DeviceWrite | ExceptionTaken | Reached | Access

_LINE = re.compile(
    r"memory_region_ops_write cpu (?P<cpu>-?\d+) mr \S+ addr (?P<address>0x[0-9a-f]+)"
    r" value (?P<value>0x[0-9a-f]+) size (?P<width>\d+)"
    r"|@store (?P<store_pc>[0-9a-f]+) [0-9a-f]+ \d+ (?P<store_count>\d+)"
    r"|@(?P<access>read|written) [0-9a-f]+ (?P<word>[0-9a-f]+) (?P<access_count>\d+)"
    r"|@(?P<kind>reach|outside) (?P<reach_pc>[0-9a-f]+) (?P<reach_count>\d+)"
    r"|NVIC external irq (?P<irq>44|46) level set to 1"
    r"|Taking exception \d+ \[(?P<cause>[^\]]*)\]"
    r"|\.\.\.taking pending nonsecure exception (?P<taken>\d+)"
    r"|\.\.\.(?P<detail>(?:with|as|at) .*|.*fault.*|.*Fault.*)"
    r"|(?P<chained>\.\.\.tailchaining to pending exception)"
    r"|(?P<returned>\.\.\.successful exception return)"
)
_BEAT = "46"


def read_events(lines: Iterable[str], *, handlers: frozenset[int], confined: frozenset[int]) -> Iterator[Event]:
    """`handlers`: first addresses of handlers. `confined`: addresses that are executed only after the drop."""
    return _Reader(handlers, confined).read(lines)


class _Reader:
    def __init__(self, handlers: frozenset[int], confined: frozenset[int]) -> None:
        self._handlers = handlers
        self._confined = confined
        self._tick = 0
        self._beats = 0
        self._tick_beat = 0
        self._dropped = False
        self._active: list[int] = []
        self._entry: int | None = None
        self._leaving = False
        self._details: list[str] = []
        self._pending: list[tuple[int, int, int]] = []

    def read(self, lines: Iterable[str]) -> Iterator[Event]:
        for line in lines:
            match = _LINE.search(line)
            if match is not None:
                yield from self._event(match)

    def _event(self, match: re.Match[str]) -> Iterator[Event]:
        if match["irq"]:
            yield from self._timer(match["irq"])
        elif match["cpu"]:
            if int(match["cpu"]) >= 0:  # -1 is the harness itself
                self._pending.append((int(match["address"], 16), int(match["value"], 16), int(match["width"])))
        elif match["store_pc"]:
            yield from self._writes(int(match["store_pc"], 16), int(match["store_count"]))
        elif match["access"]:
            yield Access(
                tick=self._tick,
                address=int(match["word"], 16),
                store=match["access"] == "written",
                instructions=int(match["access_count"]),
                origin=self._origin(),
            )
        elif match["kind"]:
            yield self._reached(match["kind"], int(match["reach_pc"], 16), int(match["reach_count"]))
        else:
            yield from self._exception(match)

    def _timer(self, irq: str) -> Iterator[Event]:
        if irq == _BEAT:
            self._beats += 1
            return
        self._tick += 1
        self._tick_beat = self._beats
        yield Tick(number=self._tick, milliseconds=self._beats)

    def _writes(self, program_counter: int | None, count: int | None) -> Iterator[Event]:
        refused = program_counter is None
        entered = self._entry if self._active and not refused else None
        for address, value, width in self._pending:
            yield DeviceWrite(
                tick=self._tick,
                address=address,
                value=value,
                width=width,
                program_counter=program_counter,
                refused=refused,
                origin=self._origin(),
                exception=self._active[-1] if self._active else None,
                since_entry=None if entered is None or count is None else count - entered,
                instructions=count,
                milliseconds_in_period=self._beats - self._tick_beat,
            )
        self._pending.clear()

    def _reached(self, kind: str, address: int, count: int) -> Event:
        if address in self._handlers:
            self._entry = count
        if address in self._confined and not self._active:
            self._dropped = True
        return Reached(tick=self._tick, address=address, instructions=count, outside_flash=kind == "outside")

    def _exception(self, match: re.Match[str]) -> Iterator[Event]:
        if match["cause"] is not None:
            yield from self._writes(None, None)
            self._details = []
            self._leaving = "exception exit" in match["cause"]
        elif match["detail"]:
            self._details.append(match["detail"])
        elif match["returned"]:
            if self._active:
                self._active.pop()
            self._leaving = False
        elif match["taken"]:
            yield self._taken(int(match["taken"]))

    def _taken(self, number: int) -> Event:
        """A handler that tries to return is over, even if another exception comes instead of the return."""
        origin = self._origin()
        if self._leaving and self._active:
            self._active.pop()
        self._leaving = False
        self._active.append(number)
        self._entry = None
        details, self._details = tuple(self._details), []
        return ExceptionTaken(
            tick=self._tick,
            number=number,
            origin=origin,
            details=details,
            milliseconds_in_period=self._beats - self._tick_beat,
        )

    def _origin(self) -> Origin:
        if self._active:
            return Origin.HANDLER
        return Origin.CONFINED if self._dropped else Origin.BOOT
