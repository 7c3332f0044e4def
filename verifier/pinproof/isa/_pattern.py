"""Encodings written as the manual draws them, and matched.

A pattern is the encoding diagram, most significant bit first: `0` and `1` are fixed, `(0)` and `(1)` are bits that
should be so (anything else is UNPREDICTABLE), a letter is one bit of the field of that name, and the bits of one
letter, from left to right, make its value wherever they stand. Spaces are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn, TypedDict, Unpack

from pinproof.isa.errors import UndefinedInstruction, UnmodelledInstruction, UnpredictableInstruction
from pinproof.isa.instruction import Condition, Instruction, Operation, Shift, SpecialRegister


class Operands(TypedDict, total=False):
    """The fields of `Instruction` that a row fills in."""

    condition: Condition
    set_flags: bool
    flags_outside_it: bool
    rd: int | None
    rd2: int | None
    rn: int | None
    rm: int | None
    ra: int | None
    immediate: int | None
    immediate_carry: int | None
    shift: Shift | None
    shift_amount: int
    registers: tuple[int, ...]
    lsb: int
    width: int
    index: bool
    add: bool
    writeback: bool
    target: int | None
    it_conditions: tuple[Condition, ...]
    special: SpecialRegister | None
    mask: int
    enable: bool
    primask: bool
    faultmask: bool


class Fields:
    """One matched encoding: its fields by letter, and the refusals that the rows need."""

    __slots__ = ("_values", "address", "encoding", "size")

    def __init__(self, *, address: int, encoding: int, size: int, values: dict[str, int]) -> None:
        self.address = address
        self.encoding = encoding
        self.size = size
        self._values = values

    def __getitem__(self, letter: str) -> int:
        return self._values[letter]

    def make(self, operation: Operation, **operands: Unpack[Operands]) -> Instruction:
        return Instruction(
            address=self.address, size=self.size, encoding=self.encoding, operation=operation, **operands
        )

    def unpredictable_if(self, condition: bool, reason: str) -> None:
        if condition:
            raise UnpredictableInstruction(address=self.address, encoding=self.encoding, reason=reason)

    def undefined_if(self, condition: bool, reason: str) -> None:
        if condition:
            raise UndefinedInstruction(address=self.address, encoding=self.encoding, reason=reason)

    def unmodelled(self, name: str) -> NoReturn:
        raise UnmodelledInstruction(address=self.address, encoding=self.encoding, reason=f"{name} is not modelled")

    def not_sp_or_pc(self, letters: str) -> None:
        """The manual's `IN {13,15}` clauses."""
        for letter in letters:
            self.unpredictable_if(self._values[letter] in (13, 15), f"r{letter} is SP or PC")

    def not_pc(self, letters: str) -> None:
        for letter in letters:
            self.unpredictable_if(self._values[letter] == 15, f"r{letter} is PC")

    def not_sp(self, letters: str) -> None:
        for letter in letters:
            self.unpredictable_if(self._values[letter] == 13, f"r{letter} is SP")


Builder = Callable[[Fields, Operation], Instruction]


class Row:
    """One encoding diagram, the operation it encodes, and how its operands are read."""

    __slots__ = ("_size", "build", "fields", "mask", "operation", "pattern", "should_mask", "should_value", "value")

    def __init__(self, pattern: str, operation: Operation, build: Builder) -> None:
        self.pattern = pattern
        self.operation = operation
        self.build = build
        self.mask = self.value = self.should_mask = self.should_value = 0
        fields: dict[str, list[int]] = {}
        cells = _cells(pattern)
        for position, cell in zip(range(len(cells) - 1, -1, -1), cells, strict=True):
            if cell in "01":
                self.mask |= 1 << position
                self.value |= int(cell) << position
            elif cell in ("(0)", "(1)"):
                self.should_mask |= 1 << position
                self.should_value |= int(cell[1]) << position
            else:
                fields.setdefault(cell, []).append(position)
        self.fields = tuple((letter, tuple(positions)) for letter, positions in fields.items())
        self._size = len(cells) // 8

    def decode(self, encoding: int, address: int) -> Instruction:
        """The instruction, for an encoding that matches."""
        values = {}
        for letter, positions in self.fields:
            value = 0
            for position in positions:
                value = value << 1 | encoding >> position & 1
            values[letter] = value
        fields = Fields(address=address, encoding=encoding, size=self._size, values=values)
        fields.unpredictable_if(
            (encoding & self.should_mask) != self.should_value, "a bit that should be zero or one is not"
        )
        return self.build(fields, self.operation)


def _cells(pattern: str) -> list[str]:
    compact = pattern.replace(" ", "")
    cells = []
    index = 0
    while index < len(compact):
        length = 3 if compact[index] == "(" else 1
        cells.append(compact[index : index + length])
        index += length
    if len(cells) not in (16, 32):
        raise ValueError(f"pattern of {len(cells)} bits: {pattern}")
    return cells


def first_match(rows: Sequence[Row], encoding: int, address: int) -> Instruction:
    """Decode by the first row that matches: special cases ("SEE ..." in the manual) stand above the general one."""
    for row in rows:
        if encoding & row.mask == row.value:
            return row.decode(encoding, address)
    raise UndefinedInstruction(address=address, encoding=encoding, reason="no instruction has this encoding")


def sign_extend(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) & 1 else value
