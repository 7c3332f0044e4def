"""Running the checks: whatever a check does, it cannot pass by accident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from pinproof.outcome import Fault, Grade, Inconclusive, NotApplicable, Outcome, Verdict, fold
from pinproof.runner import decide, find_check

from tests.unit.report import samples


@dataclass(frozen=True)
class Obligation:
    id: str = "out-clocked"
    area: str = "out"
    sentence: str = "The edge MUST be clocked."

    def minimum_grade(self, level: int) -> Grade:
        return Grade.DECLARED if level == 0 else Grade.PROVED


def run(check: Callable[[object], object], *, level: int = 1, ledger: tuple[str, ...] = (), **kw: object) -> Outcome:
    (decision,) = decide([Obligation(**kw)], object(), level=level, ledger=ledger, find=lambda _: check)  # type: ignore[arg-type]
    return decision.outcome


def raising(problem: BaseException) -> Callable[[object], object]:
    def check(_: object) -> object:
        raise problem

    return check


def test_a_pass_passes() -> None:
    assert run(lambda _: samples.passed()) == samples.passed()


@pytest.mark.parametrize(
    "problem", [ValueError("a\nb"), KeyError("x"), RecursionError(), MemoryError(), AssertionError()]
)
def test_a_check_that_breaks_is_a_fault(problem: Exception) -> None:
    outcome = run(raising(problem))
    assert isinstance(outcome, Fault) and "\n" not in outcome.message
    assert fold([samples.passed(), outcome]) is Verdict.UNDECIDED


def test_an_interrupt_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        run(raising(KeyboardInterrupt()))


@pytest.mark.parametrize("nothing", [None, True, "pass", ()])
def test_no_outcome_is_a_fault(nothing: object) -> None:
    assert isinstance(run(lambda _: nothing), Fault)


def test_a_missing_module_is_a_fault() -> None:
    (decision,) = decide([Obligation(id="no-such-thing")], object(), level=1, ledger=(), find=find_check)
    assert isinstance(decision.outcome, Fault) and "no-such-thing" in decision.outcome.message


def test_evidence_too_weak_for_the_level_is_inconclusive() -> None:
    outcome = run(lambda _: samples.passed(Grade.DECLARED))
    assert isinstance(outcome, Inconclusive) and outcome.reason == "grade-too-low"
    assert outcome.locations == (samples.HERE,)


def test_the_level_chooses_the_minimum_grade() -> None:
    assert run(lambda _: samples.passed(Grade.DECLARED), level=0) == samples.passed(Grade.DECLARED)


def test_a_pass_on_an_assumption_that_is_not_printed_is_a_fault() -> None:
    rests = samples.passed(Grade.PROVED, "crystal-frequency")
    assert isinstance(run(lambda _: rests), Fault)
    assert run(lambda _: rests, ledger=("crystal-frequency",)) == rests


@pytest.mark.parametrize("outcome", [samples.failed(), samples.undecided(), NotApplicable(why="x"), Fault(message="x")])
def test_other_outcomes_are_kept(outcome: Outcome) -> None:
    assert run(lambda _: outcome) == outcome


def test_nothing_decided_is_undecided() -> None:
    assert fold(d.outcome for d in decide([], object(), level=1, ledger=())) is Verdict.UNDECIDED
