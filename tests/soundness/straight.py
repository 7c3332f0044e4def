"""One straight program from many concrete states inside one abstract state, by the machine's own executor."""

from __future__ import annotations

import random

from pinproof.isa import DecodeError, decode
from pinproof.isa.concrete import ConcreteExecutor, ConcreteFault
from pinproof.machine import ranges
from pinproof.machine.effort import BudgetSpent
from pinproof.machine.ranges import Range
from pinproof.machine.state import MAIN_STACK
from pinproof.machine.trace import Blocked

from tests.soundness.bench import Bench, difference, told
from tests.soundness.emulated import PROGRAM
from tests.soundness.programs import BASES, INDEX, Program, Writer
from tests.soundness.scene import EXCEPTION_RETURN, STACK, Draw, Scene
from tests.soundness.tally import Tally
from tests.soundness.within import Around, inside

_MOST_STEPS = 1000
_NOT_CODE = 0xF0000000
"""A branch here, for which a changed return address can be the reason, is an exception return for handlers."""
_End = tuple[Range, Around]
"""The value that an exception return was made with, and the state."""


class Group:
    """One program, one abstract state, and the draws from it."""

    def __init__(self, bench: Bench, source: random.Random) -> None:
        self._bench = bench
        self._program: Program = Writer(source, PROGRAM).program()
        bench.load(self._program.code, PROGRAM)
        self._executor = ConcreteExecutor(processor=bench.concrete, pc=PROGRAM)
        self._machine = bench.machine(lambda address: decode(bench.code(address), address))
        self._scene = scene = Scene.make(source, self._machine.bus)
        scene.know_memory()
        slots, symbols = scene.state.slots, scene.state.symbols
        slots[14] = EXCEPTION_RETURN
        slots[MAIN_STACK] = STACK + 64 + 4 * source.randrange(8)
        for base in BASES:
            known = [STACK - 64 + 4 * source.randrange(12) for _ in range(source.choice((1, 1, 3)))]
            slots[base] = symbols.fresh(ranges.of_values(known))
        slots[INDEX] = symbols.scale(symbols.fresh(ranges.of_values(range(source.randrange(1, 6)))), 4)
        scene.know_flags()

    def run(self, count: int, tally: Tally) -> None:
        ends, refused = self._foresee()
        if refused is not None:
            tally.remarks[f"program refused: {refused}"] += 1
        for draw in self._scene.draws(count):
            tally.cases["straight"] += 1
            found = self._compare(draw, ends, refused, tally)
            if found is not None:
                tally.unsound.append(f"{self._program.code.hex()} {found}; from {told(draw)}")

    def _compare(self, draw: Draw, ends: list[_End], refused: str | None, tally: Tally) -> str | None:
        bench = self._bench
        bench.set_window(draw.window)
        fault = self._run_concretely(draw)
        if fault is not None:
            bench.memory_differs()
            tally.remarks["program faulted"] += 1
            return None if refused else f"the abstract machine foresees no fault: {fault}"
        if self._executor.pc >= _NOT_CODE:
            return self._contained(draw, ends, self._executor.pc | 1, refused, tally)
        ran, theirs = bench.emulator.run(draw.registers, draw.nzcv, PROGRAM, self._program.end)
        theirs[13] &= ~3
        concrete = bench.concrete
        ours = [*concrete.registers, concrete.flags, self._executor.pc]
        memory = bench.memory_differs()
        if ours != theirs or memory is not None:
            return difference(ours, theirs) + (memory or "") + ("" if ran else " (theirs faulted)")
        for each in self._executor.decoded.values():
            tally.operations[each.operation.value] += 1
        return self._contained(draw, ends, concrete.registers[14], refused, tally)

    def _contained(self, draw: Draw, ends: list[_End], left_by: int, refused: str | None, tally: Tally) -> str | None:
        """Whether an exception return was foreseen, with this value and in this state."""
        if refused is not None:
            return None
        bench, reasons = self._bench, []
        window = bench.window()
        bench.memory_differs()
        for known, around in ends:
            found = around.lacks(draw, bench.concrete.registers, bench.concrete.flags, window)
            if found is None and inside(known, left_by):
                tally.contained["program"] += 1
                return None
            reasons.append(found or f"it returns by {left_by:#x}")
        return f"not foreseen: {'; or '.join(reasons) or 'execution cannot end'}"

    def _run_concretely(self, draw: Draw) -> str | None:
        concrete, executor = self._bench.concrete, self._executor
        concrete.registers, concrete.flags = list(draw.registers), draw.nzcv
        executor.pc, executor.pending = PROGRAM, ()
        try:
            for _ in range(_MOST_STEPS):
                if executor.pc == self._program.end or executor.pc >= _NOT_CODE:
                    return None
                executor.run_one()
        except (ConcreteFault, DecodeError) as fault:
            # Stores may have changed a return address: execution goes anywhere, which the machine must not overlook.
            return str(fault)
        return "it does not end"

    def _foresee(self) -> tuple[list[_End], str | None]:
        machine, state = self._machine, self._scene.state.copy()
        try:
            machine.run(PROGRAM, state)
        except Blocked as blocked:
            return [], blocked.code
        except BudgetSpent:
            return [], "step-budget"
        obstacles = list(machine.trace.obstacles.values())
        if obstacles:
            return [], obstacles[0].code
        exits = machine.ends.exception_returns
        return [(after.symbols.range(value), Around(self._scene.state, after)) for _, value, after in exits], None
