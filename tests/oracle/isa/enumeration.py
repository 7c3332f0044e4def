"""Encodings by structure: every 16-bit one, and of each 32-bit row all combinations of operands at the edges."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from math import prod

from pinproof.isa._pattern import Row
from pinproof.isa.decode import WIDE_ROWS

from tests.oracle.isa.sampling import code_of

REGISTERS = (0, 1, 7, 8, 12, 13, 14, 15)
MOST = 1500
"""Encodings of one row; of more, that many at random."""


def _edges(width: int) -> tuple[int, ...]:
    if width == 4:
        return REGISTERS
    if width <= 2:
        return tuple(range(1 << width))
    top = (1 << width) - 1
    return tuple(sorted({0, 1, 2, top >> 1, top - 1, top, 0b10101 & top}))


def _encoding(row: Row, values: tuple[int, ...], should: int) -> int:
    """`should`: which of the bits that should be as they are, are not."""
    encoding = row.value | row.should_value ^ should & row.should_mask
    for value, (_, positions) in zip(values, row.fields, strict=True):
        for bit, position in enumerate(reversed(positions)):
            encoding |= (value >> bit & 1) << position
    return encoding


def _lists(row: Row) -> tuple[tuple[int, ...], ...]:
    return tuple(_edges(len(positions)) for _, positions in row.fields)


def structured() -> Iterator[bytes]:
    """Of each row of the 32-bit tables: operands at their edges, and each should-be bit wrong once."""
    source = random.Random("structured")
    for row in WIDE_ROWS:
        lists = _lists(row)
        if prod(map(len, lists)) <= MOST:
            chosen = list(product(*lists))
        else:
            chosen = [tuple(map(source.choice, lists)) for _ in range(MOST)]
        for values in chosen:
            yield code_of(_encoding(row, values, 0), 4)
        for position in range(32):
            if row.should_mask >> position & 1:
                yield code_of(_encoding(row, source.choice(chosen), 1 << position), 4)


def narrow() -> Iterator[bytes]:
    """All 16-bit encodings."""
    return (first.to_bytes(2, "little") for first in range(0xE800))
