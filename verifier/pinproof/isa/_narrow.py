"""The 16-bit encodings, DDI 0403 A5.2 and the encodings T1 and T2 of A7.7."""

from __future__ import annotations

from pinproof.isa._pattern import Fields, Row, sign_extend
from pinproof.isa.instruction import Condition, Instruction, Operation


def _move_low(f: Fields, op: Operation) -> Instruction:
    """MOVS between low registers: always sets the flags, hence not allowed in an IT block."""
    return f.make(op, rd=f["d"], rm=f["m"], set_flags=True)


def _shift_immediate(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rm=f["m"], immediate=f["i"] or 32, flags_outside_it=True)


def _three_registers(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rn=f["n"], rm=f["m"], flags_outside_it=True)


def _three_immediate(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rn=f["n"], immediate=f["i"], flags_outside_it=True)


def _two_immediate(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rn=f["d"], immediate=f["i"], flags_outside_it=True)


def _move_immediate(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], immediate=f["i"], flags_outside_it=True)


def _compare_immediate(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rn=f["n"], immediate=f["i"], set_flags=True)


def _two_registers(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rn=f["d"], rm=f["m"], flags_outside_it=True)


def _compare_registers(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rn=f["n"], rm=f["m"], set_flags=True)


def _negate(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rn=f["n"], immediate=0, flags_outside_it=True)


def _multiply(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rn=f["n"], rm=f["d"], flags_outside_it=True)


def _not(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rm=f["m"], flags_outside_it=True)


def _add_high(f: Fields, op: Operation) -> Instruction:
    f.unpredictable_if(f["d"] == 15 and f["m"] == 15, "both registers are PC")
    return f.make(op, rd=f["d"], rn=f["d"], rm=f["m"])


def _compare_high(f: Fields, op: Operation) -> Instruction:
    f.unpredictable_if(f["n"] < 8 and f["m"] < 8, "two low registers in the encoding for high ones")
    f.not_pc("nm")
    return f.make(op, rn=f["n"], rm=f["m"], set_flags=True)


def _move_high(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rm=f["m"])


def _branch_register(f: Fields, op: Operation) -> Instruction:
    # BX PC is defined, but clears the Thumb bit, which always faults: no program means it.
    f.unpredictable_if(f["m"] == 15, "the branch target is PC")
    return f.make(op, rm=f["m"])


def _load_literal(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["t"], rn=15, immediate=f["i"] * 4)


def _register_offset(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["t"], rn=f["n"], rm=f["m"])


def _byte_offset(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["t"], rn=f["n"], immediate=f["i"])


def _halfword_offset(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["t"], rn=f["n"], immediate=f["i"] * 2)


def _word_offset(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["t"], rn=f["n"], immediate=f["i"] * 4)


def _stack_offset(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["t"], rn=13, immediate=f["i"] * 4)


def _address(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], immediate=f["i"] * 4)


def _stack_address(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rn=13, immediate=f["i"] * 4)


def _move_stack(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=13, rn=13, immediate=f["i"] * 4)


def _compare_branch(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rn=f["n"], target=(f.address + 4 + f["i"] * 2) & 0xFFFFFFFF)


def _two_low(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rd=f["d"], rm=f["m"])


def _registers(f: Fields, extra: int) -> tuple[int, ...]:
    listed = tuple(n for n in range(8) if f["r"] >> n & 1) + ((extra,) if f["x"] else ())
    f.unpredictable_if(not listed, "the register list is empty")
    return listed


def _push(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rn=13, registers=_registers(f, 14), index=True, add=False, writeback=True)


def _pop(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rn=13, registers=_registers(f, 15), index=False, writeback=True)


def _store_multiple(f: Fields, op: Operation) -> Instruction:
    listed = tuple(n for n in range(8) if f["r"] >> n & 1)
    f.unpredictable_if(not listed, "the register list is empty")
    f.unpredictable_if(f["n"] in listed[1:], "the base is stored after it changed")
    return f.make(op, rn=f["n"], registers=listed, index=False, writeback=True)


def _load_multiple(f: Fields, op: Operation) -> Instruction:
    listed = tuple(n for n in range(8) if f["r"] >> n & 1)
    f.unpredictable_if(not listed, "the register list is empty")
    return f.make(op, rn=f["n"], registers=listed, index=False, writeback=f["n"] not in listed)


def _change_state(f: Fields, op: Operation) -> Instruction:
    f.unpredictable_if(not f["I"] and not f["F"], "CPS changes nothing")
    return f.make(op, enable=not f["m"], primask=bool(f["I"]), faultmask=bool(f["F"]))


def _if_then(f: Fields, op: Operation) -> Instruction:
    first, mask = f["c"], f["m"]
    f.unpredictable_if(first == 15, "IT with condition 15")
    f.unpredictable_if(first == 14 and mask.bit_count() != 1, "IT with an else of always")
    length = 4 - ((mask & -mask).bit_length() - 1)
    conditions = [Condition(first)]
    for position in range(3, 4 - length, -1):
        # Mask bits are the low bit of each condition: equal to that of the first means "then".
        conditions.append(Condition(first & 14 | mask >> position & 1))
    return f.make(op, it_conditions=tuple(conditions))


def _plain(f: Fields, op: Operation) -> Instruction:
    return f.make(op)


def _unallocated_hint(f: Fields, op: Operation) -> Instruction:
    return f.unmodelled("an unallocated hint")


def _number(f: Fields, op: Operation) -> Instruction:
    return f.make(op, immediate=f["i"])


def _branch_conditional(f: Fields, op: Operation) -> Instruction:
    offset = sign_extend(f["i"], 8) * 2
    return f.make(op, condition=Condition(f["c"]), target=(f.address + 4 + offset) & 0xFFFFFFFF)


def _branch(f: Fields, op: Operation) -> Instruction:
    return f.make(op, target=(f.address + 4 + sign_extend(f["i"], 11) * 2) & 0xFFFFFFFF)


_O = Operation
ROWS: tuple[Row, ...] = (
    Row("00000 00000 mmm ddd", _O.MOV, _move_low),
    Row("00000 iiiii mmm ddd", _O.LSL, _shift_immediate),
    Row("00001 iiiii mmm ddd", _O.LSR, _shift_immediate),
    Row("00010 iiiii mmm ddd", _O.ASR, _shift_immediate),
    Row("0001100 mmm nnn ddd", _O.ADD, _three_registers),
    Row("0001101 mmm nnn ddd", _O.SUB, _three_registers),
    Row("0001110 iii nnn ddd", _O.ADD, _three_immediate),
    Row("0001111 iii nnn ddd", _O.SUB, _three_immediate),
    Row("00100 ddd iiiiiiii", _O.MOV, _move_immediate),
    Row("00101 nnn iiiiiiii", _O.CMP, _compare_immediate),
    Row("00110 ddd iiiiiiii", _O.ADD, _two_immediate),
    Row("00111 ddd iiiiiiii", _O.SUB, _two_immediate),
    Row("010000 0000 mmm ddd", _O.AND, _two_registers),
    Row("010000 0001 mmm ddd", _O.EOR, _two_registers),
    Row("010000 0010 mmm ddd", _O.LSL, _two_registers),
    Row("010000 0011 mmm ddd", _O.LSR, _two_registers),
    Row("010000 0100 mmm ddd", _O.ASR, _two_registers),
    Row("010000 0101 mmm ddd", _O.ADC, _two_registers),
    Row("010000 0110 mmm ddd", _O.SBC, _two_registers),
    Row("010000 0111 mmm ddd", _O.ROR, _two_registers),
    Row("010000 1000 mmm nnn", _O.TST, _compare_registers),
    Row("010000 1001 nnn ddd", _O.RSB, _negate),
    Row("010000 1010 mmm nnn", _O.CMP, _compare_registers),
    Row("010000 1011 mmm nnn", _O.CMN, _compare_registers),
    Row("010000 1100 mmm ddd", _O.ORR, _two_registers),
    Row("010000 1101 nnn ddd", _O.MUL, _multiply),
    Row("010000 1110 mmm ddd", _O.BIC, _two_registers),
    Row("010000 1111 mmm ddd", _O.MVN, _not),
    Row("010001 00 d mmmm ddd", _O.ADD, _add_high),
    Row("010001 01 n mmmm nnn", _O.CMP, _compare_high),
    Row("010001 10 d mmmm ddd", _O.MOV, _move_high),
    Row("010001 11 0 mmmm (0)(0)(0)", _O.BX, _branch_register),
    Row("010001 11 1 mmmm (0)(0)(0)", _O.BLX, _branch_register),
    Row("01001 ttt iiiiiiii", _O.LDR, _load_literal),
    Row("0101 000 mmm nnn ttt", _O.STR, _register_offset),
    Row("0101 001 mmm nnn ttt", _O.STRH, _register_offset),
    Row("0101 010 mmm nnn ttt", _O.STRB, _register_offset),
    Row("0101 011 mmm nnn ttt", _O.LDRSB, _register_offset),
    Row("0101 100 mmm nnn ttt", _O.LDR, _register_offset),
    Row("0101 101 mmm nnn ttt", _O.LDRH, _register_offset),
    Row("0101 110 mmm nnn ttt", _O.LDRB, _register_offset),
    Row("0101 111 mmm nnn ttt", _O.LDRSH, _register_offset),
    Row("011 00 iiiii nnn ttt", _O.STR, _word_offset),
    Row("011 01 iiiii nnn ttt", _O.LDR, _word_offset),
    Row("011 10 iiiii nnn ttt", _O.STRB, _byte_offset),
    Row("011 11 iiiii nnn ttt", _O.LDRB, _byte_offset),
    Row("1000 0 iiiii nnn ttt", _O.STRH, _halfword_offset),
    Row("1000 1 iiiii nnn ttt", _O.LDRH, _halfword_offset),
    Row("1001 0 ttt iiiiiiii", _O.STR, _stack_offset),
    Row("1001 1 ttt iiiiiiii", _O.LDR, _stack_offset),
    Row("10100 ddd iiiiiiii", _O.ADR, _address),
    Row("10101 ddd iiiiiiii", _O.ADD, _stack_address),
    Row("1011 0000 0 iiiiiii", _O.ADD, _move_stack),
    Row("1011 0000 1 iiiiiii", _O.SUB, _move_stack),
    Row("1011 0 0 i 1 iiiii nnn", _O.CBZ, _compare_branch),
    Row("1011 1 0 i 1 iiiii nnn", _O.CBNZ, _compare_branch),
    Row("1011 0010 00 mmm ddd", _O.SXTH, _two_low),
    Row("1011 0010 01 mmm ddd", _O.SXTB, _two_low),
    Row("1011 0010 10 mmm ddd", _O.UXTH, _two_low),
    Row("1011 0010 11 mmm ddd", _O.UXTB, _two_low),
    Row("1011 010 x rrrrrrrr", _O.PUSH, _push),
    Row("1011 0110 011 m (0)(0) I F", _O.CPS, _change_state),
    Row("1011 1010 00 mmm ddd", _O.REV, _two_low),
    Row("1011 1010 01 mmm ddd", _O.REV16, _two_low),
    Row("1011 1010 11 mmm ddd", _O.REVSH, _two_low),
    Row("1011 110 x rrrrrrrr", _O.POP, _pop),
    Row("1011 1110 iiiiiiii", _O.BKPT, _number),
    Row("1011 1111 0000 0000", _O.NOP, _plain),
    Row("1011 1111 0001 0000", _O.YIELD, _plain),
    Row("1011 1111 0010 0000", _O.WFE, _plain),
    Row("1011 1111 0011 0000", _O.WFI, _plain),
    Row("1011 1111 0100 0000", _O.SEV, _plain),
    Row("1011 1111 xxxx 0000", _O.NOP, _unallocated_hint),
    Row("1011 1111 cccc mmmm", _O.IT, _if_then),
    Row("11000 nnn rrrrrrrr", _O.STM, _store_multiple),
    Row("11001 nnn rrrrrrrr", _O.LDM, _load_multiple),
    Row("1101 1110 iiiiiiii", _O.UDF, _number),
    Row("1101 1111 iiiiiiii", _O.SVC, _number),
    Row("1101 cccc iiiiiiii", _O.B, _branch_conditional),
    Row("11100 iiiiiiiiiii", _O.B, _branch),
)
