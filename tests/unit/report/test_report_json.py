"""The report's JSON: the same bytes each time, and nothing that contradicts itself is read."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pinproof.errors import InputError
from pinproof.outcome import Grade, Verdict
from pinproof.report import Decision
from pinproof.report_json import from_json, to_json

from tests.unit.report import samples

Change = Callable[[dict], object]


def changed(change: Change, *, of: object = None) -> bytes:
    value = json.loads(to_json(samples.report(*samples.EVERY_OUTCOME)))
    change(value)
    return json.dumps(value).encode()


@pytest.mark.parametrize("outcomes", [(), samples.EVERY_OUTCOME, (samples.undecided(),)])
def test_it_reads_back_what_it_wrote(outcomes: tuple) -> None:
    report = samples.report(*outcomes)
    assert from_json(to_json(report).encode(), "r") == report
    assert to_json(from_json(to_json(report).encode(), "r")) == to_json(report)


def test_the_verdict_is_written() -> None:
    assert json.loads(to_json(samples.report()))["verdict"] == Verdict.CONFORMS
    assert json.loads(to_json(samples.report(samples.failed())))["verdict"] == Verdict.DOES_NOT_CONFORM


CHANGES: dict[str, tuple[Change, str]] = {
    "verdict turned into a yes": (lambda v: v.update(verdict="conforms"), "'verdict'"),
    "no verdict": (lambda v: v.pop("verdict"), "'verdict' is missing"),
    "failing requirement dropped, verdict kept": (lambda v: v["requirements"].pop(1), "'verdict'"),
    "unknown key": (lambda v: v.update(extra=1), "unknown key 'extra'"),
    "unknown key inside": (lambda v: v["requirements"][0].update(extra=1), "unknown key 'extra'"),
    "pass without evidence": (lambda v: v["requirements"][0].update(evidence=[]), "does not go with"),
    "pass with a better grade than its evidence": (
        lambda v: v["requirements"][0].update(grade="silicon"),
        "does not go",
    ),
    "pass too weak": (lambda v: v["requirements"][0].update(minimum_grade="silicon"), "is the least"),
    "fail without reason": (lambda v: v["requirements"][1].update(reason=None), "does not go with"),
    "unknown outcome": (lambda v: v["requirements"][0].update(outcome="ok"), "does not go with"),
    "unknown grade": (lambda v: v["requirements"][0]["evidence"][0].update(grade="strong"), "must be one of"),
    "requirement twice": (lambda v: v["requirements"].append(v["requirements"][1]), "twice"),
    "awaited outside development": (lambda v: v["requirements"][1].update(awaits="seal"), "says what is awaited"),
    "awaited by a pass": (lambda v: v["requirements"][0].update(awaits="papers"), "nothing is missing"),
    "awaited in other words": (lambda v: v["requirements"][1].update(awaits="soon"), "must be one of"),
    "rate understated": (lambda v: v["capacity"].update(bits_per_second="0.5"), "does not follow"),
    "capacity of another channel": (lambda v: v["capacity"].update(through="radio"), "does not follow"),
    "period of nothing": (lambda v: v["capacity"].update(minimum_period_ns=0), "whole number"),
    "sum understated": (lambda v: v["memory"].update(writable_bytes=1), "sum of the parts"),
    "level as text": (lambda v: v.update(level="1"), "whole number"),
    "level as truth": (lambda v: v.update(level=True), "whole number"),
    "digest too short": (lambda v: v["subjects"]["image"].update(sha256="ab"), "SHA-256"),
    "owner unknown": (lambda v: v["assumptions"][0].update(owner="nobody"), "must be one of"),
    "another schema": (lambda v: v.update(schema="pinproof report 9"), "'schema'"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_a_report_that_contradicts_itself_is_refused(change: Change, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        from_json(changed(change), "r.json")
    assert str(refused.value).startswith("r.json") and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not usable JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested"),
        (b"[" * 40 + b"]" * 40, "nested"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": NaN}', "not a whole number"),
        (b'{"a": 1.5}', "not a whole number"),
        (b'{"a": "\\ud800"}', "UTF-8"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not usable JSON"),
        (b"[]", "not an object"),
        (b" " * (16 * 1024 * 1024 + 1), "at most"),
    ],
)
def test_odd_json_is_refused_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        from_json(data, "r.json")
    assert "\n" not in str(refused.value)


@given(st.binary(max_size=200))
def test_random_bytes_never_do_more_than_be_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        from_json(data, "r.json")


def test_a_pass_too_weak_for_its_level_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="the least"):
        Decision(id="x", area="x", sentence="x", minimum_grade=Grade.PROVED, outcome=samples.passed(Grade.DECLARED))
