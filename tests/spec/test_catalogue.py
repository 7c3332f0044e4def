"""The text of the standard, its compiled form, and what must hold of every requirement."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pinproof.catalogue import LEVELS, Catalogue, Requirement, load_catalogue
from pinproof.outcome import GRADE_ORDER, Grade

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec"

IDENTIFIERS = [
    "out-declared-pins",
    "out-clocked",
    "out-clock-steady",
    "out-period",
    "out-one-write",
    "out-no-other-peripheral",
    "out-sensor-lines-constant",
    "out-fault-safe",
    "out-capacity",
    "out-budget",
    "out-supply",
    "inp-none",
    "sns-declared",
    "rad-none-on-silicon",
    "rad-no-access",
    "mem-forgetful",
    "mem-writable-budget",
    "mem-frame-bounded",
    "mem-no-other-store",
    "mem-cleared",
    "mem-stack-bounded",
    "imm-write-xor-execute",
    "imm-model-read-only",
    "imm-flash-locked",
    "imm-option-bytes",
    "imm-debug-closed",
    "imm-no-loader",
    "run-gate-proved",
    "run-confined",
    "run-handlers",
    "run-no-other-master",
    "run-accounted",
    "run-errata",
    "bld-reproducible",
    "doc-declaration",
    "doc-datasheet",
    "lif-identity",
    "lif-end-of-life",
]
"""Every ID that was ever published. Append-only: a requirement may be added at the end, never dropped or renamed."""

DECLARED_MAY_SUFFICE = {
    "doc-declaration": LEVELS,
    "doc-datasheet": LEVELS,
    "lif-identity": LEVELS,
    "lif-end-of-life": LEVELS,
    "bld-reproducible": (1,),
    "out-supply": (1, 2),
}
"""The levels at which somebody's word is enough; out-supply then stands in the ledger as an assumption."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def _compile(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "compile_spec.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_compiled_files_are_fresh() -> None:
    result = _compile("--check")
    assert result.returncode == 0, result.stderr


def test_no_published_requirement_is_gone(catalogue: Catalogue) -> None:
    assert sorted(requirement.id for requirement in catalogue.requirements) == sorted(IDENTIFIERS)


@pytest.mark.parametrize("requirement", load_catalogue().requirements, ids=lambda requirement: requirement.id)
class TestEveryRequirement:
    def test_says_who_must_do_what_once_a_sentence(self, requirement: Requirement) -> None:
        for sentence in (requirement.sentence, *requirement.obligations):
            assert len(re.findall(r"\bMUST\b", sentence)) == 1, sentence
            assert sentence.endswith(".")

    def test_never_says_that_nothing_must(self, requirement: Requirement) -> None:
        """ "No pin MUST be an output" reads both ways; the subject carries the obligation, MUST NOT the ban."""
        for sentence in (requirement.sentence, *requirement.obligations):
            assert not re.match(r"(No|Nothing|Nobody|Neither)\b", sentence), sentence

    def test_explains_itself(self, requirement: Requirement) -> None:
        assert requirement.title and requirement.rationale and requirement.decided_how
        assert requirement.bad.text != requirement.good.text

    def test_asks_for_no_less_at_a_higher_level(self, requirement: Requirement) -> None:
        grades = [GRADE_ORDER.index(requirement.grades[level]) for level in LEVELS]
        assert grades == sorted(grades)

    def test_takes_a_word_for_it_only_where_allowed(self, requirement: Requirement) -> None:
        levels = tuple(level for level in LEVELS if requirement.grades[level] is Grade.DECLARED)
        assert levels == DECLARED_MAY_SUFFICE.get(requirement.id, ())

    def test_stands_in_the_file_of_its_area_and_in_the_index(self, requirement: Requirement) -> None:
        assert f"\n### {requirement.id}\n" in (SPEC / requirement.file).read_text(encoding="utf-8")
        assert f"[{requirement.id}]({requirement.file}#{requirement.id})" in (SPEC / "README.md").read_text("utf-8")


def test_level_zero_asks_for_the_grades_of_level_one(catalogue: Catalogue) -> None:
    assert all(item.minimum_grade(0) is item.minimum_grade(1) for item in catalogue.requirements)


def test_every_link_of_the_standard_leads_somewhere() -> None:
    for path in sorted(SPEC.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith(("http", "vectors/", "../vectors/")):
                continue
            file, _, anchor = target.partition("#")
            linked = (path.parent / file) if file else path
            assert linked.exists(), f"{path.name}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
                slugs = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
                assert anchor in slugs, f"{path.name}: {target}"
