"""Small programs for the machine: images in memory, an abstract run of one function, and the same run on integers."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import tempfile
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pinproof.image import Image, Segment
from pinproof.isa import Trap, decode
from pinproof.isa.concrete import ConcreteExecutor, ConcreteProcessor
from pinproof.isa.instruction import Instruction
from pinproof.machine import ranges
from pinproof.machine.bus import Bus
from pinproof.machine.costs import Costs
from pinproof.machine.effort import BudgetSpent
from pinproof.machine.execute import Executor
from pinproof.machine.jumps import Discovered, KnownJumps
from pinproof.machine.processor import AbstractProcessor
from pinproof.machine.ranges import Range
from pinproof.machine.result import Access, Obstacle, Origin
from pinproof.machine.state import BASEPRI, CONTROL, FAULTMASK, MAIN_STACK, PRIMASK, PROCESS_STACK, State
from pinproof.machine.trace import Blocked, Trace
from pinproof.machine.values import Symbols, SymbolSource
from pinproof.silicon import MemoryKind, Silicon, load_silicon

FLASH = 0x08000000
CODE = 0x08000200
RAM, RAM_SIZE = 0x20000000, 0x18000
STACK = 0x20018000
EXCEPTION_RETURN = 0xFFFFFFFD
CONFINED = frozenset((Origin.CONFINED,))
RESET = frozenset((Origin.RESET,))
PREFIX = "arm-none-eabi-"


@cache
def silicon() -> Silicon:
    return load_silicon("stm32f401xe")


def has_toolchain() -> bool:
    return shutil.which(PREFIX + "as") is not None


def address_of(register: str) -> int:
    """`BLOCK.NAME` to its address."""
    block, name = register.split(".")
    return silicon().peripheral(block).register(name).address


def image_of(*pieces: tuple[int, bytes]) -> Image:
    segments = tuple(Segment(address=address, data=data) for address, data in sorted(pieces))
    return Image(segments=segments, entry=None, sha256="0" * 64, kind="elf")


def assemble(text: str, base: int = CODE) -> tuple[bytes, dict[str, int]]:
    """Machine code of the text, laid out from `base`, and the address of each of its labels (`.L` ones excepted)."""
    with tempfile.TemporaryDirectory() as folder:
        source, unlinked, linked, flat = (Path(folder) / name for name in ("a.s", "a.o", "a.elf", "a.bin"))
        source.write_text(f".syntax unified\n.thumb\n.text\n{text}\n")
        _tool("as", "-mcpu=cortex-m4", source, "-o", unlinked)
        _tool("ld", f"-Ttext={base:#x}", "-e", "0", unlinked, "-o", linked)
        _tool("objcopy", "-O", "binary", "-j", ".text", linked, flat)
        listing = _tool("nm", linked)
        labels = {name: int(address, 16) for address, _, name in (line.split() for line in listing.splitlines())}
        return flat.read_bytes(), labels


def _tool(name: str, *arguments: object) -> str:
    command = [PREFIX + name, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# --- the abstract run -------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """What one abstract run of a handler-like function found."""

    executor: Executor
    trace: Trace

    @property
    def obstacles(self) -> list[Obstacle]:
        return list(self.trace.obstacles.values())

    @property
    def codes(self) -> set[str]:
        return {obstacle.code for obstacle in self.obstacles}

    @property
    def exits(self) -> list[State]:
        return [state for _, _, state in self.executor.ends.exception_returns]

    @property
    def drops(self) -> list[State]:
        return [state for _, _, state in self.executor.ends.drops]

    def only_exit(self) -> State:
        assert not self.obstacles, [(each.code, each.message, hex(each.site.address)) for each in self.obstacles]
        (state,) = self.exits
        return state

    def accesses(self) -> list[Access]:
        from pinproof.machine.explore import _accesses

        return list(_accesses(self.trace, self.exits))


@dataclass
class Machine:
    """An image's abstract machine, ready to run functions of it."""

    image: Image
    sensor: frozenset[int] = frozenset()
    budget: int = 200_000
    handler_mode: bool = True
    _decoded: dict[int, Instruction] = field(default_factory=dict)

    def fetch(self, address: int) -> Instruction:
        if address not in self._decoded:
            code = self.image.read(address, 4) or self.image.read(address, 2)
            if code is None:
                code = b""
            self._decoded[address] = decode(code, address)
        return self._decoded[address]

    def state(self, registers: dict[int, Range | int] | None = None, memory: Range | None = None) -> State:
        """As at handler entry: r0 to r12 from the confined part, RAM unknown from before reset."""
        bus = Bus(self.image, silicon(), self.sensor, Trace(0))
        content = ranges.anything(RESET) if memory is None else memory
        segments = [(ram.start, ram.end, content) for ram in silicon().memories_of(MemoryKind.RAM)]
        state = State(Symbols(SymbolSource()), segments, bus.reset_value)
        for number in range(13):
            state.slots[number] = state.symbols.fresh(ranges.anything(CONFINED))
        for number, known in (registers or {}).items():
            state.slots[number] = known if isinstance(known, int) else state.symbols.fresh(known)
        state.slots[14] = EXCEPTION_RETURN
        state.slots[MAIN_STACK] = STACK
        state.slots[PROCESS_STACK] = RAM + 0x8000
        for special in (CONTROL, PRIMASK, FAULTMASK, BASEPRI):
            state.slots[special] = 0
        state.stack_low = STACK
        return state

    def run(self, entry: int, state: State) -> Run:
        jumps = KnownJumps()
        while True:
            try:
                return self._run(entry, state.copy(), jumps)
            except Discovered:
                continue

    def _run(self, entry: int, state: State, jumps: KnownJumps) -> Run:
        trace = Trace(self.budget)
        bus = Bus(self.image, silicon(), self.sensor, trace)
        processor = AbstractProcessor(bus, trace)
        processor.handler_mode = self.handler_mode
        executor = Executor(self.fetch, processor, trace, Costs(silicon()), bus, jumps)
        trace.address = entry
        try:
            executor.run(entry, state)
        except Blocked as blocked:
            trace.obstacle(blocked)
        except BudgetSpent:
            trace.obstacle(Blocked("step-budget", "spent", ""))
        return Run(executor, trace)


KNOWN = Path(__file__).with_name("assembled.json")
"""Each text that a unit test runs, with its machine code and labels: these tests need no toolchain."""


@cache
def known_code() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(KNOWN.read_text()) if KNOWN.exists() else {}
    return found


def assembled(text: str, base: int = CODE) -> tuple[bytes, dict[str, int]]:
    """As `assemble`, from the table. With UPDATE set in the environment, a text that is missing is added."""
    text = textwrap.dedent(text).strip()
    entry = known_code().get(text)
    if entry is None:
        assert os.environ.get("UPDATE"), "not in assembled.json: run the tests once with UPDATE=1"
        code, labels = assemble(text, base)
        known_code()[text] = entry = {"base": base, "code": code.hex(), "labels": labels}
        KNOWN.write_text(json.dumps(known_code(), indent=1, sort_keys=True) + "\n")
    return bytes.fromhex(str(entry["code"])), dict(entry["labels"])  # type: ignore[call-overload]


def run_text(
    text: str,
    registers: dict[int, Range | int] | None = None,
    *,
    memory: Range | None = None,
    sensor: frozenset[int] = frozenset(),
    handler_mode: bool = True,
    slots: dict[int, int] | None = None,
    budget: int = 200_000,
) -> Run:
    """Run abstractly the function that the text begins with. `slots` sets more: RAM words, device registers."""
    code, _ = assembled(text)
    machine = Machine(image_of((CODE, code)), sensor=sensor, handler_mode=handler_mode, budget=budget)
    state = machine.state(registers, memory)
    state.slots.update(slots or {})
    return machine.run(CODE, state)


# --- the same on integers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Touch:
    """One access to a device in a concrete run."""

    store: bool
    site: int
    address: int
    value: int


@dataclass(slots=True, kw_only=True)
class LoggedProcessor(ConcreteProcessor):
    """Integers, with devices that answer from a list and write down who touched them."""

    answers: dict[int, list[int]] = field(default_factory=dict)
    """By register address: what successive loads give; the last one for ever. Others keep what was stored."""
    devices: dict[int, int] = field(default_factory=dict)
    touched: list[Touch] = field(default_factory=list)
    written: set[int] = field(default_factory=set)
    """Every byte of RAM that was stored to."""
    where: int = 0

    def load(
        self, address: int, width: int, /, *, signed: bool = False, unprivileged: bool = False, multiple: bool = False
    ) -> int:
        if not 0x40000000 <= address < 0x60000000:
            return ConcreteProcessor.load(
                self, address, width, signed=signed, unprivileged=unprivileged, multiple=multiple
            )
        listed = self.answers.get(address) or [self.devices.get(address, 0)]
        value = listed.pop(0) if len(listed) > 1 else listed[0]
        self.touched.append(Touch(False, self.where, address, value))
        return value

    def store(
        self, address: int, value: int, width: int, /, *, unprivileged: bool = False, multiple: bool = False
    ) -> None:
        if not 0x40000000 <= address < 0x60000000:
            ConcreteProcessor.store(self, address, value, width, unprivileged=unprivileged, multiple=multiple)
            self.written.update(range(address, address + width))
            return
        self.devices[address] = value
        self.touched.append(Touch(True, self.where, address, value))


@dataclass
class Outcome:
    """How a concrete run ended."""

    finished: bool
    processor: LoggedProcessor
    steps: int
    times: Counter[int]
    """How often each instruction was executed."""


def run_concretely(
    image: Image, entry: int, registers: list[int], memory: bytes, answers: dict[int, list[int]], limit: int = 20_000
) -> Outcome:
    """`registers` are r0 to r12. Ends at the exception return in LR."""
    blocks = {segment.address: bytearray(segment.data) for segment in image.segments}
    processor = LoggedProcessor(
        registers=[*registers, STACK, EXCEPTION_RETURN],
        memory={RAM: bytearray(memory), **blocks},
        answers={address: list(values) for address, values in answers.items()},
    )
    executor = ConcreteExecutor(processor=processor, pc=entry)
    times: Counter[int] = Counter()
    for step in range(limit):
        processor.where = executor.pc
        times[executor.pc] += 1
        flow = executor.run_one()
        assert not isinstance(flow, Trap)
        if executor.pc == EXCEPTION_RETURN & ~1:
            return Outcome(True, processor, step + 1, times)
    return Outcome(False, processor, limit, times)


def random_memory(source: random.Random) -> bytes:
    """All RAM: noise, with zeros and small numbers in places."""
    noise = bytearray(source.randbytes(RAM_SIZE))
    for _ in range(64):
        offset = 4 * source.randrange(RAM_SIZE // 4)
        noise[offset : offset + 4] = source.choice((0, 1, 2, 0xFFFFFFFF, 0x80000000)).to_bytes(4, "little")
    return bytes(noise)
