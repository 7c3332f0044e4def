"""The 32-bit loads and stores, DDI 0403 A5.3.5 to A5.3.10, and the table branches that share their space."""

from __future__ import annotations

from pinproof.isa._pattern import Fields, Row
from pinproof.isa.instruction import Instruction, Operation, Shift

_WORD = (Operation.LDR, Operation.STR)
_STORES = frozenset({Operation.STR, Operation.STRB, Operation.STRH})


def _list(f: Fields) -> tuple[int, ...]:
    listed = tuple(n for n in range(16) if f.encoding >> n & 1)
    f.unpredictable_if(len(listed) < 2, "fewer than two registers in the 32-bit encoding")
    f.unpredictable_if(14 in listed and 15 in listed, "both LR and PC are loaded")
    return listed


def _push(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rn=13, registers=_list(f), add=False, writeback=True)


def _pop(f: Fields, op: Operation) -> Instruction:
    return f.make(op, rn=13, registers=_list(f), index=False, writeback=True)


def _multiple(f: Fields, *, op: Operation, add: bool) -> Instruction:
    f.not_pc("n")
    listed = _list(f)
    f.unpredictable_if(bool(f["W"]) and f["n"] in listed, "the base is in the list and changes")
    return f.make(op, rn=f["n"], registers=listed, index=not add, add=add, writeback=bool(f["W"]))


def _multiple_up(f: Fields, op: Operation) -> Instruction:
    return _multiple(f, op=op, add=True)


def _multiple_down(f: Fields, op: Operation) -> Instruction:
    return _multiple(f, op=op, add=False)


def _dual(f: Fields, op: Operation) -> Instruction:
    writeback = bool(f["W"])
    f.not_sp_or_pc("tT")
    f.unpredictable_if(writeback and f["n"] in (f["t"], f["T"]), "the base is transferred and changes")
    f.unpredictable_if(op is Operation.LDRD and f["t"] == f["T"], "both words go to one register")
    f.not_pc("n")
    return f.make(
        op,
        rd=f["t"],
        rd2=f["T"],
        rn=f["n"],
        immediate=f["i"] * 4,
        index=bool(f["P"]),
        add=bool(f["U"]),
        writeback=writeback,
    )


def _dual_literal(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("tT")
    f.unpredictable_if(f["t"] == f["T"], "both words go to one register")
    f.unpredictable_if(bool(f["W"]), "writeback to PC")
    f.unpredictable_if(f.address & 3 != 0, "LDRD of a literal at an address that is not a multiple of 4")
    return f.make(op, rd=f["t"], rd2=f["T"], rn=15, immediate=f["i"] * 4, add=bool(f["U"]))


def _table_branch(f: Fields, op: Operation) -> Instruction:
    f.not_sp("n")
    f.not_sp_or_pc("m")
    return f.make(op, rn=f["n"], rm=f["m"])


def _transferred(f: Fields, op: Operation) -> None:
    """Rt: SP only in words, PC only in loaded words."""
    if op not in _WORD:
        f.not_sp("t")
    if op is not Operation.LDR:
        f.not_pc("t")


def _offset12(f: Fields, op: Operation) -> Instruction:
    _transferred(f, op)
    return f.make(op, rd=f["t"], rn=f["n"], immediate=f["i"])


def _literal(f: Fields, op: Operation) -> Instruction:
    _transferred(f, op)
    return f.make(op, rd=f["t"], rn=15, immediate=f["i"], add=bool(f["U"]))


def _offset8(f: Fields, op: Operation) -> Instruction:
    """Indexed forms: the rows leave only those with P or W set."""
    _transferred(f, op)
    f.undefined_if(f["P"] == 0 and f["W"] == 0, "neither indexed nor written back")
    f.unpredictable_if(bool(f["W"]) and f["n"] == f["t"], "the base is transferred and changes")
    return f.make(
        op,
        rd=f["t"],
        rn=f["n"],
        immediate=f["i"],
        index=bool(f["P"]),
        add=bool(f["U"]),
        writeback=bool(f["W"]),
    )


def _unprivileged(f: Fields, op: Operation) -> Instruction:
    f.not_sp_or_pc("t")
    return f.make(op, rd=f["t"], rn=f["n"], immediate=f["i"])


def _register(f: Fields, op: Operation) -> Instruction:
    _transferred(f, op)
    f.not_sp_or_pc("m")
    amount = f["s"]
    return f.make(op, rd=f["t"], rn=f["n"], rm=f["m"], shift=Shift.LSL if amount else None, shift_amount=amount)


def _hint(f: Fields, op: Operation) -> Instruction:
    return f.unmodelled("a preload or memory hint")


def _exclusive(f: Fields, op: Operation) -> Instruction:
    return f.unmodelled("an exclusive load or store")


def _unallocated(f: Fields, op: Operation) -> Instruction:
    f.undefined_if(True, "an unallocated load or store")
    return f.make(op)


def _store_to_pc(f: Fields, op: Operation) -> Instruction:
    f.undefined_if(True, "a store relative to PC")
    return f.make(op)


_O = Operation


def _single(op: Operation, unprivileged: Operation, high: str) -> tuple[Row, ...]:
    """The rows of one load or store; `high` is the first halfword without Rn, with A for bit 7."""
    at12, at8 = high.replace("A", "1"), high.replace("A", "0")
    first: tuple[Row, ...]
    if op in _STORES:
        either = high.replace("A", "x")
        first = (Row(f"{either} 1111 yyyy yyyyyyyyyyyy", op, _store_to_pc),)
    else:
        literal = high.replace("A", "U")
        first = (Row(f"{literal} 1111 tttt iiiiiiiiiiii", op, _literal),)
        if op is not Operation.LDR:
            hints = (
                Row(f"{literal} 1111 1111 xxxxxxxxxxxx", op, _hint),
                Row(f"{at12} nnnn 1111 xxxxxxxxxxxx", op, _hint),
                Row(f"{at8} nnnn 1111 1100 xxxxxxxx", op, _hint),
                Row(f"{at8} nnnn 1111 000000 xxxxxx", op, _hint),
            )
            first = hints + first
    return (
        *first,
        Row(f"{at12} nnnn tttt iiiiiiiiiiii", op, _offset12),
        Row(f"{at8} nnnn tttt 1110 iiiiiiii", unprivileged, _unprivileged),
        Row(f"{at8} nnnn tttt 1 P U W iiiiiiii", op, _offset8),
        Row(f"{at8} nnnn tttt 000000 ss mmmm", op, _register),
    )


MULTIPLE_ROWS: tuple[Row, ...] = (
    Row("1110100 100 1 0 1101 (0) x (0) xxxxx xxxxxxxx", _O.PUSH, _push),
    Row("1110100 010 1 1 1101 x x (0) xxxxx xxxxxxxx", _O.POP, _pop),
    Row("1110100 010 W 0 nnnn (0) x (0) xxxxx xxxxxxxx", _O.STM, _multiple_up),
    Row("1110100 010 W 1 nnnn x x (0) xxxxx xxxxxxxx", _O.LDM, _multiple_up),
    Row("1110100 100 W 0 nnnn (0) x (0) xxxxx xxxxxxxx", _O.STM, _multiple_down),
    Row("1110100 100 W 1 nnnn x x (0) xxxxx xxxxxxxx", _O.LDM, _multiple_down),
)
DUAL_ROWS: tuple[Row, ...] = (
    Row("1110100 01 10 1 nnnn (1)(1)(1)(1) (0)(0)(0)(0) 0000 mmmm", _O.TBB, _table_branch),
    Row("1110100 01 10 1 nnnn (1)(1)(1)(1) (0)(0)(0)(0) 0001 mmmm", _O.TBH, _table_branch),
    Row("1110100 00 10 0 nnnn tttt dddd iiiiiiii", _O.STR, _exclusive),
    Row("1110100 00 10 1 nnnn tttt dddd iiiiiiii", _O.LDR, _exclusive),
    Row("1110100 01 10 x nnnn tttt dddd 010 y mmmm", _O.LDR, _exclusive),
    Row("1110100 0x 10 x nnnn tttt dddd iiiiiiii", _O.STR, _unallocated),
    Row("1110100 P U 1 W 0 nnnn tttt TTTT iiiiiiii", _O.STRD, _dual),
    Row("1110100 P U 1 W 1 1111 tttt TTTT iiiiiiii", _O.LDRD, _dual_literal),
    Row("1110100 P U 1 W 1 nnnn tttt TTTT iiiiiiii", _O.LDRD, _dual),
)
SINGLE_ROWS: tuple[Row, ...] = (
    *_single(_O.STRB, _O.STRBT, "11111000 A 00 0"),
    *_single(_O.STRH, _O.STRHT, "11111000 A 01 0"),
    *_single(_O.STR, _O.STRT, "11111000 A 10 0"),
    *_single(_O.LDRB, _O.LDRBT, "11111000 A 00 1"),
    *_single(_O.LDRH, _O.LDRHT, "11111000 A 01 1"),
    *_single(_O.LDR, _O.LDRT, "11111000 A 10 1"),
    *_single(_O.LDRSB, _O.LDRSBT, "11111001 A 00 1"),
    *_single(_O.LDRSH, _O.LDRSHT, "11111001 A 01 1"),
)
