"""Every requirement: passes on the conforming module, notices each deviation, and never passes on silence."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
from pinproof import facts as facts_of
from pinproof.catalogue import load_catalogue
from pinproof.facts import MACHINE_REASONS
from pinproof.outcome import Fail, Fault, Inconclusive, NotApplicable, Outcome, Pass, Verdict, fold
from pinproof.report import suffices
from pinproof.runner import decide as decide_all

from tests.unit.requirements import deviations
from tests.unit.requirements.builders import conforming_facts
from tests.unit.requirements.cases import Case, decide, judge, reasons_of
from tests.unit.requirements.imm_cases import CASES as IMM
from tests.unit.requirements.mem_cases import CASES as MEM
from tests.unit.requirements.out_cases import CASES as OUT
from tests.unit.requirements.rest_cases import CASES as REST
from tests.unit.requirements.run_cases import CASES as RUN

CASES: list[Case] = [*OUT, *MEM, *IMM, *RUN, *REST]
REQUIREMENTS = [requirement.id for requirement in load_catalogue().requirements]
STATIC = {
    "out-supply",
    "rad-none-on-silicon",
    "rad-no-access",
    "mem-writable-budget",
    "imm-option-bytes",
    "imm-no-loader",
    "bld-reproducible",
    "doc-datasheet",
    "lif-end-of-life",
}
"""Requirements that are decided without the exploration."""


def module_of(requirement: str) -> ModuleType:
    return importlib.import_module(f"pinproof.requirements.{requirement.replace('-', '_')}")


def reason(outcome: Outcome) -> str:
    assert isinstance(outcome, Fail | Inconclusive), outcome
    return outcome.reason


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_the_conforming_module_passes(requirement: str) -> None:
    outcome = decide(requirement, conforming_facts())
    assert isinstance(outcome, Pass), outcome
    minimum = load_catalogue().find(requirement)
    assert minimum is not None
    assert suffices(outcome.grade, minimum.minimum_grade(1))


def test_the_conforming_module_conforms_and_its_ledger_holds_every_assumption() -> None:
    facts = conforming_facts()
    ledger = [item.id for item in facts_of.assumptions(facts)]
    assert len(ledger) == len(set(ledger))
    decisions = decide_all(load_catalogue().requirements, facts, level=1, ledger=ledger)
    assert fold(decision.outcome for decision in decisions) is Verdict.CONFORMS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_deviation_is_noticed(case: Case) -> None:
    judge(case)


@pytest.mark.parametrize("requirement", [item for item in REQUIREMENTS if item not in STATIC])
def test_an_empty_exploration_proves_nothing(requirement: str) -> None:
    outcome = decide(requirement, deviations.empty(conforming_facts()))
    assert isinstance(outcome, Fail | Inconclusive), outcome
    assert outcome.reason in reasons_of(module_of(requirement))


@pytest.mark.parametrize("requirement", [item for item in REQUIREMENTS if item not in STATIC])
def test_a_drop_that_no_path_reaches_proves_nothing(requirement: str) -> None:
    outcome = decide(requirement, deviations.run(conforming_facts(), deviations.BOOT, drops=()))
    assert isinstance(outcome, Fail | Inconclusive), outcome


@pytest.mark.parametrize("requirement", [item for item in REQUIREMENTS if item not in STATIC])
@pytest.mark.parametrize("which", [deviations.TICK, deviations.FAULT])
def test_a_handler_of_which_nothing_was_executed_proves_nothing(requirement: str, which: str) -> None:
    outcome = decide(requirement, deviations.run(conforming_facts(), which, instructions=0))
    assert reason(outcome) == "nothing-explored"


@pytest.mark.parametrize("requirement", [item for item in REQUIREMENTS if item not in STATIC])
def test_no_handlers_prove_nothing(requirement: str) -> None:
    outcome = decide(requirement, deviations.exploration(conforming_facts(), handlers=()))
    assert isinstance(outcome, Fail | Inconclusive), outcome


@pytest.mark.parametrize("requirement", [item for item in REQUIREMENTS if item not in STATIC])
def test_an_obstacle_proves_nothing(requirement: str) -> None:
    outcome = decide(requirement, deviations.obstacle(conforming_facts()))
    expected = "computed-branch" if requirement == "run-gate-proved" else "gate-not-proved"
    assert isinstance(outcome, Inconclusive)
    assert outcome.reason == expected


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_reason_is_reached(requirement: str) -> None:
    """Each code that a check names is given by some case, and no case expects a code that it does not name."""
    named = set(reasons_of(module_of(requirement)))
    common = set(MACHINE_REASONS)
    reached = {case.reason for case in CASES if case.requirement == requirement}
    assert named - common == reached - common


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_the_docstring_opens_with_the_sentence(requirement: str) -> None:
    text = module_of(requirement).__doc__ or ""
    found = load_catalogue().find(requirement)
    assert found is not None
    first, *rest = text.strip().split("\n\n")
    assert " ".join(first.split()) == " ".join(found.sentence.split())
    openings = ["*How it is decided.*", "*False accepts.*", "*False rejects.*"]
    assert [paragraph.split("*", 2)[1] for paragraph in rest] == [opening.strip("*") for opening in openings]


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_requirement_has_a_deviation_that_fails(requirement: str) -> None:
    outcomes = {case.undecided for case in CASES if case.requirement == requirement}
    assert False in outcomes or requirement == "out-supply"


def test_no_module_without_a_requirement() -> None:
    folder = module_of("out-clocked").__file__
    assert folder is not None
    from pathlib import Path

    names = {path.stem for path in Path(folder).parent.glob("*.py")} - {"__init__"}
    assert names == {requirement.replace("-", "_") for requirement in REQUIREMENTS}


@pytest.mark.slow
def test_outcomes_are_never_faults() -> None:
    for case in CASES[::4]:
        for requirement in REQUIREMENTS:
            try:
                outcome = decide(requirement, case.deviation(conforming_facts()))
            except KeyError:
                # A silicon file without a block that the check needs: the runner makes it a fault, which is undecided.
                assert case.deviation(conforming_facts()).silicon != conforming_facts().silicon
                continue
            assert not isinstance(outcome, Fault | NotApplicable)
            if isinstance(outcome, Fail | Inconclusive):
                assert outcome.reason in reasons_of(module_of(requirement))
