"""What each pin of the part is at the drop, and what could change it later.

Ports are the blocks with the capability `gpio` that have a mode register (RM0368 8.4.1); each has 16 pins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from pinproof.facts._core import Facts
from pinproof.facts._view import Touch, blocks_with, device, drops, field, handlers, is_tick, stores
from pinproof.silicon import Capability, Peripheral

PINS = 16


class Mode(IntEnum):
    """MODER, two bits a pin (RM0368 8.4.1)."""

    INPUT = 0
    OUTPUT = 1
    ALTERNATE = 2
    ANALOG = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PinState:
    """What one pin can be at the drops."""

    name: str
    modes: frozenset[Mode]
    functions: frozenset[int]
    """Alternate functions that its selector can hold; only of interest where the mode can be ALTERNATE."""


def ports(facts: Facts) -> tuple[Peripheral, ...]:
    return tuple(
        block
        for block in blocks_with(facts, Capability.GPIO)
        if any(register.name == "MODER" for register in block.registers)
    )


def port_of(facts: Facts, pin: str) -> Peripheral | None:
    """The port of a pin such as PA5, or None where the part has none of that letter."""
    return next((block for block in ports(facts) if block.name == f"GPIO{pin[1]}"), None)


def pin_states(facts: Facts) -> Iterator[PinState]:
    """Every pin of every port, over all drops."""
    for block in ports(facts):
        for number in range(PINS):
            yield PinState(
                name=f"P{block.name[-1]}{number}",
                modes=frozenset(Mode(value) for value in _field_at_drops(facts, block, "MODER", 2 * number, 3)),
                functions=_field_at_drops(facts, block, *_selector(number), 0xF),
            )


def pin_state(facts: Facts, pin: str) -> PinState | None:
    return next((state for state in pin_states(facts) if state.name == pin), None)


def port_stores_after_drop(facts: Facts) -> Iterator[Touch]:
    """Every store of a handler to a port, except those that may drive a declared sensor line.

    Allowed is a word of constants to the set-and-reset register, in the tick, on every path and outside loops, that
    touches only declared sensor pins.
    """
    for block in ports(facts):
        for touch in stores(facts, handlers(facts), block.base, block.size):
            if not _is_sensor_line_store(facts, block, touch):
                yield touch


def _is_sensor_line_store(facts: Facts, block: Peripheral, touch: Touch) -> bool:
    access = touch.access
    numbers = {int(pin[2:]) for pin in facts.declaration.sensor.pins if f"GPIO{pin[1]}" == block.name}
    allowed = sum(1 << number | 1 << number + 16 for number in numbers)
    value = access.value.only
    return (
        touch.exact == block.register("BSRR").address
        and access.width == 4
        and value is not None
        and not value & ~allowed
        and not access.value.origins
        and not access.control
        and access.must
        and not access.in_loop
        and is_tick(facts, touch.run)
    )


def _selector(number: int) -> tuple[str, int]:
    return ("AFRL", 4 * number) if number < 8 else ("AFRH", 4 * (number - 8))


def _field_at_drops(facts: Facts, block: Peripheral, name: str, shift: int, mask: int) -> frozenset[int]:
    """Every value of the field; all of them where nothing is known."""
    found: set[int] = set()
    for drop in drops(facts):
        values = field(device(drop, block.register(name).address), mask << shift)
        found |= {value >> shift for value in values} if values is not None else set(range(mask + 1))
    return frozenset(found)
