"""Function and source line: shown where the image has them, and harmless where the tables are hostile."""

from __future__ import annotations

import struct
import time

import pytest
from pinproof.image import SourceMap, Symbol, read_image, read_source_map

from tests.unit.image.files import PLAIN, SHT_STRTAB, Elf, Section

CODE_AT = 0x08000000
PROGRAM = (
    b"\x00\x05\x02"
    + struct.pack("<I", CODE_AT)
    + b"\x03\x29\x01"  # line 42, a row
    + b"\x02\x04\x03\x7e\x01"  # four bytes on, two lines back, a row
    + b"\x02\x04\x00\x01\x01"  # four bytes on, the sequence ends
)
LENGTHS = bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1])


def unit(version: int, tables: bytes, program: bytes = PROGRAM, line_range: int = 14) -> bytes:
    body = bytes([1]) + (bytes([1]) if version >= 4 else b"") + bytes([1, 0xFB, line_range, 13]) + LENGTHS + tables
    head = struct.pack("<H", version) + (b"\x04\x00" if version == 5 else b"") + struct.pack("<I", len(body))
    whole = head + body + program
    return struct.pack("<I", len(whole)) + whole


TABLES_2 = b"gate\0\0" + b"tick.c\0\x01\x00\x00" + b"\0"
TABLES_5 = (
    b"\x01\x01\x08\x02/build\0gate\0"  # one field, a path as a string; two directories
    + b"\x02\x01\x08\x02\x0b\x02tick.c\0\x00tick.c\0\x01"  # path and directory index; two files
)


def elf(lines: bytes, name: str = ".debug_line", flags: int = 0) -> bytes:
    sections = (
        Section(name=".code", address=CODE_AT, size=64, load=0),
        Section(name=".const", address=0x08001000, size=4, load=1),
        Section(name=name, data=lines, flags=flags),
    )
    return Elf(loads=PLAIN.loads, sections=sections).build()


def source_map(lines: bytes, **changes: int) -> SourceMap:
    data = elf(lines, **changes)
    return read_source_map(data, read_image(data, "fw.elf"))


@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_lines_of_each_version(version: int) -> None:
    lines = source_map(unit(version, TABLES_5 if version == 5 else TABLES_2))
    assert [lines.lookup(CODE_AT + offset)[1] for offset in (-1, 0, 3, 4, 7, 8)] == [
        None,
        "gate/tick.c:42",
        "gate/tick.c:42",
        "gate/tick.c:40",
        "gate/tick.c:40",
        None,
    ]


def test_code_that_the_linker_dropped_has_no_lines() -> None:
    assert source_map(unit(4, TABLES_2, PROGRAM.replace(struct.pack("<I", CODE_AT), bytes(4)))).rows == ()


def test_absolute_paths_are_cut_to_the_name() -> None:
    tables = b"/home/somebody/gate\0\0" + b"tick.c\0\x01\x00\x00" + b"\0"
    assert source_map(unit(4, tables)).lookup(CODE_AT) == (None, "tick.c:42")


def test_special_opcodes_and_constant_advance() -> None:
    program = b"\x00\x05\x02" + struct.pack("<I", CODE_AT) + bytes([13 + 5 + 1]) + b"\x08" + b"\x00\x01\x01"
    # Opcode 19 advances 0 addresses and 1 line; the constant advance is (255 - 13) // 14 = 17 addresses.
    rows = source_map(unit(4, TABLES_2, program)).rows
    assert [(row.address, row.end, row.line) for row in rows] == [(CODE_AT, CODE_AT + 17, "gate/tick.c:2")]


@pytest.mark.parametrize(
    "lines",
    [
        b"\x00",
        b"\xff" * 40,
        unit(4, TABLES_2)[:-1],
        unit(4, TABLES_2, line_range=0),
        unit(6, TABLES_2),
        unit(4, b"gate"),
        unit(4, TABLES_2, b"\x03"),
        unit(4, TABLES_2, b"\x02" + b"\x80" * 12 + b"\x01"),
        unit(4, TABLES_2, b"\x00\x00"),
        unit(4, TABLES_2, b"\x00\x02\x03x"),
        unit(5, b"\x00" + b"\xff" * 9 + b"\x01"),
        unit(5, b"\x01\x01\x19\xff\xff\xff\x7f"),
        unit(4, TABLES_2) + b"\x01\x02\x03",
    ],
)
def test_a_broken_table_gives_no_lines_and_no_error(lines: bytes) -> None:
    assert source_map(lines).rows == ()


def test_a_compressed_table_is_left_alone() -> None:
    assert source_map(unit(4, TABLES_2), flags=0x800).rows == ()


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(unit(5, b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), id="entries that take no bytes"),
        pytest.param(unit(4, TABLES_2, b"\x01" * 900_000), id="a row a byte"),
        pytest.param(unit(4, TABLES_2, b"\x01\x02\x01\x00\x01\x01" * 150_000), id="many sequences"),
        pytest.param(unit(4, b"\0" + b"a\0\0\0\0" * 200_000 + b"\0"), id="many files"),
        pytest.param(b"".join(unit(2, b"\0\0", b"") for _ in range(20_000)), id="many units"),
    ],
)
def test_a_table_made_to_cost_much_does_not(lines: bytes) -> None:
    began = time.process_time()
    source_map(lines)
    assert time.process_time() - began < 5


def test_functions() -> None:
    functions = (
        Symbol(name="one", address=0x100, size=8, function=True),
        Symbol(name="two", address=0x200, size=0, function=True),
    )
    lines = SourceMap(functions=functions)
    assert [lines.lookup(address)[0] for address in (0xFF, 0x100, 0x107, 0x108, 0x200, 0x201, 0x202)] == [
        None,
        "one",
        "one",
        None,
        "two",
        "two",
        None,
    ]


def test_names_of_sections_may_be_missing() -> None:
    data = bytearray(elf(unit(4, TABLES_2)))
    for index in (0, 99):
        struct.pack_into("<H", data, 50, index)
        assert read_source_map(bytes(data), read_image(bytes(data), "fw.elf")).rows == ()


def test_string_tables_are_read_for_version_5() -> None:
    tables = b"\x01\x01\x1f\x01" + struct.pack("<I", 0) + b"\x01\x01\x1f\x02" + struct.pack("<II", 1, 1)
    sections = (
        Section(name=".code", address=CODE_AT, size=64, load=0),
        Section(name=".const", address=0x08001000, size=4, load=1),
        Section(name=".debug_line", data=unit(5, tables), flags=0),
        Section(name=".debug_line_str", data=b"\0tick.c\0", flags=0, type=SHT_STRTAB),
    )
    data = Elf(loads=PLAIN.loads, sections=sections).build()
    assert read_source_map(data, read_image(data, "fw.elf")).lookup(CODE_AT) == (None, "tick.c:42")
