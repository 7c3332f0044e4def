"""The requirements of the standard, as compiled from `spec/`: the only list of them.

`tools/compile_spec.py` writes `_spec/catalogue.json`; this module reads it into frozen types and knows its digest,
which every report and certificate carries. A requirement that is not in the catalogue does not exist.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import NewType

from pinproof.outcome import Grade

RequirementId = NewType("RequirementId", str)
"""A requirement's ID, such as `out-clocked`: append-only, the same in text, module, vector folder and report."""

LEVELS = (1, 2, 3)
"""Levels at which a certificate can be issued. Level 0, a self-scan, asks for level 1's grades and is never signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A few lines that fail or conform, with one sentence before them (empty when none is needed)."""

    caption: str
    language: str
    """`c`, `toml` or `text`."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One section of the standard."""

    id: RequirementId
    area: str
    """First word of the ID: out, inp, sns, rad, mem, imm, run, bld, doc or lif."""
    file: str
    """File of the section, relative to `spec/`."""
    title: str
    """The requirement in a few words, without a full stop."""
    sentence: str
    """The normative sentence; the docstring of the check opens with it."""
    obligations: tuple[str, ...]
    """Further normative sentences, one obligation each."""
    rationale: str
    decided_how: str
    grades: Mapping[int, Grade]
    """Weakest grade of evidence that suffices, by level 1 to 3."""
    bad: Example
    good: Example

    def minimum_grade(self, level: int) -> Grade:
        """The grade asked for at a level; level 0 asks for what level 1 asks."""
        return self.grades[max(level, LEVELS[0])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All requirements in the order of the standard."""

    version: str
    """Version of the standard, such as `0.1`."""
    digest: str
    """SHA-256 of the compiled file, which names the digests of the profiles and silicon files."""
    files: Mapping[str, str]
    """SHA-256 of each profile and silicon file, by path such as `profiles/gesture.toml`."""
    requirements: tuple[Requirement, ...]

    def find(self, identifier: str) -> Requirement | None:
        """The requirement with this ID, or None."""
        return next((requirement for requirement in self.requirements if requirement.id == identifier), None)


def _example(entry: Mapping[str, str]) -> Example:
    return Example(caption=entry["caption"], language=entry["language"], text=entry["text"])


def parse_catalogue(data: bytes) -> Catalogue:
    """Read a compiled catalogue. It is the package's own: a malformed one is a broken installation, not bad input."""
    document = json.loads(data)
    requirements = tuple(
        Requirement(
            id=RequirementId(entry["id"]),
            area=entry["area"],
            file=entry["file"],
            title=entry["title"],
            sentence=entry["sentence"],
            obligations=tuple(entry["obligations"]),
            rationale=entry["rationale"],
            decided_how=entry["decided_how"],
            grades=MappingProxyType({level: Grade(entry["grades"][str(level)]) for level in LEVELS}),
            bad=_example(entry["bad"]),
            good=_example(entry["good"]),
        )
        for entry in document["requirements"]
    )
    if not requirements:
        raise ValueError("the catalogue is empty")
    return Catalogue(
        version=document["version"],
        digest=hashlib.sha256(data).hexdigest(),
        files=MappingProxyType(dict(document["files"])),
        requirements=requirements,
    )


def load_catalogue() -> Catalogue:
    """The catalogue of this installation."""
    return parse_catalogue((files("pinproof") / "_spec" / "catalogue.json").read_bytes())
