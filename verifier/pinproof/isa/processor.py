"""What the semantics need of a machine: values of some domain, registers, flags, memory and system registers.

A domain is sound when every operation returns a value that covers each concrete result. All values are 32 bits.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from pinproof.isa.instruction import Operation, Shift, SpecialRegister

V = TypeVar("V")


class Processor(Protocol[V]):
    """One processor state that instructions read and change. Memory operations may raise to stop the instruction."""

    # Registers.

    def constant(self, value: int, /) -> V:
        """The value 0 <= `value` < 2**32."""

    def read_register(self, number: int, /) -> V:
        """R0 to R12, SP (13, the active one) or LR (14)."""

    def write_register(self, number: int, value: V, /) -> None:
        """As above. A value for SP has its two low bits clear, given that SP always had (the semantics see to it)."""

    # Arithmetic and logic, modulo 2**32.

    def add(self, a: V, b: V, /) -> V: ...

    def subtract(self, a: V, b: V, /) -> V: ...

    def multiply(self, a: V, b: V, /) -> V: ...

    def multiply_long(self, a: V, b: V, signed: bool, /) -> tuple[V, V]:
        """Low and high word of the 64-bit product."""

    def divide_unsigned(self, a: V, b: V, /) -> V:
        """Towards zero; 0 when `b` is 0 (unless CCR.DIV_0_TRP is set: then the instruction faults)."""

    def divide_signed(self, a: V, b: V, /) -> V:
        """Towards zero; 0 when `b` is 0, and -2**31 / -1 is -2**31."""

    def and_(self, a: V, b: V, /) -> V: ...

    def or_(self, a: V, b: V, /) -> V: ...

    def xor(self, a: V, b: V, /) -> V: ...

    def invert(self, a: V, /) -> V: ...

    def shift_left(self, a: V, count: int, /) -> V:
        """By 1 to 31, as in the three below unless said otherwise."""

    def shift_right(self, a: V, count: int, /) -> V:
        """By 1 to 32."""

    def shift_right_arithmetic(self, a: V, count: int, /) -> V:
        """By 1 to 32."""

    def rotate_right(self, a: V, count: int, /) -> V: ...

    def shift_by_register(self, kind: Shift, a: V, amount: V, /) -> V:
        """LSL, LSR, ASR or ROR by the low byte of `amount`: 0 to 255."""

    def shift_carry(self, kind: Shift, a: V, amount: V, /) -> V:
        """The C flag (0 or 1) after `shift_by_register`: the present flag when the low byte of `amount` is 0."""

    def extract(self, a: V, lsb: int, width: int, signed: bool, /) -> V:
        """Bits `lsb` to `lsb + width - 1`, zero- or sign-extended."""

    def insert(self, a: V, b: V, lsb: int, width: int, /) -> V:
        """`a` with bits `lsb` to `lsb + width - 1` replaced by the low bits of `b`."""

    def count_leading_zeros(self, a: V, /) -> V: ...

    def reverse_bits(self, a: V, /) -> V: ...

    def reverse_bytes(self, a: V, /) -> V: ...

    def reverse_halfword_bytes(self, a: V, /) -> V:
        """REV16: the bytes of each halfword swapped."""

    # Memory, little-endian. `multiple`: one of several accesses of an instruction that may be restarted, or a load of
    # the PC; such an access faults, or is unpredictable, unless its address is a multiple of 4 (DDI 0403 A3.2.1).

    def load(
        self, address: V, width: int, /, *, signed: bool = False, unprivileged: bool = False, multiple: bool = False
    ) -> V:
        """1, 2 or 4 bytes, extended to 32 bits."""

    def store(self, address: V, value: V, width: int, /, *, unprivileged: bool = False, multiple: bool = False) -> None:
        """The low 1, 2 or 4 bytes."""

    # Flags.

    def flags_add(self, a: V, b: V, /) -> None:
        """N, Z, C and V of a + b."""

    def flags_subtract(self, a: V, b: V, /) -> None:
        """N, Z, C and V of a - b; C is "no borrow"."""

    def flags_add_with_carry(self, a: V, b: V, /) -> None:
        """Of a + b + C."""

    def flags_subtract_with_carry(self, a: V, b: V, /) -> None:
        """Of a - b - (1 - C)."""

    def flags_logical(self, result: V, carry: V | None, /) -> None:
        """N and Z of `result`, C = `carry` (0 or 1; None leaves C), V unchanged."""

    def carry(self) -> V:
        """The C flag as 0 or 1."""

    # System.

    def read_special(self, special: SpecialRegister, /) -> V: ...

    def write_special(self, special: SpecialRegister, mask: int, value: V, /) -> None:
        """`mask` as in `Instruction.mask`."""

    def change_interrupts(self, enable: bool, primask: bool, faultmask: bool, /) -> None:
        """CPS: clear (`enable`) or set the named mask registers; does nothing when unprivileged."""

    def barrier(self, operation: Operation, /) -> None:
        """DMB, DSB or ISB, of the full system."""

    def hint(self, operation: Operation, /) -> None:
        """YIELD, WFE, WFI or SEV."""
