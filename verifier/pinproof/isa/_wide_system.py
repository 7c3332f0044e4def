"""The 32-bit branches, barriers, hints and special register accesses, DDI 0403 A5.3.4."""

from __future__ import annotations

from pinproof.isa._pattern import Fields, Row, sign_extend
from pinproof.isa.instruction import Condition, Instruction, Operation, SpecialRegister

_SPECIAL = frozenset(int(register) for register in SpecialRegister)


def _target(f: Fields, offset: int) -> int:
    return (f.address + 4 + offset) & 0xFFFFFFFF


def _branch_conditional(f: Fields, op: Operation) -> Instruction:
    offset = f["S"] << 19 | f["K"] << 18 | f["J"] << 17 | f["i"]
    return f.make(op, condition=Condition(f["c"]), target=_target(f, sign_extend(offset, 20) * 2))


def _branch(f: Fields, op: Operation) -> Instruction:
    """B T4 and BL: I1 = NOT(J1 EOR S), I2 = NOT(J2 EOR S)."""
    sign = f["S"]
    high = sign << 2 | (f["J"] ^ sign ^ 1) << 1 | (f["K"] ^ sign ^ 1)
    return f.make(op, target=_target(f, sign_extend(high << 21 | f["i"], 24) * 2))


def _special(f: Fields) -> SpecialRegister:
    f.unpredictable_if(f["y"] not in _SPECIAL, f"there is no special register {f['y']}")
    return SpecialRegister(f["y"])


def _read_special(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("d")
    return f.make(op, rd=f["d"], special=_special(f))


def _write_special(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("n")
    special = _special(f)
    f.unpredictable_if(f["k"] == 0, "MSR with an empty mask")
    f.unpredictable_if(f["k"] != 2 and special > SpecialRegister.XPSR, "MSR with a mask for the APSR only")
    return f.make(op, rn=f["n"], special=special, mask=f["k"])


def _barrier(f: Fields, op: Operation) -> Instruction:
    f.unpredictable_if(f["o"] != 15, "a barrier with a reserved option")
    return f.make(op)


def _clear_exclusive(f: Fields, op: Operation) -> Instruction:
    return f.unmodelled("CLREX")


def _plain(f: Fields, op: Operation) -> Instruction:
    return f.make(op)


def _debug_hint(f: Fields, op: Operation) -> Instruction:
    return f.unmodelled("DBG")


def _unallocated_hint(f: Fields, op: Operation) -> Instruction:
    return f.unmodelled("an unallocated hint")


def _undefined(f: Fields, op: Operation) -> Instruction:
    return f.make(op, immediate=f["i"])


def _unallocated(f: Fields, op: Operation) -> Instruction:
    f.undefined_if(True, "an unallocated control instruction")
    return f.make(op)


_O = Operation
_HINT = "111100111010 (1)(1)(1)(1) 10 (0) 0 (0) 000"
_CONTROL = "111100111011 (1)(1)(1)(1) 10 (0) 0 (1)(1)(1)(1)"
ROWS: tuple[Row, ...] = (
    Row("11110 S iiiiiiiiii 11 J 1 K iiiiiiiiiii", _O.BL, _branch),
    Row("11110 S iiiiiiiiii 10 J 1 K iiiiiiiiiii", _O.B, _branch),
    Row("111101111111 iiii 1010 iiiiiiiiiiii", _O.UDF, _undefined),
    Row("11110011100 (0) nnnn 10 (0) 0 kk (0)(0) yyyyyyyy", _O.MSR, _write_special),
    Row("11110011111 (0) (1)(1)(1)(1) 10 (0) 0 dddd yyyyyyyy", _O.MRS, _read_special),
    Row(f"{_HINT} 00000000", _O.NOP, _plain),
    Row(f"{_HINT} 00000001", _O.YIELD, _plain),
    Row(f"{_HINT} 00000010", _O.WFE, _plain),
    Row(f"{_HINT} 00000011", _O.WFI, _plain),
    Row(f"{_HINT} 00000100", _O.SEV, _plain),
    Row(f"{_HINT} 1111 xxxx", _O.NOP, _debug_hint),
    Row(f"{_HINT} xxxxxxxx", _O.NOP, _unallocated_hint),
    Row(f"{_CONTROL} 0010 (1)(1)(1)(1)", _O.NOP, _clear_exclusive),
    Row(f"{_CONTROL} 0100 oooo", _O.DSB, _barrier),
    Row(f"{_CONTROL} 0101 oooo", _O.DMB, _barrier),
    Row(f"{_CONTROL} 0110 oooo", _O.ISB, _barrier),
    # The conditions 14 and 15 of this encoding are the space of the rows above.
    Row("11110 x 111 xxxxxxx 10 x 0 x xxxxxxxxxxx", _O.B, _unallocated),
    Row("11110 S cccc iiiiii 10 J 0 K iiiiiiiiiii", _O.B, _branch_conditional),
)
