"""One instruction (or one in an IT block of its own) from many concrete states inside one abstract state."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from pinproof.isa import (
    BeginIt,
    Call,
    CompareJump,
    Condition,
    ConditionalJump,
    DecodeError,
    Flow,
    Instruction,
    ItPosition,
    Jump,
    JumpRegister,
    Next,
    Operation,
    TableJump,
    Trap,
    check_in_it,
    decode,
    step,
)
from pinproof.isa.concrete import ConcreteExecutor, ConcreteFault
from pinproof.machine import ranges
from pinproof.machine.bus import Bus
from pinproof.machine.execute import Executor, Frame
from pinproof.machine.flow import Block, Function, Step
from pinproof.machine.jumps import each_entry, each_value
from pinproof.machine.ranges import MASK, Range
from pinproof.machine.state import MAIN_STACK, State
from pinproof.machine.trace import Blocked
from pinproof.machine.values import Infeasible, Value

from tests.soundness import pcode
from tests.soundness.bench import Bench, difference, told
from tests.soundness.emulated import FLASH, FLASH_SIZE
from tests.soundness.encodings import MEMORY, USABLE, code_of, decoded, rows_of
from tests.soundness.scene import STACK, WINDOW, WINDOW_SIZE, Draw, Scene
from tests.soundness.tally import Tally
from tests.soundness.within import Around, inside

_O = Operation
STEPPED = frozenset({_O.BL, _O.BLX, _O.BX, _O.TBB, _O.TBH, _O.SVC, _O.BKPT, _O.UDF})
"""What goes where a single instruction has nothing to follow; the step alone is looked at."""
NOT_EMULATED = frozenset({_O.MRS, _O.MSR, _O.CPS, _O.SVC, _O.BKPT, _O.UDF, _O.WFI, _O.WFE})
"""System registers, exceptions and sleep: not compared here."""
PREDICATED, LIFTED = 0.15, 0.25
"""Shares of the groups that stand in an IT block, and that are compared with p-code."""
UNCHECKED = ("unaligned access of several words", "branch to ARM state")
"""Faults of the architecture (DDI 0403 A3.2.1, A2.3.1) that Unicorn leaves out or raises one instruction later."""
LANDING = FLASH + 0x1000
"""Where computed branches go: any place outside the code."""


@dataclass(slots=True)
class Foreseen:
    """What the abstract machine says: where execution can go, and in which states. `refused` decides nothing."""

    ends: list[tuple[Range, Around]] = field(default_factory=list)
    refused: str | None = None


class Group:
    """One instruction at one address, one abstract state, and the draws from it."""

    def __init__(
        self, bench: Bench, source: random.Random, *, only: Operation | None = None, always_lift: bool = False
    ) -> None:
        """`only`: of this operation. `always_lift`: compare with p-code."""
        self._bench = bench
        self._source = source
        self._lift_share = 1.0 if always_lift else LIFTED
        self._only = only
        predicated, size = source.random() < PREDICATED, source.choice((2, 4))
        if only is not None:
            predicated, size = False, source.choice(sorted({size for _, size in rows_of(frozenset({only}))}))
        self.address = bench.start + bench.size - size - 2 * predicated
        self.instruction, self.condition = self._choose(size, predicated=predicated)
        bench.load(self.code, self.address)
        self._executor = ConcreteExecutor(processor=bench.concrete, pc=self.address)
        self._machine = bench.machine(lambda address: decode(bench.code(address), address))
        self._scene = Scene.make(source, self._machine.bus)
        _Preparation(self._scene, self.instruction).apply()
        self._scene.know_flags(compared=self.instruction.condition is not Condition.AL)

    def _choose(self, size: int, *, predicated: bool) -> tuple[Instruction, Condition | None]:
        rows = USABLE[size]
        if self._only is not None:
            rows = tuple(row for row, each in rows_of(frozenset({self._only})) if each == size)
        source, place = self._source, range(self._bench.start, self._bench.start + self._bench.size)
        while True:
            row = source.choice(rows)
            i = decoded(row, size, source, place.stop - size)
            if self._only is not None and (i is None or i.operation is not self._only):
                continue
            if i is None or i.operation is _O.IT or i.operation in NOT_EMULATED or i.target in place:
                continue  # What jumps into itself would run for ever.
            if not predicated:
                return i, None
            try:
                check_in_it(i, ItPosition.LAST)
            except DecodeError:
                continue
            if not i.writes_pc:
                return i, Condition(source.randrange(14))

    @property
    def code(self) -> bytes:
        code = code_of(self.instruction.encoding, self.instruction.size)
        return code if self.condition is None else code_of(0xBF08 | self.condition << 4, 2) + code

    def run(self, count: int, tally: Tally) -> None:
        foreseen, lifted = self._foresee(), self._lift(tally)
        name = self.instruction.operation.value
        if foreseen.refused is not None:
            tally.remarks[f"refused: {foreseen.refused}"] += 1
        for draw in self._scene.draws(count):
            tally.cases["instruction"] += 1
            found = self._compare(draw, foreseen, lifted, tally)
            if found is not None:
                tally.unsound.append(f"{name} {self.code.hex()} [{self.instruction}] {found}; from {told(draw)}")

    # --- the three machines -----------------------------------------------------------------------------------------

    def _compare(self, draw: Draw, foreseen: Foreseen, lifted: pcode.Lifted | None, tally: Tally) -> str | None:
        bench, name = self._bench, self.instruction.operation.value
        bench.set_window(draw.window)
        end = self.instruction.next_address
        fault, pc = self._run_concretely(draw)
        ran, theirs = bench.emulator.run(draw.registers, draw.nzcv, self.address, end)
        if fault is not None:
            tally.remarks["faulted in ours" + (", ran in theirs" if ran else " and theirs")] += 1
            bench.memory_differs()
            if ran and not fault.startswith(UNCHECKED):
                return f"only ours faulted: {fault}"
            if foreseen.refused or (fault.startswith("branch to ARM") and self._steps_only()):
                return None  # Whether the target is Thumb code is the executor's question, which is not asked here.
            return f"the abstract machine foresees no fault: {fault}"
        tally.operations[name] += 1
        concrete = bench.concrete
        if lifted is not None and (found := self._against_pcode(draw, lifted, pc, tally)):
            bench.memory_differs()
            return found
        theirs[13] &= ~3
        ours = [*concrete.registers, concrete.flags, pc]
        memory = bench.memory_differs() if bench.concrete.stored or self.instruction.operation in MEMORY else None
        if ours != theirs or memory is not None:
            return difference(ours, theirs) + (memory or "") + ("" if ran else " (theirs faulted)")
        if foreseen.refused is not None:
            return None
        tally.contained[name] += 1
        return self._contained(draw, foreseen, pc)

    # --- p-code -----------------------------------------------------------------------------------------------------

    def _lift(self, tally: Tally) -> pcode.Lifted | None:
        """Never in an IT block."""
        if self.condition is not None or self._source.random() >= self._lift_share:
            return None
        try:
            return self._bench.lifter.lift(self.code, self.address)
        except pcode.NotLifted as reason:
            tally.remarks[f"p-code does not have {self.instruction.operation.value}: {reason}"] += 1
            return None

    def _against_pcode(self, draw: Draw, lifted: pcode.Lifted, pc: int, tally: Tally) -> str | None:
        bench, i = self._bench, self.instruction

        def byte_before(address: int) -> int:
            if WINDOW <= address < WINDOW + WINDOW_SIZE:
                return draw.window[address - WINDOW]
            if FLASH <= address < FLASH + FLASH_SIZE:
                return bench.flash[address - FLASH]
            return 0

        result = bench.lifter.run(lifted, draw.registers, draw.nzcv, byte_before)
        found = set(pcode.differing(i, result, bench.concrete.registers, bench.concrete.flags, pc))
        if result.stored != bench.stored_bytes():
            found.add("memory")
        tally.pcode[i.operation.value] += 1
        if not found:
            return None
        fault = pcode.excused(i, frozenset(found))
        if fault is None:
            return f"p-code differs in {', '.join(sorted(found))}: {result}"
        tally.remarks[f"known p-code fault: {fault.name}"] += 1
        return None

    def _run_concretely(self, draw: Draw) -> tuple[str | None, int]:
        concrete = self._bench.concrete
        concrete.registers = list(draw.registers)
        concrete.flags = draw.nzcv
        executor = self._executor
        executor.pc, executor.pending = self.address, ()
        try:
            executor.run_one()
            if self.condition is not None:
                executor.run_one()
        except ConcreteFault as fault:
            return str(fault), executor.pc
        return None, executor.pc

    def _contained(self, draw: Draw, foreseen: Foreseen, pc: int) -> str | None:
        reasons = []
        concrete, window = self._bench.concrete, self._bench.window()
        for target, around in foreseen.ends:
            if not inside(target, pc) and not inside(target, pc | 1):
                reasons.append(f"pc = {pc:#x} is not in {target}")
                continue
            found = around.lacks(draw, concrete.registers, concrete.flags, window)
            if found is None:
                return None
            reasons.append(found)
        return f"not foreseen: {'; or '.join(reasons) or 'execution cannot get here'}"

    # --- the abstract machine ---------------------------------------------------------------------------------------

    def _foresee(self) -> Foreseen:
        machine, state = self._machine, self._scene.state.copy()
        try:
            if self._steps_only():
                return self._step(machine, state)
            return self._run_block(machine, state)
        except Blocked as blocked:
            return Foreseen(refused=blocked.code)
        except Infeasible:
            return Foreseen()

    def _steps_only(self) -> bool:
        i = self.instruction
        return i.operation in STEPPED or (i.writes_pc and i.target is None)

    def _run_block(self, machine: Executor, state: State) -> Foreseen:
        steps = [Step(self.instruction, self.condition, ())]
        if self.condition is not None:
            steps.insert(0, Step(decode(self.code[:2], self.address), None, ()))
        block = Block(self.address, tuple(steps), ())
        function = Function(self.address, {self.address: block}, (self.address,))
        edges = machine.run_block(block, state, Frame(function, None))
        obstacles = list(machine.trace.obstacles.values())
        if obstacles:
            return Foreseen(refused=obstacles[0].code)
        return Foreseen([(ranges.exactly(target), Around(self._scene.state, after)) for target, after in edges])

    def _step(self, machine: Executor, state: State) -> Foreseen:
        machine.processor.state = state
        flow = step(self.instruction, machine.processor, in_it_block=False)
        before = self._scene.state
        ends = _targets(flow, state, self.instruction, machine.bus)
        return Foreseen([(target, Around(before, after)) for target, after in ends])


def _targets(flow: Flow[Value], state: State, i: Instruction, bus: Bus) -> list[tuple[Range, State]]:
    """Where the machine's executor would go on, and in which states."""
    match flow:
        case Next() | Trap():
            return [(ranges.exactly(i.next_address), state)]
        case Jump() | Call():
            return [(ranges.exactly(flow.target), state)]
        case JumpRegister():
            known = state.symbols.range(flow.value)
            if known.values is None:
                return [(known, state)]
            return [(ranges.exactly(target), after) for target, after in each_value(state, flow.value)]
        case TableJump():
            entries = each_entry(state, flow.base, flow.index, flow.width, bus)
            return [(ranges.exactly(target), after) for target, after in entries]
        case ConditionalJump() | CompareJump() | BeginIt():
            raise AssertionError(f"{i} is run as a block")


class _Preparation:
    """Registers that must mean something for the instruction to run: bases, indices and targets of branches."""

    def __init__(self, scene: Scene, i: Instruction) -> None:
        self._scene = scene
        self._source = scene.source
        self._i = i

    def apply(self) -> None:
        i, slots = self._i, self._scene.state.slots
        if i.operation in (_O.BX, _O.BLX) and i.rm != 13:
            slots[i.rm or 0] = self._targets()
        elif i.rd == 15 and i.operation in (_O.MOV, _O.ADD) and i.rm not in (13, 15):
            slots[i.rm or 0] = self._targets() if i.operation is _O.MOV else 2 * self._source.randrange(0x800)
        elif i.operation in MEMORY:
            self._scene.know_memory()
            self._memory(i)

    def _targets(self) -> Value:
        """One place or one of a few."""
        known = ranges.of_values(self._target() for _ in range(self._source.choice((1, 3))))
        return self._scene.state.symbols.fresh(known)

    def _target(self) -> int:
        return LANDING + 2 * self._source.randrange(0x800) | 1

    def _memory(self, i: Instruction) -> None:
        source, slots = self._source, self._scene.state.slots
        width = _width(i)
        aligned = source.random() < 0.9
        if i.rm is not None and i.rn is not None:
            scale = 1 << i.shift_amount if i.shift is not None else 2 if i.operation is _O.TBH else 1
            self._indexed(i.rn, i.rm, scale, width if aligned else 1)
            return
        if i.rn == 15 or i.rn is None:
            return
        offset = i.immediate or 0
        if not i.index:
            offset = 0
        target = self._scene_target(width, aligned)
        moved = self._scene.state.symbols.add(target, (-offset if i.add else offset) & MASK)
        slots[MAIN_STACK if i.rn == 13 else i.rn] = moved
        if i.rn == 13:
            self._align_stack(i, offset)
        if 15 in i.registers or i.rd == 15:
            self._pointers()

    def _align_stack(self, i: Instruction, offset: int) -> None:
        """SP is a number whose low bits are clear, whatever the offset."""
        at = STACK + 4 * self._source.randrange(-6, 7)
        self._scene.state.slots[MAIN_STACK] = (at + (-offset if i.add else offset)) & ~3 & MASK

    def _scene_target(self, width: int, aligned: bool) -> Value:
        """An address in the window, about which more or less is known."""
        source, symbols = self._source, self._scene.state.symbols
        first = STACK + width * source.randrange(-32 // width, 32 // width)
        if not aligned:
            first += source.randrange(4)
        kind = source.randrange(5)
        if kind < 2:
            return first
        if kind == 2:
            return symbols.fresh(ranges.of_values(first + width * source.randrange(8) for _ in range(4)))
        if kind == 3:
            known = ranges.between(first, first + source.choice((4, 16, 28)), (width - 1) & ~first, (width - 1) & first)
            return symbols.fresh(known) if known is not None else first
        index = symbols.fresh(ranges.Range(0, 7, 0xFFFFFFF8, 0, frozenset(range(8))))
        return symbols.add(first, symbols.scale(index, width))

    def _indexed(self, rn: int, rm: int, scale: int, width: int) -> None:
        scene, source = self._scene, self._source
        slots, symbols = scene.state.slots, scene.state.symbols
        if rn == rm:
            slots[rn] = STACK // (1 + scale) & ~3
            return
        spread = max(1, width // scale)
        index: Value = spread * source.randrange(8)
        if source.random() < 0.6:
            index = symbols.scale(symbols.fresh(ranges.of_values(range(source.randrange(2, 9)))), spread)
        slots[MAIN_STACK if rm == 13 else rm] = index
        if rn == 15:
            return
        base: Value = STACK + width * source.randrange(-8, 8)
        if source.random() < 0.2 and rn != 13:
            base = symbols.fresh(ranges.of_values(STACK + width * source.randrange(-8, 8) for _ in range(3)))
        slots[MAIN_STACK if rn == 13 else rn] = base if rn != 13 else STACK

    def _pointers(self) -> None:
        """Words that a load of the PC can find: addresses outside the code."""
        slots = self._scene.state.slots
        for address in range(WINDOW, WINDOW + WINDOW_SIZE, 4):
            slots[address] = self._target()


def _width(i: Instruction) -> int:
    name = i.operation.value
    if i.registers or name in ("ldrd", "strd"):
        return 4
    if name in ("tbb", "tbh"):
        return 1 if name == "tbb" else 2
    return {"b": 1, "h": 2}.get(name.removesuffix("t")[-1], 4) if name not in ("ldrt", "strt") else 4
