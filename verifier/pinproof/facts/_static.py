"""Code that the gate's instructions lead to but no path reaches, as compilers leave it behind checks that never fail.

The exploration follows every path, so what it did not execute is never executed with privilege. That such bytes are
code at all is seen by decoding on from the executed instructions: to what follows each of them in memory, to the
targets of direct branches and calls, to those of branch tables, and to the literals that this code loads. Nothing else
counts: bytes that no instruction leads to stay unaccounted.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts._core import Facts
from pinproof.facts._protection import Range, merged
from pinproof.isa.decode import decode
from pinproof.isa.errors import DecodeError
from pinproof.isa.instruction import Condition, Instruction, Operation

_TABLES = {Operation.TBB: 1, Operation.TBH: 2}
_LOADED = {Operation.LDRD: 8}
_LOADS = frozenset(
    {Operation.LDR, Operation.LDRB, Operation.LDRH, Operation.LDRSB, Operation.LDRSH, Operation.LDRD}
)  # fmt: skip
_ENDS = frozenset({Operation.UDF, Operation.BKPT})
_PC = 15


def static_code(facts: Facts) -> tuple[Range, ...]:
    """Bytes of the declared gate flash that are code or literals by the rule above, executed code included."""
    return _Walk(facts).found()


class _Walk:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._gate = facts.declaration.flash.gate
        self._seen: dict[int, int] = {}
        self._data: list[Range] = []
        self._pending: list[tuple[int, int]] = []

    def found(self) -> tuple[Range, ...]:
        for start, end in self._facts.exploration.executed:
            # Behind a return or a jump lies the next executed piece of code.
            while start < end:
                self._follow(start)
                start += self._seen.get(start, 2)
        code = [(start, start + size) for start, size in self._seen.items()]
        return merged(sorted([*code, *self._data]))

    def _follow(self, address: int) -> None:
        self._pending.append((address, 0))
        while self._pending:
            self._visit(*self._pending.pop())

    def _visit(self, address: int, conditional: int) -> None:
        """`conditional`: how many instructions from here on belong to an IT block."""
        if address in self._seen or not self._gate.start <= address < self._gate.end:
            return
        image = self._facts.image
        try:
            instruction = decode(image.read(address, 4) or image.read(address, 2) or b"", address)
        except DecodeError:
            return
        self._seen[address] = instruction.size
        self._data += _literals(instruction)
        left = len(instruction.it_conditions) or max(conditional - 1, 0)
        if conditional or not _goes_elsewhere(instruction):
            self._pending.append((instruction.next_address, left))
        if instruction.target is not None:
            self._pending.append((instruction.target & ~1, 0))
        if instruction.operation in _TABLES and instruction.rn == _PC:
            self._pending += ((target, 0) for target in self._table(instruction))

    def _table(self, instruction: Instruction) -> Iterator[int]:
        """The targets of a branch table, which ends where the first of them begins."""
        width, base = _TABLES[instruction.operation], instruction.pc
        at, end = base, self._gate.end
        while at + width <= end:
            entry = int.from_bytes(self._facts.image.read(at, width) or b"", "little")
            target = base + 2 * entry
            end = min(end, target)
            if at + width > end:
                break
            yield target
            at += width
        self._data.append((base, at))


def _literals(instruction: Instruction) -> list[Range]:
    if instruction.operation not in _LOADS or instruction.rn != _PC:
        return []
    start = instruction.literal_address
    return [(start, start + _LOADED.get(instruction.operation, 4))]


def _goes_elsewhere(instruction: Instruction) -> bool:
    """Whether execution never goes on behind the instruction, outside an IT block."""
    operation = instruction.operation
    if operation is Operation.B:
        return instruction.condition is Condition.AL
    if operation in (Operation.CBZ, Operation.CBNZ, Operation.BL, Operation.BLX):
        return False
    return instruction.writes_pc or operation in _ENDS
