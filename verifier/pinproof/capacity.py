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
class Capacity:
    """The pin's capacity, from three proved numbers and the size of a frame."""

    alphabet: int
    """Different values that one period can show; at least 1."""
    jitter_positions: int
    """Instants, beyond one, at which software can place an edge within a period; 0 when timer hardware makes it."""
    minimum_period_ns: int
    """Shortest time between two changes, nanoseconds, rounded down; at least 1."""
    frame_bits: int
    """Bits in one frame of the declared sensor."""

    def __post_init__(self) -> None:
        if self.alphabet < 1 or self.jitter_positions < 0 or self.minimum_period_ns < 1 or self.frame_bits < 1:
            raise ValueError("capacity needs an alphabet, a period and a frame of at least 1, and jitter of at least 0")

    @property
    def bits_per_period(self) -> Decimal:
        """log2(alphabet) + log2(1 + jitter positions), rounded up to a millionth."""
        return _round_up(_log2(self.alphabet * (1 + self.jitter_positions)))

    @property
    def bits_per_second(self) -> Decimal:
        return self._bits_in(1)

    @property
    def bits_per_day(self) -> Decimal:
        return self._bits_in(SECONDS_PER_DAY)

    @property
    def bits_per_year(self) -> Decimal:
        return self._bits_in(SECONDS_PER_YEAR)

    def seconds_for(self, bits: int) -> int | None:
        """Whole seconds, rounded down, that `bits` need at the least; None when nothing can be sent at all."""
        if self.bits_per_period == 0:
            return None
        periods = -(-Fraction(bits) // Fraction(self.bits_per_period))
        return int(periods * self.minimum_period_ns // _NANOSECONDS)

    def _bits_in(self, seconds: int) -> Decimal:
        exact = Fraction(self.bits_per_period) * seconds * _NANOSECONDS / self.minimum_period_ns
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
