"""What the manual says the output pin does, computed from the stores that a run was seen to make.

QEMU has no output compare and no port, hence no pin. This model is written from ST's reference manuals (RM0368 and,
for the same timer block, RM0090: general-purpose timers, ports, reset and clock control) and shares nothing with the
verifier. It therefore proves one thing: that the stores which the image really makes move the pin as claimed *if the
manual is read as here*. It says nothing about silicon, and both the gate's author and this file may have misread the
same sentence.

Modelled: timer 2 channel 1 (PWM mode 1, forced and frozen modes, preload of compare and reload value, update by
overflow and by UG, UDIS, output enable and polarity), port A pin 5 (mode, alternate function, output data, lock),
their clock enables and resets, and what the buses do to stores narrower than a word. Anything else that would drive
the pin makes its level UNKNOWN, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from reference_module.emulate.events import DeviceWrite, Event, Tick

TIM2 = range(0x40000000, 0x40000400)
GPIOA = range(0x40020000, 0x40020400)
RCC = range(0x40023800, 0x40023C00)

_CR1, _SMCR, _EGR, _CCMR1, _CCER, _CNT, _ARR, _CCR1 = 0x00, 0x08, 0x14, 0x18, 0x20, 0x24, 0x2C, 0x34
_CEN, _UDIS, _DIRECTION_AND_ALIGNMENT, _ARPE = 1 << 0, 1 << 1, 7 << 4, 1 << 7
_CC1S, _OC1PE, _OC1M, _OC1CE = 3 << 0, 1 << 3, 7 << 4, 1 << 7
_CC1E, _CC1P = 1 << 0, 1 << 1
_FROZEN, _FORCED_LOW, _FORCED_HIGH, _PWM1, _PWM2 = 0, 4, 5, 6, 7

_MODER, _IDR, _ODR, _BSRR, _LCKR, _AFRL, _AFRH = 0x00, 0x10, 0x14, 0x18, 0x1C, 0x20, 0x24
_LOCKED = frozenset({_MODER, 0x04, 0x08, 0x0C, _AFRL, _AFRH})
_LOCK_KEY = 1 << 16
_PIN = 5
_ANALOGUE_OR_INPUT, _OUTPUT, _ALTERNATE = (0, 3), 1, 2
_TIM2_CH1 = 1

_AHB1RSTR, _APB1RSTR, _AHB1ENR, _APB1ENR = 0x10, 0x20, 0x30, 0x40
_PORT_A_BIT, _TIM2_BIT = 1 << 0, 1 << 0
_GPIOA_RESET = {_MODER: 0xA8000000, 0x08: 0x0C000000, 0x0C: 0x64000000}
_TIM2_RESET = {_ARR: 0xFFFFFFFF}


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"
    FLOATING = "floating"
    """Not driven by the part: the board's pull-down decides."""
    UNKNOWN = "unknown"


class Cause(StrEnum):
    UPDATE = "update"
    """The timer's own update event: the only cause that may move the pin."""
    COMPARE = "compare"
    """The timer within a period, because the compare value lies within it."""
    SOFTWARE = "software"
    """A store, at the instant at which it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A change of the pin."""

    tick: int
    level: Level
    cause: Cause
    write: DeviceWrite | None
    """The store, where that was the cause."""


def pin_edges(events: Iterable[Event]) -> tuple[Edge, ...]:
    """Every change of PA5 from reset on, where it floats."""
    pin = _Pin()
    edges: list[Edge] = []
    level = Level.FLOATING
    for event in events:
        for new, cause in pin.changes(event):
            if new is not level:
                write = event if isinstance(event, DeviceWrite) else None
                edges.append(Edge(tick=pin.tick, level=new, cause=cause, write=write))
                level = new
    return tuple(edges)


def levels(edges: Iterable[Edge], ticks: int) -> tuple[Level, ...]:
    """The level right after each update event, from the first."""
    found: list[Level] = []
    level, rest = Level.FLOATING, list(edges)
    for tick in range(1, ticks + 1):
        while rest and (rest[0].tick < tick or (rest[0].tick == tick and rest[0].cause is Cause.UPDATE)):
            level = rest.pop(0).level
        found.append(level)
    return tuple(found)


@dataclass(slots=True)
class _Pin:
    tick: int = 0
    clocks: dict[int, int] = field(default_factory=dict)
    timer: dict[int, int] = field(default_factory=lambda: dict(_TIM2_RESET))
    port: dict[int, int] = field(default_factory=lambda: dict(_GPIOA_RESET))
    compare: int = 0
    """The compare value in force, unlike the one in the preload register."""
    reload: int = 0xFFFFFFFF
    reference: Level = Level.LOW
    """OC1REF, kept by the frozen mode."""
    lock_steps: list[int] = field(default_factory=list)
    locked: int = 0
    """Pins whose configuration is locked, one bit each."""

    def changes(self, event: Event) -> list[tuple[Level, Cause]]:
        """The levels that follow from an event, which may be the level before."""
        if isinstance(event, Tick):
            self.tick = event.number
            return self.update()
        if isinstance(event, DeviceWrite) and not event.refused:
            self.store(event)
            return [(self.level(), Cause.SOFTWARE)]
        return []

    def store(self, write: DeviceWrite) -> None:
        if write.address in RCC:
            self._store_clocks(write)
        elif write.address in TIM2 and self.clocks.get(_APB1ENR, 0) & _TIM2_BIT:
            self._store_timer((write.address - TIM2.start) & ~3, _widened(write))
        elif write.address in GPIOA and self.clocks.get(_AHB1ENR, 0) & _PORT_A_BIT:
            offset = (write.address - GPIOA.start) & ~3
            self._store_port(offset, _merged(self.port.get(offset, 0), write))

    def update(self) -> list[tuple[Level, Cause]]:
        """Overflow: what is preloaded comes into force unless UDIS forbids; a compare value may make one more edge."""
        if not self._runs():
            return []
        if not self.timer.get(_CR1, 0) & _UDIS:
            self._transfer()
        self._follow(start_of_period=True)
        first = (self.level(), Cause.UPDATE)
        if self._mode() not in (_PWM1, _PWM2) or not 0 < self.compare <= self.reload:
            return [first]
        self.reference = _flipped(self.reference)
        return [first, (self.level(), Cause.COMPARE)]

    def level(self) -> Level:
        mode = self.port.get(_MODER, 0) >> 2 * _PIN & 3
        if mode in _ANALOGUE_OR_INPUT:
            return Level.FLOATING
        if mode == _OUTPUT:
            return Level.HIGH if self.port.get(_ODR, 0) >> _PIN & 1 else Level.LOW
        if self.port.get(_AFRL, 0) >> 4 * _PIN & 15 != _TIM2_CH1:
            return Level.UNKNOWN
        return self._output()

    def _output(self) -> Level:
        enable = self.timer.get(_CCER, 0)
        if not enable & _CC1E:
            return Level.LOW
        return _flipped(self.reference) if enable & _CC1P else self.reference

    def _runs(self) -> bool:
        return bool(self.timer.get(_CR1, 0) & _CEN and self.clocks.get(_APB1ENR, 0) & _TIM2_BIT)

    def _mode(self) -> int:
        return (self.timer.get(_CCMR1, 0) & _OC1M) >> 4

    def _store_clocks(self, write: DeviceWrite) -> None:
        offset = (write.address - RCC.start) & ~3
        self.clocks[offset] = _merged(self.clocks.get(offset, 0), write)
        if offset == _APB1RSTR and self.clocks[offset] & _TIM2_BIT:
            self.timer, self.compare, self.reload, self.reference = dict(_TIM2_RESET), 0, 0xFFFFFFFF, Level.LOW
        if offset == _AHB1RSTR and self.clocks[offset] & _PORT_A_BIT:
            self.port, self.locked = dict(_GPIOA_RESET), 0

    def _store_timer(self, offset: int, value: int) -> None:
        if offset == _EGR:
            if value & 1 and not self.timer.get(_CR1, 0) & _UDIS:
                self._transfer()
            self._follow(start_of_period=True)
            return
        self.timer[offset] = value
        if offset == _CCR1 and not self.timer.get(_CCMR1, 0) & _OC1PE:
            self.compare = value
        if offset == _ARR and not self.timer.get(_CR1, 0) & _ARPE:
            self.reload = value
        self._follow(start_of_period=False)

    def _transfer(self) -> None:
        self.compare = self.timer.get(_CCR1, 0)
        self.reload = self.timer.get(_ARR, 0)

    def _follow(self, *, start_of_period: bool) -> None:
        """Recomputes OC1REF. Inside a period the count is unknown, and with it what a compare value in it gives."""
        mode = self._mode()
        strange = self.timer.get(_CR1, 0) & _DIRECTION_AND_ALIGNMENT or self.timer.get(_SMCR, 0)
        if strange or self.timer.get(_CCMR1, 0) & (_CC1S | _OC1CE):
            self.reference = Level.UNKNOWN
        elif mode in (_FORCED_LOW, _FORCED_HIGH):
            self.reference = Level.HIGH if mode == _FORCED_HIGH else Level.LOW
        elif mode in (_PWM1, _PWM2):
            reference = self._compared(start_of_period=start_of_period)
            self.reference = _flipped(reference) if mode == _PWM2 else reference
        elif mode != _FROZEN:
            self.reference = Level.UNKNOWN

    def _compared(self, *, start_of_period: bool) -> Level:
        """PWM mode 1, counting up: high while the count is below the compare value."""
        if self.compare == 0:
            return Level.LOW
        if self.compare > self.reload or start_of_period:
            return Level.HIGH
        return Level.UNKNOWN

    def _store_port(self, offset: int, value: int) -> None:
        if offset == _LCKR:
            self._store_lock(value)
        elif offset == _BSRR:
            kept = self.port.get(_ODR, 0) & ~(value >> 16)
            self.port[_ODR] = kept | value & 0xFFFF
        elif offset not in _LOCKED or not self.locked >> _PIN & 1:
            self.port[offset] = value

    def _store_lock(self, value: int) -> None:
        """Key set, clear, set, with the same pins each time (RM0368, port configuration lock register)."""
        self.lock_steps = [*self.lock_steps, value][-3:]
        if len(self.lock_steps) == 3 and not self.locked:
            first, second, third = self.lock_steps
            if first == third == second | _LOCK_KEY and not second & _LOCK_KEY:
                self.locked = second & 0xFFFF


def _flipped(level: Level) -> Level:
    return {Level.LOW: Level.HIGH, Level.HIGH: Level.LOW}.get(level, Level.UNKNOWN)


def _widened(write: DeviceWrite) -> int:
    """On the peripheral buses a byte or halfword is repeated over the whole register (RM0368, bus bridges)."""
    copies = {1: 0x01010101, 2: 0x00010001, 4: 1}[write.width]
    return (write.value & ((1 << 8 * write.width) - 1)) * copies


def _merged(old: int, write: DeviceWrite) -> int:
    """On the fast bus a byte or halfword changes its part of the register."""
    shift = 8 * (write.address & 3)
    mask = ((1 << 8 * write.width) - 1) << shift
    return old & ~mask | write.value << shift & mask
