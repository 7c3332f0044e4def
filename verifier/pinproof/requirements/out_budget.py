"""Where the profile sets a dwell or a daily limit, the gate MUST enforce it.

*How it is decided.* A profile that sets neither a dwell nor a daily limit asks nothing more than out-capacity; the
evidence is that there is no limit to enforce and what the capacity leaves a day. A profile that sets one is refused:
the verifier follows no count in gate memory, and a promise that nothing enforces fails.

*False accepts.* None.

*False rejects.* A gate that does enforce a limit of its profile.
"""

from __future__ import annotations

from pinproof.capacity import spell
from pinproof.facts import (
    CLOCK_REASONS,
    MACHINE_REASONS,
    TIMER_REASONS,
    Facts,
    Known,
    Refusal,
    conclude,
    pin_capacity,
    proved,
)
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **TIMER_REASONS,
    **CLOCK_REASONS,
    "budget-not-enforced": "the profile sets a dwell or a daily limit, and no gate code is proved to keep it",
}


def check(facts: Facts) -> Outcome:
    budget = facts.profile.budget
    if budget.dwell_seconds is not None or budget.changes_per_day is not None:
        refusal = Refusal(
            reason="budget-not-enforced",
            message=f"the profile {facts.profile.name} sets a limit that the gate is not proved to keep",
        )
        return conclude(facts, [refusal], [])
    capacity = pin_capacity(facts)
    if not isinstance(capacity, Known):
        return conclude(facts, [capacity], [])
    day = spell(capacity.value.bits_per_day)
    evidence = [proved(f"no limit set: the profile asks for no dwell or daily limit; the pin carries {day} bits a day")]
    return conclude(facts, [], evidence)
