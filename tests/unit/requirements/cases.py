"""What a case is: one deviation, the requirement that must notice it, and the reason it must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from pinproof.facts import Facts
from pinproof.outcome import Fail, Inconclusive, Outcome
from pinproof.runner import find_check

from tests.unit.requirements.builders import conforming_facts

Deviation = Callable[[Facts], Facts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    requirement: str
    reason: str
    deviation: Deviation
    undecided: bool = False

    @property
    def name(self) -> str:
        return f"{self.requirement}:{self.reason}"


def fails(requirement: str, *pairs: tuple[str, Deviation]) -> list[Case]:
    return [Case(requirement=requirement, reason=reason, deviation=deviation) for reason, deviation in pairs]


def undecided(requirement: str, *pairs: tuple[str, Deviation]) -> list[Case]:
    return [
        Case(requirement=requirement, reason=reason, deviation=deviation, undecided=True) for reason, deviation in pairs
    ]


def decide(requirement: str, facts: Facts) -> Outcome:
    return find_check(requirement)(facts)


def judge(case: Case) -> None:
    """The check gives this outcome with this reason, and the message says something in one line."""
    outcome = decide(case.requirement, case.deviation(conforming_facts()))
    expected = Inconclusive if case.undecided else Fail
    assert isinstance(outcome, expected), outcome
    assert outcome.reason == case.reason, outcome
    assert outcome.message and "\n" not in outcome.message


def reasons_of(module: ModuleType) -> dict[str, str]:
    reasons: dict[str, str] = module.REASONS
    return reasons
