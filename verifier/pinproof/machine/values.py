"""Values with identity: a constant, or a linear expression modulo 2^32 over symbols.

A symbol stands for one unknown 32-bit value in one execution: what a device register returned, a register at handler
entry, a loop's iteration count. What is known of it is a `Range` in the state, so narrowing it after a branch narrows
every copy in registers and memory at once. Operations that are not linear make a new symbol; its definition is kept so
that a branch on `status & 2` also teaches something about `status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from . import ranges
from .effort import Effort
from .ranges import MASK, Range
from .result import Origin

MOST_TERMS = 4


class Infeasible(Exception):
    """The path's conditions contradict each other: no execution takes it."""


@dataclass(frozen=True, slots=True)
class Linear:
    """`constant` + sum of coefficient * symbol, modulo 2^32. Terms are sorted by symbol; no coefficient is zero."""

    constant: int
    terms: tuple[tuple[int, int], ...]


Value = int | Linear


@dataclass(frozen=True, slots=True)
class Definition:
    """How a derived symbol came about: `and` with a mask, or `shift_right` by a count."""

    operation: str
    operand: Value
    amount: int


class SymbolSource:
    """Numbers symbols and remembers definitions, for one exploration."""

    def __init__(self, effort: Effort | None = None) -> None:
        self.effort = effort if effort is not None else Effort()
        self._next = 0
        self.definitions: dict[int, Definition] = {}

    def number(self) -> int:
        self._next += 1
        return self._next


def linear(constant: int, terms: Mapping[int, int]) -> Value:
    kept = tuple(sorted((symbol, factor & MASK) for symbol, factor in terms.items() if factor & MASK))
    return Linear(constant & MASK, kept) if kept else constant & MASK


class Symbols:
    """What one state knows of its symbols."""

    __slots__ = ("ranges", "source")

    def __init__(self, source: SymbolSource, known: dict[int, Range] | None = None) -> None:
        self.source = source
        self.ranges: dict[int, Range] = known if known is not None else {}

    def copy(self) -> Symbols:
        return Symbols(self.source, dict(self.ranges))

    def fresh(self, known: Range, definition: Definition | None = None) -> Value:
        """A new symbol within `known`, or the constant if that is all it can be and nothing taints it."""
        if known.low == known.high:
            return known.low
        symbol = self.source.number()
        self.ranges[symbol] = known
        if definition is not None:
            self.source.definitions[symbol] = definition
        return Linear(0, ((symbol, 1),))

    def range(self, value: Value) -> Range:
        if isinstance(value, int):
            return ranges.exactly(value)
        if len(value.terms) == 1:
            return self._range_of_one(value)
        total = ranges.exactly(value.constant)
        for symbol, factor in value.terms:
            total = ranges.add(total, ranges.scale(self.ranges[symbol], factor))
        return self._tightened(value, total)

    def _range_of_one(self, value: Linear) -> Range:
        symbol, factor = value.terms[0]
        known = self.ranges[symbol]
        if factor == 1 and value.constant == 0:
            return known
        total = ranges.add(ranges.exactly(value.constant), ranges.scale(known, factor))
        return total if total.values is not None else self._tightened(value, total)

    def _tightened(self, value: Linear, total: Range) -> Range:
        """Bounds by exact integer arithmetic, which see through a borrow that cancels (end - 4 * k)."""
        low = high = value.constant
        for symbol, factor in value.terms:
            known = self.ranges[symbol]
            step = ranges.signed(factor)
            low += step * (known.low if step > 0 else known.high)
            high += step * (known.high if step > 0 else known.low)
        if low >> 32 != high >> 32:
            return total
        exact = ranges.between(low & MASK, high & MASK, total.zeros, total.ones, total.origins)
        return total if exact is None else exact

    def resolved(self, value: Value) -> Value:
        """The value with every symbol that can only be one number replaced by it."""
        if isinstance(value, int):
            return value
        for symbol, _ in value.terms:
            known = self.ranges[symbol]
            if known.low == known.high:
                break
        else:
            return value
        constant = value.constant
        terms = {}
        for symbol, factor in value.terms:
            known = self.ranges[symbol]
            if known.low == known.high:
                constant += factor * known.low
            else:
                terms[symbol] = factor
        return linear(constant, terms)

    def knows(self, value: Value) -> bool:
        """Whether every symbol of the value still exists in this state; joins drop the ones no slot needs."""
        return isinstance(value, int) or all(symbol in self.ranges for symbol, _ in value.terms)

    def origins(self, value: Value) -> frozenset[Origin]:
        if isinstance(value, int):
            return ranges.NO_ORIGINS
        found: frozenset[Origin] = ranges.NO_ORIGINS
        for symbol, _ in value.terms:
            found |= self.ranges[symbol].origins
        return found

    # --- arithmetic -------------------------------------------------------------------------------------------------

    def add(self, a: Value, b: Value) -> Value:
        if isinstance(a, int):
            if isinstance(b, int):
                return a + b & MASK
            return Linear(b.constant + a & MASK, b.terms)
        if isinstance(b, int):
            return Linear(a.constant + b & MASK, a.terms)
        terms = dict(a.terms)
        for symbol, factor in b.terms:
            terms[symbol] = terms.get(symbol, 0) + factor
        total = linear(a.constant + b.constant, terms)
        if isinstance(total, Linear) and len(total.terms) > MOST_TERMS:
            return self.fresh(self.range(total))
        return total

    def scale(self, a: Value, factor: int) -> Value:
        if isinstance(a, int):
            return a * factor & MASK
        return linear(a.constant * factor, {symbol: known * factor for symbol, known in a.terms})

    def subtract(self, a: Value, b: Value) -> Value:
        return self.add(a, self.scale(b, MASK))

    def multiply(self, a: Value, b: Value) -> Value:
        if isinstance(a, int):
            return self.scale(b, a)
        if isinstance(b, int):
            return self.scale(a, b)
        return self.fresh(ranges.multiply(self.range(a), self.range(b)))

    def bit_and(self, a: Value, b: Value) -> Value:
        if isinstance(a, int) and isinstance(b, int):
            return a & b
        if isinstance(a, int):
            a, b = b, a
        known = self.range(a)
        if isinstance(b, int):
            if (known.zeros | b) == MASK:
                return a
            parts = self._parts(a)
            if len(parts) > 1:
                return self._together([self.bit_and(part, b) for part in parts])
            result = ranges.bit_and(known, ranges.exactly(b))
            return self.fresh(result, Definition("and", a, b))
        return self.fresh(ranges.bit_and(known, self.range(b)))

    def bit_or(self, a: Value, b: Value) -> Value:
        if isinstance(a, int) and isinstance(b, int):
            return a | b
        known_a, known_b = self.range(a), self.range(b)
        if (known_a.zeros | known_b.zeros) == MASK:
            return self.add(a, b)
        return self.fresh(ranges.bit_or(known_a, known_b))

    def bit_xor(self, a: Value, b: Value) -> Value:
        if isinstance(a, int) and isinstance(b, int):
            return a ^ b
        return self.fresh(ranges.bit_xor(self.range(a), self.range(b)))

    def invert(self, a: Value) -> Value:
        return self.subtract(MASK, a)

    def shift_left(self, a: Value, count: int) -> Value:
        return self.scale(a, 1 << count) if count < 32 else 0

    def shift_right(self, a: Value, count: int) -> Value:
        if isinstance(a, int):
            return a >> count
        parts = self._parts(a)
        if len(parts) > 1:
            return self._together([self.shift_right(part, count) for part in parts])
        symbol, factor = a.terms[0]
        alone = len(a.terms) == 1 and a.constant == 0
        if alone and factor == 1 << count and self.ranges[symbol].high <= MASK >> count:
            return linear(0, {symbol: 1})
        if self.range(a).high >> count == 0:
            return 0
        return self.fresh(ranges.shift_right(self.range(a), count), Definition("shift_right", a, count))

    def _parts(self, value: Value) -> list[Value]:
        """The terms of a sum that share no bit, as bytes of one word do: such a sum is their bitwise or.

        What is masked or shifted then keeps what is known of each part, where it came from included. The value itself
        where parts may meet.
        """
        if isinstance(value, int):
            return [value]
        parts: list[Value] = [linear(0, {symbol: factor}) for symbol, factor in value.terms]
        parts += [value.constant] if value.constant else []
        taken = 0
        for part in parts:
            bits = ~self.range(part).zeros & MASK
            if bits & taken:
                return [value]
            taken |= bits
        return parts

    def _together(self, parts: list[Value]) -> Value:
        total: Value = 0
        for part in parts:
            total = self.add(total, part)
        return total

    # --- learning from branches -------------------------------------------------------------------------------------

    def narrow(self, value: Value, allowed: Range) -> None:
        """Keep only executions in which `value` lies in `allowed`. Raises `Infeasible` when there are none."""
        value = self.resolved(value)
        if isinstance(value, int):
            if not allowed.contains(value):
                raise Infeasible
            return
        known = ranges.meet(self.range(value), allowed)
        if known is None:
            raise Infeasible
        if len(value.terms) == 1:
            symbol, factor = value.terms[0]
            self._narrow_symbol(symbol, factor, value.constant, known)

    def _narrow_symbol(self, symbol: int, factor: int, constant: int, known: Range) -> None:
        """Solve constant + factor * symbol in `known` for the symbol, where that is exact."""
        old = self.ranges[symbol]
        solved = _solved(old, factor, constant, known)
        if solved is None:
            raise Infeasible
        if solved == old:
            return
        self.ranges[symbol] = solved
        definition = self.source.definitions.get(symbol)
        if definition is None or not self.knows(definition.operand):
            return
        if definition.operation == "and":
            mask = definition.amount
            self.narrow(definition.operand, Range(0, MASK, solved.zeros & mask, solved.ones & mask))
        elif definition.operation == "shift_right":
            count = definition.amount
            low = solved.low << count
            high = min(MASK, (solved.high << count) | ((1 << count) - 1))
            allowed = ranges.between(low, high, solved.zeros << count & MASK, solved.ones << count & MASK)
            if allowed is None:
                raise Infeasible
            self.narrow(definition.operand, allowed)

    def exclude(self, value: Value, excluded: int) -> None:
        """Keep only executions in which `value` is not `excluded`."""
        value = self.resolved(value)
        if isinstance(value, int):
            if value == excluded:
                raise Infeasible
            return
        known = self.range(value)
        if known.values is not None and len(value.terms) == 1:
            if excluded not in known.values:
                return
            remaining = known.values - {excluded}
            if not remaining:
                raise Infeasible
            self.narrow(value, ranges.of_values(remaining, known.origins))
            return
        if len(value.terms) == 1:
            self._exclude_from_symbol(value, excluded)

    def _exclude_from_symbol(self, value: Linear, excluded: int) -> None:
        symbol, factor = value.terms[0]
        old = self.ranges[symbol]
        low, high = old.low, old.high
        while low <= high and (value.constant + factor * low) & MASK == excluded:
            low += 1
        while low <= high and (value.constant + factor * high) & MASK == excluded:
            high -= 1
        if (low, high) == (old.low, old.high):
            return
        trimmed = ranges.between(low, high, old.zeros, old.ones, old.origins) if low <= high else None
        if trimmed is None:
            raise Infeasible
        self._narrow_symbol(symbol, 1, 0, trimmed)


_FEW_TURNS = 2
"""A counter that starts below zero comes round through 2^32 once."""


@lru_cache(maxsize=1 << 16)
def _solved(old: Range, factor: int, constant: int, known: Range) -> Range | None:
    """The values in `old` whose image constant + factor * value is in `known`, or a superset; None if none is."""
    if factor == 1 and constant == 0:
        return ranges.meet(old, known)
    if old.values is not None:
        values = [value for value in old.values if known.contains((constant + factor * value) & MASK)]
        return ranges.of_values(values, old.origins) if values else None
    if known.only is not None:
        return _preimage(old, factor, constant, known.only)
    step = ranges.signed(factor)
    at_low, at_high = constant + step * old.low, constant + step * old.high
    turns = range(min(at_low, at_high) >> 32, (max(at_low, at_high) >> 32) + 1)
    if len(turns) <= _FEW_TURNS:
        parts = [_solved_in_turn(old, step, (turn << 32) - constant, known) for turn in turns]
        bounds = [part for part in parts if part[0] <= part[1]]
        low, high = min((part[0] for part in bounds), default=1), max((part[1] for part in bounds), default=0)
        solved = ranges.between(low, high, old.zeros, old.ones, old.origins) if low <= high else None
        if solved is None or constant or factor & (factor - 1):
            return solved
        old = solved
    if constant == 0 and not factor & (factor - 1):
        shift = factor.bit_length() - 1
        zeros, ones = old.zeros | known.zeros >> shift, old.ones | known.ones >> shift
        return ranges.between(old.low, old.high, zeros, ones, old.origins)
    return old


def _solved_in_turn(old: Range, step: int, base: int, known: Range) -> tuple[int, int]:
    """Bounds of the values in `old` with known.low <= step * value - base <= known.high; crossed where none is."""
    low_image, high_image = known.low + base, known.high + base
    first = -(-low_image // step) if step > 0 else -(-high_image // step)
    last = low_image // step if step < 0 else high_image // step
    return max(old.low, first), min(old.high, last)


def _preimage(old: Range, factor: int, constant: int, image: int) -> Range | None:
    """The values in `old` with constant + factor * value = image; `old` when they are too many to tell apart."""
    power = factor & -factor
    distance = image - constant & MASK
    if distance % power:
        return None
    spacing = (1 << 32) // power
    smallest = distance // power * pow(factor // power, -1, 1 << 32) % spacing
    first = smallest + -(-(old.low - smallest) // spacing) * spacing
    if first > old.high:
        return None
    if first + spacing <= old.high:
        return old
    return ranges.meet(old, ranges.exactly(first))
