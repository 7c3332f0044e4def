"""Holds the verifier to the vectors of the standard, without a toolchain: outcome and reason of each."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from pinproof import facts
from pinproof.catalogue import load_catalogue
from pinproof.declaration import read_declaration
from pinproof.facts import Facts
from pinproof.image import read_image
from pinproof.machine.explore import explore
from pinproof.machine.result import Exploration
from pinproof.outcome import Fail, Inconclusive, Outcome, Pass
from pinproof.profile import Profile, read_profile
from pinproof.provisioning import read_provisioning
from pinproof.runner import decide
from pinproof.silicon import Silicon, read_silicon

SPEC = Path("spec")
VECTORS = SPEC / "vectors"
INDEX = json.loads((VECTORS / "index.json").read_text(encoding="utf-8"))
ENTRIES = sorted(INDEX["vectors"], key=lambda entry: str(entry["sha256"]))
"""Those of one image side by side, so that it is explored once."""
_LARGEST = 16 * 1024
_NEVER_FAILS = {"out-supply"}
Entry = Mapping[str, object]


def _text(entry: Entry, key: str) -> str:
    value = entry[key]
    assert isinstance(value, str)
    return value


def _bytes(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


@cache
def _silicon(part: str, old: str, new: str) -> Silicon:
    return read_silicon(_edited(SPEC / "silicon" / f"{part}.toml", old, new), f"{part}.toml")


@cache
def _profile(name: str, old: str, new: str) -> Profile:
    return read_profile(_edited(SPEC / "profiles" / f"{name}.toml", old, new), f"{name}.toml")


def _edited(path: Path, old: str, new: str) -> bytes:
    text = path.read_text(encoding="utf-8")
    assert not old or text.count(old) == 1
    return text.replace(old, new).encode() if old else text.encode()


def _edit(entry: Entry, key: str) -> tuple[str, str]:
    edit = entry.get(key)
    return (str(edit["old"]), str(edit["new"])) if isinstance(edit, dict) else ("", "")


_IMAGES = {str(entry["sha256"]): str(entry["image"]) for entry in ENTRIES}


@cache
def _explored(
    digest: str, part: str, edit: tuple[str, str], sensor: frozenset[int], mailbox: int, outputs: tuple[int, ...]
) -> Exploration:
    """By digest: many vectors share one image."""
    image = read_image(_bytes(_IMAGES[digest]), "image")
    return explore(image, _silicon(part, *edit), sensor, mailbox=mailbox, outputs=outputs)


def _facts(entry: Entry) -> Facts:
    declared = read_declaration(_bytes(_text(entry, "declaration")), "module.toml")
    files = entry["files"]
    level = entry["level"]
    assert isinstance(files, dict) and isinstance(level, int)
    silicon = _silicon(declared.module.part, *_edit(entry, "silicon"))
    sensor = facts.sensor_registers(silicon, declared)
    return Facts(
        image=read_image(_bytes(_text(entry, "image")), "image.elf"),
        declaration=declared,
        profile=_profile(declared.module.profile, *_edit(entry, "profile")),
        silicon=silicon,
        exploration=_explored(
            _text(entry, "sha256"),
            silicon.part,
            _edit(entry, "silicon"),
            sensor,
            declared.memory.mailbox,
            facts.output_registers(silicon, declared),
        ),
        level=level,
        provisioning=read_provisioning(_bytes(files[declared.provisioning.file]), declared.provisioning.file),
        datasheet=_bytes(files[declared.datasheet.file]),
    )


def _outcome(entry: Entry) -> Outcome:
    known = _facts(entry)
    asked = [each for each in load_catalogue().requirements if each.id == entry["requirement"]]
    ledger = [item.id for item in facts.assumptions(known)]
    (decision,) = decide(asked, known, level=known.level, ledger=ledger)
    return decision.outcome


def _parameters() -> Iterator[object]:
    """The reference and the first other image of each area are quick; the rest would make the inner loop slow."""
    explored = {_text(entry, "sha256") for entry in ENTRIES if entry["case"] == "reference"}
    covered: set[str] = set()
    for entry in ENTRIES:
        requirement = _text(entry, "requirement")
        area = requirement.partition("-")[0]
        quick = entry["sha256"] in explored or area not in covered
        if entry["expect"] != "pass":
            covered.add(area)
        marks = () if quick else (pytest.mark.slow,)
        yield pytest.param(entry, id=f"{requirement}/{entry['case']}", marks=marks)


@pytest.mark.parametrize("entry", list(_parameters()))
def test_outcome_and_reason(entry: Entry) -> None:
    expected = {"pass": Pass, "fail": Fail, "inconclusive": Inconclusive}[_text(entry, "expect")]
    outcome = _outcome(entry)
    assert isinstance(outcome, expected), outcome
    if isinstance(outcome, Fail | Inconclusive):
        assert outcome.reason == entry["reason"], outcome.message
    else:
        assert entry["reason"] is None


def test_every_requirement_has_a_vector_that_passes_and_one_that_fails() -> None:
    shown: dict[str, set[str]] = {}
    for entry in ENTRIES:
        shown.setdefault(_text(entry, "requirement"), set()).add(_text(entry, "expect"))
    every = {requirement.id for requirement in load_catalogue().requirements}
    assert set(shown) == every
    assert {name for name in every if "pass" not in shown[name]} == set()
    assert {name for name in every if "fail" not in shown[name]} == _NEVER_FAILS
    assert "inconclusive" in shown["out-supply"]


def test_images_are_small_and_have_their_digests() -> None:
    for entry in ENTRIES:
        data = _bytes(_text(entry, "image"))
        assert len(data) <= _LARGEST
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert entry["image"] == f"{entry['requirement']}/{entry['case']}.{entry['expect']}.elf"


def test_an_image_that_does_not_pass_is_not_the_reference_unless_something_else_is_other() -> None:
    plain = {entry["sha256"] for entry in ENTRIES if entry["case"] == "reference"}
    assert len(plain) == 1
    for entry in ENTRIES:
        if entry["expect"] != "pass" and entry["sha256"] in plain:
            files = entry["files"]
            assert isinstance(files, dict)
            papers = [entry["declaration"], *files.values()]
            other = any(not str(paper).startswith("shared/") for paper in papers)
            assert other or "silicon" in entry or "profile" in entry or entry["level"] != 1


def test_nothing_lies_there_that_the_index_does_not_name() -> None:
    named = {"index.json", "README.md"}
    for entry in ENTRIES:
        files = entry["files"]
        assert isinstance(files, dict)
        named |= {_text(entry, "image"), _text(entry, "declaration"), *files.values()}
    present = {str(path.relative_to(VECTORS)) for path in VECTORS.rglob("*") if path.is_file()}
    assert present == named


def test_the_readme_example_is_an_entry() -> None:
    text = (VECTORS / "README.md").read_text(encoding="utf-8")
    example = json.loads(text.split("```json\n", 1)[1].split("```", 1)[0])
    entry = next(each for each in ENTRIES if each["image"] == example["image"])
    assert {**entry, "sha256": "..."} == example


def test_the_index_is_of_this_standard() -> None:
    assert INDEX["specification"] == load_catalogue().version
    shared = tomllib.loads((VECTORS / "shared" / "module.toml").read_text(encoding="utf-8"))
    assert INDEX["toolchain"] == shared["build"]["toolchain"]
