"""Where execution goes after an instruction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from pinproof.isa.instruction import Condition, Operation

V = TypeVar("V")
"""The domain's value type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The instruction that follows in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalJump:
    """To `target` when `condition` holds for the flags, else to the next instruction."""

    condition: Condition
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareJump(Generic[V]):
    """CBZ, CBNZ: to `target` when the value is zero (or when it is not), else to the next instruction."""

    register_value: V
    jump_if_zero: bool
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """BL. LR is already written: `return_address` with bit 0 set."""

    target: int
    return_address: int
    """Without the Thumb bit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpRegister(Generic[V]):
    """A branch to a computed value. After BLX, LR is already written."""

    value: V
    return_address: int | None
    """Of BLX, without the Thumb bit; None for every other branch."""
    interworking: bool
    """True for BX, BLX and loads of the PC: bit 0 of the value must be 1, or execution faults, and a value that begins
    with 0xF is an exception return in handler mode (not for BLX). False for MOV and ADD to the PC and for table
    branches through a register: bit 0 is ignored and the value is never an exception return (DDI 0403 A2.3.1, A4.1.1).
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class TableJump(Generic[V]):
    """TBB, TBH of a table that begins right behind the instruction.

    The entry is the `width` bytes at `base + width * index`, unsigned; the target is `base + 2 * entry`.
    """

    base: int
    index: V
    width: int
    """1 or 2 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """SVC, BKPT or UDF: an exception. SVC returns to the next instruction, the others to themselves."""

    operation: Operation
    immediate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginIt:
    """The next instructions execute only under these conditions, one each."""

    conditions: tuple[Condition, ...]


Flow: TypeAlias = (
    Next | Jump | ConditionalJump | CompareJump[V] | Call | JumpRegister[V] | TableJump[V] | Trap | BeginIt
)

NEXT = Next()
