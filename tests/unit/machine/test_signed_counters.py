"""Counters that begin below zero: which of their values a comparison leaves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pinproof.isa.instruction import Condition
from pinproof.machine import ranges
from pinproof.machine.flags import assume, of_subtraction
from pinproof.machine.values import Infeasible, Linear, Symbols, SymbolSource, linear


def _counter(symbols: Symbols, last: int, start: int, step: int) -> tuple[int, Linear]:
    known = ranges.between(0, last)
    assert known is not None
    counter = symbols.fresh(known)
    assert isinstance(counter, Linear)
    symbol = counter.terms[0][0]
    value = linear(start & ranges.MASK, {symbol: step & ranges.MASK})
    assert isinstance(value, Linear)
    return symbol, value


def test_a_row_that_counts_from_minus_thirteen() -> None:
    symbols = Symbols(SymbolSource())
    symbol, row = _counter(symbols, 108, -13, 1)
    assume(symbols, of_subtraction(symbols, row, 0), Condition.GE)
    assert (symbols.ranges[symbol].low, symbols.ranges[symbol].high) == (13, 108)


@given(
    st.integers(1, 400),
    st.integers(-500, 500),
    st.sampled_from((-8, -3, -1, 1, 2, 5)),
    st.integers(-600, 600),
    st.data(),
)
def test_no_value_that_satisfies_the_condition_is_lost(
    last: int, start: int, step: int, bound: int, data: st.DataObject
) -> None:
    condition = data.draw(st.sampled_from([each for each in Condition if each is not Condition.AL]))
    at = data.draw(st.integers(0, last))
    symbols = Symbols(SymbolSource())
    symbol, value = _counter(symbols, last, start, step)
    concrete = of_subtraction(symbols, start + step * at & ranges.MASK, bound & ranges.MASK)
    try:
        assume(symbols, concrete, condition)
    except Infeasible:
        return
    assume(symbols, of_subtraction(symbols, value, bound & ranges.MASK), condition)
    assert symbols.ranges[symbol].contains(at)
