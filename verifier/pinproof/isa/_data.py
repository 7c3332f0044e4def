"""Data processing: arithmetic, logic, moves, shifts, bit fields, multiplication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pinproof.isa._handler import Handler, carry_of, number, read, rotate_with_carry, shifted, write
from pinproof.isa.flow import NEXT, Flow, JumpRegister
from pinproof.isa.instruction import Instruction, Operation, Shift
from pinproof.isa.processor import Processor

V = TypeVar("V")


def _second(i: Instruction, p: Processor[V]) -> V:
    """The second operand, without its carry."""
    if i.rm is None:
        return p.constant(i.immediate or 0)
    return shifted(i, p, read(i, p, i.rm))


def _second_carry(i: Instruction, p: Processor[V]) -> V | None:
    """The carry that forming the second operand gives; None leaves the flag."""
    if i.rm is None:
        return None if i.immediate_carry is None else p.constant(i.immediate_carry)
    return None if i.shift is None else carry_of(p, i.shift, p.read_register(i.rm), i.shift_amount)


def _sets(i: Instruction, in_it: bool) -> bool:
    return i.set_flags or (i.flags_outside_it and not in_it)


def _logical(i: Instruction, p: Processor[V], in_it: bool, result: V) -> Flow[V]:
    """Write a logical result; the carry is formed first, since the destination may be the operand."""
    if _sets(i, in_it):
        p.flags_logical(result, _second_carry(i, p))
    if i.rd is not None:
        write(p, i.rd, result)
    return NEXT


def _and(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return _logical(i, p, in_it, p.and_(read(i, p, i.rn), _second(i, p)))


def _bic(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return _logical(i, p, in_it, p.and_(read(i, p, i.rn), p.invert(_second(i, p))))


def _orr(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return _logical(i, p, in_it, p.or_(read(i, p, i.rn), _second(i, p)))


def _orn(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return _logical(i, p, in_it, p.or_(read(i, p, i.rn), p.invert(_second(i, p))))


def _eor(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return _logical(i, p, in_it, p.xor(read(i, p, i.rn), _second(i, p)))


def _mvn(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    return _logical(i, p, in_it, p.invert(_second(i, p)))


def _mov(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    if i.rd == 15:
        return JumpRegister(value=read(i, p, i.rm), return_address=None, interworking=False)
    return _logical(i, p, in_it, _second(i, p))


def _movt(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_register(number(i.rd), p.insert(read(i, p, i.rd), p.constant(i.immediate or 0), 16, 16))
    return NEXT


def _add(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    a, b = read(i, p, i.rn), _second(i, p)
    result = p.add(a, b)
    if i.rd == 15:
        return JumpRegister(value=result, return_address=None, interworking=False)
    if _sets(i, in_it):
        p.flags_add(a, b)
    _write_sum(i, p, result)
    return NEXT


def _sub(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    a, b = read(i, p, i.rn), _second(i, p)
    if _sets(i, in_it):
        p.flags_subtract(a, b)
    _write_sum(i, p, p.subtract(a, b))
    return NEXT


def _write_sum(i: Instruction, p: Processor[V], result: V) -> None:
    """Moving SP by a multiple of 4 keeps it aligned: no mask, which would blur a symbolic stack pointer."""
    if i.rd == 13 and i.rn == 13 and i.immediate is not None and i.immediate % 4 == 0:
        p.write_register(13, result)
    else:
        write(p, i.rd, result)


def _rsb(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    a, b = read(i, p, i.rn), _second(i, p)
    if _sets(i, in_it):
        p.flags_subtract(b, a)
    p.write_register(number(i.rd), p.subtract(b, a))
    return NEXT


def _adc(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    a, b = read(i, p, i.rn), _second(i, p)
    result = p.add(p.add(a, b), p.carry())
    if _sets(i, in_it):
        p.flags_add_with_carry(a, b)
    p.write_register(number(i.rd), result)
    return NEXT


def _sbc(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    a, b = read(i, p, i.rn), _second(i, p)
    borrow = p.xor(p.carry(), p.constant(1))
    result = p.subtract(p.subtract(a, b), borrow)
    if _sets(i, in_it):
        p.flags_subtract_with_carry(a, b)
    p.write_register(number(i.rd), result)
    return NEXT


def _cmp(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.flags_subtract(read(i, p, i.rn), _second(i, p))
    return NEXT


def _cmn(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.flags_add(read(i, p, i.rn), _second(i, p))
    return NEXT


def _adr(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_register(number(i.rd), p.constant(i.literal_address))
    return NEXT


_SHIFTS: Mapping[Operation, Shift] = {
    Operation.LSL: Shift.LSL,
    Operation.LSR: Shift.LSR,
    Operation.ASR: Shift.ASR,
    Operation.ROR: Shift.ROR,
}


def _shift(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    kind = _SHIFTS[i.operation]
    if i.immediate is None:
        value, amount = read(i, p, i.rn), read(i, p, i.rm)
        result = p.shift_by_register(kind, value, amount)
        if _sets(i, in_it):
            p.flags_logical(result, p.shift_carry(kind, value, amount))
    else:
        value = read(i, p, i.rm)
        result = _shift_constant(p, kind, value, i.immediate)
        if _sets(i, in_it):
            p.flags_logical(result, carry_of(p, kind, value, i.immediate))
    p.write_register(number(i.rd), result)
    return NEXT


def _shift_constant(p: Processor[V], kind: Shift, value: V, count: int) -> V:
    if kind is Shift.LSL:
        return p.shift_left(value, count)
    if kind is Shift.LSR:
        return p.shift_right(value, count)
    if kind is Shift.ASR:
        return p.shift_right_arithmetic(value, count)
    return p.rotate_right(value, count)


def _rrx(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    value = read(i, p, i.rm)
    result = rotate_with_carry(p, value)
    if _sets(i, in_it):
        p.flags_logical(result, carry_of(p, Shift.RRX, value, 1))
    p.write_register(number(i.rd), result)
    return NEXT


def _mul(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    result = p.multiply(read(i, p, i.rn), read(i, p, i.rm))
    if _sets(i, in_it):
        p.flags_logical(result, None)
    p.write_register(number(i.rd), result)
    return NEXT


def _multiply_halves(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    """SMULxy: B is the bottom half of an operand, T the top half."""
    first, second = (0 if half == "b" else 16 for half in i.operation[-2:])
    a = p.extract(read(i, p, i.rn), first, 16, True)
    b = p.extract(read(i, p, i.rm), second, 16, True)
    p.write_register(number(i.rd), p.multiply(a, b))
    return NEXT


def _mla(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    product = p.multiply(read(i, p, i.rn), read(i, p, i.rm))
    p.write_register(number(i.rd), p.add(read(i, p, i.ra), product))
    return NEXT


def _mls(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    product = p.multiply(read(i, p, i.rn), read(i, p, i.rm))
    p.write_register(number(i.rd), p.subtract(read(i, p, i.ra), product))
    return NEXT


def _multiply_long(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    signed = i.operation is Operation.SMULL
    low, high = p.multiply_long(read(i, p, i.rn), read(i, p, i.rm), signed)
    p.write_register(number(i.rd), low)
    p.write_register(number(i.rd2), high)
    return NEXT


def _accumulate_long(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    signed = i.operation is Operation.SMLAL
    low, high = p.multiply_long(read(i, p, i.rn), read(i, p, i.rm), signed)
    a, b = read(i, p, i.rd), read(i, p, i.rd2)
    total = p.add(low, a)
    # The carry out of an unsigned sum is the majority of the top bits of the operands and the inverted sum.
    carry = p.extract(p.or_(p.and_(low, a), p.and_(p.or_(low, a), p.invert(total))), 31, 1, False)
    p.write_register(number(i.rd), total)
    p.write_register(number(i.rd2), p.add(p.add(high, b), carry))
    return NEXT


def _udiv(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_register(number(i.rd), p.divide_unsigned(read(i, p, i.rn), read(i, p, i.rm)))
    return NEXT


def _sdiv(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_register(number(i.rd), p.divide_signed(read(i, p, i.rn), read(i, p, i.rm)))
    return NEXT


def _bfi(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    field = p.constant(0) if i.rn is None else read(i, p, i.rn)
    p.write_register(number(i.rd), p.insert(read(i, p, i.rd), field, i.lsb, i.width))
    return NEXT


def _bfx(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    signed = i.operation is Operation.SBFX
    p.write_register(number(i.rd), p.extract(read(i, p, i.rn), i.lsb, i.width, signed))
    return NEXT


def _extend(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    width = 8 if i.operation.endswith("b") else 16
    value = read(i, p, i.rm)
    if i.shift_amount:
        value = p.rotate_right(value, i.shift_amount)
    value = p.extract(value, 0, width, i.operation.startswith("s"))
    if i.rn is not None:
        value = p.add(read(i, p, i.rn), value)
    p.write_register(number(i.rd), value)
    return NEXT


def _clz(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_register(number(i.rd), p.count_leading_zeros(read(i, p, i.rm)))
    return NEXT


def _rbit(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_register(number(i.rd), p.reverse_bits(read(i, p, i.rm)))
    return NEXT


def _rev(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_register(number(i.rd), p.reverse_bytes(read(i, p, i.rm)))
    return NEXT


def _rev16(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_register(number(i.rd), p.reverse_halfword_bytes(read(i, p, i.rm)))
    return NEXT


def _revsh(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    p.write_register(number(i.rd), p.extract(p.reverse_halfword_bytes(read(i, p, i.rm)), 0, 16, True))
    return NEXT


_O = Operation
HANDLERS: Mapping[Operation, Handler] = {
    _O.ADC: _adc,
    _O.ADD: _add,
    _O.ADR: _adr,
    _O.AND: _and,
    _O.ASR: _shift,
    _O.BFC: _bfi,
    _O.BFI: _bfi,
    _O.BIC: _bic,
    _O.CLZ: _clz,
    _O.CMN: _cmn,
    _O.CMP: _cmp,
    _O.EOR: _eor,
    _O.LSL: _shift,
    _O.LSR: _shift,
    _O.MLA: _mla,
    _O.MLS: _mls,
    _O.MOV: _mov,
    _O.MOVT: _movt,
    _O.MUL: _mul,
    _O.MVN: _mvn,
    _O.ORN: _orn,
    _O.ORR: _orr,
    _O.RBIT: _rbit,
    _O.REV: _rev,
    _O.REV16: _rev16,
    _O.REVSH: _revsh,
    _O.ROR: _shift,
    _O.RRX: _rrx,
    _O.RSB: _rsb,
    _O.SBC: _sbc,
    _O.SBFX: _bfx,
    _O.SDIV: _sdiv,
    _O.SMLAL: _accumulate_long,
    _O.SMULBB: _multiply_halves,
    _O.SMULBT: _multiply_halves,
    _O.SMULL: _multiply_long,
    _O.SMULTB: _multiply_halves,
    _O.SMULTT: _multiply_halves,
    _O.SUB: _sub,
    _O.SXTAB: _extend,
    _O.SXTAH: _extend,
    _O.SXTB: _extend,
    _O.SXTH: _extend,
    _O.TEQ: _eor,
    _O.TST: _and,
    _O.UBFX: _bfx,
    _O.UDIV: _udiv,
    _O.UMLAL: _accumulate_long,
    _O.UMULL: _multiply_long,
    _O.UXTAB: _extend,
    _O.UXTAH: _extend,
    _O.UXTB: _extend,
    _O.UXTH: _extend,
}
