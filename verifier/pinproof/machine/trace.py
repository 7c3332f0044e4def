"""What one run records: accesses, obstacles, system writes; and where execution is while it happens.

A guess about a loop that turns out too narrow is taken back: `mark` remembers the records, `rewind` returns to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .effort import OBSTACLE, REMEMBERED, Effort
from .effort import BudgetSpent as BudgetSpent
from .ranges import Range
from .result import AccessKind, Obstacle, Origin, Site, Word
from .values import Value


class Blocked(Exception):
    """This path cannot be followed soundly. It is recorded as an obstacle, which no pass survives."""

    def __init__(self, code: str, message: str, would_help: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.would_help = would_help


@dataclass(frozen=True, slots=True)
class AccessKey:
    kind: AccessKind
    site: Site
    address: Range
    width: int
    value: Range
    multiple: bool
    control: frozenset[Origin]


@dataclass(slots=True)
class AccessRecord:
    order: int
    repeated: bool


Place = tuple[Site, int]
"""A store of an instruction: where the instruction is, and which of its stores."""


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """One store to RAM, with where it can reach."""

    site: Site
    part: int
    """Which of the stores that the instruction makes each time it is executed, from 0."""
    address: Value
    reach: Range
    width: int
    value: Value

    @property
    def place(self) -> Place:
        return self.site, self.part


@dataclass(slots=True)
class StoreLog:
    """Stores to RAM during one pass over a loop."""

    entries: list[StoreEntry] = field(default_factory=list)

    def places(self) -> list[Place]:
        return list(dict.fromkeys(entry.place for entry in self.entries))


Token = tuple[str, Site, int | None]


def access_token(kind: AccessKind, site: Site, address: int | None) -> Token:
    """Marks in `State.passed` that every path so far made this access.

    The address belongs to it, where it is one number: an instruction in a loop over a table makes many accesses.
    """
    return kind.value, site, address


def ram_token(site: Site) -> Token:
    return "ram", site, None


@dataclass(frozen=True, slots=True)
class KeptStore:
    """A store to RAM that the confined part cannot write: every byte that it can reach, low up to high."""

    low: int
    high: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a trace at one moment."""

    accesses: dict[AccessKey, AccessRecord]
    obstacles: dict[tuple[str, Site], Obstacle]
    system_writes: dict[tuple[str, Site, Word], None]
    confined_branches: dict[Site, None]
    executed: dict[int, int]
    constants: set[tuple[int, int]]
    ram_stores: set[tuple[int, int]]
    kept: dict[Place, KeptStore]
    logged: list[int]


@dataclass(slots=True)
class Trace:
    budget: int
    steps: int = 0
    loops: int = 0
    """How many loops enclose the present instruction, over all calls, of which all iterations are followed at once."""
    address: int = 0
    calls: tuple[int, ...] = ()
    accesses: dict[AccessKey, AccessRecord] = field(default_factory=dict)
    obstacles: dict[tuple[str, Site], Obstacle] = field(default_factory=dict)
    system_writes: dict[tuple[str, Site, Word], None] = field(default_factory=dict)
    confined_branches: dict[Site, None] = field(default_factory=dict)
    executed: dict[int, int] = field(default_factory=dict)
    """Size of each instruction that a path of the record reached."""
    constants: set[tuple[int, int]] = field(default_factory=set)
    ram_stores: set[tuple[int, int]] = field(default_factory=set)
    """Where each store to RAM can reach: first byte, and one past the last."""
    kept: dict[Place, KeptStore] = field(default_factory=dict)
    effort: Effort = field(default_factory=Effort)
    _logs: list[StoreLog] = field(default_factory=list)
    _parts: int = 0
    """Stores to RAM that the present instruction has made."""

    def mark(self) -> Records:
        kept = len(self.accesses) + len(self.executed) + len(self.obstacles) + len(self.ram_stores)
        self.effort.spend(kept, REMEMBERED)
        return Records(
            dict(self.accesses),
            dict(self.obstacles),
            dict(self.system_writes),
            dict(self.confined_branches),
            dict(self.executed),
            set(self.constants),
            set(self.ram_stores),
            dict(self.kept),
            [len(log.entries) for log in self._logs],
        )

    def rewind(self, records: Records) -> None:
        """Return to the records at the mark, which must not be used again."""
        self.accesses = records.accesses
        self.obstacles = records.obstacles
        self.system_writes = records.system_writes
        self.confined_branches = records.confined_branches
        self.executed = records.executed
        self.constants = records.constants
        self.ram_stores = records.ram_stores
        self.kept = records.kept
        for log, length in zip(self._logs, records.logged, strict=True):
            del log.entries[length:]

    def begin_store_log(self) -> StoreLog:
        log = StoreLog()
        self._logs.append(log)
        return log

    def end_store_log(self) -> None:
        self._logs.pop()

    def ram_store(self, address: Value, reach: Range, width: int, value: Value, kept: bool) -> bool:
        """Note a store to RAM, also for the loops that are being finished; says whether any is.

        `kept` says that it may reach memory which the confined part cannot write.
        """
        self.ram_stores.add((reach.low, reach.high + width))
        entry = StoreEntry(self.site, self._parts, address, reach, width, value)
        if kept:
            self._keep(entry)
        self._parts += 1
        for log in self._logs:
            log.entries.append(entry)
        return bool(self._logs)

    def _keep(self, entry: StoreEntry) -> None:
        low, high = entry.reach.low, entry.reach.high + entry.width
        found = self.kept.get(entry.place)
        if found is None:
            self.kept[entry.place] = KeptStore(low, high, self.loops > 0)
        else:
            self.kept[entry.place] = KeptStore(min(low, found.low), max(high, found.high), True)

    @property
    def site(self) -> Site:
        return Site(address=self.address, calls=self.calls)

    def step(self) -> None:
        self.steps += 1
        self._parts = 0
        if self.steps > self.budget:
            raise BudgetSpent

    def access(
        self, kind: AccessKind, address: Range, width: int, value: Range, multiple: bool, control: frozenset[Origin]
    ) -> None:
        key = AccessKey(kind, self.site, address, width, value, multiple, control)
        record = self.accesses.get(key)
        if record is None:
            self.accesses[key] = AccessRecord(len(self.accesses), self.loops > 0)
        else:
            record.repeated = True

    def obstacle(self, blocked: Blocked, address: int | None = None) -> None:
        site = self.site if address is None else Site(address=address, calls=self.calls)
        found = Obstacle(code=blocked.code, message=blocked.message, would_help=blocked.would_help, site=site)
        if self.obstacles.setdefault((blocked.code, site), found) is found:
            self.effort.spend(OBSTACLE, 1)

    def system_write(self, name: str, value: Range) -> None:
        self.system_writes[name, self.site, value.word()] = None

    def branch_on(self, origins: frozenset[Origin]) -> None:
        if origins & {Origin.CONFINED, Origin.GATE, Origin.DEVICE}:
            self.confined_branches[self.site] = None

    def constant(self, start: int, end: int) -> None:
        self.constants.add((start, end))
