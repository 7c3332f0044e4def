"""The declaration MUST justify immutability and state support period, replacement, battery and hazardous substances,
and take-back.

*How it is decided.* Each statement is present and says something: not empty, and not a word that stands for a missing
one.

*False accepts.* Statements that are not true; they are the vendor's.

*False rejects.* None known.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import Facts, Problem, Refusal, conclude_without_machine, declared
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    "statement-missing": "a statement about the end of life is empty or a placeholder",
}

_PLACEHOLDERS = frozenset({"", "todo", "tbd", "tba", "n/a", "na", "?", "-", "...", "xxx", "fixme", "unknown"})


def check(facts: Facts) -> Outcome:
    evidence = [declared("the vendor states all of: " + ", ".join(name for name, _ in _statements(facts)))]
    return conclude_without_machine(_problems(facts), evidence)


def _statements(facts: Facts) -> tuple[tuple[str, str], ...]:
    life = facts.declaration.lifecycle
    return (
        ("immutability_rationale", life.immutability_rationale),
        ("support_period", life.support_period),
        ("replacement", life.replacement),
        ("battery", life.battery),
        ("hazardous_substances", life.hazardous_substances),
        ("take_back", life.take_back),
    )


def _problems(facts: Facts) -> Iterator[Problem]:
    for name, text in _statements(facts):
        if text.strip().strip(".").lower() in _PLACEHOLDERS:
            yield Refusal(reason="statement-missing", message=f"lifecycle.{name} says nothing")
