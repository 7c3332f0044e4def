"""Small ELF and Intel HEX files, built byte by byte so that each test can make one thing wrong."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

HEADER, SEGMENT, SECTION = 52, 32, 40
PT_NULL, PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_TLS = 0, 1, 2, 3, 4, 7
SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_NOBITS = 1, 2, 3, 8
WRITE, ALLOCATE, EXECUTE = 1, 2, 4
READ_EXECUTE, READ_WRITE, READ = 5, 6, 4


@dataclass(frozen=True, kw_only=True)
class Load:
    """A program header; `data` is placed in the file unless `offset` says where to point instead."""

    address: int
    data: bytes = b""
    physical: int | None = None
    memory_size: int | None = None
    file_size: int | None = None
    offset: int | None = None
    flags: int = READ_EXECUTE
    type: int = PT_LOAD


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section header. `load` and `at` say which bytes it holds: of which program header, from which offset in it."""

    name: str
    address: int = 0
    size: int = 0
    load: int | None = None
    at: int = 0
    data: bytes = b""
    type: int = SHT_PROGBITS
    flags: int = ALLOCATE
    link: int = 0
    entry_size: int = 0


@dataclass(frozen=True, kw_only=True)
class Elf:
    loads: Sequence[Load]
    sections: Sequence[Section] | None = field(default=None)
    """None: one section for the bytes of each program header. Empty: no section headers at all."""
    entry: int = 0x08000009

    def build(self) -> bytes:
        body = bytearray(HEADER + SEGMENT * len(self.loads))
        offsets = []
        for load in self.loads:
            offsets.append(len(body) if load.offset is None else load.offset)
            if load.offset is None:
                body += load.data
        for index, load in enumerate(self.loads):
            size = len(load.data) if load.file_size is None else load.file_size
            memory = size if load.memory_size is None else load.memory_size
            physical = load.address if load.physical is None else load.physical
            at = HEADER + SEGMENT * index
            body[at : at + SEGMENT] = struct.pack(
                "<8I", load.type, offsets[index], load.address, physical, size, memory, load.flags, 4
            )
        sections = self._default_sections() if self.sections is None else list(self.sections)
        count, start, names = 0, 0, 0
        if sections:
            table = self._section_table(body, sections, offsets)
            count, start, names = len(sections) + 2, len(body), len(sections) + 1
            body += table
        ident = b"\x7fELF" + bytes([1, 1, 1, 0]) + bytes(8)
        body[:HEADER] = ident + struct.pack(
            "<HHIIIIIHHHHHH",
            2, 40, 1, self.entry, HEADER, start, 0x05000200, HEADER, SEGMENT, len(self.loads), SECTION, count, names,
        )  # fmt: skip
        return bytes(body)

    def _default_sections(self) -> list[Section]:
        return [
            Section(name=f".s{index}", address=load.address, size=len(load.data), load=index)
            for index, load in enumerate(self.loads)
            if load.data
        ]

    @staticmethod
    def _section_table(body: bytearray, sections: Sequence[Section], offsets: Sequence[int]) -> bytes:
        names = bytearray(b"\0")
        rows = [bytes(SECTION)]
        for section in [*sections, Section(name=".shstrtab", type=SHT_STRTAB, flags=0)]:
            name_at = len(names)
            names += section.name.encode() + b"\0"
            size = section.size or len(section.data)
            if section.name == ".shstrtab":
                offset, size = len(body), len(names)
                body += names
            elif section.load is not None:
                offset = offsets[section.load] + section.at
            else:
                offset = len(body)
                body += section.data
            rows.append(
                struct.pack(
                    "<10I",
                    name_at,
                    section.type,
                    section.flags,
                    section.address,
                    offset,
                    size,
                    section.link,
                    0,
                    4,
                    section.entry_size,
                )
            )
        return b"".join(rows)


CODE = bytes(range(64))
DATA = b"\x11\x22\x33\x44"
PLAIN = Elf(
    loads=(
        Load(address=0x08000000, data=CODE),
        Load(address=0x08001000, data=DATA, flags=READ),
        Load(address=0x20000000, memory_size=256, flags=READ_WRITE),
    )
)
"""Code, constants and cleared memory: nothing wrong with it."""


def patch(data: bytes, offset: int, layout: str, value: int) -> bytes:
    """`data` with the field at `offset` replaced."""
    field_bytes = struct.pack("<" + layout, value)
    return data[:offset] + field_bytes + data[offset + len(field_bytes) :]


def hex_record(kind: int, offset: int, payload: bytes) -> str:
    body = bytes([len(payload)]) + offset.to_bytes(2, "big") + bytes([kind]) + payload
    return f":{body.hex().upper()}{-sum(body) & 0xFF:02X}"


def hex_file(runs: Sequence[tuple[int, bytes]], entry: int | None = None, width: int = 16) -> bytes:
    """Intel HEX of `runs`, with linear base addresses."""
    lines = []
    base = None
    for start, data in runs:
        at = start
        while at < start + len(data):
            if at >> 16 != base:
                base = at >> 16
                lines.append(hex_record(4, 0, base.to_bytes(2, "big")))
            stop = min(at + width, start + len(data), (base + 1) << 16)
            lines.append(hex_record(0, at & 0xFFFF, data[at - start : stop - start]))
            at = stop
    if entry is not None:
        lines.append(hex_record(5, 0, entry.to_bytes(4, "big")))
    lines.append(hex_record(1, 0, b""))
    return ("\n".join(lines) + "\n").encode()
