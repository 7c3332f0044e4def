"""The declared output timer: registers at the drop, what may be stored later, the shortest period and the alphabet.

Sections are of RM0368 (general-purpose timers, chapter 13). A timer that the silicon file does not list as one that can
make edges leaves every fact here undecided.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pinproof.capacity import SECONDS_PER_DAY, Capacity, Smoothing
from pinproof.facts._clocks import timer_clock
from pinproof.facts._core import Facts, Known, Problem, Refusal, Unknown, proved
from pinproof.facts._smoothing import Smoothed, periods_in, smoothed_of
from pinproof.facts._view import (
    Touch,
    boot,
    device_at_drops,
    drops,
    handlers,
    may_set,
    output_timer,
    register,
    stores,
    ticks,
    values_of,
)
from pinproof.machine.result import Word
from pinproof.silicon import Timer, TimerOutput

PERIOD_REASONS: dict[str, str] = {
    "output-timer-unknown": "the declared timer is none that the silicon file knows as able to make edges",
    "reload-unknown": "the reload value or the prescaler is not bounded at the drop",
}
TIMER_REASONS: dict[str, str] = {
    **PERIOD_REASONS,
    "compare-value-unknown": "a value that may reach the compare register is not one of a few known numbers",
}

COUNTER_ENABLE = 1
_NANOSECONDS = 1_000_000_000
_PRESCALER_BITS = 16
"""Of every timer's prescaler (13.4.11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One declared channel of the output timer."""

    number: int
    """1 to 4."""
    compare: int
    """Address of its compare register."""

    @property
    def mode_register(self) -> str:
        return "CCMR1" if self.number <= 2 else "CCMR2"

    @property
    def mode_shift(self) -> int:
        """Where its byte begins in the mode register (RM0368 13.4.7)."""
        return 8 * ((self.number - 1) % 2)

    @property
    def enable(self) -> int:
        """Its bit in CCER, alone: on, active high (RM0368 13.4.9)."""
        return 1 << 4 * (self.number - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerSetUp:
    """Addresses and bounds of the declared timer."""

    timer: Timer
    channels: tuple[Channel, ...]
    """Every declared channel once, in the order of their numbers."""
    reload_low: int
    reload_high: int
    prescaler_low: int

    @property
    def never(self) -> int:
        """The compare value that keeps the output low for the whole period (13.3.9)."""
        return 0

    def always(self, value: int) -> bool:
        """Whether this compare value keeps the output high for the whole period, for every possible reload value."""
        return self.reload_high < value <= (1 << self.timer.bits) - 1


def timer_set_up(facts: Facts) -> Known[TimerSetUp] | Problem:
    """Where the declared timer is and what its period register can hold."""
    timer = output_timer(facts)
    if timer is None:
        name = facts.declaration.output.timer
        return Refusal(
            reason="output-timer-unknown",
            message=f"the silicon file knows no timer {name} that can make edges",
        )
    reload = _bounds(device_at_drops(facts, register(facts, timer.name, "ARR")), timer.bits)
    prescaler = _bounds(device_at_drops(facts, register(facts, timer.name, "PSC")), _PRESCALER_BITS)
    if reload is None or prescaler is None:
        return Unknown(
            reason="reload-unknown",
            message=f"no drop shows the reload value of {timer.name}",
            would_help="start-up code that sets the timer and reaches the drop",
        )
    return Known(
        value=TimerSetUp(
            timer=timer,
            channels=_channels(facts, timer),
            reload_low=reload[0],
            reload_high=reload[1],
            prescaler_low=prescaler[0],
        )
    )


def _channels(facts: Facts, timer: Timer) -> tuple[Channel, ...]:
    return tuple(
        Channel(number=number, compare=register(facts, timer.name, f"CCR{number}"))
        for number in sorted(set(facts.declaration.output.channels))
    )


def compare_registers(facts: Facts) -> frozenset[int]:
    """Addresses of the declared channels' compare registers; none where the timer is not known."""
    timer = output_timer(facts)
    return frozenset(channel.compare for channel in _channels(facts, timer)) if timer is not None else frozenset()


def declared_output(facts: Facts, pin: str) -> TimerOutput | None:
    """The silicon file's entry for this pin as its declared channel of the declared timer."""
    timer = output_timer(facts)
    if timer is None:
        return None
    channel = facts.declaration.output.channel_of(pin)
    return next((item for item in timer.outputs if item.pin == pin and item.channel == channel), None)


def timer_stores_after_start(facts: Facts, timer: Timer) -> list[Touch]:
    """Every store to the timer once its counter may run: in boot after the first enable, in all handlers."""
    block = facts.silicon.peripheral(timer.name)
    in_boot = stores(facts, boot(facts), block.base, block.size)
    starts = [touch.access.order for touch in in_boot if is_start(facts, timer, touch)]
    later = [touch for touch in in_boot if starts and touch.access.order > min(starts)]
    again = [touch for touch in in_boot if starts and touch.access.order <= min(starts) and _repeats(touch)]
    return [*later, *again, *stores(facts, handlers(facts), block.base, block.size)]


def is_start(facts: Facts, timer: Timer, touch: Touch) -> bool:
    """Whether this store may set the counter going."""
    control = register(facts, timer.name, "CR1")
    return touch.exact in (control, None) and may_set(touch.access.value, COUNTER_ENABLE)


def compare_stores(facts: Facts, channel: Channel) -> list[Touch]:
    """Every store of a handler that can reach the channel's compare register."""
    return stores(facts, handlers(facts), channel.compare)


def alphabet(facts: Facts) -> Known[int] | Problem:
    """How many different things the output can show in a period.

    The product over the channels: whether the values of two channels belong together is not asked, so it is never less
    than what can be.
    """
    set_up = timer_set_up(facts)
    if not isinstance(set_up, Known):
        return set_up
    size = 1
    for channel in set_up.value.channels:
        values = channel_values(facts, channel)
        if not isinstance(values, Known):
            return values
        size *= len(values.value)
    return Known(value=size)


def channel_values(facts: Facts, channel: Channel) -> Known[frozenset[int]] | Problem:
    """The values that the channel's compare register can have once the confined part runs."""
    words = list(device_at_drops(facts, channel.compare))
    words += [touch.access.value for touch in compare_stores(facts, channel)]
    found: set[int] = set()
    for word in words:
        values = values_of(word)
        if values is None:
            return Unknown(
                reason="compare-value-unknown",
                message=f"a value between 0x{word.low:X} and 0x{word.high:X} may reach the compare register",
                would_help="compute the value from one comparison, without a branch: 0 or all ones",
                places=tuple(facts.at(touch.access.site) for touch in compare_stores(facts, channel)),
            )
        found |= values
    return Known(value=frozenset(found))


def minimum_period(facts: Facts) -> Known[Fraction] | Problem:
    """The shortest time between two update events, in seconds, exact."""
    set_up, clock = timer_set_up(facts), timer_clock(facts)
    if not isinstance(set_up, Known):
        return set_up
    if not isinstance(clock, Known):
        return clock
    # 13.3.2: the counter takes ARR + 1 steps of PSC + 1 clocks each.
    counts = period_counts(set_up.value)
    period = Fraction(counts) / clock.value.fastest
    name = set_up.value.timer.name
    reached = f"{counts} clocks of at most {float(clock.value.fastest):.0f} Hz are at least {show_seconds(period)} s"
    statement = f"{reached}, by {name}.PSC and {name}.ARR"
    places = tuple(facts.at(drop.site) for drop in drops(facts))
    return Known(value=period, evidence=(*clock.evidence, proved(statement, *places)))


def period_counts(set_up: TimerSetUp) -> int:
    """Timer clocks in the shortest period. The processor's clock is never slower, so cycles may be compared with it."""
    return (set_up.prescaler_low + 1) * (set_up.reload_low + 1)


def pin_capacity(facts: Facts) -> Known[Capacity] | Problem:
    """What the pin can carry if the timer alone makes the edges (out-clocked) and nothing else moves it."""
    period, values = minimum_period(facts), alphabet(facts)
    if not isinstance(period, Known):
        return period
    if not isinstance(values, Known):
        return values
    nanoseconds = int(period.value * _NANOSECONDS)
    if nanoseconds < 1 or not ticks(facts):
        return Unknown(
            reason="reload-unknown",
            message="the period is below a nanosecond, or no tick was explored",
            would_help="a timer period that the profile allows",
        )
    remembered = smoothing_of(facts)
    capacity = Capacity(
        alphabet=values.value,
        jitter_positions=0,
        minimum_period_ns=nanoseconds,
        frame_bits=facts.declaration.sensor.frame_bits,
        smoothing=_smoothing(remembered.value, period.value) if isinstance(remembered, Known) else None,
    )
    return Known(value=capacity, evidence=period.evidence)


def smoothing_of(facts: Facts) -> Known[Smoothed] | Problem | None:
    """What the gate's memory of earlier answers is proved to do; None where it has no part in what the pin says."""
    set_up = timer_set_up(facts)
    return smoothed_of(facts, set_up.value.never) if isinstance(set_up, Known) else set_up


def _smoothing(remembered: Smoothed, period: Fraction) -> Smoothing:
    changes = remembered.changes_in(periods_in(Fraction(SECONDS_PER_DAY), period))
    return Smoothing.rounded(
        remembered.rate.bits, remembered.rate.head_start, gap=remembered.gap, changes_per_day=changes
    )


def show_seconds(period: Fraction) -> str:
    """A number of seconds, rounded down to a nanosecond, without trailing zeros."""
    text = format(Decimal(int(period * _NANOSECONDS)).scaleb(-9), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bounds(words: tuple[Word, ...], bits: int) -> tuple[int, int] | None:
    """What the register's `bits` bits can hold: a larger value loses the bits that are not there."""
    if not words:
        return None
    low, high = min(word.low for word in words), max(word.high for word in words)
    return (low, high) if high < 1 << bits else (0, (1 << bits) - 1)


def _repeats(touch: Touch) -> bool:
    return touch.access.in_loop
