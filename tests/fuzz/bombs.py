"""Files made to cost a reader as much as they can, or to mean two things at once, by name."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from pinproof.certificate.bundle import LARGEST as LARGEST_BUNDLE
from pinproof.image import MAX_FILE_SIZE

from tests.fuzz import vouched
from tests.unit.declaration.files import GOOD
from tests.unit.image.files import (
    HEADER,
    PLAIN,
    SECTION,
    SHT_STRTAB,
    SHT_SYMTAB,
    Elf,
    Load,
    Section,
    hex_file,
    hex_record,
    patch,
)
from tests.unit.image.test_sources import LENGTHS, TABLES_2, unit
from tests.unit.image.test_sources import elf as with_lines

CODE = (
    Section(name=".code", address=0x08000000, size=64, load=0),
    Section(name=".const", address=0x08001000, size=4, load=1),
)
FLASH = 0x08000000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bomb:
    reader: str
    build: Callable[[], bytes]
    says: str | None
    """Part of the message; None where the file is accepted, without what is hostile in it."""


def elf_of(*sections: Section) -> bytes:
    return Elf(loads=PLAIN.loads, sections=(*CODE, *sections)).build()


def load(**changes: int) -> bytes:
    return Elf(loads=(Load(address=FLASH, data=bytes(64), **changes),), sections=()).build()


def symbols(count: int, name: bytes) -> bytes:
    entry = struct.pack("<IIIBBH", 1, FLASH + 1, 4, 0x12, 0, 1)
    return elf_of(
        Section(name=".symtab", type=SHT_SYMTAB, flags=0, data=entry * count, link=4, entry_size=16),
        Section(name=".strtab", type=SHT_STRTAB, flags=0, data=b"\0" + name + b"\0"),
    )


def names_are(index: int) -> bytes:
    """The section name table is section `index`."""
    return patch(PLAIN.build(), 50, "H", index)


def symbol_strings_in_themselves() -> bytes:
    """A symbol table whose strings are the symbol table, in a section header that links to itself."""
    return elf_of(Section(name=".symtab", type=SHT_SYMTAB, flags=0, data=bytes(64), link=3, entry_size=16))


def many_sections(count: int) -> bytes:
    data = bytearray(PLAIN.build())
    at = struct.unpack_from("<I", data, 32)[0]
    first = bytes(data[at : at + SECTION])
    struct.pack_into("<I", data, 32, len(data))
    struct.pack_into("<H", data, 48, count)
    return bytes(data) + first * count


def compressed_lines() -> bytes:
    """A gigabyte of line numbers in a megabyte."""
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()
    return with_lines(struct.pack("<III", 1, 1 << 30, 1) + body, flags=0x800)


def lines(program: bytes) -> bytes:
    return with_lines(unit(4, TABLES_2, program))


def line_strings() -> bytes:
    """DWARF 5: a quarter of a million files whose names are the same long string."""
    count = 260_000
    number = bytes([count & 0x7F | 0x80, count >> 7 & 0x7F | 0x80, count >> 14])
    table = b"\x01\x01\x08\x01x\0" + b"\x01\x01\x1f" + number + bytes(4 * count)
    data = unit(5, table, b"")
    return elf_of(
        Section(name=".debug_line", flags=0, data=data),
        Section(name=".debug_line_str", flags=0, data=b"d/" * 99 + b"\0"),
    )


def files_without_bytes() -> bytes:
    """DWARF 5: 2^63 files, each of no fields."""
    return with_lines(unit(5, b"\x00\x01" + b"\x00" + b"\xff" * 8 + b"\x7f", b""))


def same_record() -> bytes:
    record = (hex_record(0, 0, bytes(16)) + "\n").encode()
    return record * (MAX_FILE_SIZE // len(record) - 1) + b":00000001FF\n"


def scattered_records() -> bytes:
    """Every second byte: as many runs as fit."""
    runs = []
    for high in range(18):
        runs.append(hex_record(4, 0, (0x0800 + high).to_bytes(2, "big")))
        runs += [hex_record(0, low, b"\0") for low in range(0, 0x10000, 2)]
    return ("\n".join(runs) + "\n:00000001FF\n").encode()


def text_with(old: str, new: str) -> bytes:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new).encode("utf-8", "surrogatepass")


def json_with(**changes: object) -> bytes:
    return json.dumps({**json.loads(vouched.CERTIFICATE), **changes}).encode()


def statement_with(key: str, value: str) -> bytes:
    """The statement with raw JSON for one key of its predicate."""
    statement = json.loads(vouched.PAYLOAD)
    statement["predicate"][key] = "HERE"
    return json.dumps(statement).replace('"HERE"', value).encode()


def full_of(piece: bytes, before: bytes = b"[", after: bytes = b"0]") -> bytes:
    room = LARGEST_BUNDLE - len(before) - len(after)
    return before + piece * (room // len(piece)) + after


def _bomb(reader: str, build: Callable[[], bytes], says: str | None) -> Bomb:
    return Bomb(reader=reader, build=build, says=says)


BOMBS: dict[str, Bomb] = {
    # --- sizes and places -----------------------------------------------------------------------------------------
    "elf: 4 GB in the file": _bomb("image", lambda: load(file_size=0xFFFFFFFF), "bytes past the end of the file"),
    "elf: 4 GB in memory": _bomb("image", lambda: load(memory_size=0xFFFFFFFF), "past the end of the address space"),
    "elf: 4 GB less the base": _bomb("image", lambda: load(memory_size=0x100000000 - FLASH), None),
    "elf: offset and size wrap": _bomb("image", lambda: load(offset=0xFFFFFFF0, file_size=0x20), "past the end"),
    "elf: load address wraps": _bomb("image", lambda: load(physical=0xFFFFFFF0, flags=4), "past the end of the addr"),
    "elf: segments overlap": _bomb(
        "image",
        lambda: Elf(loads=[Load(address=FLASH + at, data=bytes(64)) for at in (0, 63)], sections=()).build(),
        "loaded twice",
    ),
    "elf: 65535 program headers": _bomb("image", lambda: patch(PLAIN.build(), 44, "H", 0xFFFF), "program headers"),
    "elf: 65535 section headers": _bomb("image", lambda: many_sections(0xFFFF), "section headers, more than"),
    "elf: 4096 section headers": _bomb("image", lambda: many_sections(4096), "lie in no section"),
    "elf: a million symbols": _bomb("image", lambda: symbols(1_000_000, b"a"), None),
    "elf: 65536 symbols with long names": _bomb("image", lambda: symbols(65536, b"a" * 199), None),
    "elf: 65536 symbols with foul names": _bomb("image", lambda: symbols(65536, b"\xff\x1b" * 99), None),
    # --- tables that refer to themselves ---------------------------------------------------------------------------
    "elf: no name table": _bomb("image", lambda: names_are(0xFFFF), None),
    "elf: names in the null section": _bomb("image", lambda: names_are(0), None),
    "elf: names in the code": _bomb("image", lambda: names_are(1), None),
    "elf: symbols name themselves": _bomb("image", symbol_strings_in_themselves, None),
    "elf: section table over itself": _bomb("image", lambda: patch(PLAIN.build(), 32, "I", HEADER), "no loadable"),
    # --- debug information -----------------------------------------------------------------------------------------
    "lines: compressed gigabyte": _bomb("image", compressed_lines, None),
    "lines: a row a byte": _bomb("image", lambda: lines(b"\xff" * 1_000_000), None),
    "lines: a sequence in three bytes": _bomb("image", lambda: lines(b"\x00\x01\x01" * 330_000), None),
    "lines: unknown opcodes of many numbers": _bomb("image", lambda: lines(b"\x0c" + b"\x80" * 900_000), None),
    "lines: long numbers": _bomb("image", lambda: lines((b"\x02" + b"\xff" * 9 + b"\x01") * 90_000), None),
    "lines: more than is read": _bomb("image", lambda: lines(b"\x01" * 1_100_000), None),
    "lines: the 64-bit form": _bomb("image", lambda: with_lines(b"\xff\xff\xff\xff" + bytes(64)), None),
    "lines: files without bytes": _bomb("image", files_without_bytes, None),
    "lines: one long name for all files": _bomb("image", line_strings, None),
    "lines: a unit of no length": _bomb("image", lambda: with_lines(bytes(1 << 20)), None),
    # --- Intel HEX -------------------------------------------------------------------------------------------------
    "hex: the same record": _bomb("image", same_record, "are given twice"),
    "hex: scattered bytes": _bomb("image", scattered_records, None),
    "hex: empty lines": _bomb("image", lambda: b":\n" + b"\n" * (MAX_FILE_SIZE - 2), "line 1"),
    "hex: one line": _bomb("image", lambda: b":" + b"0" * (MAX_FILE_SIZE - 1), "line 1"),
    "hex: no end": _bomb("image", lambda: b":0100000000FF\n" * 2, "no end-of-file record"),
    "hex: too large": _bomb("image", lambda: b":" + b"\n" * MAX_FILE_SIZE, "more than 16777216"),
    "hex: byte order mark": _bomb("image", lambda: b"\xef\xbb\xbf" + hex_file([(0, b"a")]), "neither an ELF file"),
    "hex: NUL": _bomb("image", lambda: hex_file([(0, b"a")]) + b"\0", "line 4"),
    "hex: CR alone": _bomb("image", lambda: hex_file([(0, b"a")]).replace(b"\n", b"\r"), "line 1"),
    "hex: CR LF": _bomb("image", lambda: hex_file([(0, b"a")]).replace(b"\n", b"\r\n"), None),
    # --- TOML ------------------------------------------------------------------------------------------------------
    "toml: too large": _bomb("declaration", lambda: b"#" * 65537, "more than 65536"),
    "toml: too wide": _bomb("declaration", lambda: b"a." * 3000 + b"b = 1", "characters, more than 4096"),
    "toml: nested lists": _bomb("declaration", lambda: b"a = " + b"[" * 4000, "nested too deeply"),
    "toml: nested lists over lines": _bomb("declaration", lambda: b"a = " + b"[\n" * 30000, "nested too deeply"),
    "toml: nested tables": _bomb("declaration", lambda: b"a = " + b"{b = " * 800, "nested too deeply"),
    "toml: deep headers": _bomb(
        "declaration", lambda: b"".join(b"[" + b"a." * 2000 + b"a%d]\n" % at for at in range(15)), ""
    ),
    "toml: byte order mark": _bomb("declaration", lambda: b"\xef\xbb\xbf" + GOOD.encode(), "not TOML"),
    "toml: CR LF": _bomb("declaration", lambda: GOOD.replace("\n", "\r\n").encode(), None),
    "toml: NUL": _bomb("declaration", lambda: text_with("Example Works", "Example\0Works"), "not TOML"),
    "toml: escaped NUL": _bomb("declaration", lambda: text_with("Example Works", "\\u0000"), "cannot be printed"),
    "toml: text runs backwards": _bomb(
        "declaration", lambda: text_with("Example Works", "\u202eab"), "cannot be printed"
    ),
    "toml: half a character": _bomb("declaration", lambda: text_with("Example Works", "\ud800"), "is not UTF-8"),
    "toml: escaped half": _bomb("declaration", lambda: text_with("Example Works", "\\ud800"), "not TOML"),
    "toml: key twice": _bomb("declaration", lambda: GOOD.encode() + b'[module]\nvendor = "x"\n', "not TOML"),
    "toml: huge number": _bomb("declaration", lambda: text_with("width = 96", "width = " + "9" * 4000), "is not from"),
    "toml: huger number": _bomb(
        "declaration", lambda: text_with("width = 96", "width = 0x" + "f" * 4000), "is not from"
    ),
    "toml: no number": _bomb("declaration", lambda: text_with("width = 96", "width = nan"), "is a float"),
    "toml: infinite": _bomb("declaration", lambda: text_with("width = 96", "width = inf"), "is a float"),
    "toml: huge exponent": _bomb("declaration", lambda: text_with("width = 96", "width = 1e999999999"), "is a float"),
    "toml: fraction without end": _bomb(
        "declaration", lambda: text_with('period_seconds = "1.0"', f'period_seconds = "1.{"0" * 2000}"'), "characters"
    ),
    "toml: steps without end": _bomb("provisioning", lambda: b"steps = [" + b'"seal", ' * 500 + b"]", "specification"),
    # --- JSON ------------------------------------------------------------------------------------------------------
    "json: too large": _bomb("bundle", lambda: b" " * (LARGEST_BUNDLE + 1), "but at most"),
    "json: nested lists": _bomb("bundle", lambda: b"[" * LARGEST_BUNDLE, "nested deeper than 32"),
    "json: nested objects": _bomb("bundle", lambda: b'{"a":' * 100_000, "nested deeper than 32"),
    "json: nested a little": _bomb("bundle", lambda: b"[" * 34 + b"]" * 34, "nested deeper than 32"),
    "json: empty lists": _bomb("bundle", lambda: full_of(b"[],"), "not an object"),
    "json: small objects": _bomb("bundle", lambda: full_of(b'{"a":1},'), "not an object"),
    "json: many keys": _bomb(
        "bundle", lambda: b"{" + b",".join(b'"%x":0' % at for at in range(400_000)) + b"}", "'mediaType' is missing"
    ),
    "json: many numbers": _bomb("bundle", lambda: full_of(b"9" * 4000 + b","), "not an object"),
    "json: long number": _bomb("bundle", lambda: b"9" * 100_000, "not usable JSON"),
    "json: long key": _bomb("bundle", lambda: json_with(**{"k" * 4_000_000: 1}), "unknown key"),
    "json: foul key": _bomb("bundle", lambda: json_with(**{"\u202e\n\x1b": 1}), "unknown key"),
    "json: long word": _bomb("bundle", lambda: json_with(mediaType="m" * 4_000_000), "'mediaType' is"),
    "json: byte order mark": _bomb("bundle", lambda: b"\xef\xbb\xbf" + vouched.CERTIFICATE, "not usable JSON"),
    "json: UTF-16": _bomb("bundle", lambda: vouched.CERTIFICATE.decode().encode("utf-16"), "not UTF-8"),
    "json: CR LF": _bomb("bundle", lambda: vouched.CERTIFICATE.replace(b"\n", b"\r\n"), None),
    "json: NUL": _bomb("bundle", lambda: vouched.CERTIFICATE + b"\0", "not usable JSON"),
    "json: two values": _bomb("bundle", lambda: vouched.CERTIFICATE * 2, "not usable JSON"),
    "json: key twice": _bomb(
        "statement", lambda: vouched.PAYLOAD.replace(b'"level":1', b'"level":1,"level":1'), "appears twice"
    ),
    "json: no number": _bomb("statement", lambda: statement_with("level", "NaN"), "is not a whole number"),
    "json: infinite": _bomb("statement", lambda: statement_with("level", "-Infinity"), "is not a whole number"),
    "json: fraction": _bomb("statement", lambda: statement_with("level", "1.0"), "is not a whole number"),
    "json: exponent": _bomb("statement", lambda: statement_with("level", "1e0"), "is not a whole number"),
    "json: huge level": _bomb("statement", lambda: statement_with("level", "9" * 4000), "is not a whole number"),
    "json: true for one": _bomb("statement", lambda: statement_with("level", "true"), "is not a whole number"),
    "json: half a character": _bomb("statement", lambda: statement_with("issued", r'"\ud800"'), "not UTF-8"),
    "json: long list": _bomb(
        "statement", lambda: statement_with("requirements", "[" + "{}," * 5000 + "{}]"), "at most 4096"
    ),
    "json: flash of 4 GB": _bomb(
        "statement", lambda: vouched.PAYLOAD.replace(b'"size":524288', b'"size":4294967295'), "'size' is not a whole"
    ),
    "json: many keys to trust": _bomb(
        "trust", lambda: b'{"schema":"pinproof trust 0.1","keys":[' + b"{}," * 5000 + b"{}]}", "at most 4096"
    ),
    "json: key without end": _bomb(
        "trust",
        lambda: b'{"schema":"pinproof trust 0.1","keys":[{"role":"lab","id":"' + b"0" * 1_000_000 + b'"}]}',
        "'id'",
    ),
}
__all__ = ["BOMBS", "LENGTHS", "Bomb"]
