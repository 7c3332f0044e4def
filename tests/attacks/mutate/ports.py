"""The projection of the pins: what each pin of each port is connected to, in place of the stores that made it so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.attacks.mutate.behaviour import Event, Pins, Start, Store

Trace = tuple[Event, ...]
PORTS = range(0x40020000, 0x40022000)
_BLOCK = 0x400
_MODER, _OTYPER, _BSRR, _LCKR, _AFRL, _AFRH = 0x00, 0x04, 0x18, 0x1C, 0x20, 0x24
_CONFIGURATION = frozenset({0x00, 0x04, 0x08, 0x0C, 0x20, 0x24})
"""What a lock freezes (RM0368 8.4.8)."""
_RESET = {0: 0xA8000000, 1: 0x00000280}
"""Modes after reset of ports A and B; 0 for the others (RM0368 8.4.1)."""
_OUTPUT, _ALTERNATE = 1, 2
_OUTPUT_PIN = (0, 5)
_BY_TIMER = (_ALTERNATE, 1)
_LOCK_KEY = 1 << 16
_CCER = 0x40000020
Driven = tuple[tuple[int, int, int, int, int], ...]


@dataclass(slots=True)
class _Port:
    number: int
    registers: dict[int, int] = field(default_factory=dict)
    lock: list[int] = field(default_factory=list)
    locked: int = 0

    def store(self, offset: int, value: int) -> None:
        if offset == _LCKR:
            self._store_lock(value)
        elif offset in _CONFIGURATION and self.locked:
            self.registers[offset] = self._merged(offset, value)
        else:
            self.registers[offset] = value

    def driven(self) -> Iterator[tuple[int, int, int, int, int]]:
        modes = self.registers.get(_MODER, _RESET.get(self.number, 0))
        for pin in range(16):
            mode = modes >> 2 * pin & 3
            driver = self.registers.get(_OTYPER, 0) >> pin & 1
            if mode == _ALTERNATE:
                yield self.number, pin, mode, self._function(pin), driver
            elif mode == _OUTPUT:
                yield self.number, pin, mode, self.registers.get(0x14, 0) >> pin & 1, driver

    def _function(self, pin: int) -> int:
        return self.registers.get(_AFRL if pin < 8 else _AFRH, 0) >> 4 * (pin % 8) & 15

    def _merged(self, offset: int, value: int) -> int:
        bits = {_MODER: 2, 0x08: 2, 0x0C: 2, 0x04: 1}.get(offset, 4)
        first = 8 if offset == _AFRH else 0
        mask = sum(
            ((1 << bits) - 1) << bits * (pin - first)
            for pin in range(first, 16)
            if self.locked >> pin & 1 and bits * (pin - first) < 32
        )
        old = self.registers.get(offset, _RESET.get(self.number, 0) if offset == _MODER else 0)
        return old & mask | value & ~mask & 0xFFFFFFFF

    def _store_lock(self, value: int) -> None:
        """Key set, clear, set, with the same pins each time."""
        self.lock = [*self.lock, value][-3:]
        if len(self.lock) == 3 and not self.locked:
            first, second, third = self.lock
            if first == third == second | _LOCK_KEY and not second & _LOCK_KEY:
                self.locked = second & 0xFFFF


def effective(trace: Trace) -> Trace:
    """Boot's word stores to ports become what drives the output pin after each, and all pins at the drop.

    The timer drives its pin from when its channel is enabled.
    """
    ports = {number: _Port(number) for number in range(8)}
    kept: list[Event] = []
    last: Driven = ()
    enabled = dropped = False
    for event in trace:
        dropped = dropped or isinstance(event, Start)
        if isinstance(event, Start) and not event.exception:
            kept.append(Pins(tuple(_all(ports))))
        if dropped or not isinstance(event, Store) or not _to_port(event):
            kept.append(event)
        else:
            _stored(ports, event)
        enabled = enabled or (isinstance(event, Store) and event.address == _CCER and bool(event.value))
        output = tuple(
            each for each in ports[0].driven() if each[:2] == _OUTPUT_PIN and (enabled or each[2:4] != _BY_TIMER)
        )
        if output != last and not dropped:
            kept.append(Pins(output))
            last = output
    return tuple(kept)


def _stored(ports: dict[int, _Port], store: Store) -> None:
    for number in range(store.count):
        address = store.address + 4 * number
        ports[(address - PORTS.start) // _BLOCK].store(address % _BLOCK, store.value)


def _to_port(store: Store) -> bool:
    return store.exception == 0 and store.width == 4 and store.address in PORTS and store.end <= PORTS.stop


def _all(ports: dict[int, _Port]) -> Iterator[tuple[int, int, int, int, int]]:
    for number in (0, 1, 2, 3, 4, 7):
        yield from ports[number].driven()
