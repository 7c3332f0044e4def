"""What is mutated: a compiled image, its gate taken apart into instructions and literals, bytes changed in place."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path

import capstone
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from reference_module.build import HERE, PREFIX, Recipe, build, patched

FLASH = 0x08000000
GATE = range(FLASH, FLASH + 0x1000)
"""The declared gate flash; what the gate does not fill is erased, and loaded all the same so that it can be patched."""
CONFINED_FLASH = range(0x08001000, 0x08002000)
"""As much of the confined part's flash as is loaded."""
CONFINED_CAVE = 0x08001F00
"""Erased flash of the confined part, which no confined part used here reaches."""
VECTORS = 101

_FILLED = (
    ("        . = ALIGN(4);\n    } > GATE_FLASH", "        . = ALIGN(0x1000);\n    } > GATE_FLASH"),
    ("        . = ALIGN(4);\n    } > CONFINED_FLASH", "        . = ALIGN(0x1000);\n    } > CONFINED_FLASH"),
)
_MARK = re.compile(r"\$[td](\..*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Bytes in place of those at an address."""

    address: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    kind: str
    note: str
    """What was done, in words that the generator chose."""
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    address: int
    size: int
    first: int
    """The first halfword."""
    second: int
    """The second; 0 for a short instruction."""
    name: str
    text: str

    @property
    def end(self) -> int:
        return self.address + self.size


@dataclass(frozen=True, kw_only=True)
class Base:
    """An image with symbols. Its gate is made of instructions and literal words, told apart by the linker's marks."""

    elf: bytes

    @cached_property
    def symbols(self) -> Mapping[str, int]:
        """Addresses, without Thumb bit for functions."""
        return {name: value for name, value in _symbols(self.elf) if not _MARK.fullmatch(name)}

    @cached_property
    def gate(self) -> bytes:
        return self.read(GATE.start, len(GATE))

    @cached_property
    def end(self) -> int:
        """The first erased byte behind the gate's own."""
        return GATE.start + (len(self.gate.rstrip(b"\xff")) + 3 & ~3)

    @cached_property
    def code(self) -> tuple[Instruction, ...]:
        return tuple(
            each for start, end, mark in self._parts() if mark == "t" for each in disassembled(self, start, end)
        )

    @cached_property
    def at(self) -> Mapping[int, Instruction]:
        return {each.address: each for each in self.code}

    @cached_property
    def literals(self) -> tuple[int, ...]:
        """Addresses of the words between and behind the code, the vectors not included."""
        data = [(start, end) for start, end, mark in self._parts() if mark == "d"]
        first = GATE.start + 4 * VECTORS
        return tuple(at for start, end in data for at in range(max(start + 3 & ~3, first), end - 3, 4))

    def word(self, address: int) -> int:
        return int.from_bytes(self.read(address, 4), "little")

    def half(self, address: int) -> int:
        return int.from_bytes(self.read(address, 2), "little")

    def read(self, address: int, size: int) -> bytes:
        offset = self._offset(address, size)
        return self.elf[offset : offset + size]

    def changed(self, changes: Iterable[Change]) -> Base:
        data = bytearray(self.elf)
        for change in changes:
            offset = self._offset(change.address, len(change.data))
            data[offset : offset + len(change.data)] = change.data
        return Base(elf=bytes(data))

    @cached_property
    def _segments(self) -> tuple[tuple[int, int, int], ...]:
        """Address, size and offset in the file of what is loaded."""
        segments = ELFFile(BytesIO(self.elf)).iter_segments("PT_LOAD")
        return tuple((each["p_paddr"], each["p_filesz"], each["p_offset"]) for each in segments)

    def _offset(self, address: int, size: int) -> int:
        for start, length, offset in self._segments:
            if start <= address and address + size <= start + length:
                return int(offset + address - start)
        raise ValueError(f"{size} bytes at {address:#x} are not loaded")

    def _parts(self) -> list[tuple[int, int, str]]:
        """Stretches of the gate, each `t` for code or `d` for data, behind the vectors."""
        marks = {at: name[1] for name, at in _symbols(self.elf) if _MARK.fullmatch(name) and at in GATE}
        starts = sorted(marks)
        return [(at, end, marks[at]) for at, end in zip(starts, [*starts[1:], self.end], strict=True)]


def disassembled(base: Base, start: int, end: int) -> list[Instruction]:
    """By capstone: the generator looks for places with another decoder than the verifier's."""
    machine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    return [
        Instruction(
            address=each.address,
            size=each.size,
            first=base.half(each.address),
            second=base.half(each.address + 2) if each.size == 4 else 0,
            name=each.mnemonic,
            text=f"{each.mnemonic} {each.op_str}".strip(),
        )
        for each in machine.disasm(base.read(start, end - start), start)
    ]


def described(base: Base, changes: Iterable[Change]) -> str:
    """Address, bytes before and after, and what they disassemble to, on one line."""
    changes = tuple(changes)
    after = base.changed(changes)
    return "; ".join(_described(base, after, change) for change in changes)


def _described(before: Base, after: Base, change: Change) -> str:
    start, end = change.address & ~1, change.address + len(change.data) + 1 & ~1
    old, new = before.read(start, end - start), after.read(start, end - start)
    if not old.strip(b"\xff"):
        return f"{start:08x}: {len(new)} erased bytes become {_texts(after, start, end)}"
    return f"{start:08x}: {old.hex()} -> {new.hex()} [{_texts(before, start, end)} -> {_texts(after, start, end)}]"


def _texts(base: Base, start: int, end: int) -> str:
    return ", ".join(each.text for each in disassembled(base, start, end + 2) if each.address < end) or "no instruction"


def _symbols(elf: bytes) -> list[tuple[str, int]]:
    table = ELFFile(BytesIO(elf)).get_section_by_name(".symtab")
    assert isinstance(table, SymbolTableSection)
    return [
        (each.name, each["st_value"] & (~1 if each["st_info"]["type"] == "STT_FUNC" else ~0))
        for each in table.iter_symbols()
    ]


def built(recipe: Recipe | None = None) -> Base:
    """The gate with its stub, or as `recipe` says, with symbols and without debugging information."""
    recipe = recipe or Recipe()
    script = recipe.linker_script or (HERE / "ld" / "stm32f401re.ld").read_text(encoding="utf-8")
    for old, new in _FILLED:
        script = patched(script, old, new)
    whole = Recipe(
        confined_files=recipe.confined_files,
        confined_options=recipe.confined_options,
        gate_files=recipe.gate_files,
        gate_options=recipe.gate_options,
        linker_script=script,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = build(Path(folder) / "image.elf", whole)
        subprocess.run([f"{PREFIX}strip", "-g", str(path)], check=True)
        return Base(elf=path.read_bytes())


@lru_cache(maxsize=1)
def reference() -> Base:
    return built()
