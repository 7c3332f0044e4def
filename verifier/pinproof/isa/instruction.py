"""One decoded ARMv7-M instruction (Thumb, DDI 0403): what it is, not what it does."""

from __future__ import annotations

from dataclasses import dataclass

from pinproof.isa._text import render
from pinproof.isa.words import Condition, Operation, Shift, SpecialRegister

__all__ = ["Condition", "Instruction", "Operation", "Shift", "SpecialRegister"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction at one address. Fields that its operation does not use keep their default.

    Registers are 0 to 15; a 15 that is read means this instruction's address + 4.
    """

    address: int
    size: int
    """2 or 4 bytes."""
    encoding: int
    """The halfword, or both with the first one in the high half."""
    operation: Operation
    condition: Condition = Condition.AL
    """Only a conditional branch has another one; conditions of an IT block are not the instruction's own."""
    set_flags: bool = False
    flags_outside_it: bool = False
    """A 16-bit form that sets the flags, but not inside an IT block (`set_flags` is then False)."""
    rd: int | None = None
    """Destination; the transferred register of a load or store (Rt); RdLo of a long multiply."""
    rd2: int | None = None
    """Second destination: RdHi of a long multiply, Rt2 of LDRD and STRD."""
    rn: int | None = None
    """First operand or base address."""
    rm: int | None = None
    """Second operand, index, shift count of a shift by register, value of a shift by constant, branch target."""
    ra: int | None = None
    """Accumulator of MLA and MLS."""
    immediate: int | None = None
    """Second operand, shift count, offset (unsigned, see `add`) or number of a trap."""
    immediate_carry: int | None = None
    """Carry that expanding a modified immediate gives, A5.3.2; None when it leaves the flag alone."""
    shift: Shift | None = None
    """Applied to `rm`; None is no shift."""
    shift_amount: int = 0
    """1 to 32 with a shift (1 for RRX), 0 without; a rotation of 0, 8, 16 or 24 for the extends."""
    registers: tuple[int, ...] = ()
    """Register list, ascending: the lowest register is at the lowest address."""
    lsb: int = 0
    width: int = 0
    """Bit field of `width` bits from bit `lsb`."""
    index: bool = True
    """Whether the offset is applied before the access; otherwise the access is at the base."""
    add: bool = True
    """Whether the offset is added; for LDM and STM, whether addresses increase from the base."""
    writeback: bool = False
    target: int | None = None
    """Absolute address that a direct branch goes to."""
    it_conditions: tuple[Condition, ...] = ()
    """Of IT: one condition for each of the 1 to 4 instructions that follow."""
    special: SpecialRegister | None = None
    mask: int = 0
    """Of MSR: 0b10 writes N, Z, C, V and Q, 0b01 GE, 0b11 both; 0b10 for all but the APSR."""
    enable: bool = False
    """Of CPS: True clears the mask registers (CPSIE), False sets them (CPSID)."""
    primask: bool = False
    faultmask: bool = False
    """Of CPS: which mask registers it changes."""

    @property
    def next_address(self) -> int:
        """Address of the instruction that follows in memory."""
        return (self.address + self.size) & 0xFFFFFFFF

    @property
    def pc(self) -> int:
        """What reading the program counter gives: the address plus 4."""
        return (self.address + 4) & 0xFFFFFFFF

    @property
    def literal_address(self) -> int:
        """The address that ADR or a load from `[pc, #offset]` means: the PC, rounded down to a word, plus offset."""
        offset = self.immediate or 0
        return ((self.pc & ~3) + (offset if self.add else -offset)) & 0xFFFFFFFF

    def sets_flags(self, *, in_it_block: bool) -> bool:
        """Whether it changes condition flags here."""
        return self.set_flags or (self.flags_outside_it and not in_it_block)

    @property
    def writes_pc(self) -> bool:
        """Whether it can make execution continue elsewhere by a branch, a load or a write of the PC."""
        return self.operation in _BRANCHES or self.rd == 15 or 15 in self.registers

    def __str__(self) -> str:
        """Assembly in UAL, as it reads outside an IT block; registers by number, branch targets absolute."""
        return render(self)


_O = Operation
_BRANCHES = frozenset({_O.B, _O.BL, _O.BX, _O.BLX, _O.CBZ, _O.CBNZ, _O.TBB, _O.TBH})
