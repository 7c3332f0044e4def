"""Encodings to try: every row of the decoder's tables filled at random, plus plain random words."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

from pinproof.isa import DecodeError, Instruction, decode
from pinproof.isa._narrow import ROWS as NARROW_ROWS
from pinproof.isa._pattern import Row
from pinproof.isa.decode import WIDE_ROWS

EFFORT = float(os.environ.get("CASES", "1"))
"""Multiplies the number of random cases."""


def code_of(encoding: int, size: int) -> bytes:
    """The bytes in memory: halfwords little-endian, the first one first."""
    if size == 2:
        return encoding.to_bytes(2, "little")
    return (encoding >> 16).to_bytes(2, "little") + (encoding & 0xFFFF).to_bytes(2, "little")


def fill(row: Row, size: int, source: random.Random) -> bytes:
    """A random encoding of this row; one time in eight its should-be bits are random too."""
    encoding = source.getrandbits(8 * size) & ~row.mask | row.value
    if source.randrange(8):
        encoding = encoding & ~row.should_mask | row.should_value
    return code_of(encoding, size)


def wide_encodings(source: random.Random, per_row: int, plain: int) -> Iterator[bytes]:
    for row in WIDE_ROWS:
        for _ in range(per_row):
            yield fill(row, 4, source)
    for _ in range(plain):
        first = source.randrange(0xE800, 0x10000)
        yield code_of(first << 16 | source.getrandbits(16), 4)


def accepted(source: random.Random, address: int) -> Instruction:
    """An instruction that decodes: half of them 16-bit, spread over the rows."""
    while True:
        if source.randrange(2):
            code = fill(source.choice(NARROW_ROWS), 2, source)
        else:
            code = fill(source.choice(WIDE_ROWS), 4, source)
        try:
            return decode(code, address)
        except DecodeError:
            continue
