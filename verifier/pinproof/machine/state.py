"""One abstract state: every register, RAM word and device register as a slot, and what is known of the symbols in them.

Slots are keyed by number: core registers by their own, special registers and MPU regions by the constants below, RAM
words and device registers by address. A RAM word without a slot holds what its segment says; a device register without
one holds its reset value.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import pairwise
from operator import itemgetter

from . import ranges
from .effort import COPIED, KEPT, LOOKED_UP, SCANNED, VISITED
from .flags import Flags
from .ranges import Range
from .result import Origin, Site
from .values import Symbols, Value

LR = 14
MAIN_STACK = 16
PROCESS_STACK = 17
CONTROL = 18
PRIMASK = 19
FAULTMASK = 20
BASEPRI = 21
MPU_NUMBER = 0xE000ED98
MPU_CONTROL = 0xE000ED94
_MPU_REGIONS = 0x100

Segment = tuple[int, int, Range]
"""Bytes start up to end (word-aligned) whose words lie in the range unless they have a slot.

A state's segments are sorted and do not overlap."""
_start = itemgetter(0)


def region_slots(region: int) -> tuple[int, int]:
    """Slots of RBAR (base only) and RASR of one MPU region."""
    return _MPU_REGIONS + 2 * region, _MPU_REGIONS + 2 * region + 1


class State:
    __slots__ = (
        "barriers",
        "control",
        "cycles",
        "default",
        "flags",
        "passed",
        "segments",
        "slots",
        "stack_low",
        "symbols",
    )

    def __init__(self, symbols: Symbols, segments: list[Segment], default: Callable[[int], Range]) -> None:
        self.symbols = symbols
        self.segments = segments
        self.default = default
        self.slots: dict[int, Value] = {}
        self.flags = Flags()
        self.barriers: frozenset[str] = frozenset()
        self.passed: frozenset[tuple[str, Site, int | None]] = frozenset()
        self.control: frozenset[Origin] = ranges.NO_ORIGINS
        """Origins of the conditions that chose this path, the sensor's excepted."""
        self.cycles: float = 0
        self.stack_low: int | None = None

    def copy(self) -> State:
        self.symbols.source.effort.spend(len(self.slots) + len(self.symbols.ranges), COPIED)
        twin = State(self.symbols.copy(), self.segments, self.default)
        twin.slots = dict(self.slots)
        twin.flags = self.flags
        twin.barriers = self.barriers
        twin.passed = self.passed
        twin.control = self.control
        twin.cycles = self.cycles
        twin.stack_low = self.stack_low
        return twin

    def keep(self) -> None:
        """Count the state as one that stays in memory to the end."""
        self.symbols.source.effort.spend(len(self.slots) + len(self.symbols.ranges), KEPT)

    # --- slots ------------------------------------------------------------------------------------------------------

    def get(self, key: int) -> Value:
        """The value of a slot; one that was never written becomes a symbol, so that reading twice gives the same."""
        value = self.slots.get(key)
        if value is None:
            value = self.symbols.fresh(self.unwritten(key))
            self.slots[key] = value
            return value
        if isinstance(value, int):
            return value
        resolved = self.symbols.resolved(value)
        if resolved is not value:
            self.slots[key] = resolved
        return resolved

    def settled(self, key: int) -> Value | None:
        """The slot's value with everything known filled in; None where it has none."""
        value = self.slots.get(key)
        return value if value is None or isinstance(value, int) else self.symbols.resolved(value)

    def unwritten(self, key: int) -> Range:
        segment = self.segment_at(key)
        return segment[2] if segment is not None else self.default(key)

    def known(self, key: int) -> Range:
        """What the slot can hold, without naming it."""
        value = self.slots.get(key)
        return self.unwritten(key) if value is None else self.symbols.range(value)

    # --- RAM --------------------------------------------------------------------------------------------------------

    def segment_at(self, address: int) -> Segment | None:
        index = bisect_right(self.segments, address, key=_start) - 1
        return self.segments[index] if index >= 0 and address < self.segments[index][1] else None

    def overlay(self, start: int, end: int, change: Callable[[Range], Range]) -> None:
        """Replace the segments over [start, end) by `change` of themselves. Slots are left alone."""
        self.symbols.source.effort.spend(len(self.segments), VISITED)
        changed: list[Segment] = []
        for low, high, known in self.segments:
            inside_low, inside_high = max(low, start), min(high, end)
            if inside_low >= inside_high:
                changed.append((low, high, known))
                continue
            if low < inside_low:
                changed.append((low, inside_low, known))
            changed.append((inside_low, inside_high, change(known)))
            if inside_high < high:
                changed.append((inside_high, high, known))
        self.segments = _merged(changed)

    def fill(self, start: int, end: int, known: Range) -> None:
        """Every word of [start, end), word-aligned, was certainly overwritten with a value in `known`."""
        self.overlay(start, end, lambda _: known)
        for key in self.ram_slots(start, end):
            del self.slots[key]

    def smear(self, start: int, end: int, known: Range, width: int) -> None:
        """Some of the bytes [start, end) may have been overwritten with units of `width` bytes in `known`."""
        start, end = start & ~3, (end + 3) & ~3
        known = known.with_origins(self.control)

        def blurred(old: Range) -> Range:
            return _blurred(old, known, width)

        self.overlay(start, end, blurred)
        for key in self.ram_slots(start, end):
            self.slots[key] = self.symbols.fresh(blurred(self.symbols.range(self.slots[key])))

    def ram_slots(self, start: int, end: int) -> list[int]:
        found = [key for key in self.slots if start <= key < end]
        effort = self.symbols.source.effort
        effort.spend(len(self.slots), SCANNED)
        effort.spend(len(found), LOOKED_UP)
        return found


def _blurred(old: Range, known: Range, width: int) -> Range:
    if width == 4:
        return ranges.hull(old, known)
    byte = known.only
    if byte is not None and old.only == sum(byte << shift for shift in range(0, 32, 8 * width)):
        return old
    return ranges.anything(old.origins | known.origins)


def _merged(segments: list[Segment]) -> list[Segment]:
    merged: list[Segment] = []
    for segment in segments:
        if merged and merged[-1][1] == segment[0] and merged[-1][2] == segment[2]:
            merged[-1] = (merged[-1][0], segment[1], segment[2])
        else:
            merged.append(segment)
    return merged


def pieces(a: State, b: State) -> Iterator[tuple[int, int, Range, Range]]:
    """Both states' segments cut at the same places."""
    a.symbols.source.effort.spend(len(a.segments) + len(b.segments), VISITED)
    if a.segments is b.segments:
        for low, high, known in a.segments:
            yield low, high, known, known
        return
    cuts = sorted({edge for state in (a, b) for low, high, _ in state.segments for edge in (low, high)})
    for low, high in pairwise(cuts):
        of_a, of_b = a.segment_at(low), b.segment_at(low)
        if of_a is not None and of_b is not None:
            yield low, high, of_a[2], of_b[2]


def join(a: State, b: State, condition: frozenset[Origin] = ranges.NO_ORIGINS) -> State:
    """The smallest state around both that this domain can name.

    Where the same pair of values meets in several slots, the joined slots share one symbol, so equality survives.
    What differs between the two tells which path was taken, so it carries the origins of the conditions that chose the
    path: those recorded in the states, and `condition` for a choice that is over at this point.
    """
    a.symbols.source.effort.spend(len(a.slots) + len(b.slots), VISITED)
    joined = State(Symbols(a.symbols.source), [], a.default)
    joined.control = a.control | b.control
    taint = joined.control | condition
    joined.segments = (
        a.segments
        if a.segments is b.segments
        else _merged(
            [
                (low, high, one if one == other else ranges.hull(one, other).with_origins(taint))
                for low, high, one, other in pieces(a, b)
            ]
        )
    )
    shared: dict[tuple[Value, Value], Value] = {}
    slots, others = joined.slots, b.slots
    for key, value in a.slots.items():
        if isinstance(value, int) and others.get(key) == value:
            slots[key] = value
        else:
            slots[key] = _joined_slot(joined, a, b, key, shared, taint)
    for key in others.keys() - a.slots.keys():
        slots[key] = _joined_slot(joined, a, b, key, shared, taint)
    joined.flags = _joined_flags(joined, a, b, taint)
    joined.barriers = a.barriers & b.barriers
    joined.passed = a.passed & b.passed
    joined.cycles = max(a.cycles, b.cycles)
    joined.stack_low = _lowest(a.stack_low, b.stack_low)
    return joined


def _joined_slot(
    joined: State,
    a: State,
    b: State,
    key: int,
    shared: dict[tuple[Value, Value], Value],
    taint: frozenset[Origin],
) -> Value:
    same = a.slots.get(key)
    if same is None or same != b.slots.get(key):
        of_a, of_b = a.settled(key), b.settled(key)
        same = of_a if of_a == of_b else None
    if same is not None:
        adopt(joined.symbols, same, a.symbols, b.symbols)
        return same
    known = ranges.hull(a.known(key), b.known(key)).with_origins(taint)
    if of_a is None or of_b is None:
        # What was never written has no name yet: two such slots may differ, even where all else is equal.
        return joined.symbols.fresh(known)
    if (of_a, of_b) not in shared:
        shared[of_a, of_b] = joined.symbols.fresh(known)
    return shared[of_a, of_b]


def _joined_flags(joined: State, a: State, b: State, taint: frozenset[Origin]) -> Flags:
    if a.flags == b.flags:
        for value in (a.flags.a, a.flags.b):
            adopt(joined.symbols, value, a.symbols, b.symbols)
        return a.flags
    return Flags(a.flags.possible | b.flags.possible, origins=a.flags.origins | b.flags.origins | taint)


def adopt(into: Symbols, value: Value, a: Symbols, b: Symbols) -> None:
    """Carry what both states know of the value's symbols, and of the symbols those were derived from."""
    if isinstance(value, int):
        return
    for symbol, _ in value.terms:
        if symbol in into.ranges:
            continue
        known_a, known_b = a.ranges[symbol], b.ranges[symbol]
        into.ranges[symbol] = known_a if known_a == known_b else ranges.hull(known_a, known_b)
        definition = into.source.definitions.get(symbol)
        if definition is not None and a.knows(definition.operand) and b.knows(definition.operand):
            adopt(into, definition.operand, a, b)


def _lowest(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else min(a, b)


def cycles_of(state: State) -> int | None:
    return None if math.isinf(state.cycles) else int(state.cycles)
