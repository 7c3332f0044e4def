"""A campaign that cannot fail is worthless: each fault that is put in here counts as unsound.

The faults are in the model and in the abstract machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from pinproof.isa import Condition, Instruction, Operation, _memory, semantics
from pinproof.isa._narrow import ROWS as NARROW_ROWS
from pinproof.isa.concrete import ConcreteProcessor
from pinproof.isa.flow import Call
from pinproof.machine import bus, execute, flags, jumps, ranges
from pinproof.machine.processor import AbstractProcessor
from pinproof.machine.ranges import MASK, Range
from pinproof.machine.state import State
from pinproof.machine.values import Symbols

from tests.soundness.campaign import CHUNK, Plan, run_chunk
from tests.soundness.tally import Tally

pytestmark = pytest.mark.slow

Patch = pytest.MonkeyPatch
Put = Callable[[Patch], None]


def add_without_carry(patch: Patch) -> None:
    """ADC that forgets the carry: both machines of ours agree, the emulator does not."""
    patch.setitem(semantics.HANDLERS, Operation.ADC, semantics.HANDLERS[Operation.ADD])


def subtract_backwards(patch: Patch) -> None:
    patch.setitem(semantics.HANDLERS, Operation.SUB, semantics.HANDLERS[Operation.RSB])


def wrong_overflow(patch: Patch) -> None:
    right = ConcreteProcessor._sum

    def wrong(self: ConcreteProcessor, a: int, b: int, carry: int) -> None:
        right(self, a, b, carry)
        self.v &= a >> 31

    patch.setattr(ConcreteProcessor, "_sum", wrong)


def arithmetic_shift_is_logical(patch: Patch) -> None:
    patch.setattr(ConcreteProcessor, "shift_right_arithmetic", ConcreteProcessor.shift_right)


def decoder_swaps_operands(patch: Patch) -> None:
    row = next(row for row in NARROW_ROWS if row.pattern.startswith("0001101"))
    right = row.build
    patch.setattr(row, "build", lambda f, op: replace(i := right(f, op), rn=i.rm, rm=i.rn))


def literal_from_unaligned_pc(patch: Patch) -> None:
    patch.setattr(Instruction, "literal_address", property(lambda i: i.pc + (i.immediate or 0) & MASK))


def register_list_downwards(patch: Patch) -> None:
    right = _memory._block

    def wrong(i, p):  # type: ignore[no-untyped-def]
        addresses, moved = right(i, p)
        return addresses[::-1], moved

    patch.setattr(_memory, "_block", wrong)


def store_forgets_writeback(patch: Patch) -> None:
    patch.setattr(_memory, "_write_back", lambda i, p, value: None)


def it_takes_greater_for_greater_or_equal(patch: Patch) -> None:
    right = ConcreteProcessor.holds

    def wrong(self: ConcreteProcessor, condition: Condition) -> bool:
        return right(self, Condition.GE if condition is Condition.GT else condition)

    patch.setattr(ConcreteProcessor, "holds", wrong)


def it_never_executes(patch: Patch) -> None:
    patch.setattr(execute.Executor, "_split", lambda self, state, condition: (None, state))


def lower_or_same_is_lower(patch: Patch) -> None:
    patch.setitem(flags.SATISFYING, Condition.LS, flags.SATISFYING[Condition.CC])


def sum_loses_a_value(patch: Patch) -> None:
    right = ranges.add

    def wrong(a: Range, b: Range) -> Range:
        total = right(a, b)
        if total.values is None or len(total.values) < 2:
            return total
        return ranges.of_values(total.values - {max(total.values)}, total.origins)

    patch.setattr(ranges, "add", wrong)


def or_keeps_the_upper_bound(patch: Patch) -> None:
    right = ranges.bit_or

    def wrong(a: Range, b: Range) -> Range:
        found = right(a, b)
        return ranges.between(found.low, max(a.high, b.high), found.zeros, found.ones) or found

    patch.setattr(ranges, "bit_or", wrong)


def comparison_never_overflows(patch: Patch) -> None:
    right = flags.of_subtraction

    def wrong(symbols, a, b):  # type: ignore[no-untyped-def]
        known = right(symbols, a, b)
        return replace(known, possible=known.possible & ~flags.V_SET or known.possible)

    patch.setattr(flags, "of_subtraction", wrong)


def at_least_is_more_than(patch: Patch) -> None:
    right = flags._at_least
    patch.setattr(flags, "_at_least", lambda symbols, larger, smaller, strict: right(symbols, larger, smaller, True))


def join_takes_one_side(patch: Patch) -> None:
    patch.setattr(execute, "join", lambda a, b, *rest: a)


def store_somewhere_changes_nothing(patch: Patch) -> None:
    patch.setattr(State, "smear", lambda self, start, end, known, width: None)


def load_is_not_extended(patch: Patch) -> None:
    patch.setattr(bus, "_extended", lambda state, value, width: value)


def long_product_fits_a_word(patch: Patch) -> None:
    right = AbstractProcessor.multiply_long

    def wrong(self, a, b, signed):  # type: ignore[no-untyped-def]
        return right(self, a, b, signed)[0], 0

    patch.setattr(AbstractProcessor, "multiply_long", wrong)


def same_unknown_twice(patch: Patch) -> None:
    """An OR that says it is the sum: true of no values with a common bit."""
    patch.setattr(Symbols, "bit_or", Symbols.add)


def call_without_a_return_address(patch: Patch) -> None:
    patch.setitem(
        semantics.HANDLERS,
        Operation.BL,
        lambda i, p, in_it: Call(target=i.target or 0, return_address=i.next_address),
    )


def jump_forgets_a_target(patch: Patch) -> None:
    right = jumps._chosen
    patch.setattr(jumps, "_chosen", lambda state, value, groups: list(right(state, value, groups))[1:])


FAULTS: tuple[Put, ...] = (
    add_without_carry,
    subtract_backwards,
    wrong_overflow,
    arithmetic_shift_is_logical,
    decoder_swaps_operands,
    literal_from_unaligned_pc,
    register_list_downwards,
    store_forgets_writeback,
    it_takes_greater_for_greater_or_equal,
    it_never_executes,
    lower_or_same_is_lower,
    sum_loses_a_value,
    or_keeps_the_upper_bound,
    comparison_never_overflows,
    at_least_is_more_than,
    join_takes_one_side,
    store_somewhere_changes_nothing,
    load_is_not_extended,
    long_product_fits_a_word,
    same_unknown_twice,
    call_without_a_return_address,
    jump_forgets_a_target,
)


def campaign(cases: int = 6_000) -> Tally:
    (work, *_) = Plan(cases=cases, seed=77).work()
    return run_chunk(work)[1]


def test_without_a_fault_nothing_is_unsound() -> None:
    tally = campaign()
    assert not tally.unsound, tally.unsound[:3]


@pytest.mark.parametrize("put", FAULTS, ids=lambda put: put.__name__)
def test_fault_is_counted(put: Put, monkeypatch: Patch) -> None:
    put(monkeypatch)
    assert campaign().unsound or campaign(CHUNK).unsound
