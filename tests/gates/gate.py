"""What a folder of tests/gates says of itself in its gate.toml: how a gate is written, built, declared and decided."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FLASH_START, FIRST_PART = 0x08000000, 0x10000
"""Flash begins here; the gate and the code of the confined part share its first 64 KB."""
MEMORY_START = 0x20000000
"""Memory begins here, with the confined part's."""

CONFORMS = "conforms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the verifier is to say."""

    verdict: str
    """`conforms`, `does-not-conform` or `undecided`."""
    requirement: str | None = None
    """Unless it conforms: the requirement that says no, ..."""
    outcome: str | None = None
    """... with this kind and reason code, as `inconclusive stack-unbounded`, ..."""
    why: str | None = None
    """... because of this limit of the verifier, or of this gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Text of a source file, which must occur exactly once, and what stands in its place."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One way of compiling a gate."""

    name: str
    compiler: str
    """`gcc` or `clang`."""
    options: tuple[str, ...]
    gate_flash: int
    """Bytes of flash declared as the gate's."""
    changes: tuple[Change, ...]
    """What this way of compiling needs to be otherwise, as fewer polls where each takes longer."""
    expect: Expectation


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """A change that must be refused by this requirement, in this way."""

    name: str
    change: Change
    requirement: str
    outcome: str
    """Kind and reason code, as `fail second-output-write`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate: its text, its builds, and where it differs from the reference."""

    name: str
    how: str
    """In what manner it is written, for the table."""
    directory: Path
    sources: Path
    builds: tuple[Build, ...]
    sabotages: tuple[Sabotage, ...]
    capture: str
    """Symbol of the function that takes a frame; the emulation supplies one at its return."""
    captured: int
    """What that function returns when the frame has arrived."""
    confined_memory: int = 0x10000
    """Bytes of memory that the gate opens to the confined part."""
    smoothed: tuple[int, ...] | None = None
    """What its output says to the emulation's frames if that is not each answer."""
    declaration: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Tables and keys in which the declaration differs from the reference, beside what image and layout decide."""


def gates() -> tuple[Gate, ...]:
    """Every gate, by name."""
    return tuple(read_gate(path.parent) for path in sorted(HERE.glob("*/gate.toml")))


def read_gate(directory: Path) -> Gate:
    """The gate in this folder. Raises `KeyError` or `TypeError` where its gate.toml is not as `Gate` wants it."""
    table = tomllib.loads((directory / "gate.toml").read_text(encoding="utf-8"))
    return Gate(
        name=directory.name,
        how=table["how"],
        directory=directory,
        sources=(directory / table.get("sources", ".")).resolve(),
        builds=tuple(_build(item) for item in table["build"]),
        sabotages=tuple(_sabotage(item) for item in table.get("sabotage", ())),
        capture=table.get("capture", "camera_capture"),
        captured=table.get("captured", 1),
        confined_memory=table.get("confined_memory", 0x10000),
        smoothed=tuple(table["smoothed"]) if "smoothed" in table else None,
        declaration=table.get("declaration", {}),
    )


def _sabotage(table: Mapping[str, str]) -> Sabotage:
    given = dict(table)
    change = Change(file=given.pop("file"), old=given.pop("old"), new=given.pop("new"))
    return Sabotage(change=change, **given)


def _build(table: Mapping[str, Any]) -> Build:
    given = dict(table)
    expect = given.pop("expect", {"verdict": CONFORMS})
    return Build(
        compiler=given.pop("compiler", "gcc"),
        options=tuple(given.pop("options", ())),
        gate_flash=given.pop("gate_flash", 0x1000),
        changes=tuple(Change(**item) for item in given.pop("change", ())),
        expect=Expectation(**expect),
        **given,
    )
