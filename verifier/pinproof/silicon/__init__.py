"""Silicon files: what the verifier believes about a part, and from where (spec/silicon/*.toml)."""

from __future__ import annotations

from importlib.resources import files

from pinproof._text import one_line
from pinproof.errors import SiliconError
from pinproof.silicon._reader import read_silicon
from pinproof.silicon._silicon import Silicon
from pinproof.silicon._types import (
    BitBand,
    Buffer,
    BusMaster,
    BusPin,
    Capability,
    Clocks,
    Cycles,
    DataBus,
    Erratum,
    Exceptions,
    Lock,
    Manual,
    Memory,
    MemoryKind,
    MpuModel,
    Peripheral,
    Pin,
    PinDriver,
    PinReset,
    PinRole,
    Register,
    RegisterAccess,
    RegisterBit,
    Signal,
    Status,
    Timer,
    TimerOutput,
    Unconfirmed,
)

_FOLDER = "silicon"


def part_names() -> tuple[str, ...]:
    """The parts that there is a silicon file for, sorted."""
    folder = files("pinproof").joinpath("_spec", _FOLDER)
    names = (entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple(sorted(name.removesuffix(".toml") for name in names))


def load_silicon(part: str) -> Silicon:
    """The silicon file of `part`. Raises `SiliconError` where there is none or it cannot be used."""
    # A part from a declaration is looked up, never made into a path.
    parts = part_names()
    if part not in parts:
        raise SiliconError(
            f"module.part: there is no silicon file for '{one_line(part, 40)}'; known: {', '.join(parts)}"
        )
    data = files("pinproof").joinpath("_spec", _FOLDER, f"{part}.toml").read_bytes()
    silicon = read_silicon(data, f"{part}.toml")
    if silicon.part != part:
        raise SiliconError(f"{part}.toml: part: is '{one_line(silicon.part, 40)}', must be the name of the file")
    return silicon


__all__ = [
    "BitBand",
    "Buffer",
    "BusMaster",
    "BusPin",
    "Capability",
    "Clocks",
    "Cycles",
    "DataBus",
    "Erratum",
    "Exceptions",
    "Lock",
    "Manual",
    "Memory",
    "MemoryKind",
    "MpuModel",
    "Peripheral",
    "Pin",
    "PinDriver",
    "PinReset",
    "PinRole",
    "Register",
    "RegisterAccess",
    "RegisterBit",
    "Signal",
    "Silicon",
    "Status",
    "Timer",
    "TimerOutput",
    "Unconfirmed",
    "load_silicon",
    "part_names",
    "read_silicon",
]
