"""Source lines from `.debug_line` (DWARF 2 to 5, section 6.2 of each): for messages only.

This is read here and not through pyelftools because the image is hostile and the table optional: a DWARF 5 header may
claim any number of entries that take no bytes, on which a general reader spends all memory. Here each step takes at
least one byte of the section, every table is inside it, and whatever is broken yields no lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from posixpath import basename, normpath

from pinproof._text import one_line
from pinproof.image._headers import Headers, read_headers
from pinproof.image._image import ADDRESS_SPACE
from pinproof.image._symbols import MAX_NAME, section_bytes, string_at

MAX_LINE_SECTION = 1 << 20
"""Bytes. A gate and a detector with debug information have some ten thousand."""
MAX_ROWS = 1 << 16
"""Of the whole file: a row costs a few hundred bytes of memory here and may cost one byte there."""
_VERSIONS = range(2, 6)
_END_SEQUENCE, _SET_ADDRESS, _DEFINE_FILE = 1, 2, 3
_COPY, _ADVANCE_PC, _ADVANCE_LINE, _SET_FILE = 1, 2, 3, 4
_CONST_ADD_PC, _FIXED_ADVANCE_PC = 8, 9
_PATH, _DIRECTORY = 1, 2
"""Content types of a DWARF 5 entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """Code from `address` to `end` that comes from `line`, written "file:number"."""

    address: int
    end: int
    line: str


def read_lines(data: bytes, name: str) -> tuple[LineRow, ...]:
    """All rows of an ELF file by address, none where the table is broken. Raises `ImageError` for broken headers."""
    headers = read_headers(data, name)
    sections = _debug_sections(data, headers)
    table = sections.get(".debug_line", b"")
    if not table or len(table) > MAX_LINE_SECTION:
        return ()
    rows: list[LineRow] = []
    try:
        for unit in _units(_Cursor(table)):
            rows.extend(islice(_rows(unit, sections), MAX_ROWS + 1))
            if len(rows) > MAX_ROWS:
                return ()
    except _Broken:
        return ()
    return tuple(sorted(rows, key=lambda row: (row.address, row.end, row.line)))


class _Broken(Exception):
    """The table is not what it should be. Never leaves this module."""


class _Cursor:
    """Reads forward through bytes and never past their end."""

    __slots__ = ("_data", "at", "end")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self.at = start
        self.end = len(data) if end is None else end

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > self.end:
            raise _Broken
        self.at += size
        return self._data[self.at - size : self.at]

    def unsigned(self) -> int:
        """A ULEB128 of at most 64 bits."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise _Broken

    def signed(self) -> int:
        """A SLEB128 of at most 64 bits."""
        start = self.at
        value = self.unsigned()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def string(self) -> str:
        end = self._data.find(b"\0", self.at, self.end)
        if end < 0:
            raise _Broken
        text = self._data[self.at : min(end, self.at + MAX_NAME)]
        self.at = end + 1
        return one_line(text.decode("utf-8", errors="replace"), MAX_NAME)

    def part(self, size: int) -> _Cursor:
        """The next `size` bytes as a cursor of their own; this one moves past them."""
        self.take(size)
        return _Cursor(self._data, self.at - size, self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    version: int
    header: _Cursor
    program: _Cursor


def _units(table: _Cursor) -> Iterator[_Unit]:
    while table.at < table.end:
        # 0xFFFFFFFF begins the 64-bit form, which is not used on 32-bit parts and runs past the end here.
        unit = table.part(table.number(4))
        version = unit.number(2)
        if version not in _VERSIONS:
            raise _Broken
        if version == 5 and (unit.number(1), unit.number(1)) != (4, 0):
            raise _Broken
        yield _Unit(version=version, header=unit.part(unit.number(4)), program=unit)


def _rows(unit: _Unit, sections: dict[str, bytes]) -> Iterator[LineRow]:
    header = unit.header
    step = header.number(1)
    if unit.version >= 4:
        header.number(1)
    header.number(1)
    line_base, line_range, opcode_base = header.number(1), header.number(1), header.number(1)
    line_base -= 256 if line_base >= 128 else 0
    if not line_range or not opcode_base:
        raise _Broken
    lengths = header.take(opcode_base - 1)
    files = _files_5(header, sections) if unit.version == 5 else _files_2(header)
    states = _states(unit.program, step, line_base, line_range, lengths)
    for sequence in states:
        for (address, file, line), (end, _, _) in pairwise(sequence):
            if 0 <= address < end <= ADDRESS_SPACE and 0 <= file < len(files) and files[file] and line > 0:
                yield LineRow(address=address, end=end, line=f"{files[file]}:{line}")


def _states(
    program: _Cursor, step: int, line_base: int, line_range: int, lengths: bytes
) -> Iterator[list[tuple[int, int, int]]]:
    """The line program's sequences as lists of (address, file, line)."""
    opcode_base = len(lengths) + 1
    address, file, line = 0, 1, 1
    sequence: list[tuple[int, int, int]] = []
    while program.at < program.end:
        if len(sequence) > MAX_ROWS:
            raise _Broken
        opcode = program.number(1)
        if opcode >= opcode_base:
            address += step * ((opcode - opcode_base) // line_range)
            line += line_base + (opcode - opcode_base) % line_range
            sequence.append((address, file, line))
        elif opcode == 0:
            extended = program.part(program.unsigned())
            kind = extended.number(1)
            if kind == _END_SEQUENCE:
                yield [*sequence, (address, file, line)]
                address, file, line, sequence = 0, 1, 1, []
            elif kind == _SET_ADDRESS:
                address = extended.number(4)
            elif kind == _DEFINE_FILE:
                raise _Broken
        elif opcode == _COPY:
            sequence.append((address, file, line))
        elif opcode == _ADVANCE_PC:
            address += step * program.unsigned()
        elif opcode == _ADVANCE_LINE:
            line += program.signed()
        elif opcode == _SET_FILE:
            file = program.unsigned()
        elif opcode == _CONST_ADD_PC:
            address += step * ((255 - opcode_base) // line_range)
        elif opcode == _FIXED_ADVANCE_PC:
            address += program.number(2)
        else:
            for _ in range(lengths[opcode - 1]):
                program.unsigned()


def _files_2(header: _Cursor) -> list[str]:
    """File names of DWARF 2 to 4, counted from 1."""
    directories = [""]
    while directory := header.string():
        directories.append(directory)
    files = [""]
    while file := header.string():
        index = header.unsigned()
        header.unsigned()
        header.unsigned()
        files.append(_shown(file, index, directories))
    return files


def _files_5(header: _Cursor, sections: dict[str, bytes]) -> list[str]:
    """File names of DWARF 5, counted from 0."""
    directories = [name for name, _ in _entries_5(header, sections)]
    return [_shown(name, index, directories) for name, index in _entries_5(header, sections)]


def _entries_5(header: _Cursor, sections: dict[str, bytes]) -> list[tuple[str, int]]:
    """(path, directory index) of each entry of the next table."""
    formats = [(header.unsigned(), header.unsigned()) for _ in range(header.number(1))]
    count = header.unsigned()
    # Every form below takes at least one byte, so the section's size bounds the loop unless there are no forms.
    if count and not formats:
        raise _Broken
    entries: list[tuple[str, int]] = []
    for _ in range(count):
        path, index = "", 0
        for content, form in formats:
            value = _value(header, form, sections)
            if content == _PATH and isinstance(value, str):
                path = value
            elif content == _DIRECTORY and isinstance(value, int):
                index = value
        entries.append((path, index))
    return entries


_FORMS: dict[int, Callable[[_Cursor], int | str]] = {
    0x05: lambda cursor: cursor.number(2),  # DW_FORM_data2
    0x06: lambda cursor: cursor.number(4),  # DW_FORM_data4
    0x07: lambda cursor: cursor.number(8),  # DW_FORM_data8
    0x08: _Cursor.string,  # DW_FORM_string
    0x0B: lambda cursor: cursor.number(1),  # DW_FORM_data1
    0x0F: _Cursor.unsigned,  # DW_FORM_udata
    0x1E: lambda cursor: cursor.number(16),  # DW_FORM_data16
}
_STRING_SECTIONS = {0x0E: ".debug_str", 0x1F: ".debug_line_str"}
"""DW_FORM_strp and DW_FORM_line_strp."""


def _value(header: _Cursor, form: int, sections: dict[str, bytes]) -> int | str:
    if form in _STRING_SECTIONS:
        return string_at(sections.get(_STRING_SECTIONS[form], b""), header.number(4))
    if form not in _FORMS:
        raise _Broken
    return _FORMS[form](header)


def _shown(file: str, index: int, directories: list[str]) -> str:
    """The path that messages show: below the directory of the build, or the bare name where it is elsewhere."""
    directory = directories[index] if 0 < index < len(directories) else ""
    if not file:
        return ""
    path = normpath(f"{directory}/{file}" if directory and not file.startswith("/") else file)
    return basename(path) if path.startswith(("/", "..")) or ":" in path else path


def _debug_sections(data: bytes, headers: Headers) -> dict[str, bytes]:
    """The sections that the line table needs, by name. Compressed ones are left out."""
    if headers.names >= len(headers.sections):
        return {}
    names = section_bytes(data, headers.sections[headers.names]) or b""
    wanted = {".debug_line", *_STRING_SECTIONS.values()}
    found: dict[str, bytes] = {}
    for section in headers.sections:
        name = string_at(names, section.name_at)
        if name in wanted and not section.flags & 0x800:
            found[name] = section_bytes(data, section) or b""
    return found
