"""Refused vectors, explained: each names the instruction and a remedy, the same in every form and every time."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from pinproof.exports import Format, render
from pinproof.outcome import Fail, Inconclusive
from pinproof.report import Report
from pinproof.report_json import from_json, to_json
from pinproof.verify import verify

VECTORS = Path("spec/vectors")
CASES = {
    "compare-mid-period": ["str r0, [r3, #0x34]", "0x0 or 0x280DE80", "gate memory at 0x20008404", "0x280DE80"],
    "preload-off": ["stores 0x60 to TIM2.CCMR1", "movs r0, #0x60"],
    "wipe-spares-last-word": ["reaches 0x20000000-0x20007FDB and ends before it"],
    "register-r4-kept": [
        "r4 when the tick ends here",
        "push {r4",
        "r4: as the confined part was interrupted",
    ],
    "answer-remembered": [
        "in the tick: stores anything (from the confined part, gate memory) to gate memory at 0x20008800"
    ],
    "open-usb": ["region 3 at 0x50000000-0x5003FFFF: without privilege read and write"],
    "boot-tells-old-memory": ["stores anything (from before reset) to GPIOA.ODR", "what was there before reset"],
    "sensor-bytes-from-pins": ["read from GPIOC.IDR", "decides whether execution gets there"],
    "privilege-given-back": ["msr control", "writes 0x0 to CONTROL", "movs r2, #0"],
    "compare-by-halfword": ["strh r0, [r3, #0x34]"],
}
pytestmark = pytest.mark.slow


@cache
def explained(case: str) -> tuple[Report, str]:
    listed = json.loads((VECTORS / "index.json").read_text(encoding="utf-8"))
    entries = listed if isinstance(listed, list) else listed["vectors"]
    (entry,) = [each for each in entries if each["case"] == case]
    report = verify(
        image=(VECTORS / entry["image"]).read_bytes(),
        image_name=f"{case}.elf",
        declaration=(VECTORS / entry["declaration"]).read_bytes(),
        declaration_name="module.toml",
        files={name: (VECTORS / path).read_bytes() for name, path in entry["files"].items()},
        level=entry["level"],
        rebuilt=None,
        development=False,
        explain=True,
    )
    return report, entry["requirement"]


@pytest.mark.parametrize("case", CASES)
def test_the_chain_says_what_happened(case: str) -> None:
    report, requirement = explained(case)
    (decision,) = [each for each in report.decisions if each.id == requirement]
    assert isinstance(decision.outcome, Fail | Inconclusive)
    assert decision.meaning and decision.remedy
    said = "\n".join(f"{step.instruction} {step.text}" for chain in decision.chains for step in chain.steps)
    for part in CASES[case]:
        assert part in said
    text = render(report, Format.TEXT, width=80, explain=True)
    assert max(map(len, text.splitlines())) <= 80 and "\x1b" not in text
    first = CASES[case][0].split("[")[0].split("{")[0].split("(")[0]
    for form in (Format.SARIF, Format.JUNIT, Format.MD, Format.TEXT):
        assert first in " ".join(render(report, form, width=400, explain=True).split())


def test_it_can_be_read_back_and_says_the_same_again() -> None:
    report, _ = explained("compare-mid-period")
    assert from_json(to_json(report).encode(), "r") == report
    explained.cache_clear()
    assert to_json(explained("compare-mid-period")[0]) == to_json(report)


def test_every_decision_of_code_that_does_not_pass_has_a_remedy_of_its_own() -> None:
    for case in CASES:
        for decision in explained(case)[0].decisions:
            if isinstance(decision.outcome, Fail | Inconclusive):
                assert decision.remedy and decision.remedy != decision.sentence and decision.meaning
