"""Where the profile sets a dwell or a daily limit, the gate MUST enforce it.

*How it is decided.* A profile that sets neither a dwell nor a daily limit asks nothing more than out-capacity; the
evidence is that there is no limit to enforce and what the capacity leaves a day. Where it sets one, the graph of the
gate's memory of answers decides: the fewest periods between two changes of the pin, and the most changes that any 24
hours can hold. A gate that remembers nothing keeps one period between changes and no more.

*False accepts.* None. A reset starts the count anew; the confined part cannot cause one (out-fault-safe), whoever holds
the supply can.

*False rejects.* A gate that keeps a limit by something else than counters that change by a constant.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pinproof.capacity import SECONDS_PER_DAY, spell
from pinproof.facts import (
    CLOCK_REASONS,
    MACHINE_REASONS,
    SMOOTHING_REASONS,
    TIMER_REASONS,
    Facts,
    Known,
    Problem,
    Refusal,
    Smoothed,
    conclude,
    minimum_period,
    periods_in,
    pin_capacity,
    proved,
    show_seconds,
    smoothing_of,
    state_words,
)
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **TIMER_REASONS,
    **CLOCK_REASONS,
    **SMOOTHING_REASONS,
    "budget-not-enforced": "the profile sets a dwell or a daily limit, and the gate is not proved to keep it",
}


def check(facts: Facts) -> Outcome:
    budget = facts.profile.budget
    if budget.dwell_seconds is None and budget.changes_per_day is None:
        return _no_limit(facts)
    period, found = minimum_period(facts), smoothing_of(facts)
    if not isinstance(period, Known):
        return conclude(facts, [period], [])
    if found is not None and not isinstance(found, Known):
        return conclude(facts, [found], [])
    remembered = None if found is None else found.value
    gap = 1 if remembered is None else remembered.gap
    periods = periods_in(Fraction(SECONDS_PER_DAY), period.value)
    changes = periods if remembered is None else remembered.changes_in(periods)
    evidence = [
        proved(
            f"changes of the pin are at least {gap} periods apart, {show_seconds(gap * period.value)} s, "
            f"and at most {changes} in any 24 hours"
        )
    ]
    return conclude(facts, _exceeded(facts, gap, period.value, changes, remembered), [*period.evidence, *evidence])


def _no_limit(facts: Facts) -> Outcome:
    capacity = pin_capacity(facts)
    if not isinstance(capacity, Known):
        return conclude(facts, [capacity], [])
    day = spell(capacity.value.bits_per_day)
    evidence = [proved(f"no limit set: the profile asks for no dwell or daily limit; the pin carries {day} bits a day")]
    return conclude(facts, [], evidence)


def _exceeded(facts: Facts, gap: int, period: Fraction, changes: int, remembered: Smoothed | None) -> Iterator[Problem]:
    budget = facts.profile.budget
    if budget.dwell_seconds is not None and gap * period < Fraction(budget.dwell_seconds):
        way = "" if remembered is None else f" ({', '.join(map(state_words, remembered.quickest))})"
        yield Refusal(
            reason="budget-not-enforced",
            message=f"the pin can change {show_seconds(gap * period)} s after it changed{way}, and the profile "
            f"{facts.profile.name} asks for {budget.dwell_seconds} s",
        )
    if budget.changes_per_day is not None and changes > budget.changes_per_day:
        yield Refusal(
            reason="budget-not-enforced",
            message=f"the pin is not proved to change fewer than {changes} times a day, and the profile "
            f"{facts.profile.name} allows {budget.changes_per_day}",
        )
