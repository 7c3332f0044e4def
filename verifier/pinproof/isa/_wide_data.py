"""The 32-bit data processing encodings, DDI 0403 A5.3.1, A5.3.3, A5.3.11 to A5.3.17."""

from __future__ import annotations

from pinproof.isa._pattern import Fields, Row
from pinproof.isa.instruction import Instruction, Operation, Shift


def _expand(f: Fields) -> tuple[int, int | None]:
    """ThumbExpandImm_C, A5.3.2: the constant, and its carry or None when the flag stays."""
    imm12 = f["i"]
    byte = imm12 & 0xFF
    if imm12 >> 10:
        unrotated, count = 0x80 | imm12 & 0x7F, imm12 >> 7
        value = (unrotated >> count | unrotated << (32 - count)) & 0xFFFFFFFF
        return value, value >> 31
    kind = imm12 >> 8
    f.unpredictable_if(kind != 0 and byte == 0, "a replicated constant of zero")
    return byte * (1, 0x00010001, 0x01000100, 0x01010101)[kind], None


def _shift(f: Fields) -> tuple[Shift | None, int]:
    """DecodeImmShift, A7.4.2."""
    kind, amount = f["t"], f["i"]
    if kind == 0:
        return (Shift.LSL, amount) if amount else (None, 0)
    if kind == 3:
        return (Shift.ROR, amount) if amount else (Shift.RRX, 1)
    return (Shift.LSR if kind == 1 else Shift.ASR), amount or 32


def _immediate(f: Fields, op: Operation) -> Instruction:
    value, carry = _expand(f)
    return f.make(op, rd=f["d"], rn=f["n"], immediate=value, immediate_carry=carry, set_flags=bool(f["S"]))


def _immediate_logical(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dn")
    return _immediate(f, op)


def _immediate_or(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("d")
    f.not_sp("n")
    return _immediate(f, op)


def _immediate_sum(f: Fields, op: Operation) -> Instruction:
    """ADD and SUB: SP may be the destination only when it is the source too."""
    f.unpredictable_if(f["d"] == 13 and f["n"] != 13, "rd is SP")
    f.not_pc("dn")
    return _immediate(f, op)


def _immediate_move(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("d")
    value, carry = _expand(f)
    return f.make(op, rd=f["d"], immediate=value, immediate_carry=carry, set_flags=bool(f["S"]))


def _immediate_test(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("n")
    return _immediate_compare(f, op)


def _immediate_compare(f: Fields, op: Operation) -> Instruction:
    f.not_pc("n")
    value, carry = _expand(f)
    return f.make(op, rn=f["n"], immediate=value, immediate_carry=carry, set_flags=True)


def _plain_sum(f: Fields, op: Operation) -> Instruction:
    f.unpredictable_if(f["d"] == 13 and f["n"] != 13, "rd is SP")
    f.not_pc("d")
    return f.make(op, rd=f["d"], rn=f["n"], immediate=f["i"])


def _address_before(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("d")
    return f.make(op, rd=f["d"], immediate=f["i"], add=False)


def _address_after(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("d")
    return f.make(op, rd=f["d"], immediate=f["i"])


def _move_wide(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("d")
    # imm16 is imm4:i:imm3:imm8, and imm4 stands right of i in the diagram.
    return f.make(op, rd=f["d"], immediate=f["h"] << 12 | f["i"])


def _extract(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dn")
    f.unpredictable_if(f["i"] + f["w"] > 31, "the field ends past bit 31")
    return f.make(op, rd=f["d"], rn=f["n"], lsb=f["i"], width=f["w"] + 1)


def _clear_field(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("d")
    f.unpredictable_if(f["w"] < f["i"], "the field ends before it begins")
    return f.make(op, rd=f["d"], lsb=f["i"], width=f["w"] - f["i"] + 1)


def _insert_field(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("d")
    f.not_sp("n")
    f.unpredictable_if(f["w"] < f["i"], "the field ends before it begins")
    return f.make(op, rd=f["d"], rn=f["n"], lsb=f["i"], width=f["w"] - f["i"] + 1)


def _register(f: Fields, op: Operation) -> Instruction:
    kind, amount = _shift(f)
    return f.make(op, rd=f["d"], rn=f["n"], rm=f["m"], shift=kind, shift_amount=amount, set_flags=bool(f["S"]))


def _register_logical(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dnm")
    return _register(f, op)


def _register_or(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dm")
    f.not_sp("n")
    return _register(f, op)


def _register_sum(f: Fields, op: Operation) -> Instruction:
    f.not_pc("dn")
    f.not_sp_or_pc("m")
    if f["d"] == 13:
        f.unpredictable_if(f["n"] != 13, "rd is SP")
        f.unpredictable_if(f["t"] != 0 or f["i"] > 3, "SP is changed by a register shifted otherwise than LSL #0 to #3")
    return _register(f, op)


def _register_test(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("n")
    return _register_compare(f, op)


def _register_compare(f: Fields, op: Operation) -> Instruction:
    f.not_pc("n")
    f.not_sp_or_pc("m")
    kind, amount = _shift(f)
    return f.make(op, rn=f["n"], rm=f["m"], shift=kind, shift_amount=amount, set_flags=True)


def _register_not(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dm")
    kind, amount = _shift(f)
    return f.make(op, rd=f["d"], rm=f["m"], shift=kind, shift_amount=amount, set_flags=bool(f["S"]))


def _move(f: Fields, op: Operation) -> Instruction:
    if f["S"]:
        f.not_sp_or_pc("dm")
    f.not_pc("dm")
    f.unpredictable_if(f["d"] == 13 and f["m"] == 13, "both registers are SP")
    return f.make(op, rd=f["d"], rm=f["m"], set_flags=bool(f["S"]))


def _move_shifted(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dm")
    count = f["i"] or (1 if op is Operation.RRX else 32)
    immediate = None if op is Operation.RRX else count
    return f.make(op, rd=f["d"], rm=f["m"], immediate=immediate, set_flags=bool(f["S"]))


def _rotate_extended(f: Fields, op: Operation) -> Instruction:
    return _move_shifted(f, op if f["i"] else Operation.RRX)


def _shift_register(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dnm")
    return f.make(op, rd=f["d"], rn=f["n"], rm=f["m"], set_flags=bool(f["S"]))


def _extend(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dm")
    return f.make(op, rd=f["d"], rm=f["m"], shift_amount=f["r"] * 8)


def _extend_add(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dm")
    f.not_sp("n")
    return f.make(op, rd=f["d"], rn=f["n"], rm=f["m"], shift_amount=f["r"] * 8)


def _reverse(f: Fields, op: Operation) -> Instruction:
    f.unpredictable_if(f["m"] != f["M"], "the two copies of rm differ")
    f.not_sp_or_pc("dm")
    return f.make(op, rd=f["d"], rm=f["m"])


def _multiply(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dnm")
    return f.make(op, rd=f["d"], rn=f["n"], rm=f["m"])


def _multiply_add(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("dnma")
    return f.make(op, rd=f["d"], rn=f["n"], rm=f["m"], ra=f["a"])


def _multiply_long(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("lhnm")
    f.unpredictable_if(f["l"] == f["h"], "both results go to one register")
    return f.make(op, rd=f["l"], rd2=f["h"], rn=f["n"], rm=f["m"])


_O = Operation
IMMEDIATE_ROWS: tuple[Row, ...] = (
    # Modified immediate, A5.3.1.
    Row("11110 i 0 0000 1 nnnn 0 iii 1111 iiiiiiii", _O.TST, _immediate_test),
    Row("11110 i 0 0000 S nnnn 0 iii dddd iiiiiiii", _O.AND, _immediate_logical),
    Row("11110 i 0 0001 S nnnn 0 iii dddd iiiiiiii", _O.BIC, _immediate_logical),
    Row("11110 i 0 0010 S 1111 0 iii dddd iiiiiiii", _O.MOV, _immediate_move),
    Row("11110 i 0 0010 S nnnn 0 iii dddd iiiiiiii", _O.ORR, _immediate_or),
    Row("11110 i 0 0011 S 1111 0 iii dddd iiiiiiii", _O.MVN, _immediate_move),
    Row("11110 i 0 0011 S nnnn 0 iii dddd iiiiiiii", _O.ORN, _immediate_or),
    Row("11110 i 0 0100 1 nnnn 0 iii 1111 iiiiiiii", _O.TEQ, _immediate_test),
    Row("11110 i 0 0100 S nnnn 0 iii dddd iiiiiiii", _O.EOR, _immediate_logical),
    Row("11110 i 0 1000 1 nnnn 0 iii 1111 iiiiiiii", _O.CMN, _immediate_compare),
    Row("11110 i 0 1000 S nnnn 0 iii dddd iiiiiiii", _O.ADD, _immediate_sum),
    Row("11110 i 0 1010 S nnnn 0 iii dddd iiiiiiii", _O.ADC, _immediate_logical),
    Row("11110 i 0 1011 S nnnn 0 iii dddd iiiiiiii", _O.SBC, _immediate_logical),
    Row("11110 i 0 1101 1 nnnn 0 iii 1111 iiiiiiii", _O.CMP, _immediate_compare),
    Row("11110 i 0 1101 S nnnn 0 iii dddd iiiiiiii", _O.SUB, _immediate_sum),
    Row("11110 i 0 1110 S nnnn 0 iii dddd iiiiiiii", _O.RSB, _immediate_logical),
    # Plain binary immediate, A5.3.3.
    Row("11110 i 1 00000 1111 0 iii dddd iiiiiiii", _O.ADR, _address_after),
    Row("11110 i 1 00000 nnnn 0 iii dddd iiiiiiii", _O.ADD, _plain_sum),
    Row("11110 i 1 00100 hhhh 0 iii dddd iiiiiiii", _O.MOV, _move_wide),
    Row("11110 i 1 01010 1111 0 iii dddd iiiiiiii", _O.ADR, _address_before),
    Row("11110 i 1 01010 nnnn 0 iii dddd iiiiiiii", _O.SUB, _plain_sum),
    Row("11110 i 1 01100 hhhh 0 iii dddd iiiiiiii", _O.MOVT, _move_wide),
    Row("11110 (0) 1 10100 nnnn 0 iii dddd ii (0) wwwww", _O.SBFX, _extract),
    Row("11110 (0) 1 10110 1111 0 iii dddd ii (0) wwwww", _O.BFC, _clear_field),
    Row("11110 (0) 1 10110 nnnn 0 iii dddd ii (0) wwwww", _O.BFI, _insert_field),
    Row("11110 (0) 1 11100 nnnn 0 iii dddd ii (0) wwwww", _O.UBFX, _extract),
)
SHIFTED_ROWS: tuple[Row, ...] = (
    # Shifted register, A5.3.11.
    Row("1110101 0000 1 nnnn (0) iii 1111 ii tt mmmm", _O.TST, _register_test),
    Row("1110101 0000 S nnnn (0) iii dddd ii tt mmmm", _O.AND, _register_logical),
    Row("1110101 0001 S nnnn (0) iii dddd ii tt mmmm", _O.BIC, _register_logical),
    Row("1110101 0010 S 1111 (0) 000 dddd 00 00 mmmm", _O.MOV, _move),
    Row("1110101 0010 S 1111 (0) iii dddd ii 00 mmmm", _O.LSL, _move_shifted),
    Row("1110101 0010 S 1111 (0) iii dddd ii 01 mmmm", _O.LSR, _move_shifted),
    Row("1110101 0010 S 1111 (0) iii dddd ii 10 mmmm", _O.ASR, _move_shifted),
    Row("1110101 0010 S 1111 (0) iii dddd ii 11 mmmm", _O.ROR, _rotate_extended),
    Row("1110101 0010 S nnnn (0) iii dddd ii tt mmmm", _O.ORR, _register_or),
    Row("1110101 0011 S 1111 (0) iii dddd ii tt mmmm", _O.MVN, _register_not),
    Row("1110101 0011 S nnnn (0) iii dddd ii tt mmmm", _O.ORN, _register_or),
    Row("1110101 0100 1 nnnn (0) iii 1111 ii tt mmmm", _O.TEQ, _register_test),
    Row("1110101 0100 S nnnn (0) iii dddd ii tt mmmm", _O.EOR, _register_logical),
    Row("1110101 1000 1 nnnn (0) iii 1111 ii tt mmmm", _O.CMN, _register_compare),
    Row("1110101 1000 S nnnn (0) iii dddd ii tt mmmm", _O.ADD, _register_sum),
    Row("1110101 1010 S nnnn (0) iii dddd ii tt mmmm", _O.ADC, _register_logical),
    Row("1110101 1011 S nnnn (0) iii dddd ii tt mmmm", _O.SBC, _register_logical),
    Row("1110101 1101 1 nnnn (0) iii 1111 ii tt mmmm", _O.CMP, _register_compare),
    Row("1110101 1101 S nnnn (0) iii dddd ii tt mmmm", _O.SUB, _register_sum),
    Row("1110101 1110 S nnnn (0) iii dddd ii tt mmmm", _O.RSB, _register_logical),
)
REGISTER_ROWS: tuple[Row, ...] = (
    # Register, A5.3.12 to A5.3.15.
    Row("11111010 000 S nnnn 1111 dddd 0000 mmmm", _O.LSL, _shift_register),
    Row("11111010 001 S nnnn 1111 dddd 0000 mmmm", _O.LSR, _shift_register),
    Row("11111010 010 S nnnn 1111 dddd 0000 mmmm", _O.ASR, _shift_register),
    Row("11111010 011 S nnnn 1111 dddd 0000 mmmm", _O.ROR, _shift_register),
    Row("11111010 0000 1111 1111 dddd 1 (0) rr mmmm", _O.SXTH, _extend),
    Row("11111010 0001 1111 1111 dddd 1 (0) rr mmmm", _O.UXTH, _extend),
    Row("11111010 0100 1111 1111 dddd 1 (0) rr mmmm", _O.SXTB, _extend),
    Row("11111010 0101 1111 1111 dddd 1 (0) rr mmmm", _O.UXTB, _extend),
    Row("11111010 0000 nnnn 1111 dddd 1 (0) rr mmmm", _O.SXTAH, _extend_add),
    Row("11111010 0001 nnnn 1111 dddd 1 (0) rr mmmm", _O.UXTAH, _extend_add),
    Row("11111010 0100 nnnn 1111 dddd 1 (0) rr mmmm", _O.SXTAB, _extend_add),
    Row("11111010 0101 nnnn 1111 dddd 1 (0) rr mmmm", _O.UXTAB, _extend_add),
    Row("11111010 1001 MMMM 1111 dddd 1000 mmmm", _O.REV, _reverse),
    Row("11111010 1001 MMMM 1111 dddd 1001 mmmm", _O.REV16, _reverse),
    Row("11111010 1001 MMMM 1111 dddd 1010 mmmm", _O.RBIT, _reverse),
    Row("11111010 1001 MMMM 1111 dddd 1011 mmmm", _O.REVSH, _reverse),
    Row("11111010 1011 MMMM 1111 dddd 1000 mmmm", _O.CLZ, _reverse),
    # Multiply and divide, A5.3.16 and A5.3.17.
    Row("11111011 0000 nnnn 1111 dddd 0000 mmmm", _O.MUL, _multiply),
    Row("11111011 0000 nnnn aaaa dddd 0000 mmmm", _O.MLA, _multiply_add),
    Row("11111011 0000 nnnn aaaa dddd 0001 mmmm", _O.MLS, _multiply_add),
    Row("11111011 0001 nnnn 1111 dddd 00 00 mmmm", _O.SMULBB, _multiply),
    Row("11111011 0001 nnnn 1111 dddd 00 01 mmmm", _O.SMULBT, _multiply),
    Row("11111011 0001 nnnn 1111 dddd 00 10 mmmm", _O.SMULTB, _multiply),
    Row("11111011 0001 nnnn 1111 dddd 00 11 mmmm", _O.SMULTT, _multiply),
    Row("11111011 1000 nnnn llll hhhh 0000 mmmm", _O.SMULL, _multiply_long),
    Row("11111011 1001 nnnn (1)(1)(1)(1) dddd 1111 mmmm", _O.SDIV, _multiply),
    Row("11111011 1010 nnnn llll hhhh 0000 mmmm", _O.UMULL, _multiply_long),
    Row("11111011 1011 nnnn (1)(1)(1)(1) dddd 1111 mmmm", _O.UDIV, _multiply),
    Row("11111011 1100 nnnn llll hhhh 0000 mmmm", _O.SMLAL, _multiply_long),
    Row("11111011 1110 nnnn llll hhhh 0000 mmmm", _O.UMLAL, _multiply_long),
)
