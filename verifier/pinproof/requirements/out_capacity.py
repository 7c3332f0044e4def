"""The capacity of the output, log2 of the alphabet per period plus any jitter term, MUST be at most the profile's
limit.

*How it is decided.* The alphabet is the set of values that the compare register can have; the period is the one of
out-period. The capacity is log2 of the first per second, in exact arithmetic and rounded up, with no jitter term
because out-clocked refuses every edge that a program makes. Where the gate smooths over answers, and every state of its
memory was followed, the sequences of values that the graph of those states allows are counted too, by the graph's
largest eigenvalue or by the changes that fit, bounded from above; the smaller number is the capacity.

*False accepts.* None: nothing in the declaration enters the number but the crystal's frequency, which stands beside
it.

*False rejects.* A set-up whose values are joined over several paths counts all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pinproof.capacity import IDENTITY_BITS, TEMPLATE_BITS, Capacity, spell
from pinproof.facts import (
    CLOCK_REASONS,
    MACHINE_REASONS,
    TIMER_REASONS,
    Facts,
    Known,
    Problem,
    Refusal,
    conclude,
    minimum_period,
    pin_capacity,
    proved,
    timer_clock,
)
from pinproof.outcome import Evidence, Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **TIMER_REASONS,
    **CLOCK_REASONS,
    "capacity-exceeded": "the pin can carry more than the profile's limit",
}


def check(facts: Facts) -> Outcome:
    found, period, clock = pin_capacity(facts), minimum_period(facts), timer_clock(facts)
    for fact in (found, period, clock):
        if not isinstance(fact, Known):
            return conclude(facts, [fact], [])
    assert isinstance(found, Known) and isinstance(period, Known) and isinstance(clock, Known)
    capacity = found.value
    problems: list[Problem] = []
    # The period of the printed numbers is rounded down to a nanosecond; the limit is held against the exact one.
    rate = Fraction(capacity.bits_per_period) / period.value
    if rate > Fraction(facts.profile.capacity_limit_bits_per_second):
        limit = facts.profile.capacity_limit_bits_per_second
        message = f"{spell(capacity.bits_per_second)} bit/s, but the profile's limit is {limit} bit/s"
        problems.append(Refusal(reason="capacity-exceeded", message=message))
    statement = (
        f"through the pin at most {spell(capacity.bits_per_second)} bit/s, {spell(capacity.bits_per_day)} a day, "
        f"{spell(capacity.bits_per_year)} a year; an identity takes {capacity.seconds_for(IDENTITY_BITS)} s, "
        f"a face template {capacity.seconds_for(TEMPLATE_BITS)} s, "
        f"a frame {capacity.seconds_for(capacity.frame_bits)} s"
    )
    evidence = [*period.evidence, proved(statement), *_smoothed(capacity)]
    return conclude(facts, problems, evidence, clock.value.assumptions)


def _smoothed(capacity: Capacity) -> Iterator[Evidence]:
    smoothing = capacity.smoothing
    if smoothing is not None:
        plain, left = capacity.plain_bits_per_period, capacity.bits_per_period
        yield proved(
            f"the gate's memory of answers leaves {spell(left)} of {spell(plain)} bits a period in the long run: "
            f"changes are at least {smoothing.periods_between_changes} periods apart, at most "
            f"{smoothing.changes_per_day} a day"
        )
