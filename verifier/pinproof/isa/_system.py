"""Branches, traps, hints, barriers and special registers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pinproof.isa._handler import Handler, number, read
from pinproof.isa.flow import (
    NEXT,
    BeginIt,
    Call,
    CompareJump,
    ConditionalJump,
    Flow,
    Jump,
    JumpRegister,
    TableJump,
    Trap,
)
from pinproof.isa.instruction import Condition, Instruction, Operation, SpecialRegister
from pinproof.isa.processor import Processor

V = TypeVar("V")


def _branch(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    target = number(i.target)
    if i.condition is Condition.AL:
        return Jump(target=target)
    return ConditionalJump(condition=i.condition, target=target)


def _link(i: Instruction, p: Processor[V]) -> int:
    """Write LR, with the Thumb bit; returns the address without it."""
    p.write_register(14, p.constant(i.next_address | 1))
    return i.next_address


def _branch_link(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return Call(target=number(i.target), return_address=_link(i, p))


def _branch_exchange(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return JumpRegister(value=read(i, p, i.rm), return_address=None, interworking=True)


def _branch_link_exchange(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    value = read(i, p, i.rm)
    return JumpRegister(value=value, return_address=_link(i, p), interworking=True)


def _compare_branch(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    jump_if_zero = i.operation is Operation.CBZ
    return CompareJump(register_value=read(i, p, i.rn), jump_if_zero=jump_if_zero, target=number(i.target))


def _table_branch(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    width = 1 if i.operation is Operation.TBB else 2
    index = read(i, p, i.rm)
    if i.rn == 15:
        return TableJump(base=i.pc, index=index, width=width)
    offset = index if width == 1 else p.shift_left(index, 1)
    entry = p.load(p.add(read(i, p, i.rn), offset), width)
    target = p.add(p.constant(i.pc), p.shift_left(entry, 1))
    return JumpRegister(value=target, return_address=None, interworking=False)


def _trap(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return Trap(operation=i.operation, immediate=number(i.immediate))


def _if_then(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return BeginIt(conditions=i.it_conditions)


def _nop(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return NEXT


def _hint(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.hint(i.operation)
    return NEXT


def _barrier(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.barrier(i.operation)
    return NEXT


def _special(i: Instruction) -> SpecialRegister:
    assert i.special is not None
    return i.special


def _read_special(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_register(number(i.rd), p.read_special(_special(i)))
    return NEXT


def _write_special(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_special(_special(i), i.mask, read(i, p, i.rn))
    return NEXT


def _change_interrupts(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.change_interrupts(i.enable, i.primask, i.faultmask)
    return NEXT


_O = Operation
HANDLERS: Mapping[Operation, Handler] = {
    _O.B: _branch,
    _O.BKPT: _trap,
    _O.BL: _branch_link,
    _O.BLX: _branch_link_exchange,
    _O.BX: _branch_exchange,
    _O.CBNZ: _compare_branch,
    _O.CBZ: _compare_branch,
    _O.CPS: _change_interrupts,
    _O.DMB: _barrier,
    _O.DSB: _barrier,
    _O.ISB: _barrier,
    _O.IT: _if_then,
    _O.MRS: _read_special,
    _O.MSR: _write_special,
    _O.NOP: _nop,
    _O.SEV: _hint,
    _O.SVC: _trap,
    _O.TBB: _table_branch,
    _O.TBH: _table_branch,
    _O.UDF: _trap,
    _O.WFE: _hint,
    _O.WFI: _hint,
    _O.YIELD: _hint,
}
