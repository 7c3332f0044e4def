"""The condition flags as the set of NZCV combinations that are still possible, with the values they came from.

The set is a 16-bit mask: bit n stands for NZCV = n. Taking a branch intersects it with the combinations that satisfy
the condition, and teaches the symbols behind the compared values what follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache

from ..isa.instruction import Condition
from . import ranges
from .ranges import MASK, NO_ORIGINS
from .result import Origin
from .values import Infeasible, Symbols, Value

ALL = 0xFFFF
_SIGN = 0x80000000


class Producer(Enum):
    SUBTRACT = "subtract"
    """Flags of a - b."""
    RESULT = "result"
    """N and Z describe `a`; C and V carry no knowledge about it."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Flags:
    possible: int = ALL
    producer: Producer = Producer.NONE
    a: Value = 0
    b: Value = 0
    origins: frozenset[Origin] = NO_ORIGINS


@cache
def _mask(n: int | None, z: int | None, c: int | None, v: int | None) -> int:
    """Combinations with these flags; None leaves a flag open."""
    mask = 0
    for nzcv in range(16):
        actual = (nzcv >> 3 & 1, nzcv >> 2 & 1, nzcv >> 1 & 1, nzcv & 1)
        if all(want is None or want == have for want, have in zip((n, z, c, v), actual, strict=True)):
            mask |= 1 << nzcv
    return mask


def _mask_where(n_equals_v: bool) -> int:
    return sum(1 << nzcv for nzcv in range(16) if ((nzcv >> 3 & 1) == (nzcv & 1)) == n_equals_v)


N_SET = _mask(1, None, None, None)
Z_SET = _mask(None, 1, None, None)
C_SET = _mask(None, None, 1, None)
V_SET = _mask(None, None, None, 1)
_GE = _mask_where(True)
SATISFYING: dict[Condition, int] = {
    Condition.EQ: Z_SET,
    Condition.NE: ALL & ~Z_SET,
    Condition.CS: C_SET,
    Condition.CC: ALL & ~C_SET,
    Condition.MI: N_SET,
    Condition.PL: ALL & ~N_SET,
    Condition.VS: V_SET,
    Condition.VC: ALL & ~V_SET,
    Condition.HI: C_SET & ~Z_SET,
    Condition.LS: ALL & ~(C_SET & ~Z_SET),
    Condition.GE: _GE,
    Condition.LT: ALL & ~_GE,
    Condition.GT: _GE & ~Z_SET,
    Condition.LE: ALL & ~(_GE & ~Z_SET),
    Condition.AL: ALL,
}


def of_subtraction(symbols: Symbols, a: Value, b: Value) -> Flags:
    """Flags of a - b as CMP and SUBS set them (DDI 0403, A2.2.1 AddWithCarry with carry in 1)."""
    if isinstance(a, int) and isinstance(b, int):
        return Flags(1 << _subtract_nzcv(a, b))
    result = symbols.range(symbols.subtract(a, b))
    range_a, range_b = symbols.range(a), symbols.range(b)
    possible = _of_result(result)
    # Z is set exactly when a = b, and then C is set and N and V are clear.
    equal = possible & _mask(0, 1, 1, 0)
    unequal = possible & ~Z_SET
    if ranges.meet(range_a, range_b) is None:
        equal = 0
    if range_a.low >= range_b.high:
        unequal &= C_SET
    if range_a.high <= range_b.low:
        unequal &= ~C_SET
    if range_b.only == 0:
        unequal &= ~V_SET
    if range_a.high < _SIGN and range_b.high < _SIGN:
        unequal &= ~V_SET
        unequal &= _mask(1, None, 0, None) | _mask(0, None, 1, None)
    return Flags(equal | unequal, Producer.SUBTRACT, a, b, symbols.origins(a) | symbols.origins(b))


def of_addition(symbols: Symbols, a: Value, b: Value) -> Flags:
    """Flags of a + b as CMN and ADDS set them.

    Adding a constant sets the flags that subtracting its negative sets: 2^32 - b <= a is a + b >= 2^32. Only 0, whose
    negative carries, and the number that has no negative differ.
    """
    if isinstance(a, int) and isinstance(b, int):
        return Flags(1 << _add_nzcv(a, b, 0))
    if isinstance(a, int):
        a, b = b, a
    if isinstance(b, int) and b not in (0, _SIGN):
        return of_subtraction(symbols, a, -b & MASK)
    result = symbols.add(a, b)
    origins = symbols.origins(a) | symbols.origins(b)
    return Flags(_of_result(symbols.range(result)), Producer.RESULT, result, 0, origins)


def of_result(
    symbols: Symbols, result: Value, carry: int | None, overflow: int | None, origins: frozenset[Origin]
) -> Flags:
    """N and Z of `result`; C and V as given, or open."""
    possible = _of_result(symbols.range(result)) & _mask(None, None, carry, overflow)
    return Flags(possible, Producer.RESULT, result, 0, origins | symbols.origins(result))


def assume(symbols: Symbols, flags: Flags, condition: Condition) -> Flags:
    """The flags on the path where `condition` holds; narrows `symbols`. Raises `Infeasible` when none does."""
    possible = flags.possible & SATISFYING[condition]
    if not possible:
        raise Infeasible
    if possible != flags.possible:
        _learn(symbols, flags, possible)
    return Flags(possible, flags.producer, flags.a, flags.b, flags.origins)


def decided(flags: Flags, flag: int) -> int | None:
    """The value of one flag (`C_SET` and the like) where it can only have one."""
    if not flags.possible & ~flag:
        return 1
    return 0 if not flags.possible & flag else None


def negated(condition: Condition) -> Condition:
    return Condition(condition ^ 1)


def _learn(symbols: Symbols, flags: Flags, possible: int) -> None:
    if flags.producer is Producer.RESULT:
        if not possible & ~Z_SET:
            symbols.narrow(flags.a, ranges.exactly(0))
        elif not possible & Z_SET:
            symbols.exclude(flags.a, 0)
        if not possible & N_SET:
            symbols.narrow(flags.a, ranges.Range(0, MASK >> 1, _SIGN))
        elif not possible & ~N_SET:
            symbols.narrow(flags.a, ranges.Range(_SIGN, MASK, 0, _SIGN))
    elif flags.producer is Producer.SUBTRACT:
        _learn_from_comparison(symbols, flags.a, flags.b, possible)


def _learn_from_comparison(symbols: Symbols, a: Value, b: Value, possible: int) -> None:
    if not possible & ~Z_SET:
        symbols.narrow(a, _untainted(symbols.range(b)))
        symbols.narrow(b, _untainted(symbols.range(a)))
        symbols.narrow(symbols.subtract(a, b), ranges.exactly(0))
        return
    strict = not possible & Z_SET
    if strict:
        symbols.exclude(symbols.subtract(a, b), 0)
        if isinstance(b, int):
            symbols.exclude(a, b)
        elif isinstance(a, int):
            symbols.exclude(b, a)
    if not possible & N_SET:
        symbols.narrow(symbols.subtract(a, b), ranges.Range(0, MASK >> 1, _SIGN))
    elif not possible & ~N_SET:
        symbols.narrow(symbols.subtract(a, b), ranges.Range(_SIGN, MASK, 0, _SIGN))
    if not possible & ~C_SET:
        _at_least(symbols, a, b, strict)
    elif not possible & C_SET:
        _at_least(symbols, b, a, True)
    elif not possible & ~SATISFYING[Condition.LS]:
        _at_least(symbols, b, a, False)
    elif symbols.range(a).high < _SIGN and symbols.range(b).high < _SIGN:
        # Both are non-negative as signed numbers too, so the signed order is the unsigned one.
        if not possible & ~_GE:
            _at_least(symbols, a, b, strict)
        elif not possible & _GE:
            _at_least(symbols, b, a, True)
        elif not possible & ~SATISFYING[Condition.LE]:
            _at_least(symbols, b, a, False)


def _at_least(symbols: Symbols, larger: Value, smaller: Value, strict: bool) -> None:
    """Learn that larger >= smaller, or larger > smaller, as unsigned numbers."""
    gap = 1 if strict else 0
    lowest = symbols.range(smaller).low + gap
    highest = symbols.range(larger).high - gap
    if lowest > MASK or highest < 0:
        raise Infeasible
    symbols.narrow(larger, ranges.Range(lowest, MASK))
    symbols.narrow(smaller, ranges.Range(0, highest))


def _untainted(known: ranges.Range) -> ranges.Range:
    return ranges.Range(known.low, known.high, known.zeros, known.ones, known.values)


def _of_result(result: ranges.Range) -> int:
    possible = ALL
    if not result.contains(0):
        possible &= ~Z_SET
    elif result.only == 0:
        possible &= Z_SET
    if result.high < _SIGN or result.zeros & _SIGN:
        possible &= ~N_SET
    if result.low >= _SIGN or result.ones & _SIGN:
        possible &= N_SET
    return possible & ~(Z_SET & N_SET)


def _subtract_nzcv(a: int, b: int) -> int:
    return _add_nzcv(a, ~b & MASK, 1)


def _add_nzcv(a: int, b: int, carry: int) -> int:
    total = a + b + carry
    result = total & MASK
    overflow = (~(a ^ b) & (a ^ result)) >> 31 & 1
    return (result >> 31) << 3 | (result == 0) << 2 | (total >> 32) << 1 | overflow
