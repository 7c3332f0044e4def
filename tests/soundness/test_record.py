"""The checked-in records of campaigns: what was run, and that nothing was unsound.

`python -m tests.soundness --cases 10000000 --seed 1 --record tests/soundness/records/seed-1.json` goes on with one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pinproof.isa import Operation

from tests.soundness.campaign import GROUP, Plan
from tests.soundness.single import NOT_EMULATED
from tests.soundness.tally import Tally

RECORDS = sorted((Path(__file__).parent / "records").glob("*.json"))


def test_there_is_a_record() -> None:
    assert RECORDS


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_record(path: Path) -> None:
    data = json.loads(path.read_text())
    tally = Tally.from_json(data["tally"])
    assert not tally.unsound
    plan = Plan(cases=data["cases_planned"], seed=data["seed"])
    chunks = {chunk for first, last in data["chunks"] for chunk in range(first, last + 1)}
    expected = sum(sum(work.cases.values()) for work in plan.work() if work.chunk in chunks)
    assert sum(tally.cases.values()) == data["cases_run"] == expected
    assert set(tally.cases) <= set(GROUP)
    compared = {Operation(name) for name in tally.operations}
    assert compared >= set(Operation) - NOT_EMULATED, "an operation that this campaign never compared with Unicorn"
    assert set(data["oracles"]) == {"unicorn", "pypcode", "capstone"}
    assert all(re.fullmatch(r"[0-9a-f]{12}", commit) for commit in data["commits"])
    assert tally.cpu_seconds > 0
