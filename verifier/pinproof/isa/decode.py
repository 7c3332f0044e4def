"""Bytes to one instruction, strictly: whatever the manual (DDI 0403, ARMv7-M) leaves open is refused."""

from __future__ import annotations

from enum import StrEnum

from pinproof.isa import _narrow, _wide_data, _wide_memory, _wide_refused, _wide_system
from pinproof.isa._pattern import Row, first_match
from pinproof.isa.errors import (
    DecodeError,
    TruncatedInstruction,
    UndefinedInstruction,
    UnmodelledInstruction,
    UnpredictableInstruction,
)
from pinproof.isa.instruction import Condition, Instruction, Operation

__all__ = [
    "DecodeError",
    "ItPosition",
    "TruncatedInstruction",
    "UndefinedInstruction",
    "UnmodelledInstruction",
    "UnpredictableInstruction",
    "check_in_it",
    "decode",
]


def decode(code: bytes, address: int) -> Instruction:
    """The instruction whose first byte is `code[0]`, at the even address `address`.

    Give four bytes where memory has them: two are enough for a 16-bit instruction only.
    Raises a `DecodeError` for anything that is not exactly one predictable, modelled instruction.
    """
    if address & 1 or not 0 <= address <= 0xFFFFFFFF:
        raise ValueError(f"not the address of an instruction: {address:#x}")
    if len(code) < 2:
        raise TruncatedInstruction(address=address, encoding=-1, reason="fewer than two bytes")
    first = code[0] | code[1] << 8
    if first < 0xE800:
        return first_match(_NARROW[first >> 10], first, address)
    if len(code) < 4:
        raise TruncatedInstruction(address=address, encoding=first, reason="half of a 32-bit instruction")
    encoding = first << 16 | code[2] | code[3] << 8
    return first_match(_WIDE[first >> 7], encoding, address)


class ItPosition(StrEnum):
    """Where in an IT block an instruction stands."""

    INSIDE = "inside"
    """Another instruction of the block follows."""
    LAST = "last"


def check_in_it(instruction: Instruction, position: ItPosition) -> None:
    """Refuse an instruction that may not stand there: UnpredictableInstruction, or Unmodelled for BKPT.

    BKPT in an IT block is defined, but executes whatever the condition, which no executor here distinguishes.
    """
    i = instruction
    if i.operation is Operation.BKPT:
        raise UnmodelledInstruction(address=i.address, encoding=i.encoding, reason="BKPT in an IT block")
    if i.operation in _NEVER_IN_IT or i.condition is not Condition.AL or _is_move_low(i):
        raise UnpredictableInstruction(address=i.address, encoding=i.encoding, reason="not allowed in an IT block")
    if i.writes_pc and position is not ItPosition.LAST:
        reason = "a branch inside an IT block that is not its last instruction"
        raise UnpredictableInstruction(address=i.address, encoding=i.encoding, reason=reason)


_NEVER_IN_IT = frozenset({Operation.IT, Operation.CBZ, Operation.CBNZ, Operation.CPS})


def _is_move_low(i: Instruction) -> bool:
    """MOVS between low registers, encoding T2."""
    return i.operation is Operation.MOV and i.size == 2 and i.set_flags


WIDE_ROWS: tuple[Row, ...] = (
    *_wide_memory.MULTIPLE_ROWS,
    *_wide_memory.DUAL_ROWS,
    *_wide_data.SHIFTED_ROWS,
    *_wide_data.IMMEDIATE_ROWS,
    *_wide_system.ROWS,
    *_wide_memory.SINGLE_ROWS,
    *_wide_data.REGISTER_ROWS,
    *_wide_refused.ROWS,
)


def _by_prefix(rows: tuple[Row, ...], width: int, prefix_bits: int) -> tuple[tuple[Row, ...], ...]:
    """For each value of the leading bits, the rows that can still match, in order."""
    shift = width - prefix_bits
    return tuple(
        tuple(row for row in rows if (prefix << shift ^ row.value) & row.mask >> shift << shift == 0)
        for prefix in range(1 << prefix_bits)
    )


_NARROW = _by_prefix(_narrow.ROWS, 16, 6)
_WIDE = _by_prefix(WIDE_ROWS, 32, 9)
