"""One program run twice: by the machine, on everything at once, and on integers, with all that a run shows noted."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

from pinproof.errors import PinproofError
from pinproof.image import Image
from pinproof.isa.concrete import ConcreteExecutor, ConcreteFault, ConcreteProcessor
from pinproof.isa.flow import Call, JumpRegister
from pinproof.isa.instruction import Instruction, Operation
from pinproof.machine.bus import Bus
from pinproof.machine.costs import Costs
from pinproof.machine.effort import BudgetSpent
from pinproof.machine.execute import Executor
from pinproof.machine.explore import _accesses
from pinproof.machine.flags import Flags
from pinproof.machine.processor import AbstractProcessor
from pinproof.machine.ranges import MASK, Range
from pinproof.machine.result import Access, Origin, Site
from pinproof.machine.state import State, join
from pinproof.machine.trace import Blocked, Trace
from pinproof.silicon import RegisterAccess

from tests.soundness.loops.assembling import assemble
from tests.soundness.loops.programs import Program
from tests.soundness.loops.statements import ARENA, INPUT, PORTS
from tests.unit.machine.support import (
    CODE,
    CONFINED,
    EXCEPTION_RETURN,
    RAM,
    RAM_SIZE,
    STACK,
    Machine,
    address_of,
    image_of,
    silicon,
)

BUDGET = 60_000
STEPS = 4_000
"""Instructions of a concrete run after which it is taken to go on for ever."""
CONFINED_MEMORY = (ARENA + 0x100, ARENA + 0x110)
"""Loads from here are recorded, as a handler's loads of what the confined part can write are."""
IDR = PORTS + INPUT
MPU = 0xE000ED94
INTERRUPTS, CLEAR = 0xE000E100, 0xE000E180
CLOCKS = {address_of("RCC.AHB1ENR"): 0b101, address_of("RCC.APB1ENR"): 1}
"""GPIOA, GPIOC and TIM2 run, so that their registers hold what is stored."""
_DEVICES = (0x40000000, 0xE0000000)
Key = tuple[tuple[int, ...], int]
"""A site: the calls that lead there, and its address."""


# --- abstractly -------------------------------------------------------------------------------------------------------


@dataclass
class Abstract:
    """What the machine says of a program."""

    executor: Executor
    trace: Trace
    exits: list[tuple[Site, State]]
    accesses: list[Access]
    joined: State | None
    """All ends in one, as what handlers leave is joined into the invariant."""

    @property
    def obstacles(self) -> list[str]:
        return sorted({each.code for each in self.trace.obstacles.values()})


def code_of(program: Program) -> bytes:
    return assemble(program.lines, CODE)[0]


def run_abstractly(program: Program, image: Image) -> Abstract:
    machine = Machine(image)
    state = machine.state(dict(enumerate(program.registers)))
    for start, end, known in program.memory:
        state.fill(start, end, known)
    state.slots.update(CLOCKS)
    state.flags = Flags(origins=CONFINED)
    state.barriers = program.barriers
    trace = Trace(BUDGET)
    bus = Bus(image, silicon(), frozenset(), trace)
    bus.confined = (CONFINED_MEMORY,)
    processor = AbstractProcessor(bus, trace)
    processor.handler_mode = True
    executor = Executor(machine.fetch, processor, trace, Costs(silicon()), bus)
    trace.address = CODE
    try:
        executor.run(CODE, state)
    except Blocked as blocked:
        trace.obstacle(blocked)
    except BudgetSpent:
        trace.obstacle(Blocked("step-budget", "spent", ""))
    exits = [(site, after) for site, _, after in executor.ends.exception_returns]
    joined = None
    for _, after in exits:
        joined = after if joined is None else join(joined, after)
    return Abstract(executor, trace, exits, list(_accesses(trace, [after for _, after in exits])), joined)


# --- concretely -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything that one run is given."""

    registers: tuple[int, ...]
    memory: bytes
    """Of all RAM."""
    answers: tuple[int, ...]
    """What successive loads of the input port give; the last for ever."""
    missing: int
    """Bits of device registers that the hardware lacks, where the machine allows that."""
    noise: int
    """Volatile bits of other registers."""
    flags: int
    """N, Z, C, V: whatever the code that was interrupted left."""


def draw(program: Program, source: random.Random) -> Inputs:
    memory = bytearray(RAM_SIZE)
    memory[-0x200:] = source.randbytes(0x200)
    for start, end, known in program.memory:
        for address in range(start, end, 4):
            memory[address - RAM : address - RAM + 4] = _pick(known, source).to_bytes(4, "little")
    few = source.choice((1, 1, 4, 30))
    answers = tuple(source.choice((0, 1, 4, 0xFF, source.getrandbits(32), 6)) for _ in range(few))
    return Inputs(
        registers=tuple(known if isinstance(known, int) else _pick(known, source) for known in program.registers),
        memory=bytes(memory),
        answers=answers,
        missing=source.choice((0, 0, MASK, source.getrandbits(32))),
        noise=source.getrandbits(32),
        flags=source.randrange(16),
    )


def drawn_again(program: Program, source: random.Random, before: Inputs, origin: Origin) -> Inputs:
    """Other values of what comes from `origin`, and the same of everything else."""
    other = draw(program, source)
    if origin is Origin.DEVICE:
        return replace(before, answers=other.answers, missing=other.missing, noise=other.noise)
    registers = list(before.registers)
    for number, known in enumerate(program.registers):
        if not isinstance(known, int) and origin in known.origins:
            registers[number] = other.registers[number]
    memory = bytearray(before.memory)
    for start, end, known in program.memory:
        if origin in known.origins:
            memory[start - RAM : end - RAM] = other.memory[start - RAM : end - RAM]
    flags = other.flags if origin is Origin.CONFINED else before.flags
    return replace(before, registers=tuple(registers), memory=bytes(memory), flags=flags)


def _pick(known: Range, source: random.Random) -> int:
    if known.values is not None:
        return source.choice(sorted(known.values))
    near = source.randint(known.low, min(known.high, known.low + 8))
    return source.choice((known.low, known.high, source.randint(known.low, known.high), near))


@dataclass(frozen=True, slots=True)
class Touch:
    """One access to a device or, loads only, to what the confined part can write."""

    store: bool
    site: Key
    address: int
    value: int
    width: int
    step: int
    """How many instructions came before."""


@dataclass(slots=True, kw_only=True)
class Board(ConcreteProcessor):
    """Integers with the devices that the programs use."""

    inputs: Inputs
    where: Key = ((), 0)
    step: int = 0
    touched: list[Touch] = field(default_factory=list)
    devices: dict[int, int] = field(default_factory=dict)
    """Registers that were stored to."""
    regions: dict[int, int] = field(default_factory=dict)
    """MPU region registers: 2 * number for the base, one more for the attributes."""
    barriers: set[str] = field(default_factory=set)
    """Facts about ordering that hold now, as `MachineState.barriers` names them."""
    lowest: int = STACK
    written: set[int] = field(default_factory=set)
    """Words of RAM that were stored to."""
    reads: int = 0
    made: set[tuple[bool, Key, int]] = field(default_factory=set)
    """Loads (False) and stores (True) of any kind, by site and address."""

    def load(
        self, address: int, width: int, /, *, signed: bool = False, unprivileged: bool = False, multiple: bool = False
    ) -> int:
        self.made.add((False, self.where, address))
        if address < _DEVICES[0]:
            value = ConcreteProcessor.load(self, address, width, multiple=multiple)
            if address < CONFINED_MEMORY[1] and address + width > CONFINED_MEMORY[0]:
                self.touched.append(Touch(False, self.where, address, value, width, self.step))
        else:
            word = self._device(address & ~3)
            value = word >> 8 * (address & 3) & (1 << 8 * width) - 1
            self.touched.append(Touch(False, self.where, address, value, width, self.step))
        return self.extract(value, 0, 8 * width, True) if signed else value

    def _device(self, address: int) -> int:
        if address == IDR:
            self.reads += 1
            return self.inputs.answers[min(self.reads, len(self.inputs.answers)) - 1]
        if address == CLEAR:
            address = INTERRUPTS
        number = self.devices.get(MPU + 4, 0)
        if address in (MPU + 8, MPU + 12):
            kept = self.regions.get(2 * number + (address == MPU + 12), self.inputs.noise)
            return kept | number if address == MPU + 8 else kept
        register = silicon().register_at(address)
        if register is None:
            raise ConcreteFault(f"no device register at {address:#x}")
        reset = self.inputs.noise if register.reset is None else register.reset
        value = self.devices.get(address)
        lacking = 0 if value is None else self.inputs.missing & ~register.holds
        stable = reset if value is None else value & ~lacking | reset & lacking
        return stable & ~register.volatile & MASK | self.inputs.noise & register.volatile

    def store(
        self, address: int, value: int, width: int, /, *, unprivileged: bool = False, multiple: bool = False
    ) -> None:
        self.made.add((True, self.where, address))
        self.barriers.discard("stores-complete")
        if address < _DEVICES[0]:
            ConcreteProcessor.store(self, address, value, width, multiple=multiple)
            self.written.update((address & ~3, address + width - 1 & ~3))
            return
        if silicon().register_at(address & ~3) is None or width != 4 or address & 3:
            raise ConcreteFault(f"no device register of that width at {address:#x}")
        self.touched.append(Touch(True, self.where, address, value, width, self.step))
        if MPU <= address < MPU + 16:
            self.barriers -= {"mpu-data-synchronised", "mpu-synchronised"}
        self._change(address, value)

    def _change(self, address: int, value: int) -> None:
        if address == INTERRUPTS:
            self.devices[address] = self.devices.get(address, 0) | value
        elif address == CLEAR:
            self.devices[INTERRUPTS] = self.devices.get(INTERRUPTS, 0) & ~value
        elif address == MPU + 8:
            if value & 16:
                self.devices[MPU + 4] = value & 15
            self.regions[2 * self.devices.get(MPU + 4, 0)] = value & ~31
        elif address == MPU + 12:
            self.regions[2 * self.devices.get(MPU + 4, 0) + 1] = value
        elif silicon().register_at(address & ~3).access is not RegisterAccess.WRITE_ONLY:  # type: ignore[union-attr]
            self.devices[address] = value

    def write_register(self, number: int, value: int, /) -> None:
        self.registers[number] = value
        if number == 13:
            self.lowest = min(self.lowest, value)

    def barrier(self, operation: Operation, /) -> None:
        if operation is Operation.DSB:
            self.barriers |= {"mpu-data-synchronised", "stores-complete"}
        elif operation is Operation.ISB:
            self.barriers.add("control-synchronised")
            if "mpu-data-synchronised" in self.barriers:
                self.barriers.add("mpu-synchronised")


@dataclass(slots=True)
class Outcome:
    """One concrete run."""

    inputs: Inputs
    board: Board
    ended: bool
    crashed: bool
    """It faulted, or ran away."""
    path: list[int]
    """Address of each instruction executed."""
    calls: list[tuple[int, tuple[int, ...]]]
    """From which position of the path on which calls were open."""
    cycles: int
    """The most that the path costs by the table that the machine uses."""
    times: Counter[Key]

    @property
    def last(self) -> int:
        return self.path[-1]


class Concrete:
    """Runs one program on integers; what is the same for every run is kept."""

    def __init__(self, program: Program, image: Image) -> None:
        self._code = bytes(image.segments[0].data)
        self._decoded: dict[int, Instruction] = {}
        self._costs: dict[int, int] = {}
        self._barriers = program.barriers
        self._table = Costs(silicon())
        self._state = Machine(image).state()

    def run(self, inputs: Inputs, limit: int = STEPS) -> Outcome:
        board = Board(
            registers=[*inputs.registers, STACK, EXCEPTION_RETURN],
            memory={RAM: bytearray(inputs.memory), CODE: bytearray(self._code)},
            inputs=inputs,
            barriers=set(self._barriers),
        )
        board.flags = inputs.flags
        executor = ConcreteExecutor(processor=board, pc=CODE, decoded=self._decoded)
        outcome = Outcome(inputs, board, False, False, [], [(0, ())], 0, Counter())
        try:
            self._go(executor, board, outcome, limit)
        except PinproofError:
            outcome.crashed = True
        return outcome

    def _go(self, executor: ConcreteExecutor, board: Board, outcome: Outcome, limit: int) -> None:
        calls: tuple[int, ...] = ()
        path, times, costs = outcome.path, outcome.times, self._costs
        for _ in range(limit):
            pc = executor.pc
            key = (calls, pc)
            path.append(pc)
            times[key] += 1
            board.where, board.step = key, len(path)
            flow = executor.run_one()
            cost = costs.get(pc)
            if cost is None:
                cost = costs[pc] = self._table.of(self._decoded[pc], self._state)
            outcome.cycles += cost
            if isinstance(flow, Call):
                calls = (*calls, pc)
                outcome.calls.append((len(path), calls))
            elif isinstance(flow, JumpRegister):
                if executor.pc == EXCEPTION_RETURN & ~1:
                    outcome.ended = True
                    return
                if calls and executor.pc == calls[-1] + 4:
                    calls = calls[:-1]
                    outcome.calls.append((len(path), calls))


def image_for(program: Program) -> Image:
    return image_of((CODE, code_of(program)))
