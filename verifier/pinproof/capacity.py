"""How much can leave through the pin: bits a second, a day and a year, and how long a given amount takes.

Every number errs on the cautious side: rates are rounded up, times down. All of it holds for the pin alone;
other channels stand in the assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction

_CONTEXT = Context(prec=40, rounding=ROUND_CEILING)
_STEP = Decimal("0.000001")
_NANOSECONDS = 1_000_000_000

SECONDS_PER_DAY = 86_400
SECONDS_PER_YEAR = 31_557_600
"""365.25 days."""

IDENTITY_BITS = 10
"""Enough to tell one person among 1,000."""
TEMPLATE_BITS = 256
"""A compact face template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothing:
    """What the gate's memory of earlier answers leaves of the pin's capacity.

    In any T periods at most 2^(bits_per_period * T + head_start_bits) different things can be said.
    """

    bits_per_period: Decimal
    head_start_bits: Decimal
    periods_between_changes: int
    """The fewest periods from one change of the pin to the next; at least 1."""
    changes_per_day: int
    """The most changes of the pin in any 24 hours."""

    @classmethod
    def rounded(cls, bits: Decimal, head_start: Decimal, *, gap: int, changes_per_day: int) -> Smoothing:
        """With rates rounded up to a millionth, as a report prints them."""
        return cls(
            bits_per_period=_round_up(bits),
            head_start_bits=_round_up(head_start),
            periods_between_changes=gap,
            changes_per_day=changes_per_day,
        )

    def __post_init__(self) -> None:
        if self.bits_per_period < 0 or self.head_start_bits < 0 or self.periods_between_changes < 1:
            raise ValueError("smoothing needs a rate and a head start of at least 0, and a gap of at least 1")
        if self.changes_per_day < 0:
            raise ValueError("there are at least 0 changes a day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The pin's capacity, from three proved numbers, what the gate's memory is proved to do, and a frame's size."""

    alphabet: int
    """Different values that one period can show; at least 1."""
    jitter_positions: int
    """Instants, beyond one, at which software can place an edge within a period; 0 when timer hardware makes it."""
    minimum_period_ns: int
    """Shortest period, nanoseconds, rounded down; at least 1."""
    frame_bits: int
    """Bits in one frame of the declared sensor."""
    smoothing: Smoothing | None = None
    """None where each period's value is the last answer's alone."""

    def __post_init__(self) -> None:
        if self.alphabet < 1 or self.jitter_positions < 0 or self.minimum_period_ns < 1 or self.frame_bits < 1:
            raise ValueError("capacity needs an alphabet, a period and a frame of at least 1, and jitter of at least 0")

    @property
    def plain_bits_per_period(self) -> Decimal:
        """log2(alphabet) + log2(1 + jitter positions), rounded up to a millionth: as if the gate forgot everything."""
        return _round_up(_log2(self.alphabet * (1 + self.jitter_positions)))

    @property
    def bits_per_period(self) -> Decimal:
        """In the long run; never more than the plain number."""
        if self.smoothing is None:
            return self.plain_bits_per_period
        return min(self.plain_bits_per_period, self.smoothing.bits_per_period)

    @property
    def bits_per_second(self) -> Decimal:
        return _per(self.bits_per_period, 1, self.minimum_period_ns)

    @property
    def bits_per_day(self) -> Decimal:
        return self._bits_in(SECONDS_PER_DAY)

    @property
    def bits_per_year(self) -> Decimal:
        return self._bits_in(SECONDS_PER_YEAR)

    @property
    def minimum_gap_ns(self) -> int:
        """Shortest time between two changes of the pin."""
        periods = 1 if self.smoothing is None else self.smoothing.periods_between_changes
        return periods * self.minimum_period_ns

    def seconds_for(self, bits: int) -> int | None:
        """Whole seconds, rounded down, that `bits` need at the least; None when nothing can be sent at all."""
        if self.plain_bits_per_period == 0:
            return None
        periods = -(-Fraction(bits) // Fraction(self.plain_bits_per_period))
        if self.smoothing is not None and (left := Fraction(bits) - Fraction(self.smoothing.head_start_bits)) > 0:
            if self.bits_per_period == 0:
                return None
            periods = max(periods, -(-left // Fraction(self.bits_per_period)))
        return int(periods * self.minimum_period_ns // _NANOSECONDS)

    def _bits_in(self, seconds: int) -> Decimal:
        plain = _per(self.plain_bits_per_period, seconds, self.minimum_period_ns)
        if self.smoothing is None:
            return plain
        whole = _per(self.bits_per_period, seconds, self.minimum_period_ns)
        return min(plain, _round_up(_CONTEXT.add(whole, self.smoothing.head_start_bits)))


def _per(bits_per_period: Decimal, seconds: int, period_ns: int) -> Decimal:
    exact = Fraction(bits_per_period) * seconds * _NANOSECONDS / period_ns
    return _round_up(_CONTEXT.divide(Decimal(exact.numerator), Decimal(exact.denominator)))


def spell(number: Decimal) -> str:
    """`number` without exponent and without trailing zeros: 1, 0.26, 86400."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _log2(count: int) -> Decimal:
    """Exact for powers of two, else rounded up in the 40th digit."""
    if count & (count - 1) == 0:
        return Decimal(count.bit_length() - 1)
    return _CONTEXT.divide(_CONTEXT.ln(Decimal(count)), _CONTEXT.ln(Decimal(2))) + Decimal("1e-35")


def _round_up(number: Decimal) -> Decimal:
    return number.quantize(_STEP, rounding=ROUND_CEILING, context=_CONTEXT)
