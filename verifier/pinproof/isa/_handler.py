"""What all handlers share: their type, and reading and writing registers as instructions do."""

from __future__ import annotations

from typing import Protocol, TypeVar

from pinproof.isa.flow import Flow
from pinproof.isa.instruction import Instruction, Shift
from pinproof.isa.processor import Processor

V = TypeVar("V")


class Handler(Protocol):
    def __call__(self, i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]: ...


def number(register: int | None) -> int:
    """A register that the decoder always gives this operation."""
    assert register is not None
    return register


def read(i: Instruction, p: Processor[V], register: int | None) -> V:
    """A register as an operand: R15 is the address of the instruction + 4."""
    if register == 15:
        return p.constant(i.pc)
    return p.read_register(number(register))


def write(p: Processor[V], register: int | None, value: V) -> None:
    """A result. SP ignores bits 0 and 1 (DDI 0403 B1.4.1)."""
    if register == 13:
        value = p.and_(value, p.constant(0xFFFFFFFC))
    p.write_register(number(register), value)


def shifted(i: Instruction, p: Processor[V], value: V) -> V:
    """The value through the instruction's constant shift, A7.4.2."""
    match i.shift:
        case None:
            return value
        case Shift.LSL:
            return p.shift_left(value, i.shift_amount)
        case Shift.LSR:
            return p.shift_right(value, i.shift_amount)
        case Shift.ASR:
            return p.shift_right_arithmetic(value, i.shift_amount)
        case Shift.ROR:
            return p.rotate_right(value, i.shift_amount)
        case Shift.RRX:
            return rotate_with_carry(p, value)


def rotate_with_carry(p: Processor[V], value: V) -> V:
    return p.or_(p.shift_left(p.carry(), 31), p.shift_right(value, 1))


def carry_of(p: Processor[V], kind: Shift, value: V, amount: int) -> V:
    """The bit that a constant shift by 1 to 32 moves out last."""
    bit = 32 - amount if kind is Shift.LSL else amount - 1
    return p.extract(value, bit, 1, False)
