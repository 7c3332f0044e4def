"""Loops that overwrite a block of memory completely: what makes "all RAM was cleared" a fact and not a hope.

A store counts when every iteration passes its instruction, its address is `start + step * k` for the iteration k, and
it always writes the same value; an instruction that stores several words makes several stores. Stores that together
leave no gap form a fill. It holds after the loop only if no other store of the loop can have touched the block.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import ranges
from .ranges import MASK
from .state import State
from .trace import Place, StoreLog, ram_token
from .values import Linear


@dataclass(frozen=True, slots=True)
class Fill:
    low: int
    high: int
    """Bytes [low, high) are written in iteration 0."""
    step: int
    """Signed change of both in one iteration."""
    word: int
    """What every word of the block holds afterwards."""
    places: frozenset[Place]


@dataclass(frozen=True, slots=True)
class _Unit:
    offset: int
    width: int
    step: int
    word: int
    place: Place


def fills_of(log: StoreLog, counter: int, back: State) -> list[Fill]:
    units = [unit for place in log.places() if (unit := _unit(log, place, counter, back)) is not None]
    fills = []
    for step, word in sorted({(unit.step, unit.word) for unit in units}):
        fills += _contiguous([unit for unit in units if (unit.step, unit.word) == (step, word)])
    return fills


def _unit(log: StoreLog, place: Place, counter: int, back: State) -> _Unit | None:
    if ram_token(place[0]) not in back.passed:
        return None
    entries = {(entry.address, entry.width, entry.value) for entry in log.entries if entry.place == place}
    if len(entries) != 1:
        return None
    ((address, width, value),) = entries
    if not isinstance(address, Linear) or not isinstance(value, int) or len(address.terms) != 1:
        return None
    symbol, factor = address.terms[0]
    if symbol != counter:
        return None
    unit = value & ((1 << 8 * width) - 1)
    word = sum(unit << shift for shift in range(0, 32, 8 * width))
    return _Unit(address.constant, width, ranges.signed(factor), word, place)


def _contiguous(units: list[_Unit]) -> list[Fill]:
    """The fill that these units make together, if their bytes adjoin and one iteration's reach the next one's."""
    ordered = sorted(units, key=lambda unit: unit.offset)
    low = high = ordered[0].offset
    for unit in ordered:
        if unit.offset > high:
            return []
        high = max(high, unit.offset + unit.width)
    if high - low < abs(ordered[0].step):
        return []
    return [Fill(low, high, ordered[0].step, ordered[0].word, frozenset(unit.place for unit in units))]


def apply_fills(state: State, fills: list[Fill], log: StoreLog, count: int) -> None:
    """Write the fills into a state that left the loop in iteration `count` (counted from 0)."""
    for fill in fills:
        complete = count + all(ram_token(site) in state.passed for site, _ in fill.places)
        if complete < 1:
            continue
        reach = fill.step * (complete - 1)
        low, high = fill.low + min(reach, 0), fill.high + max(reach, 0)
        low, high = low + 3 & ~3, high & ~3
        if 0 <= low < high <= MASK and not _disturbed(log, fill, low, high):
            state.fill(low, high, ranges.exactly(fill.word))


def _disturbed(log: StoreLog, fill: Fill, low: int, high: int) -> bool:
    return any(
        entry.place not in fill.places and entry.reach.low < high and entry.reach.high + entry.width > low
        for entry in log.entries
    )
