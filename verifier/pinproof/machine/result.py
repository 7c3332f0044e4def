"""What abstract execution established: the only thing that the facts and requirements may ask of the machine.

Nothing here decides a requirement. Every value is an over-approximation: a `Word` contains every value that any real
execution can produce at that place, and `Exploration.obstacles` lists whatever could not be analysed. An empty list of
obstacles is part of the proof; a non-empty one never is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """Where an unknown value comes from. A constant has no origin; flash contents count as constant."""

    CONFINED = "confined"
    """Registers or memory that the confined part can have written (the mailbox included)."""
    REGISTER = "register"
    """Core registers and flags as an exception found them; always together with CONFINED."""
    DEVICE = "device"
    """A volatile peripheral register, other than the sensor's data."""
    SENSOR = "sensor"
    """A peripheral register through which the declared sensor's lines are read."""
    GATE = "gate"
    """Gate memory whose value the invariant does not pin down."""
    RESET = "reset"
    """Left from before reset: RAM, backup domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A set of 32-bit values: interval, known bits and, when small (at most 64), the values themselves."""

    low: int
    high: int
    zeros: int = 0
    """Mask of the bits that are 0 in every value."""
    ones: int = 0
    """Mask of the bits that are 1 in every value."""
    values: frozenset[int] | None = None
    origins: frozenset[Origin] = frozenset()

    @classmethod
    def exactly(cls, *values: int, origins: frozenset[Origin] = frozenset()) -> Word:
        """The set of just these values."""
        zeros = ones = 0xFFFFFFFF
        for value in values:
            ones &= value
            zeros &= ~value & 0xFFFFFFFF
        return cls(low=min(values), high=max(values), zeros=zeros, ones=ones, values=frozenset(values), origins=origins)

    @classmethod
    def anything(cls, *origins: Origin) -> Word:
        return cls(low=0, high=0xFFFFFFFF, origins=frozenset(origins))

    @property
    def only(self) -> int | None:
        """The value, if there is exactly one."""
        return self.low if self.low == self.high else None

    def bits(self, mask: int) -> int | None:
        """The value of these bits where all of them are known, else None."""
        return self.ones & mask if (self.zeros | self.ones) & mask == mask else None

    def contains(self, value: int) -> bool:
        if self.values is not None:
            return value in self.values
        return self.low <= value <= self.high and not value & self.zeros and value & self.ones == self.ones

    def within(self, allowed: frozenset[int]) -> bool:
        """Whether every possible value is among `allowed`. False when the set is too large to list."""
        return self.values is not None and self.values <= allowed


class AccessKind(StrEnum):
    LOAD = "load"
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One instruction in one calling context."""

    address: int
    calls: tuple[int, ...] = ()
    """Addresses of the call instructions that lead here, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Loads or stores that one site makes. `address` covers every address it can touch (first byte)."""

    kind: AccessKind
    site: Site
    address: Word
    width: int
    """1, 2 or 4 bytes; LDM, STM, LDRD, STRD, PUSH and POP give one access a word, with `multiple` set."""
    value: Word
    order: int
    """Position in the exploration; within straight code it is program order."""
    in_loop: bool
    """Whether the instruction can make an access to this place more than once in this run."""
    must: bool
    """Whether every path that reaches the run's end makes this access, with this value or another."""
    multiple: bool = False
    control: frozenset[Origin] = frozenset()
    """Origins of the branch conditions that decide whether this access happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Something the machine refused or could not bound. `code` is a stable slug such as `computed-branch`."""

    code: str
    message: str
    would_help: str
    site: Site


class Content(StrEnum):
    """What a range of memory can hold."""

    CONSTANT = "constant"
    """Values fixed by the image."""
    VARIABLE = "variable"
    """Values with the listed origins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRange:
    """Bytes `start` up to, not including, `end`."""

    start: int
    end: int
    content: Content
    value: Word
    """Hull of the words in the range; `value.origins` is empty exactly when content is constant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineState:
    """Registers, memory and devices at one point, joined over all paths that reach it."""

    registers: tuple[Word, ...]
    """r0 to r12."""
    main_stack: Word
    process_stack: Word
    control: Word
    primask: Word
    device: Mapping[int, Word]
    """Last value of each modelled register that was written or has a reset value, by address."""
    mpu_regions: tuple[tuple[Word, Word], ...]
    """(RBAR without VALID and REGION, RASR) of each region."""
    mpu_control: Word
    memory: tuple[MemoryRange, ...]
    """All RAM of the silicon file, in order, without gaps."""
    barriers: frozenset[str]
    """Facts about ordering that hold here: `mpu-synchronised` (DSB and ISB since the last MPU write),
    `control-synchronised` (ISB since the last write of CONTROL)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The instruction boundary at which privilege is gone for good."""

    site: Site
    """The last instruction followed: the barrier, or the jump that comes next."""
    target: Word
    """Address where unprivileged execution goes on."""
    state: MachineState


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerExit:
    """One way in which a handler ends by exception return."""

    site: Site
    exception_return: Word
    frame: tuple[Word, ...]
    """The eight stacked words that the return pops: r0-r3, r12, lr, pc, xpsr."""
    state: MachineState


@dataclass(frozen=True, slots=True, kw_only=True)
class EndlessLoop:
    """A loop without exit that some path enters; `accesses` is whether it loads or stores devices."""

    site: Site
    touches_devices: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Exploration from one entry: reset, or a handler."""

    entry: int
    exceptions: tuple[int, ...]
    """Exception numbers whose vectors lead here; (1,) for reset."""
    accesses: tuple[Access, ...]
    instructions: int
    """Distinct instructions executed."""
    cycles: int | None
    """Upper bound of the cycles on any path, from the silicon file's costs; None when unbounded."""
    stack_low: int | None
    """Lowest main-stack address that the run can reach; None when unbounded."""
    stack_high: int | None
    """Main-stack pointer at entry."""
    confined_branches: tuple[Site, ...]
    """Branches, and divisions, whose direction or length depends on what the confined part can influence: its own
    registers and memory, gate memory that changes, and devices, because it influences when a handler looks at them."""
    system_writes: tuple[tuple[str, Site, Word], ...]
    """MSR, CPS writes: special register name, site, value."""
    exits: tuple[HandlerExit, ...]
    drops: tuple[Drop, ...]
    endless: tuple[EndlessLoop, ...]
    entry_state: MachineState | None = None
    """Of a handler: the invariant from which it was run, every state in which it can be entered; None for boot."""
    ram_stores: tuple[tuple[int, int], ...] | None = None
    """All RAM that its stores can reach, as joined ranges; None where that was not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one tick makes of a counter: itself plus `amount` modulo 2^32 if it `keeps` it, else `amount`."""

    keeps: bool
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One way in which a tick can change the gate's memory, and what it stores to the compare registers."""

    source: int
    target: int
    """Both by their place in `History.states`."""
    idle: bool
    """Whether the mailbox held the idle word, 0; else it held something else."""
    guards: tuple[Word, ...]
    """Of each counter, the values with which this can happen."""
    updates: tuple[Update, ...]
    """Of each counter."""
    outputs: tuple[int, ...]
    """What is stored to each compare register, in the order in which they were given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the gate remembers of earlier answers: every state that its memory can be in, and every way on from each.

    A tick in any state does what one of its moves says. The words and counters are all the gate memory that outlives
    a tick and is stored to by any handler.
    """

    words: tuple[int, ...]
    """Addresses of the words that `states` lists."""
    counters: tuple[int, ...]
    """Addresses of the words that only ever change by a constant, or to one."""
    states: tuple[tuple[int, ...], ...]
    """The values of the words; the first ones, as many as `starts`, are those at the drop."""
    starts: int
    counters_at_start: tuple[Word, ...]
    """The values of each counter at the drop."""
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfollowed:
    """Why the gate's memory of earlier answers could not be followed. `code` is a stable slug."""

    code: str
    message: str
    would_help: str
    site: Site | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """Everything that abstract execution established about one image."""

    boot: Run
    handlers: tuple[Run, ...]
    """One run an entry address; together they cover every vector when no obstacle says otherwise."""
    unanswered: tuple[Run, ...]
    """The same runs from those states in which the mailbox holds 0: a fault, or no answer, left it so."""
    vectors: tuple[int, ...]
    """The vector table as loaded: initial stack pointer, then one handler address (bit 0 set) an exception."""
    obstacles: tuple[Obstacle, ...]
    executed: tuple[tuple[int, int], ...]
    """Byte ranges of flash that were decoded as gate instructions."""
    constants: tuple[tuple[int, int], ...]
    """Byte ranges of flash that gate code reads as data."""
    invariant_rounds: int
    steps: int
    history: History | Unfollowed | None = None
    """None where no value of the compare registers comes from gate memory."""
