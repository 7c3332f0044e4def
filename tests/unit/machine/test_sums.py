"""What is known of the bits of a sum, against every sum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pinproof.machine import ranges

_WORDS = st.integers(0, ranges.MASK)


def _range(zeros: int, ones: int) -> ranges.Range:
    known = ranges.between(0, ranges.MASK, zeros & ~ones, ones)
    assert known is not None
    return known


@given(_WORDS, _WORDS, _WORDS, _WORDS, _WORDS, _WORDS)
def test_every_sum_has_the_known_bits(
    zeros_a: int, ones_a: int, zeros_b: int, ones_b: int, choice_a: int, choice_b: int
) -> None:
    a, b = _range(zeros_a, ones_a), _range(zeros_b, ones_b)
    one = choice_a & ~a.zeros & ranges.MASK | a.ones
    other = choice_b & ~b.zeros & ranges.MASK | b.ones
    assert ranges.add(a, b).contains(one + other & ranges.MASK)


def test_bits_that_cannot_meet_are_all_kept() -> None:
    """As when a field is put into a register of which other bits are unknown."""
    noise = _range(0xF5FD00FD, 0)
    total = ranges.add(ranges.exactly(0x81), noise)
    assert total.zeros == 0xF5FD007C
    assert total.ones == 0x81


def test_a_carry_that_may_come_makes_a_bit_unknown() -> None:
    total = ranges.add(_range(~3 & ranges.MASK, 0), _range(~5 & ranges.MASK, 4))
    assert (total.zeros, total.ones) == (0xFFFFFFF0, 0)  # 3 + 5 is 8, 0 + 4 is 4
