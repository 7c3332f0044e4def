"""Names of functions and objects from the symbol table: for messages only.

Nothing that is proved rests on them, so a broken table yields no names, never an error and never a slow reading.
"""

from __future__ import annotations

import struct

from pinproof._text import one_line
from pinproof.image._headers import Headers, SectionHeader
from pinproof.image._image import Symbol

_ENTRY = struct.Struct("<IIIBBH")
"""st_name, st_value, st_size, st_info, st_other, st_shndx (ELF specification, symbol table)."""
_OBJECT, _FUNCTION = 1, 2
_UNDEFINED = 0
MAX_SYMBOLS = 65536
MAX_NAME = 200


def read_symbols(data: bytes, headers: Headers) -> tuple[Symbol, ...]:
    """Functions and objects of the symbol table by address, none where the table is missing or broken."""
    tables = [section for section in headers.sections if section.type == "SHT_SYMTAB"]
    if len(tables) != 1 or tables[0].link >= len(headers.sections):
        return ()
    entries = section_bytes(data, tables[0])
    names = section_bytes(data, headers.sections[tables[0].link])
    if entries is None or names is None or len(entries) % _ENTRY.size or len(entries) > MAX_SYMBOLS * _ENTRY.size:
        return ()
    found = []
    for name_at, value, size, info, _, section in _ENTRY.iter_unpack(entries):
        kind = info & 0xF
        if kind not in (_OBJECT, _FUNCTION) or section == _UNDEFINED:
            continue
        name = string_at(names, name_at)
        if name:
            address = value & ~1 if kind == _FUNCTION else value
            found.append(Symbol(name=name, address=address, size=size, function=kind == _FUNCTION))
    return tuple(sorted(found, key=lambda symbol: (symbol.address, symbol.name)))


def section_bytes(data: bytes, section: SectionHeader) -> bytes | None:
    """The bytes of `section`, or None where it does not lie inside the file."""
    end = section.offset + section.size
    if section.type == "SHT_NOBITS" or end > len(data):
        return None
    return data[section.offset : end]


def string_at(table: bytes, offset: int) -> str:
    """The text at `offset` of a string table, safe to print; empty where there is none."""
    end = table.find(b"\0", offset, offset + MAX_NAME)
    if offset >= len(table) or end < 0:
        return ""
    return one_line(table[offset:end].decode("utf-8", errors="replace"), MAX_NAME)
