"""What one instruction reads and writes, and which of its results came from which of its inputs.

It runs the same semantics as everything else, over values that remember their sources, so it is no second description
of the instruction set. For explanations only: nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..isa import semantics
from ..isa.instruction import Condition, Instruction, Operation, Shift, SpecialRegister
from . import ranges
from .ranges import Range

SP, LR = 13, 14


@dataclass(frozen=True, slots=True)
class Register:
    """r0 to r12, SP (13), LR (14)."""

    number: int


@dataclass(frozen=True, slots=True)
class Flag:
    """ "NZ" (both are always written together), "C" or "V"."""

    name: str


@dataclass(frozen=True, slots=True)
class Special:
    register: SpecialRegister


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the instruction's load of this number, from 0, gave."""

    index: int


Source = Register | Flag | Special | Loaded

NZ, CARRY, OVERFLOW = Flag("NZ"), Flag("C"), Flag("V")
_FLAGS_OF: tuple[tuple[Flag, ...], ...] = (
    (NZ,),
    (CARRY,),
    (NZ,),
    (OVERFLOW,),
    (CARRY, NZ),
    (NZ, OVERFLOW),
    (NZ, OVERFLOW),
    (),
)
"""By condition, in pairs with its opposite (DDI 0403, A7.3)."""
_STACKS = frozenset((SpecialRegister.MSP, SpecialRegister.PSP, SpecialRegister.CONTROL))


def flags_of(condition: Condition) -> frozenset[Source]:
    """The flags that a condition looks at."""
    return frozenset(_FLAGS_OF[condition >> 1])


@dataclass(frozen=True, slots=True)
class Derived:
    """A value: what it was made from, and what is known of it."""

    sources: frozenset[Source]
    known: Range


@dataclass(frozen=True, slots=True)
class Transfer:
    """One load or store; `value` is None for a load."""

    address: Derived
    width: int
    value: Derived | None = None


@dataclass(slots=True)
class Effects:
    """What an instruction does when it executes; filled while it is looked at, then left alone."""

    writes: dict[Source, Derived] = field(default_factory=dict)
    blurs: set[Source] = field(default_factory=set)
    """What it may change as well."""
    loads: list[Transfer] = field(default_factory=list)
    stores: list[Transfer] = field(default_factory=list)
    decides: frozenset[Source] = frozenset()
    """What decides where execution goes next."""
    asks: frozenset[Source] = frozenset()
    """What is written to a special register."""


def effects_of(instruction: Instruction, registers: Sequence[Range], *, in_it_block: bool = False) -> Effects:
    """The effects of an instruction that executes with these values of r0 to LR (15 of them)."""
    recorder = _Recorder(registers)
    flow = semantics.step(instruction, recorder, in_it_block=in_it_block)
    effects = recorder.effects
    match flow:
        case semantics.ConditionalJump(condition=condition):
            effects.decides = flags_of(condition)
        case semantics.CompareJump(register_value=value) | semantics.JumpRegister(value=value):
            effects.decides = value.sources
        case semantics.TableJump(index=index):
            effects.decides = index.sources
        case _:
            pass
    return effects


_ANYTHING = ranges.anything()
_NOTHING: frozenset[Source] = frozenset()


def _constant(value: int) -> Derived:
    return Derived(_NOTHING, ranges.exactly(value))


def _of(*operands: Derived, known: Range = _ANYTHING) -> Derived:
    sources = operands[0].sources
    for operand in operands[1:]:
        sources |= operand.sources
    return Derived(sources, known)


class _Recorder:
    """An `isa.processor.Processor` whose values remember where they came from."""

    def __init__(self, registers: Sequence[Range]) -> None:
        self._registers = registers
        self.effects = Effects()

    # --- registers and arithmetic -----------------------------------------------------------------------------------

    def constant(self, value: int, /) -> Derived:
        return _constant(value)

    def read_register(self, number: int, /) -> Derived:
        return Derived(frozenset((Register(number),)), self._registers[number])

    def write_register(self, number: int, value: Derived, /) -> None:
        self.effects.writes[Register(number)] = value
        if number == SP:
            self.effects.blurs |= {Special(SpecialRegister.MSP), Special(SpecialRegister.PSP)}

    def add(self, a: Derived, b: Derived, /) -> Derived:
        return _of(a, b, known=ranges.add(a.known, b.known))

    def subtract(self, a: Derived, b: Derived, /) -> Derived:
        return _of(a, b, known=ranges.add(a.known, ranges.negate(b.known)))

    def multiply(self, a: Derived, b: Derived, /) -> Derived:
        return _of(a, b, known=ranges.multiply(a.known, b.known))

    def multiply_long(self, a: Derived, b: Derived, signed: bool, /) -> tuple[Derived, Derived]:
        return _of(a, b), _of(a, b)

    def divide_unsigned(self, a: Derived, b: Derived, /) -> Derived:
        return _of(a, b)

    def divide_signed(self, a: Derived, b: Derived, /) -> Derived:
        return _of(a, b)

    def and_(self, a: Derived, b: Derived, /) -> Derived:
        return _of(a, b, known=ranges.bit_and(a.known, b.known))

    def or_(self, a: Derived, b: Derived, /) -> Derived:
        return _of(a, b, known=ranges.bit_or(a.known, b.known))

    def xor(self, a: Derived, b: Derived, /) -> Derived:
        return _of(a, b, known=ranges.bit_xor(a.known, b.known))

    def invert(self, a: Derived, /) -> Derived:
        return _of(a, known=ranges.invert(a.known))

    def shift_left(self, a: Derived, count: int, /) -> Derived:
        return _of(a, known=ranges.scale(a.known, 1 << count))

    def shift_right(self, a: Derived, count: int, /) -> Derived:
        return _of(a, known=ranges.shift_right(a.known, count))

    def shift_right_arithmetic(self, a: Derived, count: int, /) -> Derived:
        return _of(a)

    def rotate_right(self, a: Derived, count: int, /) -> Derived:
        return _of(a)

    def shift_by_register(self, kind: Shift, a: Derived, amount: Derived, /) -> Derived:
        return _of(a, amount)

    def shift_carry(self, kind: Shift, a: Derived, amount: Derived, /) -> Derived:
        return _of(a, amount, self.carry())

    def extract(self, a: Derived, lsb: int, width: int, signed: bool, /) -> Derived:
        return _of(a)

    def insert(self, a: Derived, b: Derived, lsb: int, width: int, /) -> Derived:
        mask = (1 << width) - 1 << lsb
        moved = ranges.bit_and(ranges.scale(b.known, 1 << lsb), ranges.exactly(mask))
        kept = ranges.bit_and(a.known, ranges.exactly(~mask & ranges.MASK))
        return _of(a, b, known=ranges.bit_or(kept, moved))

    def count_leading_zeros(self, a: Derived, /) -> Derived:
        return _of(a)

    def reverse_bits(self, a: Derived, /) -> Derived:
        return _of(a)

    def reverse_bytes(self, a: Derived, /) -> Derived:
        return _of(a)

    def reverse_halfword_bytes(self, a: Derived, /) -> Derived:
        return _of(a)

    # --- memory -----------------------------------------------------------------------------------------------------

    def load(
        self,
        address: Derived,
        width: int,
        /,
        *,
        signed: bool = False,
        unprivileged: bool = False,
        multiple: bool = False,
    ) -> Derived:
        self.effects.loads.append(Transfer(address, width))
        return Derived(frozenset((Loaded(len(self.effects.loads) - 1),)), _ANYTHING)

    def store(
        self, address: Derived, value: Derived, width: int, /, *, unprivileged: bool = False, multiple: bool = False
    ) -> None:
        self.effects.stores.append(Transfer(address, width, value))

    # --- flags ------------------------------------------------------------------------------------------------------

    def flags_add(self, a: Derived, b: Derived, /) -> None:
        self._flags(_of(a, b), NZ, CARRY, OVERFLOW)

    def flags_subtract(self, a: Derived, b: Derived, /) -> None:
        self._flags(_of(a, b), NZ, CARRY, OVERFLOW)

    def flags_add_with_carry(self, a: Derived, b: Derived, /) -> None:
        self._flags(_of(a, b, self.carry()), NZ, CARRY, OVERFLOW)

    def flags_subtract_with_carry(self, a: Derived, b: Derived, /) -> None:
        self._flags(_of(a, b, self.carry()), NZ, CARRY, OVERFLOW)

    def flags_logical(self, result: Derived, carry: Derived | None, /) -> None:
        self._flags(result, NZ)
        if carry is not None:
            self._flags(carry, CARRY)

    def _flags(self, value: Derived, *flags: Flag) -> None:
        for flag in flags:
            self.effects.writes[flag] = value

    def carry(self) -> Derived:
        return Derived(frozenset((CARRY,)), ranges.of_values((0, 1)))

    # --- system -----------------------------------------------------------------------------------------------------

    def read_special(self, special: SpecialRegister, /) -> Derived:
        flags: frozenset[Source] = frozenset((NZ, CARRY, OVERFLOW))
        return Derived(flags if special <= SpecialRegister.XPSR else frozenset((Special(special),)), _ANYTHING)

    def write_special(self, special: SpecialRegister, mask: int, value: Derived, /) -> None:
        self.effects.asks = value.sources
        if special <= SpecialRegister.XPSR:
            self._flags(value, *((NZ, CARRY, OVERFLOW) if mask & 2 else ()))
            return
        self.effects.writes[Special(special)] = value
        if special in _STACKS:
            self.effects.blurs.add(Register(SP))
        if special is SpecialRegister.BASEPRI_MAX:
            self.effects.blurs.add(Special(SpecialRegister.BASEPRI))

    def change_interrupts(self, enable: bool, primask: bool, faultmask: bool, /) -> None:
        for special, changed in ((SpecialRegister.PRIMASK, primask), (SpecialRegister.FAULTMASK, faultmask)):
            if changed:
                self.effects.writes[Special(special)] = _constant(int(not enable))

    def barrier(self, operation: Operation, /) -> None:
        """Changes no value."""

    def hint(self, operation: Operation, /) -> None:
        """Changes no value."""
