"""What a firmware file says: bytes at addresses."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Literal

from pinproof._text import one_line
from pinproof.errors import ImageError

ADDRESS_SPACE = 1 << 32
ERASED = 0xFF
"""What an erased flash byte reads as: erasing sets every bit."""

_start = attrgetter("address")


def error(name: str, message: str) -> ImageError:
    """The one-line error of the file `name`."""
    return ImageError(f"{one_line(name)}: {message}")


def span(start: int, end: int) -> str:
    """The bytes `start` up to, not including, `end`, as messages write them."""
    return f"0x{start:08X}-0x{end - 1:08X}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Bytes that the file places, beginning at the load address `address`."""

    address: int
    data: bytes

    @property
    def end(self) -> int:
        """One past the last address."""
        return self.address + len(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A name in the symbol table. For messages only, never for proof."""

    name: str
    address: int
    """Without the Thumb bit."""
    size: int
    function: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Data that the file loads at one address and that the linker meant to be used at another (`.data`).

    The flash image holds it at `load`. Only code that the machine executes can bring it to `run`, so nothing may be
    concluded from this; it lets messages and audits name the copy. Intel HEX does not say it.
    """

    load: int
    run: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A firmware image that parsed. `segments` is sorted, without overlap, adjacent runs merged."""

    segments: tuple[Segment, ...]
    """Only bytes that the file holds, at the addresses where a flashing tool puts them (load addresses)."""
    entry: int | None
    """The entry address that the file names, Thumb bit included. The hardware starts from the vector table instead."""
    sha256: str
    """Lower-case hex digest of the whole file."""
    kind: Literal["elf", "intel-hex"]
    uninitialised: tuple[tuple[int, int], ...] = ()
    """(start, end) of memory that an ELF claims at run time without bytes for it (`.bss`)."""
    moved: tuple[Moved, ...] = ()
    symbols: tuple[Symbol, ...] = ()
    """Sorted by address. For messages only, never for proof."""

    def __post_init__(self) -> None:
        for segment in self.segments:
            if not segment.data or segment.address < 0 or segment.end > ADDRESS_SPACE:
                raise ValueError("a segment is empty or outside the 32-bit address space")
        if any(left.end >= right.address for left, right in pairwise(self.segments)):
            raise ValueError("segments are not sorted, overlap or are adjacent")

    def read(self, address: int, length: int) -> bytes | None:
        """The `length` bytes from `address`, or None if any of them is not in the file."""
        index = bisect_right(self.segments, address, key=_start) - 1
        if index < 0 or length < 0:
            return None
        segment = self.segments[index]
        offset = address - segment.address
        if offset + length > len(segment.data):
            return None
        return segment.data[offset : offset + length]

    def flash_image(self, start: int, size: int) -> bytes:
        """The `size` bytes from `start` as a lab reads them out of a mass-erased and then programmed flash.

        Bytes that the file does not hold are 0xFF. Bytes that the file holds elsewhere are not in it: whether there are
        any is for the caller to decide (`outside`).
        """
        flash = bytearray([ERASED]) * size
        for segment in self.segments:
            low, high = max(segment.address, start), min(segment.end, start + size)
            if low < high:
                flash[low - start : high - start] = segment.data[low - segment.address : high - segment.address]
        return bytes(flash)

    def outside(self, start: int, size: int) -> tuple[tuple[int, int], ...]:
        """(start, end) of the loaded bytes that lie outside the `size` bytes from `start`."""
        end = start + size
        parts = [(s.address, min(s.end, start)) for s in self.segments if s.address < start]
        parts += [(max(s.address, end), s.end) for s in self.segments if s.end > end]
        return tuple(sorted(parts))


def digest(data: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def merge(runs: Iterable[tuple[int, bytes]]) -> tuple[Segment, ...]:
    """Sorted segments of runs that do not overlap, with adjacent runs made one.

    So that one program gives the same segments whether its file holds it in one piece (ELF) or in many (HEX).
    """
    merged: list[tuple[int, list[bytes]]] = []
    end = -1
    for address, data in sorted(runs):
        if not data:
            continue
        if address == end:
            merged[-1][1].append(data)
        else:
            merged.append((address, [data]))
        end = address + len(data)
    return tuple(Segment(address=address, data=b"".join(pieces)) for address, pieces in merged)
