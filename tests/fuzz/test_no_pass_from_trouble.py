"""No exception, in whatever stage of a verification, becomes a pass: the exit code is not 0, the verdict not yes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pinproof.facts
import pinproof.machine
import pinproof.requirements
import pytest
from pinproof import _cli, verify
from pinproof.catalogue import load_catalogue
from pinproof.facts import Facts
from pinproof.outcome import Fault, Pass
from pinproof.runner import decide

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "reference_module"
IMAGE, MODULE = REFERENCE / "person_detector.elf", REFERENCE / "module.toml"
REQUIREMENTS = tuple(str(requirement.id) for requirement in load_catalogue().requirements)


class Trouble(Exception):
    """What no stage expects."""


TROUBLES = (
    Trouble,
    RecursionError,
    MemoryError,
    AssertionError,
    KeyError,
    StopIteration,
    ValueError,
    ZeroDivisionError,
)


def raising(kind: type[Exception]) -> Callable[..., object]:
    def broken(*arguments: object, **named: object) -> object:
        raise kind("injected")

    return broken


def run_reference() -> int:
    return _cli.main(["verify", str(IMAGE), "--module", str(MODULE)])


@pytest.fixture(scope="module")
def facts() -> Facts:
    """Those of the reference module, which conforms."""
    found: list[Facts] = []
    gather = verify._gather

    def noting(*arguments: object) -> Facts:
        found.append(gather(*arguments))  # type: ignore[arg-type]
        return found[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "_gather", noting)
        assert run_reference() == 0
    return found[0]


# --- requirements -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_a_check_that_breaks_is_a_fault(facts: Facts, requirement: str) -> None:
    from pinproof.runner import find_check

    for kind in TROUBLES:

        def find(name: str, kind: type[Exception] = kind) -> Callable[[Facts], object]:
            return raising(kind) if name == requirement else find_check(name)

        catalogue = [item for item in load_catalogue().requirements if str(item.id) == requirement]
        ledger = [item.id for item in pinproof.facts.assumptions(facts)]
        (decision,) = decide(catalogue, facts, level=1, ledger=ledger, find=find)  # type: ignore[arg-type]
        assert isinstance(decision.outcome, Fault)


@pytest.mark.slow
@pytest.mark.parametrize("answer", [None, True, 0, "pass", object(), Pass], ids=lambda answer: type(answer).__name__)
def test_an_answer_that_is_no_outcome_is_a_fault(facts: Facts, answer: object) -> None:
    catalogue = load_catalogue().requirements[:1]
    (decision,) = decide(catalogue, facts, level=1, ledger=(), find=lambda _: lambda _: answer)  # type: ignore[arg-type,return-value]
    assert isinstance(decision.outcome, Fault)


# --- facts: each function, as the requirements and the report ask it ------------------------------------------------


def fact_functions() -> list[str]:
    names = [name for name in dir(pinproof.facts) if not name.startswith("_")]
    return [name for name in names if callable(getattr(pinproof.facts, name)) and name[0].islower()]


@pytest.mark.slow
@pytest.mark.parametrize("name", fact_functions())
def test_a_fact_that_breaks_never_conforms(
    facts: Facts, name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Wherever it was imported to. The whole command is run, on facts that were gathered before."""
    function = getattr(pinproof.facts, name)
    asked: list[object] = []

    def broken(*arguments: object, **named: object) -> object:
        asked.append(arguments)
        raise Trouble("injected")

    for module in modules():
        for attribute, value in list(vars(module).items()):
            if value is function:
                monkeypatch.setattr(module, attribute, broken)
    monkeypatch.setattr(verify, "_gather", lambda *arguments: facts)
    code = run_reference()
    said = capfd.readouterr()
    if asked:
        assert code in (3, 4)
        assert "CONFORMS" not in said.out.replace("DOES NOT CONFORM", "")
    else:
        assert name in UNASKED


UNASKED = frozenset(
    {
        "crystal_possible",
        "measured",
        "data_bus_problems",  # of a microphone
        "sample_rates",  # of a microphone
        "unbounded_stack",  # a message about one
        "state_words",  # how a message writes a state
        "output_registers",  # asked before there are facts
    }
)
"""Facts that a verification of the reference never asks for; a test of its own would be vacuous."""


def modules() -> Iterator[object]:
    for package in (pinproof.facts, pinproof.requirements):
        yield package
        for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            yield importlib.import_module(found.name)
    yield verify


# --- stages ----------------------------------------------------------------------------------------------------------

STAGES = (
    "pinproof.verify.read_declaration",
    "pinproof.verify.load_silicon",
    "pinproof.verify.load_profile",
    "pinproof.verify.read_image",
    "pinproof.verify.explore",
    "pinproof.verify.read_provisioning",
    "pinproof.verify.read_source_map",
    "pinproof.verify.load_catalogue",
    "pinproof.verify.decide",
    "pinproof.machine.explore.decode",
    "pinproof.machine.explore.join",
    "pinproof.machine.explore._grown",
    "pinproof.machine.explore._covered",
    "pinproof.machine.explore._accesses",
    "pinproof.machine.explore.machine_state",
    "pinproof.machine.execute.run_loop",
    "pinproof.machine.execute.function_at",
    "pinproof.machine.execute.semantics.step",
    "pinproof.machine.execute.join",
    "pinproof.machine.bus.Bus.load",
    "pinproof.machine.bus.Bus.store",
    "pinproof.machine.bus.mpu.decode",
    "pinproof.machine.loops._inductive",
    "pinproof.machine.loops.fills_of",
    "pinproof.machine.state.State.copy",
    "pinproof.machine.trace.Trace.access",
    "pinproof.machine.trace.Trace.obstacle",
)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Trouble, RecursionError], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_breaks_never_conforms(
    stage: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []

    def broken(*arguments: object, **named: object) -> object:
        asked.append(arguments)
        raise kind("injected")

    monkeypatch.setattr(stage, broken)
    code = run_reference()
    said = capfd.readouterr()
    if asked or stage not in ONLY_FOR_THE_BROKEN:
        assert asked and code in (1, 3, 4)
        assert "CONFORMS" not in said.out.replace("DOES NOT CONFORM", "")


ONLY_FOR_THE_BROKEN = frozenset({"pinproof.machine.trace.Trace.obstacle"})
"""Stages that the reference never comes to."""
