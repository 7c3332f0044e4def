"""Bytes that share a word: what is known of one does not get lost in the others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pinproof.machine import ranges
from pinproof.machine.result import Origin
from pinproof.machine.values import Linear, Symbols, SymbolSource, Value

_BYTE = (1 << 8) - 1
_DEAD, _PIXEL = frozenset((Origin.CONFINED, Origin.GATE)), frozenset((Origin.SENSOR,))


def _byte(symbols: Symbols, origins: frozenset[Origin]) -> Value:
    return symbols.bit_and(symbols.fresh(ranges.anything(origins)), _BYTE)


def _stored(symbols: Symbols, word: Value, at: int, byte: Value) -> Value:
    kept = symbols.bit_and(word, ~(_BYTE << 8 * at) & ranges.MASK)
    return symbols.bit_or(kept, symbols.shift_left(byte, 8 * at))


def _loaded(symbols: Symbols, word: Value, at: int) -> Value:
    return symbols.bit_and(symbols.shift_right(word, 8 * at), _BYTE)


@given(st.permutations(range(4)))
def test_each_byte_comes_back_as_it_was_stored(order: list[int]) -> None:
    symbols = Symbols(SymbolSource())
    word: Value = symbols.fresh(ranges.anything(_DEAD))
    stored = {at: _byte(symbols, _PIXEL) for at in order[:3]}
    for at in order[:3]:
        word = _stored(symbols, word, at, stored[at])
    for at in order[:3]:
        assert _loaded(symbols, word, at) == stored[at]
    assert symbols.origins(_loaded(symbols, word, order[3])) == _DEAD


def _value_of(value: Value, concrete: dict[int, int]) -> int:
    if isinstance(value, int):
        return value
    return (value.constant + sum(factor * concrete[symbol] for symbol, factor in value.terms)) & ranges.MASK


@given(
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 31), st.integers(0, 0xFFFF)), min_size=1, max_size=3),
    st.integers(0, ranges.MASK),
    st.integers(0, ranges.MASK),
    st.integers(0, 31),
)
def test_masking_and_shifting_a_sum(terms: list[tuple[int, int, int]], constant: int, mask: int, count: int) -> None:
    """Every concrete result lies in what is known of the abstract one, whether the terms meet or not."""
    symbols = Symbols(SymbolSource())
    total: Value = constant
    concrete: dict[int, int] = {}
    for bits, shift, choice in terms:
        known = ranges.between(0, ranges.MASK, ~bits & ranges.MASK)
        assert known is not None
        symbol = symbols.fresh(known)
        if isinstance(symbol, Linear):
            concrete[symbol.terms[0][0]] = choice & bits
        total = symbols.add(total, symbols.shift_left(symbol, shift))
    value = _value_of(total, concrete)
    assert symbols.range(symbols.bit_and(total, mask)).contains(value & mask)
    assert symbols.range(symbols.shift_right(total, count)).contains(value >> count)
