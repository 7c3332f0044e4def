"""The domain against integers: every operation covers what it does to each member, and no condition loses one."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pinproof.isa import Condition, step
from pinproof.isa.concrete import ConcreteFault, ConcreteProcessor
from pinproof.isa.words import Shift
from pinproof.machine import flags, ranges
from pinproof.machine.bus import Bus
from pinproof.machine.processor import AbstractProcessor
from pinproof.machine.ranges import MASK, Range
from pinproof.machine.result import Origin
from pinproof.machine.state import State, join
from pinproof.machine.trace import Blocked, Trace
from pinproof.machine.values import Infeasible, Linear, Symbols, SymbolSource, Value

from tests.oracle.isa.sampling import EFFORT, accepted
from tests.unit.machine.support import CODE, EXCEPTION_RETURN, RAM, Machine, image_of, silicon

pytestmark = pytest.mark.slow

EDGES = (0, 1, 2, 3, 4, 7, 8, 0xFF, 0x100, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, MASK)
WORDS = st.one_of(st.sampled_from(EDGES), st.integers(0, MASK), st.integers(0, 300))
seeded = settings(derandomize=True, deadline=None, max_examples=int(200 * EFFORT))


@st.composite
def members(draw: st.DrawFn) -> tuple[Range, list[int]]:
    """A range and some of its members: a set of values, or an interval with known bits around one value."""
    if draw(st.booleans()):
        values = draw(st.lists(WORDS, min_size=1, max_size=8))
        return ranges.of_values(values, _origins(draw)), values
    value, low_bits = draw(WORDS), draw(st.sampled_from((0, 0, 1, 3, 0xFFFF, MASK)))
    mask = low_bits & draw(st.integers(0, MASK))
    low, high = draw(st.integers(0, value)), draw(st.integers(value, MASK))
    if draw(st.booleans()):
        low, high = max(0, value - 100), min(MASK, value + 100)
    known = ranges.between(low, high, ~value & mask, value & mask, _origins(draw))
    assert known is not None and known.contains(value)
    return known, [value, *(each for each in (known.low, known.high) if known.contains(each))]


def _origins(draw: st.DrawFn) -> frozenset[Origin]:
    return frozenset(draw(st.sets(st.sampled_from(list(Origin)), max_size=2)))


UNARY = {
    "negate": (ranges.negate, lambda x: -x),
    "invert": (ranges.invert, lambda x: ~x),
}
BINARY = {
    "add": (ranges.add, lambda x, y: x + y),
    "multiply": (ranges.multiply, lambda x, y: x * y),
    "and": (ranges.bit_and, lambda x, y: x & y),
    "or": (ranges.bit_or, lambda x, y: x | y),
    "xor": (ranges.bit_xor, lambda x, y: x ^ y),
    "divide": (ranges.divide_unsigned, lambda x, y: x // y if y else 0),
}
COUNTED = {
    "right": (ranges.shift_right, lambda x, n: x >> n),
    "arithmetic": (ranges.shift_right_arithmetic, lambda x, n: ranges.signed(x) >> n),
    "rotate": (ranges.rotate_right, lambda x, n: x >> n % 32 | x << (32 - n % 32)),
    "scale": (ranges.scale, lambda x, n: x * n),
}


@seeded
@given(members(), members(), st.integers(0, 33), WORDS)
def test_every_operation_covers_its_members(
    a: tuple[Range, list[int]], b: tuple[Range, list[int]], count: int, factor: int
) -> None:
    for x in a[1]:
        for name, (unary, plain_unary) in UNARY.items():
            assert unary(a[0]).contains(plain_unary(x) & MASK), name
        for name, (counted, plain_counted) in COUNTED.items():
            amount = factor if name == "scale" else count
            assert counted(a[0], amount).contains(plain_counted(x, amount) & MASK), name
        for y in b[1]:
            for name, (binary, plain_binary) in BINARY.items():
                result = binary(a[0], b[0])
                assert result.contains(plain_binary(x, y) & MASK), name
                assert result.only is not None or a[0].origins | b[0].origins <= result.origins


@seeded
@given(members(), members())
def test_unions_and_intersections(a: tuple[Range, list[int]], b: tuple[Range, list[int]]) -> None:
    both, either, wide = ranges.meet(a[0], b[0]), ranges.hull(a[0], b[0]), ranges.widened(a[0], b[0])
    for x in a[1] + b[1]:
        assert either.contains(x) and wide.contains(x)
        if a[0].contains(x) and b[0].contains(x):
            assert both is not None and both.contains(x)
    assert either.includes(a[0]) and either.includes(b[0])
    assert a[0].origins | b[0].origins <= either.origins & wide.origins
    if a[0].includes(b[0]):
        assert all(a[0].contains(x) for x in b[1]) and b[0].origins <= a[0].origins


@seeded
@given(members(), st.lists(members(), min_size=1, max_size=90))
def test_widening_settles(start: tuple[Range, list[int]], others: list[tuple[Range, list[int]]]) -> None:
    known, changes = start[0], 0
    for other, _ in others:
        wider = ranges.widened(known, other)
        changes += wider != known
        known = wider
    assert changes <= 2 + 2 + 32 + len(Origin)


# --- values with identity ---------------------------------------------------------------------------------------------


class World:
    """Symbols with ranges, and one number for each: an execution that the ranges allow."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.symbols = Symbols(SymbolSource())
        self.numbers: dict[int, int] = {}
        self.bases = []
        for _ in range(draw(st.integers(1, 3))):
            known, some = draw(members())
            value = self.symbols.fresh(known)
            if isinstance(value, Linear):
                self.numbers[value.terms[0][0]] = draw(st.sampled_from(some))
            self.bases.append(value)

    def of(self, value: Value) -> int:
        if isinstance(value, int):
            return value
        return (value.constant + sum(factor * self.numbers[symbol] for symbol, factor in value.terms)) & MASK

    def grow(self, draw: st.DrawFn) -> Value:
        """A derived value; its symbols get the numbers that they have in this execution."""
        symbols, a, b = self.symbols, draw(st.sampled_from(self.bases)), draw(st.sampled_from(self.bases))
        constant, count = draw(WORDS), draw(st.integers(1, 31))
        x, y = self.of(a), self.of(b)
        result, number = draw(
            st.sampled_from(
                (
                    lambda: (symbols.add(a, b), x + y),
                    lambda: (symbols.add(a, constant), x + constant),
                    lambda: (symbols.subtract(a, b), x - y),
                    lambda: (symbols.scale(a, constant), x * constant),
                    lambda: (symbols.bit_and(a, constant), x & constant),
                    lambda: (symbols.bit_and(a, b), x & y),
                    lambda: (symbols.bit_or(a, b), x | y),
                    lambda: (symbols.bit_xor(a, constant), x ^ constant),
                    lambda: (symbols.shift_right(a, count), x >> count),
                    lambda: (symbols.shift_left(a, count), x << count),
                    lambda: (symbols.multiply(a, b), x * y),
                    lambda: (symbols.invert(a), ~x),
                )
            )
        )()
        new = [symbol for symbol, _ in result.terms if symbol not in self.numbers] if isinstance(result, Linear) else []
        for symbol in new:
            assert isinstance(result, Linear) and result.terms == ((symbol, 1),) and result.constant == 0
            self.numbers[symbol] = number & MASK
        self.bases.append(result)
        assert self.of(result) == number & MASK
        self.check()
        return result

    def check(self) -> None:
        for value in self.bases:
            assert self.symbols.range(value).contains(self.of(value)), (value, self.of(value), self.symbols.ranges)
            assert self.of(self.symbols.resolved(value)) == self.of(value)


@seeded
@given(st.data())
def test_no_condition_loses_the_execution_that_satisfies_it(data: st.DataObject) -> None:
    world = World(data.draw)
    for _ in range(data.draw(st.integers(1, 6))):
        world.grow(data.draw)
    for _ in range(data.draw(st.integers(1, 4))):
        value = data.draw(st.sampled_from(world.bases))
        number = world.of(value)
        if data.draw(st.booleans()):
            allowed, _ = data.draw(members())
            near = ranges.between(max(0, number - 5), min(MASK, number + data.draw(st.integers(0, 5))))
            assert near is not None
            allowed = data.draw(st.sampled_from((allowed, ranges.exactly(number), near)))
            if not allowed.contains(number):
                continue
            world.symbols.narrow(value, allowed)
        else:
            excluded = data.draw(st.one_of(WORDS, st.sampled_from((number + 1 & MASK, number - 1 & MASK))))
            if excluded == number:
                continue
            world.symbols.exclude(value, excluded)
        world.check()


@seeded
@given(st.data())
def test_flags_cover_and_conditions_keep(data: st.DataObject) -> None:
    world = World(data.draw)
    for _ in range(data.draw(st.integers(0, 3))):
        world.grow(data.draw)
    a, b = (data.draw(st.sampled_from([*world.bases, data.draw(WORDS)])) for _ in range(2))
    x, y = world.of(a), world.of(b)
    concrete = ConcreteProcessor()
    kind = data.draw(st.sampled_from(("subtract", "add", "result")))
    if kind == "subtract":
        found = flags.of_subtraction(world.symbols, a, b)
        concrete.flags_subtract(x, y)
    elif kind == "add":
        found = flags.of_addition(world.symbols, a, b)
        concrete.flags_add(x, y)
        if isinstance(found.a, Linear):
            for symbol, _ in found.a.terms:
                world.numbers.setdefault(symbol, (x + y) & MASK)
    else:
        concrete.c, concrete.v = (data.draw(st.integers(0, 1)) for _ in range(2))
        concrete.flags_logical(x, None)
        carry = data.draw(st.sampled_from((None, concrete.c)))
        found = flags.of_result(world.symbols, a, carry, data.draw(st.sampled_from((None, concrete.v))), frozenset())
    assert found.possible >> concrete.flags & 1
    for _ in range(2):
        condition = Condition(data.draw(st.integers(0, 13)))
        if not concrete.holds(condition):
            condition = flags.negated(condition)
        found = flags.assume(world.symbols, found, condition)
        assert found.possible >> concrete.flags & 1
        world.check()


def test_conditions_that_nothing_satisfies_are_infeasible() -> None:
    symbols = Symbols(SymbolSource())
    small = ranges.between(0, 10)
    assert small is not None
    value = symbols.fresh(small)
    found = flags.of_subtraction(symbols, value, 11)
    for condition in (Condition.EQ, Condition.CS, Condition.HI, Condition.GE, Condition.GT, Condition.PL):
        try:
            flags.assume(symbols.copy(), found, condition)
        except Infeasible:
            continue
        raise AssertionError(condition)


# --- one instruction --------------------------------------------------------------------------------------------------

INSTRUCTIONS = int(1_500 * EFFORT)


def _abstract(source: random.Random) -> tuple[State, list[list[int]], list[int]]:
    """A state with random registers and flags, and concrete registers and flags inside it."""
    machine = Machine(image_of((CODE, bytes(4))))
    state = machine.state()
    choices: list[list[int]] = []
    for number in range(13):
        some = [source.choice((*EDGES, source.getrandbits(32), RAM + 4 * source.randrange(64))) for _ in range(3)]
        if source.randrange(3) == 0:
            some = some[:1]
        known = ranges.of_values(some)
        if source.randrange(3) == 0:
            known = ranges.between(min(some), max(some)) or known
        state.slots[number] = state.symbols.fresh(known)
        choices.append(some)
    choices += [[0x20017000], [EXCEPTION_RETURN]]
    state.slots[16] = 0x20017000
    some_flags = [source.randrange(16) for _ in range(source.choice((1, 2)))]
    state.flags = flags.Flags(sum({1 << nzcv for nzcv in some_flags}))
    return state, choices, some_flags


def test_an_instruction_on_ranges_covers_it_on_integers() -> None:
    source = random.Random(77)
    counts: Counter[str] = Counter()
    image = image_of((CODE, bytes(4096)))
    for _ in range(INSTRUCTIONS):
        instruction = accepted(source, CODE)
        state, choices, some_flags = _abstract(source)
        start = state.copy()
        trace = Trace(1 << 30)
        processor = AbstractProcessor(Bus(image, silicon(), frozenset(), trace), trace)
        processor.handler_mode = True
        processor.state = state
        in_it = source.randrange(4) == 0
        try:
            step(instruction, processor, in_it_block=in_it)
        except Blocked as blocked:
            counts[f"refused: {blocked.code}"] += 1
            continue
        counts["followed"] += 1
        for _ in range(4):
            concrete = ConcreteProcessor(
                registers=[source.choice(each) for each in choices],
                memory={RAM: bytearray(source.randbytes(0x18000)), CODE: bytearray(4096)},
            )
            concrete.flags = source.choice(some_flags)
            before = bytes(concrete.memory[RAM])
            try:
                step(instruction, concrete, in_it_block=in_it)
            except ConcreteFault:
                assert trace.accesses, str(instruction)
                counts["a device, which integers lack"] += 1
                continue
            for number in range(15):
                slot = 16 if number == 13 else number
                assert state.known(slot).contains(concrete.registers[number]), (str(instruction), number, start.slots)
            assert state.flags.possible >> concrete.flags & 1, (str(instruction), concrete.flags)
            after = concrete.memory[RAM]
            if after != before:
                counts["wrote"] += 1
                for offset in range(0, len(after), 4):
                    word = int.from_bytes(after[offset : offset + 4], "little")
                    assert state.known(RAM + offset).contains(word), (str(instruction), hex(RAM + offset))
    print(dict(counts))
    assert counts["followed"] > INSTRUCTIONS // 2 and counts["wrote"] > INSTRUCTIONS // 40


def test_a_join_covers_both() -> None:
    source = random.Random(5)
    machine = Machine(image_of((CODE, bytes(4))))
    for _ in range(300):
        root = machine.state()
        for word in range(6):
            if source.randrange(2):
                root.slots[RAM + 4 * word] = root.slots[source.randrange(13)]
        sides = []
        for _ in range(2):
            side = root.copy()
            for _ in range(source.randrange(6)):
                number = source.randrange(13)
                side.slots[number] = source.choice(
                    (source.randrange(5), side.get(source.randrange(13)), side.symbols.add(side.get(number), 4))
                )
            if source.randrange(2):
                side.fill(RAM + 8, RAM + 8 + 4 * source.randrange(8), ranges.exactly(source.randrange(2)))
            if source.randrange(2):
                low = RAM + 4 * source.randrange(8)
                side.smear(low, low + 8, ranges.exactly(source.randrange(9)), 4)
            sides.append(side)
        joined = join(*sides)
        keys = {*sides[0].slots, *sides[1].slots, *range(RAM, RAM + 64, 4)}
        for side in sides:
            assert all(joined.known(key).includes(side.known(key)) for key in keys)
            for one in range(13):
                for other in range(13):
                    if joined.symbols.subtract(joined.get(one), joined.get(other)) == 0:
                        assert side.symbols.range(side.symbols.subtract(side.get(one), side.get(other))).only == 0


def test_shifts_by_register_cover_every_amount() -> None:
    machine = Machine(image_of((CODE, bytes(4))))
    trace = Trace(0)
    processor = AbstractProcessor(Bus(machine.image, silicon(), frozenset(), trace), trace)
    concrete = ConcreteProcessor()
    for kind in (Shift.LSL, Shift.LSR, Shift.ASR, Shift.ROR):
        for amount in (*range(66), 127, 128, 255, 256, 257):
            for number in EDGES:
                processor.state = machine.state()
                value = processor.state.symbols.fresh(ranges.of_values((number, number ^ 0x55)))
                result = processor.shift_by_register(kind, value, amount)
                for each in (number, number ^ 0x55):
                    expected = concrete.shift_by_register(kind, each, amount)
                    assert processor.state.symbols.range(result).contains(expected), (kind, amount, each)
