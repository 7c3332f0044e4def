"""Instructions as assembly text, for messages and for comparison with other disassemblers in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pinproof.isa.words import Condition, Operation, Shift, SpecialRegister

if TYPE_CHECKING:
    from pinproof.isa.instruction import Instruction

_NAMES = (*(f"r{n}" for n in range(13)), "sp", "lr", "pc")
_O = Operation


def render(i: Instruction) -> str:
    operands = _FORMS.get(i.operation, _data)(i)
    return f"{_mnemonic(i)} {operands}" if operands else _mnemonic(i)


def _mnemonic(i: Instruction) -> str:
    op = i.operation
    if op is _O.IT:
        first = i.it_conditions[0]
        return "it" + "".join("t" if condition is first else "e" for condition in i.it_conditions[1:])
    if op is _O.CPS:
        return "cpsie" if i.enable else "cpsid"
    if op in (_O.LDM, _O.STM):
        return op if i.add else f"{op}db"
    if i.condition is not Condition.AL:
        return f"{op}{i.condition.name.lower()}"
    flags = (i.set_flags or i.flags_outside_it) and op not in (_O.CMP, _O.CMN, _O.TST, _O.TEQ)
    return f"{op}s" if flags else op


def _number(value: int) -> str:
    return f"#{value:#x}" if value > 9 else f"#{value}"


def _name(register: int | None) -> str:
    return "?" if register is None else _NAMES[register]


def _shift(i: Instruction) -> list[str]:
    if i.shift is None:
        return []
    return ["rrx"] if i.shift is Shift.RRX else [f"{i.shift} #{i.shift_amount}"]


def _data(i: Instruction) -> str:
    parts = [_NAMES[r] for r in (i.rd, i.rd2, i.rn, i.rm, i.ra) if r is not None]
    if i.immediate is not None:
        parts.append(_number(i.immediate))
    return ", ".join(parts + _shift(i))


def _address(i: Instruction) -> str:
    offset = (i.immediate or 0) * (1 if i.add else -1)
    text = f"#-{-offset:#x}" if offset < -9 else f"#{offset}" if offset < 0 else _number(offset)
    return f"{_name(i.rd)}, {'#-0' if not i.add and not offset else text}"


def _memory(i: Instruction) -> str:
    registers = _name(i.rd) if i.rd2 is None else f"{_name(i.rd)}, {_name(i.rd2)}"
    if i.rm is not None:
        return f"{registers}, [{', '.join([_name(i.rn), _name(i.rm), *_shift(i)])}]"
    offset = i.immediate or 0
    sign = "" if i.add else "-"
    text = f"#{sign}{offset:#x}" if offset > 9 else f"#{sign}{offset}"
    if not i.index:
        return f"{registers}, [{_name(i.rn)}], {text}"
    inside = f"[{_name(i.rn)}]" if not offset and i.add and not i.writeback else f"[{_name(i.rn)}, {text}]"
    return f"{registers}, {inside}{'!' if i.writeback else ''}"


def _list(i: Instruction) -> str:
    return "{" + ", ".join(_NAMES[r] for r in i.registers) + "}"


def _multiple(i: Instruction) -> str:
    return f"{_name(i.rn)}{'!' if i.writeback else ''}, {_list(i)}"


def _extend(i: Instruction) -> str:
    rotation = f", ror #{i.shift_amount}" if i.shift_amount else ""
    registers = [_NAMES[r] for r in (i.rd, i.rn, i.rm) if r is not None]
    return ", ".join(registers) + rotation


def _bit_field(i: Instruction) -> str:
    registers = [_NAMES[r] for r in (i.rd, i.rn) if r is not None]
    return ", ".join([*registers, _number(i.lsb), _number(i.width)])


def _branch(i: Instruction) -> str:
    return f"{i.target:#x}"


def _compare_branch(i: Instruction) -> str:
    return f"{_name(i.rn)}, {i.target:#x}"


def _table(i: Instruction) -> str:
    return f"[{_name(i.rn)}, {_name(i.rm)}{', lsl #1' if i.operation is _O.TBH else ''}]"


def _conditions(i: Instruction) -> str:
    return i.it_conditions[0].name.lower()


def _interrupts(i: Instruction) -> str:
    return "i" * i.primask + "f" * i.faultmask


def _special_name(i: Instruction) -> str:
    assert i.special is not None
    flags = ("", "_g", "_nzcvq", "_nzcvqg")[i.mask] if i.special <= SpecialRegister.XPSR else ""
    return i.special.name.lower() + flags


def _read_special(i: Instruction) -> str:
    return f"{_name(i.rd)}, {_special_name(i)}"


def _write_special(i: Instruction) -> str:
    return f"{_special_name(i)}, {_name(i.rn)}"


def _barrier(i: Instruction) -> str:
    return "sy"


_FORMS: Mapping[Operation, Callable[[Instruction], str]] = {
    **{op: _memory for op in Operation if op.startswith(("ldr", "str"))},
    **dict.fromkeys((_O.LDM, _O.STM), _multiple),
    **dict.fromkeys((_O.PUSH, _O.POP), _list),
    **{op: _extend for op in Operation if op.startswith(("sxt", "uxt"))},
    **dict.fromkeys((_O.BFC, _O.BFI, _O.SBFX, _O.UBFX), _bit_field),
    **dict.fromkeys((_O.B, _O.BL), _branch),
    **dict.fromkeys((_O.CBZ, _O.CBNZ), _compare_branch),
    **dict.fromkeys((_O.TBB, _O.TBH), _table),
    **dict.fromkeys((_O.DMB, _O.DSB, _O.ISB), _barrier),
    _O.ADR: _address,
    _O.CPS: _interrupts,
    _O.IT: _conditions,
    _O.MRS: _read_special,
    _O.MSR: _write_special,
}
