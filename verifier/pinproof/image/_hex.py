"""Intel HEX, read strictly: Intel Hexadecimal Object File Format Specification, revision A.

A record is `:`, length, offset, type, data and checksum in hex digits. Types 00 (data), 01 (end of file), 02 and 04
(base of the following data) and 03 and 05 (start address) are all there is. Whatever tools treat differently is
refused: data after the end record, offsets that wrap, segment and linear bases in one file, bytes given twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pinproof.errors import ImageError
from pinproof.image._image import ADDRESS_SPACE, Image, digest, error, merge, span

_DATA, _END, _SEGMENT_BASE, _SEGMENT_START, _LINEAR_BASE, _LINEAR_START = range(6)
_LENGTHS = {_END: 0, _SEGMENT_BASE: 2, _SEGMENT_START: 4, _LINEAR_BASE: 2, _LINEAR_START: 4}
_OFFSET_SPACE = 1 << 16
_SHORTEST = 11
"""Characters of a record without data."""


@dataclass(slots=True)
class _Reading:
    """What the records so far have said."""

    base: int = 0
    base_type: int | None = None
    entry: int | None = None
    ended: bool = False
    runs: list[tuple[int, bytes]] = field(default_factory=list)
    """Runs of data, each grown while records follow one another."""
    grown: bytearray = field(default_factory=bytearray)
    grown_at: int = 0

    def add(self, address: int, data: bytes) -> None:
        """Append to the run that ends at `address`, or begin a new one."""
        if address != self.grown_at + len(self.grown):
            self.close()
            self.grown_at = address
        self.grown += data

    def close(self) -> None:
        """End the run that is growing."""
        if self.grown:
            self.runs.append((self.grown_at, bytes(self.grown)))
        self.grown = bytearray()


def read_hex(data: bytes, name: str) -> Image:
    """Read Intel HEX. Raises `ImageError`."""
    reading = _Reading()
    for number, line in _lines(data):
        where = f"line {number}"
        if reading.ended:
            raise error(name, f"{where}: a record after the end-of-file record")
        try:
            _take(reading, line)
        except _Malformed as malformed:
            raise error(name, f"{where}: {malformed}") from None
    if not reading.ended:
        raise error(name, "no end-of-file record: the file is truncated")
    reading.close()
    if not reading.runs:
        raise error(name, "the file holds no data")
    _refuse_overlap(reading.runs, name)
    return Image(segments=merge(reading.runs), entry=reading.entry, sha256=digest(data), kind="intel-hex")


class _Malformed(ImageError):
    """A record is wrong; the caller adds the file and line."""


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, without line ends, counted from 1. Only LF and CR LF end a line."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        stripped = line.removesuffix(b"\r")
        if stripped:
            yield number, stripped


def _take(reading: _Reading, line: bytes) -> None:
    offset, kind, payload = _record(line)
    if kind != _DATA:
        if len(payload) != _LENGTHS[kind]:
            raise _Malformed(f"a record of type {kind:02X} must hold {_LENGTHS[kind]} bytes, this holds {len(payload)}")
        if offset:
            raise _Malformed(f"a record of type {kind:02X} must have offset 0")
    value = int.from_bytes(payload, "big")
    if kind == _DATA:
        _take_data(reading, offset, payload)
    elif kind == _END:
        reading.ended = True
    elif kind in (_SEGMENT_BASE, _LINEAR_BASE):
        if reading.base_type not in (None, kind):
            raise _Malformed("segment and linear base addresses are mixed, which tools read differently")
        reading.base_type = kind
        reading.base = value << (4 if kind == _SEGMENT_BASE else 16)
    else:
        if reading.entry is not None:
            raise _Malformed("a second start address")
        reading.entry = value if kind == _LINEAR_START else ((value >> 16) << 4) + (value & 0xFFFF)


def _take_data(reading: _Reading, offset: int, payload: bytes) -> None:
    if not payload:
        raise _Malformed("a data record without data")
    if offset + len(payload) > _OFFSET_SPACE:
        raise _Malformed("the data runs past offset 0xFFFF, which tools wrap differently")
    address = reading.base + offset
    if address + len(payload) > ADDRESS_SPACE:
        raise _Malformed("the data runs past the end of the address space")
    reading.add(address, payload)


def _record(line: bytes) -> tuple[int, int, bytes]:
    """(offset, type, data) of one line whose form and checksum are right."""
    if line[:1] != b":":
        raise _Malformed("a record must begin with ':'")
    try:
        record = bytes.fromhex(line[1:].decode("ascii"))
    except ValueError:
        raise _Malformed("not pairs of hexadecimal digits") from None
    # `fromhex` skips white space between digit pairs, which the format does not allow.
    if len(line) != 2 * len(record) + 1:
        raise _Malformed("white space inside the record")
    if len(line) < _SHORTEST or len(record) != record[0] + 5:
        raise _Malformed("the record is not as long as its length says")
    if sum(record) & 0xFF:
        raise _Malformed(f"checksum is 0x{record[-1]:02X}, must be 0x{-sum(record[:-1]) & 0xFF:02X}")
    kind = record[3]
    if kind > _LINEAR_START:
        raise _Malformed(f"record type {kind:02X} is unknown: only 00 to 05 are Intel HEX")
    return int.from_bytes(record[1:3], "big"), kind, record[4:-1]


def _refuse_overlap(runs: list[tuple[int, bytes]], name: str) -> None:
    end = 0
    for address, data in sorted(runs):
        if address < end:
            raise error(name, f"bytes {span(address, min(end, address + len(data)))} are given twice")
        end = address + len(data)
