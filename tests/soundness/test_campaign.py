"""The runner: what it prints, that it can stop and go on, and that every operation has its cases."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pinproof.isa import Operation

from tests.soundness import campaign, pcode, single, straight
from tests.soundness.__main__ import main
from tests.soundness.bench import Bench
from tests.soundness.campaign import GROUP, Place, Plan, Record
from tests.soundness.emulated import PROGRAM, PROGRAM_SIZE, SINGLE, SINGLE_SIZE
from tests.soundness.tally import Tally

_O = Operation
REFUSED = frozenset({_O.LDRT, _O.LDRBT, _O.LDRHT, _O.LDRSBT, _O.LDRSHT, _O.STRT, _O.STRBT, _O.STRHT})
"""The machine refuses these (their effect depends on the MPU), so containment has nothing to look at."""
ELSEWHERE = single.NOT_EMULATED
"""test_system_registers.py has their cases."""


@pytest.fixture(scope="module")
def benches() -> tuple[Bench, Bench, Bench]:
    return Bench(SINGLE, SINGLE_SIZE), Bench(SINGLE + 2, SINGLE_SIZE), Bench(PROGRAM, PROGRAM_SIZE)


# --- hypothesis -------------------------------------------------------------------------------------------------------

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)


@RELAXED
@given(seed=st.integers(0, 1 << 64), odd=st.booleans())
def test_instruction(benches: tuple[Bench, Bench, Bench], seed: int, odd: bool) -> None:
    tally = Tally()
    single.Group(benches[odd], random.Random(seed)).run(16, tally)
    assert not tally.unsound


@RELAXED
@given(seed=st.integers(0, 1 << 64))
def test_straight_program(benches: tuple[Bench, Bench, Bench], seed: int) -> None:
    tally = Tally()
    straight.Group(benches[2], random.Random(seed)).run(8, tally)
    assert not tally.unsound


# --- every operation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", sorted(set(Operation) - ELSEWHERE - {_O.IT}))
def test_every_operation_has_cases(benches: tuple[Bench, Bench, Bench], operation: Operation) -> None:
    tally = Tally()
    for number in range(40):
        bench = benches[number % 2]
        single.Group(bench, random.Random(f"{operation}:{number}"), only=operation).run(4, tally)
        if number >= 4 and tally.contained[operation]:
            break
    assert not tally.unsound, tally.unsound[:3]
    assert tally.operations[operation], "never compared with Unicorn"
    assert bool(tally.contained[operation]) != (operation in REFUSED), "refused by the machine, or no longer"


def test_it_blocks_have_cases(benches: tuple[Bench, Bench, Bench]) -> None:
    tally = Tally()
    for number in range(20):
        straight.Group(benches[2], random.Random(number)).run(4, tally)
    assert tally.operations[_O.IT] and tally.contained["program"] and not tally.unsound


# --- p-code -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", pcode.KNOWN, ids=lambda fault: fault.name)
def test_known_fault_of_pcode_still_shows(benches: tuple[Bench, Bench, Bench], fault: pcode.Fault) -> None:
    tally = Tally()
    for number in range(3000):
        source = random.Random(number)
        group = single.Group(benches[number % 2], source, only=_operation_of(fault), always_lift=True)
        if fault.applies(group.instruction):
            group.run(8, tally)
        if tally.remarks[f"known p-code fault: {fault.name}"]:
            break
    assert tally.remarks[f"known p-code fault: {fault.name}"], "p-code does this right now: take the entry out"
    assert not tally.unsound, tally.unsound[:3]


def _operation_of(fault: pcode.Fault) -> Operation:
    first = fault.name.split()[0].rstrip(",").removesuffix(".W").lower()
    return Operation({"ands": "and", "stmia": "stm", "a": "stm"}.get(first, first))


def test_what_pcode_leaves_to_the_user_is_not_compared() -> None:
    with pytest.raises(pcode.NotLifted):
        pcode.Lifter().lift(bytes.fromhex("bff35f8f"), SINGLE)  # dmb


# --- the runner -------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "CHUNK", 400)
    monkeypatch.setattr(campaign, "LOOPS", 0.0)


def test_runner_says_one_line(capsys: pytest.CaptureFixture[str], small: None) -> None:
    assert main(["--cases", "1000", "--seed", "3"]) == 0
    assert capsys.readouterr().out == "soundness: 1000 cases, 0 unsound; 0 mutants, 0 dangerous passed\n"


def test_loops_are_part_of_it() -> None:
    assert Plan(cases=200_000, seed=1).work()[-1].cases == {"loop": 100}
    assert sum(sum(work.cases.values()) for work in Plan(cases=123_457, seed=1).work()) == 123_457


def test_unsound_cases_are_told_and_fail(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    monkeypatch.setattr(single.Group, "_contained", lambda self, draw, foreseen, pc: "made up")
    assert main(["--cases", "64", "--seed", "3"]) == 1
    said = capsys.readouterr()
    unsound = [line for line in said.err.splitlines() if line.startswith("unsound: ")]
    assert said.out == f"soundness: 64 cases, {len(unsound)} unsound; 0 mutants, 0 dangerous passed\n"
    place = unsound[0].split()[1]
    assert main(["--replay", place]) == 1
    assert f"unsound: {place} " in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--cases", "-1"], ["--replay", "nothing"], ["--workers", "0"], ["--unknown"]])
def test_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_interrupted_run_goes_on(tmp_path: Path, small: None) -> None:
    plan, path = Plan(cases=1200, seed=9), tmp_path / "record.json"
    whole = campaign.run(plan, 1, None)
    part = Record(plan)
    for work in plan.work()[1:]:
        part.add(*campaign.run_chunk(work), "some commit")
    part.save(path)
    resumed = campaign.run(plan, 1, path)
    assert (resumed.cases, resumed.operations, resumed.contained) == (whole.cases, whole.operations, whole.contained)
    assert json.loads(path.read_text())["chunks"] == [[0, 2]]
    assert main(["--cases", "1300", "--seed", "9", "--record", str(path)]) == 2


def test_workers_change_nothing(small: None) -> None:
    plan = Plan(cases=800, seed=4)
    one, two = campaign.run(plan, 1, None), campaign.run(plan, 2, None)
    assert (one.cases, one.operations, one.contained, one.pcode) == (
        two.cases,
        two.operations,
        two.contained,
        two.pcode,
    )


def test_place_is_read_back() -> None:
    place = Place(kind="straight", seed=-4, chunk=5, group=6)
    assert Place.parse(str(place)) == place
    assert set(GROUP) == {"instruction", "straight", "loop"}
