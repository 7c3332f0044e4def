"""Good files to begin with, reader by reader."""

from __future__ import annotations

from pathlib import Path

from pinproof.certificate import write_trust

from tests.fuzz import vouched
from tests.unit.declaration.files import GOOD as DECLARATION
from tests.unit.image.files import PLAIN, SHT_STRTAB, SHT_SYMTAB, Elf, Section, hex_file
from tests.unit.image.test_sources import TABLES_2, TABLES_5, elf, unit
from tests.unit.provisioning.test_provisioning import GOOD as PROVISIONING

CORPUS = Path(__file__).resolve().parent / "corpus"
_CODE = (
    Section(name=".code", address=0x08000000, size=64, load=0),
    Section(name=".const", address=0x08001000, size=4, load=1),
)
_SYMBOL = (b"\1\0\0\0\1\0\0\x08\x10\0\0\0\x12\0\1\0") * 2
_NAMED = Elf(
    loads=PLAIN.loads,
    sections=(
        *_CODE,
        Section(name=".symtab", type=SHT_SYMTAB, flags=0, data=_SYMBOL, link=4, entry_size=16),
        Section(name=".strtab", type=SHT_STRTAB, flags=0, data=b"\0reset\0"),
    ),
)
_LINE_STRINGS = b"\x01\x01\x1f\x01\0\0\0\0" + b"\x02\x01\x1f\x02\x0b\x01\0\0\0\0\0"


def _elfs() -> list[bytes]:
    with_lines = [elf(unit(version, TABLES_5 if version == 5 else TABLES_2)) for version in range(2, 6)]
    return [
        PLAIN.build(),
        Elf(loads=PLAIN.loads, sections=()).build(),
        _NAMED.build(),
        *with_lines,
        elf(unit(4, TABLES_2) + unit(5, TABLES_5)),
        elf(unit(5, _LINE_STRINGS)),
    ]


def _hexes() -> list[bytes]:
    return [
        hex_file([(0x0800FFF0, bytes(range(64))), (0x08020000, b"abcd")], entry=0x08000009),
        hex_file([(0, b"abc")], width=1).replace(b"\n", b"\r\n"),
        b":020000021000EC\n:0400000001020304F2\n:00000001FF\n",
    ]


def _certificates() -> list[bytes]:
    return [b"b" + vouched.CERTIFICATE, b"s" + vouched.PAYLOAD, b"t" + write_trust(vouched.TRUST).encode()]


SEEDS: dict[str, list[bytes]] = {
    "elf": _elfs(),
    "hex": _hexes(),
    "declaration": [DECLARATION.encode(), PROVISIONING.encode()],
    "certificate": _certificates(),
}
