"""Reports made by hand, for the tests of everything that reads or shows a report."""

from __future__ import annotations

from pinproof.capacity import Capacity
from pinproof.outcome import (
    Chain,
    Evidence,
    Fail,
    Fault,
    Grade,
    Inconclusive,
    Location,
    NotApplicable,
    Outcome,
    Pass,
    Step,
)
from pinproof.report import Assumption, Awaits, Decision, Memory, Module, Owner, Proof, Report, Subjects
from pinproof.silicon import Status

HERE = Location(address=0x08000124, function="reset_handler", line="gate/reset.c:42")
THERE = Location(address=0x08000200)


def passed(grade: Grade = Grade.PROVED, *assumptions: str) -> Pass:
    evidence = Evidence(grade=grade, statement="every store of the gate is bounded", locations=(HERE,))
    return Pass(evidence=(evidence,), assumptions=assumptions)


def failed() -> Fail:
    seen = Evidence(grade=Grade.PROVED, statement="GPIOB_MODER is written with 0x00000001", locations=(HERE, THERE))
    return Fail(reason="undeclared-output", message="PB0 is an output after the drop", witness=(seen,))


def undecided() -> Inconclusive:
    return Inconclusive(
        reason="computed-branch",
        message="the branch at 0x08000200 has no proved target",
        would_help="replace the jump table by comparisons",
        locations=(THERE,),
    )


CALLED = Location(address=0x08000300, function="write", line="gate/io.c:9", calls=(Location(address=0x08000110), HERE))
CHAIN = Chain(
    steps=(
        Step(depth=0, text="stores 0x1 to GPIOB.MODER", location=CALLED, instruction="str r0, [r3]"),
        Step(depth=1, text="r0 = 0x1", location=CALLED, instruction="ldr r0, [pc, #8]"),
        Step(depth=2, text="0x1, in flash at 0x0800030C"),
    )
)


def report(
    *outcomes: Outcome,
    level: int = 1,
    development: bool = False,
    capacity: Capacity | None = None,
    explained: bool = False,
) -> Report:
    """A report whose requirements come to `outcomes`; all pass when none is given."""
    ids = ("out-declared-pins", "out-clocked", "imm-flash-locked", "rad-no-access", "run-gate-proved")
    given = outcomes or (passed(Grade.HARDWARE), passed(Grade.PROVED, "crystal-frequency"))
    decisions = tuple(
        Decision(
            id=name,
            area=name.partition("-")[0],
            sentence=f"The module MUST satisfy {name}.",
            minimum_grade=Grade.PROVED,
            outcome=outcome,
            meaning="a pin is an output" if isinstance(outcome, Fail) else None,
            remedy="the store to GPIOB.MODER at gate/io.c:9 in write: store 3 instead"
            if isinstance(outcome, Fail)
            else None,
            chains=(CHAIN,) if explained and isinstance(outcome, Fail | Pass) else (),
            awaits=_awaited(name, outcome) if development else None,
        )
        for name, outcome in zip(ids, given, strict=False)
    )
    return Report(
        tool_version="0.1.0",
        specification_version="0.1",
        catalogue_sha256="c" * 64,
        module=Module(
            vendor="Example Works",
            product="Person Detector",
            version="1.0",
            part="stm32f401xe",
            part_status=Status.CERTIFIABLE,
            profile="person-detector",
            declaration_name="module.toml",
            declaration_sha256="d" * 64,
        ),
        subjects=Subjects(
            image_name="person_detector.elf",
            image_kind="elf",
            image_sha256="e" * 64,
            flash_start=0x08000000,
            flash_size=512 * 1024,
            flash_sha256="f" * 64,
            model_sha256="a" * 64,
        ),
        level=level,
        development=development,
        decisions=decisions,
        capacity=capacity or one_bit(),
        memory=Memory(
            parts=(("SRAM", 98304),),
            budget_bytes=102400,
            reachable=(("confined memory", 65536), ("gate memory", 1024)),
        ),
        assumptions=(
            Assumption(
                id="crystal-frequency",
                statement="the crystal is 8 MHz within 100 ppm",
                owner=Owner.VENDOR,
                discharge="bill of materials; the lab measures the period",
            ),
        ),
        proof=Proof(
            gate_bytes=1804,
            instructions=702,
            vectors=102,
            handlers=3,
            obstacles=0,
            invariant_rounds=2,
            steps=51234,
            tick_cycles=900_000,
        ),
    )


def _awaited(name: str, outcome: Outcome) -> Awaits | None:
    if isinstance(outcome, Pass | NotApplicable):
        return None
    return {"out-clocked": Awaits.CHANGE, "imm-flash-locked": Awaits.SEAL}.get(name, Awaits.PAPERS)


def one_bit() -> Capacity:
    return Capacity(alphabet=2, jitter_positions=0, minimum_period_ns=1_000_000_000, frame_bits=96 * 96 * 8)


EVERY_OUTCOME = (
    passed(),
    failed(),
    undecided(),
    NotApplicable(why="the part has no transceiver"),
    Fault(message="broke"),
)
