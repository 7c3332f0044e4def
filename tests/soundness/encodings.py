"""Random encodings from the decoder's own tables, with chosen fields where a case needs them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache

from pinproof.isa import DecodeError, Instruction, Operation, decode
from pinproof.isa._narrow import ROWS as NARROW_ROWS
from pinproof.isa._pattern import Row
from pinproof.isa.decode import WIDE_ROWS

from tests.oracle.isa.sampling import code_of

_O = Operation
ROWS: tuple[tuple[Row, int], ...] = (*((row, 2) for row in NARROW_ROWS), *((row, 4) for row in WIDE_ROWS))
"""Each row with the size of its instructions in bytes."""
MEMORY = frozenset(
    operation
    for operation in Operation
    if operation.value.startswith(("ldr", "str", "ldm", "stm", "push", "pop")) or operation in (_O.TBB, _O.TBH)
)
SYSTEM = frozenset({_O.MRS, _O.MSR, _O.CPS, _O.SVC, _O.BKPT, _O.UDF, _O.IT})
WAITS = frozenset({_O.WFI, _O.WFE, _O.SEV, _O.YIELD, _O.DMB, _O.DSB, _O.ISB})


def fill(row: Row, size: int, source: random.Random, chosen: Mapping[str, int] | None = None) -> int:
    """A random encoding of this row. `chosen` sets fields by their letter; bits too many for a field are dropped."""
    encoding = source.getrandbits(8 * size) & ~(row.mask | row.should_mask) | row.value | row.should_value
    if chosen is None:
        chosen = _likely(row, source)
    if chosen:
        for letter, positions in row.fields:
            if letter in chosen:
                for bit, position in enumerate(reversed(positions)):
                    encoding = encoding & ~(1 << position) | (chosen[letter] >> bit & 1) << position
    return encoding


def _likely(row: Row, source: random.Random) -> Mapping[str, int] | None:
    """Fields that seldom fit by chance: the two copies of a register, and the rotation that means RRX."""
    if "M" in row.pattern:
        register = source.randrange(15)
        return {"m": register, "M": register}
    if row.operation is Operation.ROR and source.random() < 0.3:
        return {"i": 0}
    return None


def decoded(
    row: Row, size: int, source: random.Random, address: int, chosen: Mapping[str, int] | None = None
) -> Instruction | None:
    """An instruction of this row, or None where the random operands are refused."""
    try:
        return decode(code_of(fill(row, size, source, chosen), size), address)
    except DecodeError:
        return None


@cache
def _operations() -> tuple[tuple[Row, int, frozenset[Operation]], ...]:
    """What each row decodes to, measured."""
    source, found = random.Random(0), []
    for row, size in ROWS:
        # A shift by 0 is another operation than the row's.
        tries = (decoded(row, size, source, 0x1000, {"i": 0} if number % 2 else None) for number in range(64))
        found.append((row, size, frozenset(i.operation for i in tries if i is not None)))
    return tuple(found)


@cache
def rows_of(operations: frozenset[Operation]) -> tuple[tuple[Row, int], ...]:
    """The rows that can give one of these operations."""
    return tuple((row, size) for row, size, found in _operations() if found & operations)


_USABLE = rows_of(frozenset(Operation))
_TEACHING = {_O.B: 15, _O.CBZ: 4, _O.CBNZ: 4, _O.CMP: 2}
"""What the machine learns from is tried more often than its few rows would have it."""
USABLE: Mapping[int, tuple[Row, ...]] = {
    size: tuple(row for row, each in _USABLE if each == size for _ in range(_TEACHING.get(row.operation, 1)))
    for size in (2, 4)
}
"""The rows that the model executes, by the size of their instructions."""
