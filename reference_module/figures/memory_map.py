"""Where everything lies, and who may touch it.

Places are the image's sections and the declaration's, rights the proof's reading of the protection unit at the drop.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from pinproof.errors import PinproofError
from pinproof.image import read_image
from pinproof.machine import mpu
from pinproof.machine.explore import explore
from pinproof.machine.mpu import Protection, Rights
from pinproof.silicon import MemoryKind, load_silicon

from reference_module.figures.errors import FigureError
from reference_module.figures.svg import Drawing
from reference_module.products import Product

_SECTIONS = {
    ".gate": ("gate: code and constants", "gate"),
    ".confined": ("confined part: code and constants", "confined"),
    ".model": ("network: weights and tables", "model"),
    ".mailbox": ("mailbox", "confined"),
    ".arena": ("arena: activations", "confined"),
    ".bss": ("variables", "confined"),
    ".gate_stack": ("gate's stack", "stack"),
    ".gate_state": ("gate's memory: smoothing", "gate"),
}
"""Sections of ld/stm32f401re.ld: name and colour. Others are shown under their own names."""
_SMALLEST_GAP = 16
_WIDTH, _ADDRESS, _LEFT, _RIGHT, _GATE, _CONFINED = 880, 116, 128, 568, 586, 716

Declared = dict[str, dict[str, dict[str, int]]]
Symbols = dict[str, tuple[int, int]]
"""Value and size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    start: int
    end: int
    name: str
    kind: str


def draw(product: Product) -> str:
    """The figure as a file's text. Raises FigureError."""
    try:
        declared = tomllib.loads(product.declaration.read_text(encoding="utf-8"))
        sections, symbols = _read(product.image)
        protection = _protection(product, declared["module"]["part"])
        silicon = load_silicon(declared["module"]["part"])
        flash, memory = (silicon.memories_of(kind)[0] for kind in (MemoryKind.FLASH, MemoryKind.RAM))
        lying = [*_split_gate(sections, symbols), *_confined_stack(declared, symbols)]
        lying = _with_frame(lying, declared)
    except (OSError, KeyError, IndexError, ValueError, ELFError, PinproofError) as error:
        raise FigureError(f"{product.image.name}, {product.declaration.name}: {error}") from error
    drawing = Drawing(
        width=_WIDTH,
        title=f"Memory map of the {product.title}",
        description="Flash and memory from low to high addresses, what lies there, its size, and what gate and "
        "confined part may do with it.",
    )
    height = 52.0
    for name, part, gap in (("flash", flash, "erased"), ("memory", memory, "unused")):
        blocks = [block for block in lying if part.start <= block.start < part.end]
        words = f"{name}, {_size(part.size)}"
        height = _band(drawing, height, words, _filled(blocks, part.start, part.end, gap), protection)
    devices = [
        Block(start=0x40000000, end=0x60000000, name="peripherals: timer, ports, sensor bus, clocks", kind="device"),
        Block(start=0xE000E000, end=0xE000F000, name="system registers: protection unit, interrupts", kind="device"),
    ]
    height = _band(drawing, height, "everything else", devices, protection, sizes=False)
    drawing.text(24, height + 6, "Heights are not to scale. Rights as set in the protection unit at the drop.", "small")
    return drawing.finished(height + 22)


def _read(path: Path) -> tuple[list[Block], Symbols]:
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        blocks = [
            Block(
                start=section["sh_addr"],
                end=section["sh_addr"] + section["sh_size"],
                name=_SECTIONS.get(section.name, (section.name, ""))[0],
                kind=_SECTIONS.get(section.name, ("", "unused"))[1],
            )
            for section in elf.iter_sections()
            if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_size"]
        ]
        table = elf.get_section_by_name(".symtab")
        if not isinstance(table, SymbolTableSection):
            raise ValueError("the image has no symbols")
        symbols = {symbol.name: (symbol["st_value"], symbol["st_size"]) for symbol in table.iter_symbols()}
    return sorted(blocks, key=lambda block: block.start), symbols


def _protection(product: Product, part: str) -> Protection:
    image = read_image(product.image.read_bytes(), product.image.name)
    drops = explore(image, load_silicon(part), frozenset()).boot.drops
    if not drops:
        raise FigureError(f"{product.image.name}: no path from reset reaches the drop")
    words = [(base.only or 0, attributes.only or 0) for base, attributes in drops[0].state.mpu_regions]
    decoded = mpu.decode(words, drops[0].state.mpu_control.only or 0)
    if not isinstance(decoded, Protection):
        raise FigureError(f"{product.image.name}: {decoded.message}")
    return decoded


def _split_gate(blocks: Sequence[Block], symbols: Symbols) -> Iterator[Block]:
    """The vector table apart from the code behind it."""
    start, size = symbols.get("vectors", (0, 0))
    for block in blocks:
        if size and block.start == start:
            yield Block(start=start, end=start + size, name="vectors", kind="gate")
            block = replace(block, start=start + size)
        yield block


def _confined_stack(declared: Declared, symbols: Symbols) -> Iterator[Block]:
    size = symbols.get("layout_confined_stack_size", (0, 0))[0]
    if size:
        end = declared["memory"]["confined"]["start"] + declared["memory"]["confined"]["size"]
        yield Block(start=end - size, end=end, name="confined part's stack", kind="stack")


def _with_frame(blocks: Sequence[Block], declared: Declared) -> list[Block]:
    """What holds the frame is cut where the frame begins and ends; where nothing does, the frame has its own place."""
    start = declared["memory"]["frame"]["start"]
    end = start + declared["memory"]["frame"]["size"]
    made: list[Block] = []
    name = "frame"
    for block in blocks:
        if not block.start <= start < block.end:
            made.append(block)
            continue
        parts = [replace(block, end=start), replace(block, start=end)]
        made += [part for part in parts if part.end > part.start]
        name = "frame, and activations once it is read"
    made.append(Block(start=start, end=end, name=name, kind="frame"))
    return sorted(made, key=lambda block: block.start)


def _filled(blocks: Sequence[Block], start: int, end: int, gap: str) -> list[Block]:
    made: list[Block] = []
    for block in blocks:
        if block.start - start >= _SMALLEST_GAP:
            made.append(Block(start=start, end=block.start, name=gap, kind="unused"))
        made.append(block)
        start = max(start, block.end)
    if end - start >= _SMALLEST_GAP:
        made.append(Block(start=start, end=end, name=gap, kind="unused"))
    return made


def _band(
    drawing: Drawing, top: float, title: str, blocks: Sequence[Block], protection: Protection, *, sizes: bool = True
) -> float:
    drawing.text(_LEFT, top + 18, title, "head")
    drawing.text(_GATE, top + 18, "gate may", "head")
    drawing.text(_CONFINED, top + 18, "confined part may", "head")
    y = top + 28
    for block in blocks:
        height = _height(block.end - block.start) if sizes else 26.0
        middle = y + height / 2 + 4.5
        drawing.rectangle(_LEFT, y, _RIGHT - _LEFT, height, block.kind)
        drawing.text(_ADDRESS, y + 14, f"{block.start:08X}", "fine", "end")
        drawing.text(_LEFT + 10, middle, block.name, "no" if block.kind == "unused" else "")
        if sizes:
            drawing.text(_RIGHT - 10, middle, _size(block.end - block.start), "mono", "end")
        rights = protection.at(block.start)
        for x, allowed in ((_GATE, rights.privileged), (_CONFINED, rights.unprivileged)):
            words = _words(allowed)
            drawing.text(x, middle, words, "no" if words == "nothing" else "")
        y += height
    return y + 14


def _height(size: int) -> float:
    return round(min(64.0, max(24.0, 24 + 5 * math.log2(size / 1024))), 1)


def _size(size: int) -> str:
    if size >= 1024 and size % 1024 == 0:
        return f"{size // 1024} KB"
    return f"{size:,} bytes"


def _words(rights: Rights) -> str:
    verbs = ((Rights.READ, "read"), (Rights.WRITE, "write"), (Rights.EXECUTE, "run"))
    return ", ".join(verb for right, verb in verbs if rights & right) or "nothing"
