"""The profiles: for one kind of sensor, the numbers that a module must keep (spec/profiles/*.toml)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from importlib.resources import files

from pinproof._tables import WORD, Table, read_toml
from pinproof._text import one_line
from pinproof.errors import DeclarationError

_MAX_COUNT = 1 << 32
_FOLDER = "profiles"


class Senses(StrEnum):
    IMAGES = "images"
    SOUND = "sound"


class Every(StrEnum):
    """When the confined part is wiped."""

    FRAME = "frame"
    WINDOW = "window"


class FrameKind(StrEnum):
    IMAGE = "image"
    SOUND = "sound"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBudget:
    """All memory that can be written after the drop must be smaller than this, the size of one recording."""

    bytes: int
    frame: str
    """What the recording is, in words."""
    samples: int
    bits_per_sample: int
    width: int | None
    height: int | None
    seconds: int | None
    samples_per_second: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetful:
    window_periods: int
    """Periods after which nothing may be left of a frame."""
    every: Every


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLimit:
    """The largest frame that a declaration may give the confined part."""

    kind: FrameKind
    maximum_samples: int
    maximum_bits_per_sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits that the gate must enforce; None asks for none."""

    dwell_seconds: Decimal | None
    changes_per_day: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    name: str
    title: str
    says: str
    senses: Senses
    minimum_period_seconds: Decimal
    """Exact: use `Fraction` to calculate with it."""
    alphabet: tuple[str, ...]
    """What the output can say in one period, idle first."""
    capacity_limit_bits_per_second: Decimal
    memory_budget: MemoryBudget
    forgetful: Forgetful
    frame: FrameLimit
    budget: Budget


def profile_names() -> tuple[str, ...]:
    """The profiles that there are, sorted."""
    folder = files("pinproof").joinpath("_spec", _FOLDER)
    names = (entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple(sorted(name.removesuffix(".toml") for name in names))


def load_profile(name: str) -> Profile:
    """The profile `name`. Raises `DeclarationError` where there is none: only a declaration names one."""
    # A name from a declaration is looked up, never made into a path.
    names = profile_names()
    if name not in names:
        raise DeclarationError(f"module.profile: there is no profile '{one_line(name, 40)}'; known: {', '.join(names)}")
    data = files("pinproof").joinpath("_spec", _FOLDER, f"{name}.toml").read_bytes()
    return read_profile(data, f"{name}.toml")


def read_profile(data: bytes, name: str) -> Profile:
    """Read a profile; messages call the file `name`. Raises `DeclarationError`, one line."""
    with read_toml(data, name, DeclarationError) as document:
        profile = Profile(
            name=document.matching("name", WORD, "the name of a profile (lower-case words)"),
            title=document.text("title"),
            says=document.text("says"),
            senses=document.choice("senses", Senses),
            minimum_period_seconds=document.decimal("minimum_period_seconds"),
            alphabet=document.texts("alphabet"),
            capacity_limit_bits_per_second=document.decimal("capacity_limit_bits_per_second"),
            memory_budget=_memory_budget(document.table("memory_budget")),
            forgetful=_forgetful(document.table("forgetful")),
            frame=_frame(document.table("frame")),
            budget=_budget(document.table("budget")) if document.has("budget") else _NO_BUDGET,
        )
        if len(profile.alphabet) < 2 or len(set(profile.alphabet)) != len(profile.alphabet):
            document.refuse("alphabet", "must be two or more different words")
        return profile


_NO_BUDGET = Budget(dwell_seconds=None, changes_per_day=None)


def _memory_budget(table: Table) -> MemoryBudget:
    with table:
        return MemoryBudget(
            bytes=_count(table, "bytes"),
            frame=table.text("frame"),
            samples=_count(table, "samples"),
            bits_per_sample=_count(table, "bits_per_sample"),
            width=_optional_count(table, "width"),
            height=_optional_count(table, "height"),
            seconds=_optional_count(table, "seconds"),
            samples_per_second=_optional_count(table, "samples_per_second"),
        )


def _forgetful(table: Table) -> Forgetful:
    with table:
        return Forgetful(window_periods=_count(table, "window_periods"), every=table.choice("every", Every))


def _frame(table: Table) -> FrameLimit:
    with table:
        return FrameLimit(
            kind=table.choice("kind", FrameKind),
            maximum_samples=_count(table, "maximum_samples"),
            maximum_bits_per_sample=_count(table, "maximum_bits_per_sample"),
        )


def _budget(table: Table) -> Budget:
    with table:
        return Budget(
            dwell_seconds=table.decimal("dwell_seconds") if table.has("dwell_seconds") else None,
            changes_per_day=_optional_count(table, "changes_per_day"),
        )


def _count(table: Table, key: str) -> int:
    return table.integer(key, 1, _MAX_COUNT)


def _optional_count(table: Table, key: str) -> int | None:
    return _count(table, key) if table.has(key) else None
