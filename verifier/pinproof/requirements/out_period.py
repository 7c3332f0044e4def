"""The period of the output MUST be at least the profile's minimum at the fastest clock that the proved set-up allows,
tolerance included.

*How it is decided.* The period is (prescaler + 1) x (reload + 1) clocks. The clock is bounded from the values written
to the oscillator, PLL and prescaler registers, over every source that the gate may ever switch to, the reset source
included, with the silicon file's tolerance for the internal oscillator and the declared one for the crystal. The
declared period may not be longer than the derived one.

*False accepts.* The crystal's frequency is a fact of the board (A-crystal), and no smaller number is claimed than the
one that follows from it.

*False rejects.* Where a register has different values on different paths, the worst combination counts.
"""

from __future__ import annotations

from fractions import Fraction

from pinproof.facts import (
    CLOCK_REASONS,
    MACHINE_REASONS,
    PERIOD_REASONS,
    Facts,
    Known,
    Problem,
    Refusal,
    conclude,
    minimum_period,
    show_seconds,
    timer_clock,
)
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PERIOD_REASONS,
    **CLOCK_REASONS,
    "period-too-short": "the period can be shorter than the profile's minimum",
    "period-below-claim": "the declaration claims a longer period than the derived one",
}


def check(facts: Facts) -> Outcome:
    period, clock = minimum_period(facts), timer_clock(facts)
    if not isinstance(period, Known):
        return conclude(facts, [period], [])
    if not isinstance(clock, Known):
        return conclude(facts, [clock], [])
    problems: list[Problem] = []
    if period.value < Fraction(facts.profile.minimum_period_seconds):
        message = (
            f"{show_seconds(period.value)} s, but the profile's minimum is {facts.profile.minimum_period_seconds} s"
        )
        problems.append(Refusal(reason="period-too-short", message=message))
    if period.value < Fraction(facts.declaration.output.period_seconds):
        claim = facts.declaration.output.period_seconds
        message = f"the declaration claims {claim} s, derived are {show_seconds(period.value)} s"
        problems.append(Refusal(reason="period-below-claim", message=message))
    return conclude(facts, problems, period.evidence, clock.value.assumptions)
