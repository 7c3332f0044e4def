"""Other people's readers of firmware files, as second opinions: bytes by load address, or None where they refuse."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import bincopy
import intelhex
import lief
from pinproof.image import Image

Runs = list[tuple[int, bytes]]
"""(address, bytes), sorted, runs that touch put together, without empty ones."""

lief.logging.disable()


def loaded(image: Image) -> Runs:
    return [(segment.address, segment.data) for segment in image.segments]


def with_lief(data: bytes) -> Runs | None:
    """By the program headers."""
    binary = lief.ELF.parse(io.BytesIO(data))
    if not isinstance(binary, lief.ELF.Binary):
        return None
    return _joined(
        (segment.physical_address, bytes(segment.content))
        for segment in binary.segments
        if segment.type == lief.ELF.Segment.TYPE.LOAD and segment.physical_size
    )


def with_intelhex(data: bytes) -> Runs | None:
    read = intelhex.IntelHex()
    try:
        read.loadhex(io.StringIO(data.decode("ascii").replace("\r\n", "\n")))
    except (intelhex.IntelHexError, ValueError):
        return None
    return _joined((start, bytes(read.tobinarray(start=start, end=end - 1))) for start, end in read.segments())


def with_bincopy(data: bytes) -> Runs | None:
    read = bincopy.BinFile()
    try:
        read.add_ihex(data.decode("ascii"))
    except (bincopy.Error, ValueError):
        return None
    return _joined((segment.address, bytes(segment.data)) for segment in read.segments)


def _joined(pieces: Iterable[tuple[int, bytes]]) -> Runs:
    return list(_touching(sorted(piece for piece in pieces if piece[1])))


def _touching(pieces: Runs) -> Iterator[tuple[int, bytes]]:
    at, grown = -1, b""
    for start, data in pieces:
        if grown and start == at + len(grown):
            grown += data
            continue
        if grown:
            yield at, grown
        at, grown = start, data
    if grown:
        yield at, grown
