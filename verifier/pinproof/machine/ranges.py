"""Sets of 32-bit values without identity: interval, known bits, and the values themselves while they are few.

The three views describe one set, the intersection of what each allows; every operation keeps each view an
over-approximation. An empty set never exists as a `Range`: `meet` returns None instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from .result import Origin, Word

MASK = 0xFFFFFFFF
MOST_VALUES = 64
NO_ORIGINS: frozenset[Origin] = frozenset()


@dataclass(frozen=True, slots=True)
class Range:
    low: int
    high: int
    zeros: int = 0
    ones: int = 0
    values: frozenset[int] | None = None
    origins: frozenset[Origin] = NO_ORIGINS

    @property
    def only(self) -> int | None:
        return self.low if self.low == self.high else None

    def contains(self, value: int) -> bool:
        if self.values is not None:
            return value in self.values
        return self.low <= value <= self.high and not value & self.zeros and value & self.ones == self.ones

    def includes(self, other: Range) -> bool:
        """Whether every value and every origin of `other` is in this one. May say no when the answer is yes."""
        if not other.origins <= self.origins:
            return False
        if other.values is not None:
            return all(self.contains(value) for value in other.values)
        if self.values is not None:
            return False
        bits_follow = not (self.zeros & ~other.zeros or self.ones & ~other.ones)
        return bits_follow and self.low <= other.low and other.high <= self.high

    def with_origins(self, origins: frozenset[Origin]) -> Range:
        if origins <= self.origins:
            return self
        return Range(self.low, self.high, self.zeros, self.ones, self.values, self.origins | origins)

    def word(self) -> Word:
        return Word(
            low=self.low, high=self.high, zeros=self.zeros, ones=self.ones, values=self.values, origins=self.origins
        )


_remembered = lru_cache(maxsize=1 << 16)
"""For pure functions of ranges: the same code is executed for many contexts, so most questions come again."""


@_remembered
def exactly(value: int) -> Range:
    return Range(value, value, ~value & MASK, value, frozenset((value,)))


def anything(origins: frozenset[Origin] = NO_ORIGINS) -> Range:
    return Range(0, MASK, 0, 0, None, origins)


def of_values(values: Iterable[int], origins: frozenset[Origin] = NO_ORIGINS) -> Range:
    """The smallest range around at least one value; the list itself is kept only while it is short."""
    collected = frozenset(values)
    ones = MASK
    zeros = MASK
    for value in collected:
        ones &= value
        zeros &= ~value
    kept = collected if len(collected) <= MOST_VALUES else None
    return Range(min(collected), max(collected), zeros & MASK, ones, kept, origins)


def between(
    low: int, high: int, zeros: int = 0, ones: int = 0, origins: frozenset[Origin] = NO_ORIGINS
) -> Range | None:
    """The range of these bounds and bits, mutually reduced; None when nothing satisfies them."""
    if zeros & ones:
        return None
    low = max(low, ones)
    high = min(high, ~zeros & MASK)
    if low > high:
        return None
    shared = low ^ high
    prefix = ~((1 << shared.bit_length()) - 1) & MASK
    ones |= low & prefix
    zeros |= ~low & prefix & MASK
    if zeros & ones:
        return None
    if high - low < MOST_VALUES:
        values = [value for value in range(low, high + 1) if not value & zeros and value & ones == ones]
        return of_values(values, origins) if values else None
    return Range(low, high, zeros, ones, None, origins)


@_remembered
def meet(a: Range, b: Range) -> Range | None:
    """Values in both. Origins are a property of the unknown, not of what is known of it: both sides' are kept."""
    origins = a.origins | b.origins
    if a.values is not None or b.values is not None:
        few, other = (a, b) if a.values is not None else (b, a)
        values = [value for value in few.values or () if other.contains(value)]
        return of_values(values, origins) if values else None
    return between(max(a.low, b.low), min(a.high, b.high), a.zeros | b.zeros, a.ones | b.ones, origins)


@_remembered
def hull(a: Range, b: Range) -> Range:
    """Values in either."""
    origins = a.origins | b.origins
    if a.values is not None and b.values is not None:
        values = a.values | b.values
        if len(values) <= MOST_VALUES:
            return of_values(values, origins)
    return Range(min(a.low, b.low), max(a.high, b.high), a.zeros & b.zeros, a.ones & b.ones, None, origins)


def widened(old: Range, new: Range) -> Range:
    """An upper bound of both that a chain of widenings reaches in few steps."""
    joined = hull(old, new)
    if old.includes(new):
        return old
    low = old.low if joined.low >= old.low else 0
    high = old.high if joined.high <= old.high else MASK
    return between(low, high, joined.zeros, joined.ones, joined.origins) or anything(joined.origins)


@_remembered
def add(a: Range, b: Range) -> Range:
    origins = a.origins | b.origins
    few = _pairwise(a, b, lambda x, y: (x + y) & MASK)
    if few is not None:
        return of_values(few, origins)
    zeros, ones = _known_bits_of_sum(a, b)
    low, high = a.low + b.low, a.high + b.high
    if low >> 32 != high >> 32:
        low, high = 0, MASK
    return _bounded(low & MASK, high & MASK, zeros, ones, origins)


def _known_bits_of_sum(a: Range, b: Range) -> tuple[int, int]:
    """Masks of the bits that are 0, and 1, in every sum.

    A bit of the sum is known where both operands' bits are and the carry into it is. The carries with every unknown bit
    0, and with every unknown bit 1, are the fewest and the most that there can be: where those two agree, all do.
    """
    least = a.ones + b.ones
    most = (~a.zeros & MASK) + (~b.zeros & MASK)
    carry_least, carry_most = least ^ a.ones ^ b.ones, most ^ (~a.zeros & MASK) ^ (~b.zeros & MASK)
    known = (a.zeros | a.ones) & (b.zeros | b.ones) & ~(carry_least ^ carry_most) & MASK
    return ~least & known, least & known


@_remembered
def negate(a: Range) -> Range:
    if a.values is not None:
        return of_values((-value & MASK for value in a.values), a.origins)
    count = _known_low_bits(a)
    mask = (1 << count) - 1
    low_bits = -a.ones & mask
    if a.low == 0:
        return _bounded(0, MASK, ~low_bits & mask, low_bits, a.origins)
    return _bounded(-a.high & MASK, -a.low & MASK, ~low_bits & mask, low_bits, a.origins)


@_remembered
def scale(a: Range, factor: int) -> Range:
    """`a` times a constant, modulo 2^32."""
    factor &= MASK
    if factor == 0:
        return exactly(0)
    if a.values is not None:
        return of_values((value * factor & MASK for value in a.values), a.origins)
    if factor > 1 << 31:
        return negate(scale(a, -factor & MASK))
    shift = (factor & -factor).bit_length() - 1
    zeros = (1 << shift) - 1
    ones = 0
    if factor == 1 << shift:
        zeros |= a.zeros << shift & MASK
        ones = a.ones << shift & MASK
    low, high = a.low * factor, a.high * factor
    if low >> 32 != high >> 32:
        low, high = 0, MASK
    return _bounded(low & MASK, high & MASK, zeros, ones, a.origins)


def multiply(a: Range, b: Range) -> Range:
    origins = a.origins | b.origins
    few = _pairwise(a, b, lambda x, y: x * y & MASK)
    if few is not None:
        return of_values(few, origins)
    if a.high * b.high > MASK:
        return anything(origins)
    return _bounded(a.low * b.low, a.high * b.high, 0, 0, origins)


@_remembered
def bit_and(a: Range, b: Range) -> Range:
    origins = a.origins | b.origins
    few = _pairwise(a, b, lambda x, y: x & y)
    if few is not None:
        return of_values(few, origins)
    return _bounded(0, min(a.high, b.high), a.zeros | b.zeros, a.ones & b.ones, origins)


@_remembered
def bit_or(a: Range, b: Range) -> Range:
    origins = a.origins | b.origins
    few = _pairwise(a, b, lambda x, y: x | y)
    if few is not None:
        return of_values(few, origins)
    return _bounded(max(a.low, b.low), MASK, a.zeros & b.zeros, a.ones | b.ones, origins)


def bit_xor(a: Range, b: Range) -> Range:
    origins = a.origins | b.origins
    few = _pairwise(a, b, lambda x, y: x ^ y)
    if few is not None:
        return of_values(few, origins)
    zeros = (a.zeros & b.zeros) | (a.ones & b.ones)
    ones = (a.zeros & b.ones) | (a.ones & b.zeros)
    return _bounded(0, MASK, zeros, ones, origins)


def invert(a: Range) -> Range:
    if a.values is not None:
        return of_values((~value & MASK for value in a.values), a.origins)
    return Range(~a.high & MASK, ~a.low & MASK, a.ones, a.zeros, None, a.origins)


def shift_right(a: Range, count: int) -> Range:
    if count >= 32:
        return exactly(0)
    if a.values is not None:
        return of_values((value >> count for value in a.values), a.origins)
    vacated = MASK & ~(MASK >> count)
    return _bounded(a.low >> count, a.high >> count, a.zeros >> count | vacated, a.ones >> count, a.origins)


def shift_right_arithmetic(a: Range, count: int) -> Range:
    count = min(count, 31)
    if a.values is not None:
        return of_values((signed(value) >> count & MASK for value in a.values), a.origins)
    if a.high < 0x80000000:
        return shift_right(a, count)
    zeros = signed(a.zeros) >> count & MASK
    ones = signed(a.ones) >> count & MASK
    if a.low >= 0x80000000:
        return _bounded(signed(a.low) >> count & MASK, signed(a.high) >> count & MASK, zeros, ones, a.origins)
    reach = 1 << (31 - count)
    if 2 * reach <= MOST_VALUES:
        return of_values((value & MASK for value in range(-reach, reach)), a.origins)
    return _bounded(0, MASK, zeros, ones, a.origins)


def rotate_right(a: Range, count: int) -> Range:
    count %= 32
    if a.values is not None:
        return of_values((rotated(value, count) for value in a.values), a.origins)
    return _bounded(0, MASK, rotated(a.zeros, count), rotated(a.ones, count), a.origins)


def divide_unsigned(a: Range, b: Range) -> Range:
    """Division as UDIV does it with DIV_0_TRP clear: a zero divisor gives zero (DDI 0403, A7.7.193)."""
    origins = a.origins | b.origins
    few = _pairwise(a, b, lambda x, y: x // y if y else 0)
    if few is not None:
        return of_values(few, origins)
    if b.low == 0:
        return _bounded(0, a.high, 0, 0, origins)
    return _bounded(a.low // b.high, a.high // b.low, 0, 0, origins)


def signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def rotated(value: int, count: int) -> int:
    return (value >> count | value << (32 - count)) & MASK if count else value


def _pairwise(a: Range, b: Range, operation: Callable[[int, int], int]) -> set[int] | None:
    if a.values is None or b.values is None or len(a.values) * len(b.values) > MOST_VALUES:
        return None
    return {operation(x, y) for x in a.values for y in b.values}


def _known_low_bits(a: Range) -> int:
    unknown = ~(a.zeros | a.ones) & MASK
    return (unknown & -unknown).bit_length() - 1 if unknown else 32


def _bounded(low: int, high: int, zeros: int, ones: int, origins: frozenset[Origin]) -> Range:
    reduced = between(low, high, zeros, ones, origins)
    if reduced is None:
        raise AssertionError("an operation on non-empty ranges has a non-empty result")
    return reduced
