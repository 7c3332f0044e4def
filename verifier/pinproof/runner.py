"""Runs one check a requirement and turns whatever happens into an outcome. Nothing here can turn trouble into a pass.

The catalogue is the only list of requirements: every one of them gets exactly one outcome, in its order.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterable
from typing import Protocol, TypeVar

from pinproof.outcome import Fail, Fault, Grade, Inconclusive, NotApplicable, Outcome, Pass
from pinproof.report import Decision, suffices

Facts = TypeVar("Facts", contravariant=True)


class Check(Protocol[Facts]):
    """The one public function of a requirement's module."""

    def __call__(self, facts: Facts, /) -> Outcome: ...


class Obligation(Protocol):
    """What the runner needs to know of a requirement in the catalogue."""

    @property
    def id(self) -> str: ...
    @property
    def area(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    def minimum_grade(self, level: int) -> Grade: ...


def find_check(requirement: str) -> Check[object]:
    """`check` of the module that has the requirement's name."""
    module = importlib.import_module(f"pinproof.requirements.{requirement.replace('-', '_')}")
    check: Check[object] = module.check
    return check


def decide(
    obligations: Iterable[Obligation],
    facts: Facts,
    *,
    level: int,
    ledger: Collection[str],
    find: Callable[[str], Check[Facts]] = find_check,
) -> tuple[Decision, ...]:
    """One decision an obligation. `ledger` holds the ids of the assumptions that a pass may rest on."""
    return tuple(_decide_one(obligation, facts, level, ledger, find) for obligation in obligations)


def _decide_one(
    obligation: Obligation, facts: Facts, level: int, ledger: Collection[str], find: Callable[[str], Check[Facts]]
) -> Decision:
    minimum = obligation.minimum_grade(level)
    outcome = _run(obligation.id, facts, find)
    if isinstance(outcome, Pass):
        outcome = _accept(outcome, obligation.id, minimum, level, ledger)
    return Decision(
        id=obligation.id, area=obligation.area, sentence=obligation.sentence, minimum_grade=minimum, outcome=outcome
    )


def _run(requirement: str, facts: Facts, find: Callable[[str], Check[Facts]]) -> Outcome:
    try:
        outcome: object = find(requirement)(facts)
    except Exception as problem:  # the one place where everything is caught: a broken check decides nothing
        return Fault(message=f"the check of {requirement} broke: {type(problem).__name__}: {_one_line(problem)}")
    if isinstance(outcome, Pass | Fail | Inconclusive | NotApplicable | Fault):
        return outcome
    return Fault(message=f"the check of {requirement} gave no outcome")


def _accept(passed: Pass, requirement: str, minimum: Grade, level: int, ledger: Collection[str]) -> Outcome:
    """`passed`, unless its evidence is too weak for the level or it rests on something the report would not print."""
    unknown = sorted(set(passed.assumptions) - set(ledger))
    if unknown:
        return Fault(message=f"{requirement} rests on {', '.join(unknown)}, which the assumptions do not hold")
    if suffices(passed.grade, minimum):
        return passed
    weakest = next(item for item in passed.evidence if item.grade is passed.grade)
    return Inconclusive(
        reason="grade-too-low",
        message=f"holds only as {passed.grade}, but level {level} asks for {minimum}: {weakest.statement}",
        would_help=f"evidence of grade {minimum} or stronger, or a lower level",
        locations=weakest.locations,
    )


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())[:300]
