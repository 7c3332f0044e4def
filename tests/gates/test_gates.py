"""Gates in other hands: each is decided as its gate.toml says, those that conform work in QEMU, sabotage fails.

All of it takes minutes. `make gates` runs all; otherwise the first and the last build of each gate are decided, its
first two sabotages tried, and its first build that conforms is run.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from reference_module.build import comparable
from tests.emulation.tools import require
from tests.gates.building import Built, build, write
from tests.gates.gate import CONFORMS, Build, Gate, Sabotage, gates
from tests.gates.judging import complaints, judge, run
from tests.gates.table import README, table

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

_GATES = {gate.name: gate for gate in gates()}
_BUILDS = [(gate, how) for gate in _GATES.values() for how in gate.builds]
_CONFORMING = [(gate, how) for gate, how in _BUILDS if how.expect.verdict == CONFORMS]
_SABOTAGES = [(gate, sabotage) for gate in _GATES.values() for sabotage in gate.sabotages]

_ALL = os.environ.get("PINPROOF_GATES") == "all"
_DECIDED = [(gate, how) for gate, how in _BUILDS if _ALL or how in (gate.builds[0], gate.builds[-1])]
_TRIED = [(gate, sabotage) for gate, sabotage in _SABOTAGES if _ALL or sabotage in gate.sabotages[:2]]
_FIRST = {gate.name: how for gate, how in reversed(_CONFORMING)}
_RUN = [(gate, how) for gate, how in _CONFORMING if _ALL or how is _FIRST[gate.name]]


def _name(item: object) -> str:
    assert isinstance(item, Gate | Build | Sabotage)
    return item.name


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    require("arm-none-eabi-gcc", "arm-none-eabi-g++", "python:ziglang")


@cache
def _built(gate: str, build_name: str) -> Built:
    how = next(item for item in _GATES[gate].builds if item.name == build_name)
    return build(_GATES[gate], how)


def test_six_gates_in_other_hands_conform() -> None:
    assert len({gate.name for gate, _ in _CONFORMING} - {"reference"}) >= 6


def test_each_gate_that_conforms_has_two_sabotages() -> None:
    assert [gate.name for gate, _ in _CONFORMING if len(gate.sabotages) < 2] == []


@pytest.mark.parametrize(("gate", "how"), _DECIDED, ids=_name)
def test_decided(gate: Gate, how: Build) -> None:
    judged = judge(_built(gate.name, how.name).case)
    if how.expect.verdict == CONFORMS:
        assert judged.refusals == {}
    else:
        assert judged.outcomes[str(how.expect.requirement)] == how.expect.outcome
    assert judged.verdict == how.expect.verdict


@pytest.mark.parametrize(("gate", "sabotage"), _TRIED, ids=_name)
def test_sabotage_is_refused(gate: Gate, sabotage: Sabotage) -> None:
    how = next(item for item in gate.builds if item.expect.verdict == CONFORMS)
    assert judge(build(gate, how, sabotage).case).outcomes[sabotage.requirement] == sabotage.outcome


@pytest.mark.emulation
@pytest.mark.parametrize(("gate", "how"), _RUN, ids=_name)
def test_it_works(gate: Gate, how: Build, tmp_path: Path) -> None:
    require("qemu-system-arm", "gcc")
    assert complaints(gate, run(gate, write(gate, how, tmp_path))) == []


def test_the_table_is_fresh() -> None:
    if not comparable():
        pytest.skip("not comparable: another toolchain gives other sizes")
    assert README.read_text(encoding="utf-8") == table(lambda gate, how: _built(gate.name, how.name))
