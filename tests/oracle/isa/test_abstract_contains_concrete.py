"""The abstract machine against the concrete processor: whatever really happens must lie within what it foresees.

Each case starts from registers of which the abstract machine knows something true (a constant, a few values, an
interval, some bits, or nothing), executes random data processing, takes branches the concrete processor would take and
joins paths, and after each step looks whether registers and flags still lie inside.
"""

from __future__ import annotations

import random

from pinproof.isa import Condition, Instruction, Operation, step
from pinproof.isa.concrete import ConcreteProcessor
from pinproof.machine import flags, ranges
from pinproof.machine.processor import AbstractProcessor
from pinproof.machine.ranges import MASK, Range
from pinproof.machine.state import CONTROL, MAIN_STACK, State, join
from pinproof.machine.trace import Trace
from pinproof.machine.values import Infeasible, Symbols, SymbolSource, Value

from tests.oracle.isa.sampling import EFFORT, accepted

_O = Operation
STACK = 0x20001000
REGISTERS = [*range(13), 14]
EDGES = (0, 1, 2, 3, 4, 7, 8, 0xFF, 0x100, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF)
FREQUENT = frozenset({_O.CMP, _O.SUB, _O.ADD, _O.AND, _O.LSL, _O.LSR, _O.TST, _O.CMN})
SYSTEM = frozenset(
    {_O.IT, _O.MRS, _O.MSR, _O.CPS, _O.SVC, _O.BKPT, _O.UDF, _O.WFI, _O.WFE, _O.SEV, _O.YIELD, _O.DMB, _O.DSB, _O.ISB}
)


CONFIGURATION_AND_CONTROL = 0xE000ED14


def _after_reset(key: int) -> ranges.Range:
    """Anything, but CCR, which says that dividing by zero does not fault (DDI 0403, B3.2.8)."""
    return ranges.exactly(0x200) if key == CONFIGURATION_AND_CONTROL else ranges.anything()


class Case:
    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)
        self.log: list[str] = []
        self.concrete = ConcreteProcessor(registers=[self._number() for _ in range(15)])
        self.concrete.registers[13] = STACK
        self.concrete.flags = self._source.randrange(16)
        self.state = State(Symbols(SymbolSource()), [], _after_reset)
        for number in REGISTERS:
            self.state.slots[number] = self._knowing(self.concrete.registers[number])
        self._relate()
        self.state.slots[CONTROL], self.state.slots[MAIN_STACK] = 0, STACK
        # Only data processing runs here: nothing reaches a bus.
        self.abstract = AbstractProcessor(None, Trace(budget=1 << 60))  # type: ignore[arg-type]

    def _number(self) -> int:
        if self._source.randrange(2):
            return self._source.choice(EDGES)
        return self._source.getrandbits(self._source.choice((4, 8, 16, 32)))

    def _knowing(self, value: int) -> Value:
        """Something true about the value."""
        source = self._source
        few = ranges.of_values({value, *(self._number() for _ in range(source.randrange(1, 5)))})
        some_bits = source.getrandbits(32) & source.getrandbits(32)
        low = source.choice((0, value, max(0, value - source.randrange(100)), source.randrange(value + 1)))
        high = source.choice((MASK, value, min(MASK, value + source.randrange(100)), source.randrange(value, 1 << 32)))
        interval = ranges.between(low, high, ~value & some_bits & MASK, value & some_bits)
        bits = ranges.between(0, MASK, ~value & ~some_bits & MASK, value & ~some_bits)
        assert interval is not None and bits is not None
        known: Range = source.choice((ranges.exactly(value), few, interval, bits, ranges.anything()))
        return self.state.symbols.fresh(known)

    def _relate(self) -> None:
        """Make some registers differ by a constant only: the same unknown."""
        for _ in range(self._source.randrange(3)):
            copy, original = self._source.sample(range(13), 2)
            distance = self._source.choice((0, 1, 4, 0xFFFFFFFC))
            self.concrete.registers[copy] = self.concrete.registers[original] + distance & MASK
            self.state.slots[copy] = self.state.symbols.add(self.state.slots[original], distance)

    def instruction(self) -> Instruction:
        while True:
            i = accepted(self._source, 0x1000)
            memory = i.operation.startswith(("ldr", "str", "ldm", "stm", "push", "pop"))
            if memory or i.writes_pc or i.operation in SYSTEM or 13 in (i.rd, i.rn):
                continue
            if i.operation in FREQUENT or self._source.randrange(2):
                return i

    def advance(self) -> None:
        match self._source.randrange(6):
            case 0:
                self.branch()
            case 1:
                self.predicated(self.instruction())
            case 2:
                self.compare_branch()
            case _:
                i = self.instruction()
                self.log.append(str(i))
                self._run(i, self.state, in_it_block=False)
                step(i, self.concrete, in_it_block=False)

    def branch(self) -> None:
        condition = Condition(self._source.randrange(14))
        condition = condition if self.concrete.holds(condition) else condition.opposite
        self.log.append(f"assume {condition.name}")
        self.state.flags = flags.assume(self.state.symbols, self.state.flags, condition)

    def compare_branch(self) -> None:
        number = self._source.choice(REGISTERS)
        condition = Condition.NE if self.concrete.registers[number] else Condition.EQ
        self.log.append(f"assume r{number} {condition.name} 0")
        self.abstract.state = self.state
        zero = self.abstract.assign_flags_of(self.state.get(number))
        flags.assume(self.state.symbols, zero, condition)

    def predicated(self, i: Instruction) -> None:
        """Both paths of a predicated instruction, joined."""
        condition = Condition(self._source.randrange(14))
        self.log.append(f"if {condition.name}: {i}")
        holds = self.concrete.holds(condition)
        paths = []
        for state, assumed in ((self.state.copy(), condition), (self.state, condition.opposite)):
            try:
                state.flags = flags.assume(state.symbols, state.flags, assumed)
            except Infeasible:
                assert holds != (assumed is condition), f"{self.log}: the path taken is called infeasible"
                continue
            if assumed is condition:
                self._run(i, state, in_it_block=True)
            paths.append(state)
        if holds:
            step(i, self.concrete, in_it_block=True)
        self.state = paths[0] if len(paths) == 1 else join(paths[0], paths[1])

    def _run(self, i: Instruction, state: State, *, in_it_block: bool) -> None:
        self.abstract.state = state
        step(i, self.abstract, in_it_block=in_it_block)

    def check(self) -> None:
        for number in REGISTERS:
            known, value = self.state.known(number), self.concrete.registers[number]
            inside = known.low <= value <= known.high and not value & known.zeros and value & known.ones == known.ones
            assert inside and known.contains(value), f"{self.log}: r{number} = {value:#x} is not in {known}"
        possible = self.state.flags.possible >> self.concrete.flags & 1
        assert possible, f"{self.log}: flags {self.concrete.flags:04b} are called impossible"


def test_abstract_contains_concrete() -> None:
    steps = 0
    for seed in range(int(2_500 * EFFORT)):
        case = Case(seed)
        for _ in range(1 + seed % 8):
            case.advance()
            case.check()
            steps += 1
    print(f"{steps} steps compared")
    assert steps > 10_000 * EFFORT
