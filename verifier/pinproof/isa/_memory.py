"""Loads and stores. A memory access that stops the instruction leaves base and destination as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pinproof.isa._handler import Handler, number, read, shifted, write
from pinproof.isa.flow import NEXT, Flow, JumpRegister
from pinproof.isa.instruction import Instruction, Operation
from pinproof.isa.processor import Processor

V = TypeVar("V")
_O = Operation

_WIDTH: Mapping[Operation, int] = {
    **dict.fromkeys((_O.LDRB, _O.LDRBT, _O.LDRSB, _O.LDRSBT, _O.STRB, _O.STRBT), 1),
    **dict.fromkeys((_O.LDRH, _O.LDRHT, _O.LDRSH, _O.LDRSHT, _O.STRH, _O.STRHT), 2),
    **dict.fromkeys((_O.LDR, _O.LDRT, _O.STR, _O.STRT), 4),
}
_SIGNED = frozenset({_O.LDRSB, _O.LDRSBT, _O.LDRSH, _O.LDRSHT})
_UNPRIVILEGED = frozenset({_O.LDRT, _O.LDRBT, _O.LDRHT, _O.LDRSBT, _O.LDRSHT, _O.STRT, _O.STRBT, _O.STRHT})


def _addresses(i: Instruction, p: Processor[V]) -> tuple[V, V]:
    """Address of the access, and base plus offset, which writeback stores."""
    if i.rn == 15:
        literal = p.constant(i.literal_address)
        return literal, literal
    base = read(i, p, i.rn)
    offset_base = base
    if i.rm is not None:
        offset_base = p.add(base, shifted(i, p, read(i, p, i.rm)))
    elif i.immediate:
        offset = p.constant(i.immediate)
        offset_base = p.add(base, offset) if i.add else p.subtract(base, offset)
    return (offset_base if i.index else base), offset_base


def _write_back(i: Instruction, p: Processor[V], value: V) -> None:
    if i.writeback:
        _move_base(i, p, value, aligned=(i.immediate or 0) % 4 == 0)


def _move_base(i: Instruction, p: Processor[V], value: V, *, aligned: bool) -> None:
    """SP stays aligned when it moves by a multiple of 4: no mask, which would blur a symbolic stack pointer."""
    if aligned:
        p.write_register(number(i.rn), value)
    else:
        write(p, i.rn, value)


def _load(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    op = i.operation
    address, moved = _addresses(i, p)
    value = p.load(address, _WIDTH[op], signed=op in _SIGNED, unprivileged=op in _UNPRIVILEGED, multiple=i.rd == 15)
    _write_back(i, p, moved)
    if i.rd == 15:
        return JumpRegister(value=value, return_address=None, interworking=True)
    write(p, i.rd, value)
    return NEXT


def _store(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    op = i.operation
    address, moved = _addresses(i, p)
    p.store(address, read(i, p, i.rd), _WIDTH[op], unprivileged=op in _UNPRIVILEGED)
    _write_back(i, p, moved)
    return NEXT


def _load_dual(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    address, moved = _addresses(i, p)
    low = p.load(address, 4, multiple=True)
    high = p.load(p.add(address, p.constant(4)), 4, multiple=True)
    _write_back(i, p, moved)
    p.write_register(number(i.rd), low)
    p.write_register(number(i.rd2), high)
    return NEXT


def _store_dual(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    address, moved = _addresses(i, p)
    p.store(address, read(i, p, i.rd), 4, multiple=True)
    p.store(p.add(address, p.constant(4)), read(i, p, i.rd2), 4, multiple=True)
    _write_back(i, p, moved)
    return NEXT


def _block(i: Instruction, p: Processor[V]) -> tuple[list[V], V]:
    """Addresses of the words of a register list, lowest first, and the base after writeback."""
    base = read(i, p, i.rn)
    length = p.constant(4 * len(i.registers))
    moved = p.add(base, length) if i.add else p.subtract(base, length)
    start = base if i.add else moved
    addresses = [start]
    addresses += [p.add(start, p.constant(4 * k)) for k in range(1, len(i.registers))]
    return addresses, moved


def _load_multiple(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    addresses, moved = _block(i, p)
    values = [p.load(address, 4, multiple=True) for address in addresses]
    if i.writeback:
        p.write_register(number(i.rn), moved)
    for register, value in zip(i.registers, values, strict=True):
        if register != 15:
            p.write_register(register, value)
    if i.registers[-1] == 15:
        return JumpRegister(value=values[-1], return_address=None, interworking=True)
    return NEXT


def _store_multiple(i: Instruction, p: Processor[V], in_it: bool, /) -> Flow[V]:
    addresses, moved = _block(i, p)
    for register, address in zip(i.registers, addresses, strict=True):
        p.store(address, p.read_register(register), 4, multiple=True)
    if i.writeback:
        p.write_register(number(i.rn), moved)
    return NEXT


HANDLERS: Mapping[Operation, Handler] = {
    **{op: _load for op in _WIDTH if op.startswith("ldr")},
    **{op: _store for op in _WIDTH if op.startswith("str")},
    _O.LDM: _load_multiple,
    _O.LDRD: _load_dual,
    _O.POP: _load_multiple,
    _O.PUSH: _store_multiple,
    _O.STM: _store_multiple,
    _O.STRD: _store_dual,
}
