"""Random straight programs in machine code: no assembler, and every row of the decoder's tables that fits.

Data processing, loads and stores through two base registers, an index register and SP, PUSH and POP, LDM and STM, IT
blocks, branches forward and calls of leaves. Execution ends at `Program.end`, which holds BX LR.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from pinproof.isa import DecodeError, Instruction, ItPosition, Operation, check_in_it, decode

from tests.soundness.encodings import MEMORY, SYSTEM, WAITS, code_of, decoded, rows_of

_O = Operation
INDEX, BASES = 6, (7, 8)
_KEPT = frozenset({INDEX, *BASES, 13, 14, 15})
"""Registers that no instruction but a writeback changes."""
_BRANCHES = frozenset({_O.B, _O.BL, _O.BX, _O.BLX, _O.CBZ, _O.CBNZ, _O.TBB, _O.TBH})
_UNPRIVILEGED = frozenset({_O.LDRT, _O.LDRBT, _O.LDRHT, _O.LDRSBT, _O.LDRSHT, _O.STRT, _O.STRBT, _O.STRHT})
_DATA = frozenset(Operation) - MEMORY - SYSTEM - WAITS - _BRANCHES
_TRANSFERS = MEMORY - {_O.TBB, _O.TBH, _O.PUSH, _O.POP} - _UNPRIVILEGED
_DATA_ROWS, _TRANSFER_ROWS = rows_of(_DATA), rows_of(_TRANSFERS)
_COMPARES = tuple((row, size) for row, size in _DATA_ROWS if row.operation in (_O.CMP, _O.TST, _O.SUB, _O.AND, _O.CMN))
_MOST = 0x500
"""Bytes that a program may have; what is longer is left as it is."""


@dataclass(frozen=True, slots=True)
class Program:
    code: bytes
    end: int
    """Address of the BX LR that ends it."""


class Writer:
    def __init__(self, source: random.Random, start: int) -> None:
        self._source = source
        self._start = start
        self._code = bytearray()
        self._calls: list[int] = []

    def program(self) -> Program:
        self._half(0xB500)  # push {lr}
        for _ in range(self._source.randrange(1, 9)):
            self._item()
        self._wide(0xF85DEB04)  # ldr lr, [sp], #4
        end = self._here
        self._half(0x4770)  # bx lr
        self._leaves()
        return Program(bytes(self._code), end)

    @property
    def _here(self) -> int:
        return self._start + len(self._code)

    def _half(self, encoding: int) -> None:
        self._code += code_of(encoding, 2)

    def _wide(self, encoding: int) -> None:
        self._code += code_of(encoding, 4)

    def _put(self, i: Instruction) -> None:
        self._code += code_of(i.encoding, i.size)

    # --- statements -------------------------------------------------------------------------------------------------

    def _item(self) -> None:
        kinds = (self._simple, self._simple, self._simple, self._skip, self._skip, self._block, self._block,
                 self._stack, self._call)  # fmt: skip
        self._source.choice(kinds)()

    def _simple(self) -> None:
        self._put(self._instruction())

    def _skip(self) -> None:
        """A branch over a few instructions, perhaps with others on its other side."""
        source = self._source
        if source.random() < 0.7:
            self._put(self._one_of(_COMPARES))
        at = len(self._code)
        self._half(0)
        for _ in range(source.randrange(1, 4)):
            source.choice((self._simple, self._simple, self._block))()
        other = len(self._code)
        if source.random() < 0.4:
            self._half(0)
            for _ in range(source.randrange(1, 3)):
                self._simple()
            self._patch(other, 0xE000 | self._halves(other))
            other += 2
        distance = (other - at - 4) // 2
        if source.random() < 0.25 and distance < 64:
            self._patch(at, source.choice((0xB100, 0xB900)) | distance >> 5 << 9 | (distance & 31) << 3 |
                        source.randrange(8))  # fmt: skip
        else:
            self._patch(at, 0xD000 | source.randrange(14) << 8 | distance & 0xFF)

    def _halves(self, at: int) -> int:
        """The offset field of a branch at `at` to here."""
        return (len(self._code) - at - 4) // 2 & 0x7FF

    def _patch(self, at: int, encoding: int) -> None:
        self._code[at : at + 2] = code_of(encoding, 2)

    def _block(self) -> None:
        """An IT block; one in five ends in a branch over one more instruction."""
        source = self._source
        if source.random() < 0.6:
            self._put(self._one_of(_COMPARES))
        while True:
            try:
                head = decode(code_of(0xBF00 | source.randrange(15) << 4 | source.randrange(1, 16), 2), self._here)
            except DecodeError:
                continue
            break
        self._put(head)
        length = len(head.it_conditions)
        branch = source.random() < 0.2
        for position in range(1, length + 1):
            if position == length and branch:
                at = len(self._code)
                self._half(0)
                self._simple()
                self._patch(at, 0xE000 | self._halves(at))
            else:
                self._put(self._inside(ItPosition.LAST if position == length else ItPosition.INSIDE))

    def _inside(self, position: ItPosition) -> Instruction:
        while True:
            i = self._instruction()
            try:
                check_in_it(i, position)
            except DecodeError:
                continue
            return i

    def _stack(self) -> None:
        """PUSH, something, and POP of as many registers."""
        source = self._source
        count = source.randrange(1, 5)
        pushed = sum(1 << register for register in source.sample(range(8), count))
        popped = sum(1 << register for register in source.sample(range(6), count))
        self._half(0xB400 | pushed)
        if source.random() < 0.5:
            self._half(0x9800 | source.randrange(6) << 8 | source.randrange(count))  # ldr rt, [sp, #4 * n]
        self._simple()
        self._half(0xBC00 | popped)

    def _call(self) -> None:
        self._calls.append(len(self._code))
        self._wide(0)

    def _leaves(self) -> None:
        """Each call has a leaf of its own or shares the last one."""
        source = self._source
        leaf = None
        for at in self._calls:
            if leaf is None or source.random() < 0.6:
                leaf = len(self._code)
                self._leaf()
            offset = (leaf - at - 4) // 2
            self._code[at : at + 4] = code_of(0xF000F800 | offset >> 11 << 16 | offset & 0x7FF, 4)

    def _leaf(self) -> None:
        saved = self._source.random() < 0.4
        if saved:
            self._half(0xB500)
        for _ in range(self._source.randrange(1, 4)):
            self._source.choice((self._simple, self._block))()
        self._half(0xBD00 if saved else 0x4770)  # pop {pc} or bx lr

    # --- instructions -----------------------------------------------------------------------------------------------

    def _instruction(self) -> Instruction:
        while True:
            if len(self._code) > _MOST or self._source.random() < 0.6:
                return self._one_of(_DATA_ROWS)
            found = self._transfer()
            if found is not None:
                return found

    def _one_of(self, rows: tuple) -> Instruction:  # type: ignore[type-arg]
        while True:
            row, size = self._source.choice(rows)
            i = decoded(row, size, self._source, self._here)
            if i is not None and i.operation in _DATA and i.rd not in _KEPT and i.rd2 not in _KEPT:
                return i

    def _transfer(self) -> Instruction | None:
        source = self._source
        row, size = source.choice(_TRANSFER_ROWS)
        chosen = {"n": source.choice((*BASES, *BASES, 13)), "m": INDEX, "s": source.randrange(2)}
        chosen["i"] = source.choice((0, 4, 8, 12, 16, source.randrange(8)))
        i = decoded(row, size, source, self._here, chosen)
        if i is None or i.operation not in _TRANSFERS:
            return None
        loads = i.operation.value.startswith("ld")
        changed = {i.rd, i.rd2, *i.registers} if loads else set()
        if changed & _KEPT or (i.rm is not None and i.rm != INDEX):
            return None
        return i if self._reaches_well(i) else None

    def _reaches_well(self, i: Instruction) -> bool:
        """Most accesses are aligned; SP stays where it is."""
        offset = i.immediate or 0
        if i.rn == 13:
            return not i.writeback and i.index and i.add and offset < 32 and offset % 4 == 0 and not i.registers
        if i.rn == 15 or i.rn is None:
            return i.literal_address % 4 == 0
        if i.rn not in BASES or len(i.registers) > 6:
            return False
        return offset % 4 == 0 or self._source.random() < 0.05
