"""The report's verdict: folded from the outcomes, and never a yes over a proof of nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pinproof.exports import Format, render
from pinproof.outcome import Verdict
from pinproof.report import Awaits

from tests.unit.report import samples


@pytest.mark.parametrize("count", ["gate_bytes", "instructions", "vectors", "handlers", "steps"])
def test_a_proof_that_examined_nothing_is_undecided(count: str) -> None:
    report = samples.report()
    assert report.verdict is Verdict.CONFORMS
    empty = replace(report, proof=replace(report.proof, **{count: 0}))
    assert empty.verdict is Verdict.UNDECIDED
    assert "this proves nothing: no " in render(empty, Format.TEXT)


def test_an_obstacle_is_undecided() -> None:
    report = samples.report()
    assert replace(report, proof=replace(report.proof, obstacles=1)).verdict is Verdict.UNDECIDED


def test_a_failure_stays_a_failure() -> None:
    report = samples.report(samples.failed())
    assert replace(report, proof=replace(report.proof, handlers=0)).verdict is Verdict.DOES_NOT_CONFORM


def test_an_id_stands_once() -> None:
    report = samples.report()
    with pytest.raises(ValueError, match="twice"):
        replace(report, decisions=report.decisions * 2)
    with pytest.raises(ValueError, match="twice"):
        replace(report, assumptions=report.assumptions * 2)


def test_a_run_for_development_never_conforms() -> None:
    assert samples.report().verdict is Verdict.CONFORMS
    assert samples.report(development=True).verdict is Verdict.UNDECIDED


def test_what_is_awaited_is_said_in_a_run_for_development_and_in_no_other() -> None:
    open_spot = samples.report(samples.failed(), development=True)
    with pytest.raises(ValueError, match="says what is awaited"):
        replace(open_spot, development=False)
    with pytest.raises(ValueError, match="says what is awaited"):
        replace(samples.report(samples.failed()), development=True)
    with pytest.raises(ValueError, match="nothing is missing"):
        replace(samples.report().decisions[0], awaits=Awaits.PAPERS)
