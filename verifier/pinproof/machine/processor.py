"""The domain that the instruction semantics run over: one abstract state at a time."""

from __future__ import annotations

from collections.abc import Callable

from ..isa.instruction import Operation, Shift, SpecialRegister
from . import flags, ranges
from .bus import STORES_COMPLETE, Bus
from .flags import Flags
from .ranges import MASK, Range
from .result import Origin
from .state import BASEPRI, CONTROL, FAULTMASK, MAIN_STACK, PRIMASK, PROCESS_STACK, State
from .trace import Blocked, Trace
from .values import Value

_STACK = 13
_CCR = 0xE000ED14
_DIVIDE_BY_ZERO_TRAP = 1 << 4


class AbstractProcessor:
    """Implements `isa.processor.Processor` over `state`, which the executor swaps."""

    def __init__(self, bus: Bus, trace: Trace) -> None:
        self._bus = bus
        self._trace = trace
        self.state: State
        self.handler_mode = False
        self.exception = ranges.exactly(0)
        """What IPSR can hold."""
        self.on_compare: Callable[[Value], None] | None = None
        """Told the difference that each comparison looks at; loops take their bounds from it."""

    # --- registers --------------------------------------------------------------------------------------------------

    def constant(self, value: int, /) -> Value:
        return value

    def read_register(self, number: int, /) -> Value:
        return self.state.get(self._stack_slot() if number == _STACK else number)

    def write_register(self, number: int, value: Value, /) -> None:
        if number != _STACK:
            self.state.slots[number] = value
            return
        slot = self._stack_slot()
        self.state.slots[slot] = value
        if slot == MAIN_STACK:
            low = self.state.symbols.range(value).low
            reached = self.state.stack_low
            self.state.stack_low = None if reached is None else min(reached, low)

    def _stack_slot(self) -> int:
        if self.handler_mode:
            return MAIN_STACK
        control = self.state.known(CONTROL)
        if control.zeros & 2:
            return MAIN_STACK
        if control.ones & 2:
            return PROCESS_STACK
        raise Blocked("unpredictable", "CONTROL.SPSEL is not known here", "write CONTROL with a constant")

    # --- arithmetic -------------------------------------------------------------------------------------------------

    def add(self, a: Value, b: Value, /) -> Value:
        return self.state.symbols.add(a, b)

    def subtract(self, a: Value, b: Value, /) -> Value:
        return self.state.symbols.subtract(a, b)

    def multiply(self, a: Value, b: Value, /) -> Value:
        return self.state.symbols.multiply(a, b)

    def multiply_long(self, a: Value, b: Value, signed: bool, /) -> tuple[Value, Value]:
        if isinstance(a, int) and isinstance(b, int):
            product = ranges.signed(a) * ranges.signed(b) if signed else a * b
            return product & MASK, product >> 32 & MASK
        known_a, known_b = self._range(a), self._range(b)
        origins = known_a.origins | known_b.origins
        if signed:
            return self._unknown(origins), self._unknown(origins)
        high = ranges.between(known_a.low * known_b.low >> 32, known_a.high * known_b.high >> 32, 0, 0, origins)
        assert high is not None
        return self.multiply(a, b), self.state.symbols.fresh(high)

    def divide_unsigned(self, a: Value, b: Value, /) -> Value:
        if isinstance(a, int) and isinstance(b, int) and b:
            return a // b
        self._dividing(a, b)
        return self.state.symbols.fresh(ranges.divide_unsigned(self._range(a), self._range(b)))

    def divide_signed(self, a: Value, b: Value, /) -> Value:
        if isinstance(a, int) and isinstance(b, int) and b:
            return _divided(ranges.signed(a), ranges.signed(b))
        self._dividing(a, b)
        return self._unknown(self._range(a).origins | self._range(b).origins)

    def _dividing(self, a: Value, b: Value) -> None:
        """Its length depends on its operands (DDI 0439, 3.3.1), and by zero it can fault (DDI 0403, B3.2.8)."""
        self._trace.branch_on(self._range(a).origins | self._range(b).origins)
        if self._range(b).contains(0) and not self.state.known(_CCR).zeros & _DIVIDE_BY_ZERO_TRAP:
            raise Blocked(
                "fault-possible",
                "a division by zero faults, because CCR.DIV_0_TRP may be set",
                "leave CCR.DIV_0_TRP clear, or divide by a constant",
            )

    def and_(self, a: Value, b: Value, /) -> Value:
        return self.state.symbols.bit_and(a, b)

    def or_(self, a: Value, b: Value, /) -> Value:
        return self.state.symbols.bit_or(a, b)

    def xor(self, a: Value, b: Value, /) -> Value:
        return self.state.symbols.bit_xor(a, b)

    def invert(self, a: Value, /) -> Value:
        return self.state.symbols.invert(a)

    def shift_left(self, a: Value, count: int, /) -> Value:
        return self.state.symbols.shift_left(a, count)

    def shift_right(self, a: Value, count: int, /) -> Value:
        return self.state.symbols.shift_right(a, count)

    def shift_right_arithmetic(self, a: Value, count: int, /) -> Value:
        return self._mapped(a, lambda known: ranges.shift_right_arithmetic(known, count))

    def rotate_right(self, a: Value, count: int, /) -> Value:
        return self._mapped(a, lambda known: ranges.rotate_right(known, count))

    def shift_by_register(self, kind: Shift, a: Value, amount: Value, /) -> Value:
        if isinstance(amount, int):
            return self._shifted(kind, a, amount & 0xFF)
        return self._unknown(self._range(a).origins | self._range(amount).origins)

    def _shifted(self, kind: Shift, a: Value, count: int) -> Value:
        if count == 0:
            return a
        if kind is Shift.LSL:
            return self.shift_left(a, count)
        if kind is Shift.LSR:
            return self.shift_right(a, min(count, 32))
        if kind is Shift.ASR:
            return self.shift_right_arithmetic(a, count)
        return self.rotate_right(a, count)

    def shift_carry(self, kind: Shift, a: Value, amount: Value, /) -> Value:
        origins = self._range(a).origins | self._range(amount).origins | self.state.flags.origins
        return self.state.symbols.fresh(ranges.of_values((0, 1), origins))

    def extract(self, a: Value, lsb: int, width: int, signed: bool, /) -> Value:
        mask = (1 << width) - 1
        field = self.and_(self.shift_right(a, lsb) if lsb else a, mask)
        if not signed or width == 32:
            return field
        left = self.shift_left(field, 32 - width)
        return self.shift_right_arithmetic(left, 32 - width)

    def insert(self, a: Value, b: Value, lsb: int, width: int, /) -> Value:
        mask = (1 << width) - 1
        kept = self.and_(a, ~(mask << lsb) & MASK)
        return self.or_(kept, self.shift_left(self.and_(b, mask), lsb))

    def count_leading_zeros(self, a: Value, /) -> Value:
        known = self._range(a)
        if known.values is not None:
            counts = (32 - value.bit_length() for value in known.values)
            return self.state.symbols.fresh(ranges.of_values(counts, known.origins))
        bounds = ranges.between(32 - known.high.bit_length(), 32 - known.low.bit_length(), 0, 0, known.origins)
        assert bounds is not None
        return self.state.symbols.fresh(bounds)

    def reverse_bits(self, a: Value, /) -> Value:
        return self._rearranged(a, lambda value: int(f"{value:032b}"[::-1], 2))

    def reverse_bytes(self, a: Value, /) -> Value:
        return self._rearranged(a, lambda value: int.from_bytes(value.to_bytes(4, "little"), "big"))

    def reverse_halfword_bytes(self, a: Value, /) -> Value:
        return self._rearranged(a, lambda value: (value & 0x00FF00FF) << 8 | value >> 8 & 0x00FF00FF)

    # --- memory -----------------------------------------------------------------------------------------------------

    def load(
        self, address: Value, width: int, /, *, signed: bool = False, unprivileged: bool = False, multiple: bool = False
    ) -> Value:
        if unprivileged:
            raise _unprivileged_access()
        return self._bus.load(self.state, address, width, signed, multiple)

    def store(
        self, address: Value, value: Value, width: int, /, *, unprivileged: bool = False, multiple: bool = False
    ) -> None:
        if unprivileged:
            raise _unprivileged_access()
        self._bus.store(self.state, address, value, width, multiple)

    # --- flags ------------------------------------------------------------------------------------------------------

    def flags_add(self, a: Value, b: Value, /) -> None:
        self.state.flags = flags.of_addition(self.state.symbols, a, b)
        self._compared(self.add(a, b))

    def flags_subtract(self, a: Value, b: Value, /) -> None:
        self.state.flags = flags.of_subtraction(self.state.symbols, a, b)
        self._compared(self.subtract(a, b))

    def flags_add_with_carry(self, a: Value, b: Value, /) -> None:
        total = self.add(self.add(a, b), self.carry())
        self.state.flags = flags.of_result(self.state.symbols, total, None, None, self.state.flags.origins)

    def flags_subtract_with_carry(self, a: Value, b: Value, /) -> None:
        self.flags_add_with_carry(a, self.invert(b))

    def flags_logical(self, result: Value, carry: Value | None, /) -> None:
        old = self.state.flags
        overflow = flags.decided(old, flags.V_SET)
        if carry is None:
            known = flags.decided(old, flags.C_SET)
            origins = old.origins
        else:
            known = self._range(carry).only
            origins = self._range(carry).origins | (old.origins if overflow is None else ranges.NO_ORIGINS)
        self.state.flags = flags.of_result(self.state.symbols, result, known, overflow, origins)
        self._compared(result)

    def carry(self) -> Value:
        known = flags.decided(self.state.flags, flags.C_SET)
        if known is not None:
            return known
        return self.state.symbols.fresh(ranges.of_values((0, 1), self.state.flags.origins))

    def assign_flags_of(self, value: Value) -> Flags:
        """Flags whose Z says whether `value` is zero, for CBZ and CBNZ; the state's own flags stay."""
        self._compared(value)
        return flags.of_result(self.state.symbols, value, None, None, ranges.NO_ORIGINS)

    def _compared(self, difference: Value) -> None:
        if self.on_compare is not None:
            self.on_compare(self.state.symbols.resolved(difference))

    # --- system -----------------------------------------------------------------------------------------------------

    def read_special(self, special: SpecialRegister, /) -> Value:
        state = self.state
        slot = _SLOTS.get(special)
        if slot is not None:
            return state.get(slot)
        if special is SpecialRegister.IPSR:
            return state.symbols.fresh(self.exception)
        if special is SpecialRegister.EPSR:
            return 0
        return self._unknown(state.flags.origins | frozenset((Origin.CONFINED,)))

    def write_special(self, special: SpecialRegister, mask: int, value: Value, /) -> None:
        state = self.state
        known = self._range(value)
        self._trace.system_write(special.name, known)
        if special is SpecialRegister.CONTROL:
            self._write_control(value)
        elif special in (SpecialRegister.APSR, SpecialRegister.IAPSR, SpecialRegister.EAPSR, SpecialRegister.XPSR):
            state.flags = Flags(origins=known.origins)
        elif special is SpecialRegister.MSP:
            state.slots[MAIN_STACK] = self.and_(value, ~3 & MASK)
            low = self._range(value).low & ~3
            state.stack_low = None if state.stack_low is None else min(state.stack_low, low)
        elif special in (SpecialRegister.BASEPRI, SpecialRegister.BASEPRI_MAX):
            # Which of its eight bits exist is the part's, and BASEPRI_MAX may leave it as it was.
            any_byte = ranges.Range(0, 0xFF, MASK & ~0xFF, 0, None, known.origins | state.known(BASEPRI).origins)
            state.slots[BASEPRI] = state.symbols.fresh(any_byte)
        elif special in _SLOTS:
            state.slots[_SLOTS[special]] = self.and_(value, ~3 & MASK if special is SpecialRegister.PSP else 1)

    def _write_control(self, value: Value) -> None:
        """In handler mode SPSEL is not written (DDI 0403, B1.4.4); FPCA stays clear while the FPU is off."""
        state = self.state
        value = self.and_(value, 3)
        if self.handler_mode:
            value = self.or_(self.and_(value, 1), self.and_(state.get(CONTROL), 2))
        state.slots[CONTROL] = value
        state.barriers = state.barriers - {"control-synchronised"}

    def change_interrupts(self, enable: bool, primask: bool, faultmask: bool, /) -> None:
        value = 0 if enable else 1
        for chosen, slot, name in ((primask, PRIMASK, "PRIMASK"), (faultmask, FAULTMASK, "FAULTMASK")):
            if chosen:
                self.state.slots[slot] = value
                self._trace.system_write(name, ranges.exactly(value))

    def barrier(self, operation: Operation, /) -> None:
        barriers = set(self.state.barriers)
        if operation is Operation.DSB:
            barriers |= {"mpu-data-synchronised", STORES_COMPLETE}
        elif operation is Operation.ISB:
            barriers.add("control-synchronised")
            if "mpu-data-synchronised" in barriers:
                barriers.add("mpu-synchronised")
        self.state.barriers = frozenset(barriers)

    def hint(self, operation: Operation, /) -> None:
        self._trace.system_write(operation.name, ranges.exactly(0))

    # --- shared -----------------------------------------------------------------------------------------------------

    def _range(self, value: Value) -> Range:
        return self.state.symbols.range(value)

    def _unknown(self, origins: frozenset[Origin]) -> Value:
        return self.state.symbols.fresh(ranges.anything(origins))

    def _mapped(self, a: Value, change: Callable[[Range], Range]) -> Value:
        return self.state.symbols.fresh(change(self._range(a)))

    def _rearranged(self, a: Value, change: Callable[[int], int]) -> Value:
        known = self._range(a)
        if known.values is not None:
            return self.state.symbols.fresh(ranges.of_values(map(change, known.values), known.origins))
        return self.state.symbols.fresh(Range(0, MASK, change(known.zeros), change(known.ones), None, known.origins))


_SLOTS = {
    SpecialRegister.MSP: MAIN_STACK,
    SpecialRegister.PSP: PROCESS_STACK,
    SpecialRegister.PRIMASK: PRIMASK,
    SpecialRegister.BASEPRI: BASEPRI,
    SpecialRegister.BASEPRI_MAX: BASEPRI,
    SpecialRegister.FAULTMASK: FAULTMASK,
    SpecialRegister.CONTROL: CONTROL,
}


def _divided(a: int, b: int) -> int:
    if b == 0:
        return 0
    quotient = abs(a) // abs(b)
    return (quotient if (a < 0) == (b < 0) else -quotient) & MASK


def _unprivileged_access() -> Blocked:
    return Blocked(
        "unmodelled-instruction",
        "LDRT and STRT are not modelled: what they may reach depends on the MPU at the handler's priority",
        "let handlers use addresses of their own, never pointers from the confined part",
    )
