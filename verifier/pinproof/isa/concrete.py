"""A processor over plain integers: the reference that emulators and abstract domains are compared with in tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinproof.errors import PinproofError
from pinproof.isa.decode import ItPosition, check_in_it, decode
from pinproof.isa.flow import (
    BeginIt,
    Call,
    CompareJump,
    ConditionalJump,
    Flow,
    Jump,
    JumpRegister,
    Next,
    TableJump,
    Trap,
)
from pinproof.isa.instruction import Instruction
from pinproof.isa.semantics import step
from pinproof.isa.words import Condition, Operation, Shift, SpecialRegister

_MASK = 0xFFFFFFFF


class ConcreteFault(PinproofError):
    """An access or a branch that faults on the processor."""


def _signed(value: int) -> int:
    return value - 0x100000000 if value & 0x80000000 else value


@dataclass(slots=True, kw_only=True)
class ConcreteProcessor:
    """Registers, flags and byte memory. Privileged; one stack pointer, which is also MSP and PSP."""

    registers: list[int] = field(default_factory=lambda: [0] * 15)
    """R0 to R12, SP, LR."""
    n: int = 0
    z: int = 0
    c: int = 0
    v: int = 0
    memory: dict[int, bytearray] = field(default_factory=dict)
    """Blocks by the address of their first byte; an access outside every block faults."""
    special: dict[SpecialRegister, int] = field(default_factory=dict)
    """Those that are not the flags; absent reads as 0."""
    hints: list[Operation] = field(default_factory=list)
    """Barriers and hints executed, in order."""

    def constant(self, value: int, /) -> int:
        return value

    def read_register(self, number: int, /) -> int:
        return self.registers[number]

    def write_register(self, number: int, value: int, /) -> None:
        self.registers[number] = value

    def add(self, a: int, b: int, /) -> int:
        return a + b & _MASK

    def subtract(self, a: int, b: int, /) -> int:
        return a - b & _MASK

    def multiply(self, a: int, b: int, /) -> int:
        return a * b & _MASK

    def multiply_long(self, a: int, b: int, signed: bool, /) -> tuple[int, int]:
        product = _signed(a) * _signed(b) if signed else a * b
        return product & _MASK, product >> 32 & _MASK

    def divide_unsigned(self, a: int, b: int, /) -> int:
        return a // b if b else 0

    def divide_signed(self, a: int, b: int, /) -> int:
        if not b:
            return 0
        x, y = _signed(a), _signed(b)
        quotient = abs(x) // abs(y)
        return (quotient if (x < 0) == (y < 0) else -quotient) & _MASK

    def and_(self, a: int, b: int, /) -> int:
        return a & b

    def or_(self, a: int, b: int, /) -> int:
        return a | b

    def xor(self, a: int, b: int, /) -> int:
        return a ^ b

    def invert(self, a: int, /) -> int:
        return ~a & _MASK

    def shift_left(self, a: int, count: int, /) -> int:
        return a << count & _MASK

    def shift_right(self, a: int, count: int, /) -> int:
        return a >> count

    def shift_right_arithmetic(self, a: int, count: int, /) -> int:
        return _signed(a) >> count & _MASK

    def rotate_right(self, a: int, count: int, /) -> int:
        count &= 31
        return (a >> count | a << (32 - count)) & _MASK

    def shift_by_register(self, kind: Shift, a: int, amount: int, /) -> int:
        count = amount & 0xFF
        if kind is Shift.LSL:
            return self.shift_left(a, count)
        if kind is Shift.LSR:
            return self.shift_right(a, count)
        if kind is Shift.ASR:
            return self.shift_right_arithmetic(a, count)
        return self.rotate_right(a, count)

    def shift_carry(self, kind: Shift, a: int, amount: int, /) -> int:
        count = amount & 0xFF
        if count == 0:
            return self.c
        if kind is Shift.LSL:
            return a << count >> 32 & 1
        if kind is Shift.ROR:
            count = (count - 1) % 32 + 1
        source = _signed(a) if kind is Shift.ASR else a
        return source >> (count - 1) & 1

    def extract(self, a: int, lsb: int, width: int, signed: bool, /) -> int:
        value = a >> lsb & (1 << width) - 1
        return (value - (1 << width)) & _MASK if signed and value >> (width - 1) else value

    def insert(self, a: int, b: int, lsb: int, width: int, /) -> int:
        mask = (1 << width) - 1 << lsb
        return a & ~mask & _MASK | b << lsb & mask

    def count_leading_zeros(self, a: int, /) -> int:
        return 32 - a.bit_length()

    def reverse_bits(self, a: int, /) -> int:
        return int(f"{a:032b}"[::-1], 2)

    def reverse_bytes(self, a: int, /) -> int:
        return int.from_bytes(a.to_bytes(4, "little"), "big")

    def reverse_halfword_bytes(self, a: int, /) -> int:
        return (a & 0x00FF00FF) << 8 | a >> 8 & 0x00FF00FF

    def load(
        self, address: int, width: int, /, *, signed: bool = False, unprivileged: bool = False, multiple: bool = False
    ) -> int:
        block, offset = self._find(address, width, multiple)
        value = int.from_bytes(block[offset : offset + width], "little")
        return self.extract(value, 0, 8 * width, signed) if signed else value

    def store(
        self, address: int, value: int, width: int, /, *, unprivileged: bool = False, multiple: bool = False
    ) -> None:
        block, offset = self._find(address, width, multiple)
        block[offset : offset + width] = (value & (1 << 8 * width) - 1).to_bytes(width, "little")

    def _find(self, address: int, width: int, multiple: bool) -> tuple[bytearray, int]:
        if multiple and address & 3:
            raise ConcreteFault(f"unaligned access of several words at {address:#010x}")
        for start, block in self.memory.items():
            if start <= address and address + width <= start + len(block):
                return block, address - start
        raise ConcreteFault(f"no memory at {address:#010x}")

    def code(self, address: int) -> bytes:
        """Up to four bytes of memory at `address`."""
        for start, block in self.memory.items():
            if start <= address < start + len(block):
                return bytes(block[address - start : address - start + 4])
        raise ConcreteFault(f"no code at {address:#010x}")

    def flags_add(self, a: int, b: int, /) -> None:
        self._sum(a, b, 0)

    def flags_subtract(self, a: int, b: int, /) -> None:
        self._sum(a, ~b & _MASK, 1)

    def flags_add_with_carry(self, a: int, b: int, /) -> None:
        self._sum(a, b, self.c)

    def flags_subtract_with_carry(self, a: int, b: int, /) -> None:
        self._sum(a, ~b & _MASK, self.c)

    def _sum(self, a: int, b: int, carry: int) -> None:
        """AddWithCarry, DDI 0403 A2.2.1."""
        total = a + b + carry
        result = total & _MASK
        self.n, self.z, self.c = result >> 31, int(result == 0), total >> 32
        self.v = ((a ^ result) & (b ^ result)) >> 31

    def flags_logical(self, result: int, carry: int | None, /) -> None:
        self.n, self.z = result >> 31, int(result == 0)
        if carry is not None:
            self.c = carry

    def carry(self) -> int:
        return self.c

    @property
    def flags(self) -> int:
        """N, Z, C, V as a number of four bits."""
        return self.n << 3 | self.z << 2 | self.c << 1 | self.v

    @flags.setter
    def flags(self, value: int) -> None:
        self.n, self.z, self.c, self.v = value >> 3 & 1, value >> 2 & 1, value >> 1 & 1, value & 1

    def holds(self, condition: Condition) -> bool:
        """ConditionPassed, DDI 0403 A7.3.1."""
        outcome = (
            self.z,
            self.c,
            self.n,
            self.v,
            self.c and not self.z,
            self.n == self.v,
            self.n == self.v and not self.z,
            True,
        )[condition >> 1]
        return bool(outcome) != bool(condition & 1)

    def read_special(self, special: SpecialRegister, /) -> int:
        if special <= SpecialRegister.XPSR:
            return self.flags << 28
        if special in (SpecialRegister.MSP, SpecialRegister.PSP):
            return self.registers[13]
        if special is SpecialRegister.BASEPRI_MAX:
            special = SpecialRegister.BASEPRI
        return self.special.get(special, 0)

    def write_special(self, special: SpecialRegister, mask: int, value: int, /) -> None:
        if special <= SpecialRegister.XPSR:
            if mask & 2:
                self.flags = value >> 28
        elif special in (SpecialRegister.MSP, SpecialRegister.PSP):
            self.registers[13] = value & ~3
        elif special in (SpecialRegister.BASEPRI, SpecialRegister.BASEPRI_MAX):
            self._write_base_priority(value & 0xFF, only_raise=special is SpecialRegister.BASEPRI_MAX)
        elif special not in (SpecialRegister.IPSR, SpecialRegister.EPSR, SpecialRegister.IEPSR):
            self.special[special] = value & (3 if special is SpecialRegister.CONTROL else 1)

    def _write_base_priority(self, value: int, *, only_raise: bool) -> None:
        """BASEPRI_MAX lowers the number, or sets one where there was none (DDI 0403 B5.2.3)."""
        old = self.special.get(SpecialRegister.BASEPRI, 0)
        if not only_raise or (value and (value < old or not old)):
            self.special[SpecialRegister.BASEPRI] = value

    def change_interrupts(self, enable: bool, primask: bool, faultmask: bool, /) -> None:
        if primask:
            self.special[SpecialRegister.PRIMASK] = int(not enable)
        if faultmask:
            self.special[SpecialRegister.FAULTMASK] = int(not enable)

    def barrier(self, operation: Operation, /) -> None:
        self.hints.append(operation)

    def hint(self, operation: Operation, /) -> None:
        self.hints.append(operation)


@dataclass(slots=True, kw_only=True)
class ConcreteExecutor:
    """Runs a processor through the code in its memory, IT blocks included."""

    processor: ConcreteProcessor
    pc: int
    pending: tuple[Condition, ...] = ()
    """Conditions of the rest of the IT block."""
    decoded: dict[int, Instruction] = field(default_factory=dict)
    """Cache; clear it when code changes."""

    def run_one(self) -> Flow[int]:
        """Execute one instruction; a `Trap` is left to the caller, with `pc` on the next instruction.

        Raises DecodeError or ConcreteFault, with `pc` on the instruction that did.
        """
        instruction = self._fetch()
        if not self.pending:
            return self._finish(instruction, step(instruction, self.processor, in_it_block=False))
        position = ItPosition.LAST if len(self.pending) == 1 else ItPosition.INSIDE
        check_in_it(instruction, position)
        condition, self.pending = self.pending[0], self.pending[1:]
        if not self.processor.holds(condition):
            return self._finish(instruction, Next())
        return self._finish(instruction, step(instruction, self.processor, in_it_block=True))

    def _fetch(self) -> Instruction:
        found = self.decoded.get(self.pc)
        if found is None:
            found = self.decoded[self.pc] = decode(self.processor.code(self.pc), self.pc)
        return found

    def _finish(self, instruction: Instruction, flow: Flow[int]) -> Flow[int]:
        following = instruction.next_address
        match flow:
            case Next() | Trap():
                self.pc = following
            case BeginIt():
                self.pending, self.pc = flow.conditions, following
            case Jump() | Call():
                self.pc = flow.target
            case ConditionalJump():
                self.pc = flow.target if self.processor.holds(flow.condition) else following
            case CompareJump():
                self.pc = flow.target if (flow.register_value == 0) == flow.jump_if_zero else following
            case TableJump():
                address = flow.base + flow.index * flow.width & _MASK
                self.pc = flow.base + 2 * self.processor.load(address, flow.width) & _MASK
            case JumpRegister():
                if flow.interworking and not flow.value & 1:
                    raise ConcreteFault(f"branch to ARM state at {flow.value:#010x}")
                self.pc = flow.value & ~1
        return flow
