"""The numbers beside the verdict: exact where they can be, cautious where not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pinproof.capacity import Capacity, spell


def capacity(alphabet: int = 2, jitter: int = 0, period_ns: int = 1_000_000_000, frame_bits: int = 73_728) -> Capacity:
    return Capacity(alphabet=alphabet, jitter_positions=jitter, minimum_period_ns=period_ns, frame_bits=frame_bits)


def test_one_bit_a_second() -> None:
    found = capacity()
    assert (found.bits_per_second, found.bits_per_day, found.bits_per_year) == (1, 86_400, 31_557_600)
    assert (found.seconds_for(10), found.seconds_for(256), found.seconds_for(73_728)) == (10, 256, 73_728)


def test_jitter_adds_log2_of_its_positions() -> None:
    assert capacity(jitter=7).bits_per_second == 4


def test_rates_are_rounded_up_and_times_down() -> None:
    found = capacity(alphabet=3, period_ns=999_999_999)
    assert found.bits_per_period == Decimal("1.584963")
    assert found.bits_per_second == Decimal("1.584964")
    assert found.seconds_for(10) == 6


def test_a_pin_with_one_value_says_nothing() -> None:
    assert capacity(alphabet=1).bits_per_day == 0
    assert capacity(alphabet=1).seconds_for(10) is None


@pytest.mark.parametrize("wrong", [{"alphabet": 0}, {"jitter": -1}, {"period_ns": 0}, {"frame_bits": 0}])
def test_impossible_numbers_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        capacity(**wrong)


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 10**12))
def test_the_rate_is_never_understated(alphabet: int, jitter: int, period_ns: int) -> None:
    found = capacity(alphabet, jitter, period_ns)
    assert 2 ** float(found.bits_per_period) * (1 + 1e-9) >= alphabet * (1 + jitter)
    assert float(found.bits_per_second) * (1 + 1e-9) >= float(found.bits_per_period) * 1e9 / period_ns


def test_spelling() -> None:
    assert [spell(Decimal(text)) for text in ("1.000000", "86400.000000", "0.260000", "100")] == [
        "1",
        "86400",
        "0.26",
        "100",
    ]
