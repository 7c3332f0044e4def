"""Runs the whole image: from reset to the drop, then every handler until an invariant over all of them holds.

The induction: the states in which a handler can be entered are the drop's, those of the boot in which an exception
could already be taken, and those that handlers leave behind. A handler is run from a state that covers all of them,
with every register and all memory that the confined part can write unknown. When what it leaves behind is covered too,
that state is an invariant, and the run from it is the one that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

from ..image import Image
from ..isa.decode import decode
from ..isa.errors import TruncatedInstruction
from ..isa.instruction import Instruction
from ..silicon import MemoryKind, Silicon
from . import mpu, ranges
from .bus import STORES_COMPLETE, Bus
from .costs import Costs
from .effort import UNITS, BudgetSpent, Effort
from .execute import Executor
from .flags import Flags
from .flow import Jumps
from .history import Tick, Wanted, follow_history, state_words, storing_sites
from .jumps import Discovered, KnownJumps
from .processor import AbstractProcessor
from .result import (
    Access,
    AccessKind,
    Drop,
    Exploration,
    HandlerExit,
    History,
    Obstacle,
    Origin,
    Run,
    Site,
    Unfollowed,
)
from .state import BASEPRI, CONTROL, FAULTMASK, LR, MAIN_STACK, PRIMASK, PROCESS_STACK, State, cycles_of, join, pieces
from .trace import AccessKey, Blocked, Trace, access_token
from .values import Linear, Symbols, SymbolSource, Value
from .views import machine_state

STEP_BUDGET = 500_000
HISTORY_STEPS, HISTORY_UNITS = 120_000, 200_000
"""Of these, at most so many, and so much effort, go into what the gate remembers of earlier answers."""
MOST_ROUNDS = 12
WIDEN_AFTER = 4
GIVE_UP_AFTER = 8
"""From this round on, what still grows is anything: a count of ticks would otherwise grow bit by bit."""
RESET = 1
SYSTICK_INTERRUPT = 2
"""SYST_CSR.TICKINT (DDI 0403, B3.3.3)."""
_THUMB_VECTOR = "point every vector at Thumb code"
_FLATTER = "split the gate's functions, and nest its loops and calls less"
_EXCEPTION_RETURN = "end handlers with an exception return, and the boot with the drop"
_DEAD = ranges.anything(frozenset(Origin) - {Origin.SENSOR})
_CONFINED = frozenset((Origin.CONFINED,))
_FOUND = frozenset((Origin.CONFINED, Origin.REGISTER))
_RETURN_TO_PROCESS_STACK = 0xFFFFFFFD
_NOTHING: Mapping[int, int] = {}
Places = tuple[tuple[int, int], ...]
"""Ranges of addresses: start, and one past the end."""
Watch = Callable[[int, Jumps], Callable[[Site, State], None]]
"""Told the entry of each run as it begins, and the computed jumps known by then; what it returns is told every
instruction of that run."""


def explore(
    image: Image,
    silicon: Silicon,
    sensor_registers: frozenset[int],
    budget: int = STEP_BUDGET,
    watch: Watch | None = None,
    mailbox: int | None = None,
    outputs: tuple[int, ...] = (),
) -> Exploration:
    """Everything that can be established about the privileged code of `image`.

    `sensor_registers` are addresses of device registers whose contents come from the declared sensor; `mailbox` is that
    of the word for which handlers are also run with nothing in it (`Exploration.unanswered`). `outputs` are
    addresses of the registers that say what the pins show; where gate memory has a part in what is stored there, that
    memory is followed too (`Exploration.history`). Never raises for what the image does: what cannot be followed is an
    obstacle of the result. `watch` looks on, for explanations.
    """
    jumps, spent, effort = KnownJumps(), 0, Effort(UNITS)
    while True:
        explorer = _Explorer(image, silicon, sensor_registers, budget, watch, mailbox, outputs, jumps, spent, effort)
        try:
            return explorer.run()
        except Discovered:
            spent = explorer.steps


@dataclass(frozen=True, slots=True)
class _Explored:
    """One run from an entry, before it is put into words."""

    executor: Executor
    trace: Trace
    entry: int
    exceptions: tuple[int, ...]
    stack: int | None
    """Main stack pointer at entry, where it is one number."""
    left: list[State]
    """The states at the ends of the run."""
    start: State | None = None
    """The state in which a handler is entered."""


class _Explorer:
    def __init__(
        self,
        image: Image,
        silicon: Silicon,
        sensor_registers: frozenset[int],
        budget: int,
        watch: Watch | None,
        mailbox: int | None,
        outputs: tuple[int, ...],
        jumps: KnownJumps,
        spent: int,
        effort: Effort,
    ) -> None:
        self._image = image
        self._silicon = silicon
        self._sensor_registers = sensor_registers
        self._effort = effort
        self._source = SymbolSource(effort)
        self._watch = watch
        self._budget = budget
        self._mailbox = mailbox
        self._outputs = outputs
        self._history: History | Unfollowed | None = None
        self._jumps = jumps
        self.steps = spent
        self._instructions: dict[int, Instruction] = {}
        self._costs = Costs(silicon)
        self._obstacles: list[Obstacle] = []
        self._executed: dict[int, int] = {}
        self._constants: set[tuple[int, int]] = set()
        self._interruptible: State | None = None
        registers = silicon.registers.values()
        self._interrupt_enables = [each.address for each in registers if each.full_name.startswith("NVIC.ISER")]
        self._systick = next((each.address for each in registers if each.full_name == "SysTick.CSR"), None)

    def run(self) -> Exploration:
        vectors = self._vectors()
        boot, entry = self._boot(vectors)
        handlers: list[Run] = []
        unanswered: list[Run] = []
        rounds = 0
        if entry is not None:
            handlers, unanswered, rounds = self._handlers(vectors, entry)
        return Exploration(
            boot=boot,
            handlers=tuple(handlers),
            unanswered=tuple(unanswered),
            vectors=vectors,
            history=self._history,
            obstacles=tuple(self._obstacles),
            executed=_joined((start, start + size) for start, size in self._executed.items()),
            constants=_joined(self._constants),
            invariant_rounds=rounds,
            steps=self.steps,
        )

    # --- fetching ---------------------------------------------------------------------------------------------------

    def _fetch(self, address: int) -> Instruction:
        instruction = self._instructions.get(address)
        if instruction is None:
            code = self._image.read(address, 4) or self._image.read(address, 2)
            if code is None or self._silicon_kind(address) is not MemoryKind.FLASH:
                raise TruncatedInstruction(
                    address=address, encoding=-1, reason="execution reaches an address that the image does not fill"
                )
            instruction = self._instructions[address] = decode(code, address)
        return instruction

    def _silicon_kind(self, address: int) -> MemoryKind | None:
        memory = self._silicon.memory_at(address)
        return None if memory is None else memory.kind

    def _vectors(self) -> tuple[int, ...]:
        """The table at the start of flash: the boot alias shows it at address 0 (RM0368 2.4)."""
        flash = self._silicon.memories_of(MemoryKind.FLASH)[0]
        count = self._silicon.exceptions.count
        data = self._image.read(flash.start, 4 * count)
        if data is None:
            self._note("code-not-in-image", "the image has no complete vector table at the start of flash", flash.start)
            return ()
        return tuple(int.from_bytes(data[4 * index : 4 * index + 4], "little") for index in range(count))

    # --- boot -------------------------------------------------------------------------------------------------------

    def _boot(self, vectors: tuple[int, ...]) -> tuple[Run, State | None]:
        trace = Trace(self._budget - self.steps, effort=self._effort)
        executor = self._executor(trace)
        executor.on_interruptible = lambda state: self._note_interruptible(state, trace)
        entry = vectors[RESET] if vectors else 0
        if vectors:
            self._record_vectors(trace, len(vectors))
            self._follow(executor, trace, entry, self._reset_state(vectors[0]))
        self.steps += trace.steps
        drops = [state for _, _, state in executor.ends.drops]
        run = self._finish(_Explored(executor, trace, entry, (RESET,), vectors[0] if vectors else None, drops))
        entries = drops + ([self._interruptible] if self._interruptible is not None else [])
        if not drops:
            return run, None
        joined = reduce(join, entries)
        joined.control = ranges.NO_ORIGINS  # what the ways here have left otherwise carries it by now
        _forget_boot_stack(joined)
        _forget_relations(joined)
        return run, joined

    def _record_vectors(self, trace: Trace, count: int) -> None:
        start = self._silicon.memories_of(MemoryKind.FLASH)[0].start
        trace.constant(start, start + 4 * count)

    def _note_interruptible(self, state: State, trace: Trace) -> None:
        """Keep what the machine looks like wherever an exception could be taken before the drop."""
        if not self._exceptions_enabled(state):
            return
        if not state.known(CONTROL).ones & 2:
            message = "an interrupt can be taken before the drop while the boot still runs on the main stack"
            trace.obstacle(Blocked("preemption-before-drop", message, "enable interrupts last, on the process stack"))
        seen = state.copy()
        self._interruptible = seen if self._interruptible is None else join(self._interruptible, seen)

    def _exceptions_enabled(self, state: State) -> bool:
        """Whether some interrupt is enabled. Faults need none: the gate is proved not to raise any."""
        return any(state.known(address).only != 0 for address in self._interrupt_enables) or (
            self._systick is not None and not state.known(self._systick).zeros & SYSTICK_INTERRUPT
        )

    def _reset_state(self, stack: int) -> State:
        state = self._empty_state(frozenset((Origin.RESET,)))
        for register in (*range(13), LR):
            state.slots[register] = state.symbols.fresh(ranges.anything(frozenset((Origin.RESET,))))
        state.slots[MAIN_STACK] = stack & ~3
        state.slots[PROCESS_STACK] = state.symbols.fresh(_aligned(ranges.anything(frozenset((Origin.RESET,)))))
        for special in (CONTROL, PRIMASK, FAULTMASK, BASEPRI):
            state.slots[special] = 0
        state.stack_low = stack & ~3
        return state

    def _empty_state(self, origins: frozenset[Origin]) -> State:
        bus = Bus(self._image, self._silicon, self._sensor_registers, Trace(0))
        memory = ranges.anything(origins)
        segments = [(ram.start, ram.end, memory) for ram in self._silicon.memories_of(MemoryKind.RAM)]
        return State(Symbols(self._source), sorted(segments, key=lambda item: item[0]), bus.reset_value)

    # --- handlers ---------------------------------------------------------------------------------------------------

    def _handlers(self, vectors: tuple[int, ...], entry: State) -> tuple[list[Run], list[Run], int]:
        """The runs that count, the same with nothing in the mailbox, and how many rounds the invariant took."""
        entries = self._entries(vectors)
        confined = self._confined_memory(entry)
        invariant = entry
        for round_number in range(1, MOST_ROUNDS + 1):
            explored = [self._handler(address, numbers, invariant, confined) for address, numbers in entries]
            grown = self._grown_by(explored, invariant, confined, round_number)
            if grown is None:
                break
            invariant = grown
        else:
            self._note("no-invariant", "what handlers leave in gate memory and devices does not settle", entries[0][0])
        if self._confined_memory(invariant) != confined:
            message = "a handler changes the MPU, so what the confined part can write is not one set of addresses"
            self._note("protection-changes", message, entries[0][0])
        self._history = self._remembered(explored, invariant, confined, entry)
        unanswered = [self._finish(each) for each in self._unanswered(entries, invariant, confined)]
        return [self._finish(each) for each in explored], unanswered, round_number

    def _grown_by(
        self, explored: list[_Explored], invariant: State, confined: Places, round_number: int
    ) -> State | None:
        """The invariant after one more round, None when it holds: or when the effort is spent, which is an obstacle."""
        left = [handler.left for handler in explored]
        try:
            with self._effort.bounding():
                return _grown(invariant, left, confined, round_number)
        except BudgetSpent:
            message = f"the budget of {UNITS} units of effort is spent on what handlers leave in memory"
            self._note("step-budget", message, explored[0].entry)
            return None

    def _unanswered(
        self, entries: list[tuple[int, list[int]]], invariant: State, confined: Places
    ) -> Iterator[_Explored]:
        """Each handler from the invariant with 0 in the mailbox; none where that is no word of the confined part's."""
        mailbox = self._mailbox
        if mailbox is None or mailbox & 3 or not any(start <= mailbox < end for start, end in confined):
            return
        self._watch = None  # explanations are of the runs that count
        for address, numbers in entries:
            yield self._handler(address, numbers, invariant, confined, {mailbox: 0})

    def _remembered(
        self, explored: list[_Explored], invariant: State, confined: Places, entry: State
    ) -> History | Unfollowed | None:
        """What the gate remembers of earlier answers; None where nothing of it reaches the compare registers."""
        found = [each for each in explored if any(_from_memory(each.trace, self._outputs))]
        if self._mailbox is None or not found:
            return None
        if len(found) > 1 or self._obstacles or any(each.trace.obstacles for each in explored):
            message = "what the gate remembers is followed only where one handler, without obstacles, stores the output"
            return Unfollowed(code="gate-state-unfollowed", message=message, would_help="see the obstacles")
        tick = found[0]
        stack = _stack_of(explored)
        if stack is None:
            return Unfollowed(code="gate-state-unbounded", message="the stack is not bounded", would_help="bound it")
        words = state_words((each.trace for each in explored), stack)
        if isinstance(words, Unfollowed):
            return words
        others = [each.trace for each in explored if each is not tick]
        sites = storing_sites(tick.trace, others, (*words, *self._outputs))
        if isinstance(sites, Unfollowed):
            return sites
        trace = Trace(min(self._budget - self.steps, HISTORY_STEPS), effort=self._effort)
        processor = self._handler_executor(trace, list(tick.exceptions), confined).processor
        start = self._handler_state(invariant, confined)
        with self._effort.bounding(HISTORY_UNITS):
            history = follow_history(
                Tick(tick.entry & ~1, start, processor, trace, self._fetch),
                Wanted(self._mailbox, 1 << len(self._outputs), self._outputs, words, sites),
                entry,
            )
        self.steps += trace.steps
        return history

    def _entries(self, vectors: tuple[int, ...]) -> list[tuple[int, list[int]]]:
        """Each handler with the exceptions it serves. A zero vector of a reserved exception serves none."""
        entries: dict[int, list[int]] = {}
        for number, address in enumerate(vectors[RESET + 1 :], RESET + 1):
            if number in self._silicon.exceptions.names or address != 0:
                entries.setdefault(address, []).append(number)
        return sorted(entries.items())

    def _confined_memory(self, state: State) -> Places:
        """RAM that unprivileged code can write, by the MPU as it is at the drop; all of RAM when that is not known."""
        rams = [(ram.start, ram.end) for ram in self._silicon.memories_of(MemoryKind.RAM)]
        decoded = Bus(self._image, self._silicon, self._sensor_registers, Trace(0)).protection(state)
        if not isinstance(decoded, mpu.Protection) or not decoded.enabled:
            return tuple(rams)
        found = []
        for start, end in mpu.unprivileged_writable(decoded):
            for low, high in rams:
                if start < high and low < end:
                    found.append((max(start, low), min(end, high)))
        return tuple(found)

    def _handler(
        self, address: int, numbers: list[int], invariant: State, confined: Places, found: Mapping[int, int] = _NOTHING
    ) -> _Explored:
        """Run a handler; `found` says what some words of the confined part's memory hold."""
        trace = Trace(self._budget - self.steps, effort=self._effort)
        executor = self._handler_executor(trace, numbers, confined)
        state = self._handler_state(invariant, confined)
        state.slots.update(found)
        top = state.known(MAIN_STACK).only
        start = state.copy()
        self._follow(executor, trace, address, state)
        self.steps += trace.steps
        left = [after for _, _, after in executor.ends.exception_returns]
        return _Explored(executor, trace, address, tuple(sorted(numbers)), top, left, start)

    def _handler_executor(self, trace: Trace, numbers: list[int], confined: Places) -> Executor:
        executor = self._executor(trace)
        executor.processor.handler_mode = True
        executor.processor.exception = ranges.of_values(numbers, _FOUND if len(numbers) > 1 else ranges.NO_ORIGINS)
        executor.bus.confined = confined
        return executor

    def _handler_state(self, invariant: State, confined: Places) -> State:
        """Exception entry from thread mode: the confined part chose every register and filled its memory."""
        state = invariant.copy()
        _forget_relations(state)
        anything, found = ranges.anything(_CONFINED), ranges.anything(_FOUND)
        for register in range(13):
            state.slots[register] = state.symbols.fresh(found)
        state.slots[PROCESS_STACK] = state.symbols.fresh(_aligned(found))
        state.slots[LR] = _RETURN_TO_PROCESS_STACK
        state.flags = Flags(origins=_FOUND)
        state.passed = frozenset()
        state.control = ranges.NO_ORIGINS
        state.cycles = self._costs.entry()
        for start, end in confined:
            state.fill(start, end, anything)
        state.stack_low = state.known(MAIN_STACK).only
        state.barriers = state.barriers - {STORES_COMPLETE}
        return state

    # --- shared -----------------------------------------------------------------------------------------------------

    def _executor(self, trace: Trace) -> Executor:
        bus = Bus(self._image, self._silicon, self._sensor_registers, trace)
        return Executor(self._fetch, AbstractProcessor(bus, trace), trace, self._costs, bus, self._jumps)

    def _follow(self, executor: Executor, trace: Trace, entry: int, state: State) -> None:
        trace.address = entry & ~1
        executor.on_arrive = self._watch(entry & ~1, self._jumps.targets) if self._watch is not None else None
        try:
            if not entry & 1:
                raise Blocked("fault-possible", f"the vector 0x{entry:08x} has bit 0 clear", _THUMB_VECTOR)
            with self._effort.bounding():
                for _ in executor.run(entry, state):
                    raise Blocked("return-address-changed", "the outermost function returns", _EXCEPTION_RETURN)
        except Discovered:
            self.steps += trace.steps
            raise
        except Blocked as blocked:
            trace.obstacle(blocked)
        except RecursionError:
            trace.obstacle(Blocked("step-budget", "calls, loops or branches nest too deep to follow", _FLATTER))
        except BudgetSpent:
            budget = f"the budget of {self._budget} steps and {UNITS} units of effort"
            message = f"{budget} is spent in the loop or function at 0x{trace.address:08x}"
            trace.obstacle(Blocked("step-budget", message, "simplify the gate's loops, or raise the budget"))

    def _finish(self, explored: _Explored) -> Run:
        """The run as its readers see it; its obstacles and coverage join the exploration's."""
        executor, trace = explored.executor, explored.trace
        self._obstacles += trace.obstacles.values()
        self._executed.update(trace.executed)
        self._constants |= trace.constants
        return Run(
            entry=explored.entry & ~1,
            exceptions=explored.exceptions,
            accesses=_accesses(trace, explored.left),
            instructions=len(trace.executed),
            cycles=_most_cycles(explored.left),
            stack_low=_lowest_stack(explored.left),
            stack_high=explored.stack,
            confined_branches=tuple(trace.confined_branches),
            system_writes=tuple(trace.system_writes),
            exits=tuple(self._exit(site, value, state) for site, value, state in executor.ends.exception_returns),
            drops=tuple(self._drop(site, target, state) for site, target, state in executor.ends.drops),
            endless=tuple(executor.ends.endless.values()),
            entry_state=None if explored.start is None else machine_state(explored.start, self._silicon),
            ram_stores=_joined(trace.ram_stores),
        )

    def _exit(self, site: Site, value: Value, state: State) -> HandlerExit:
        stack = state.get(PROCESS_STACK)
        frame = []
        for offset in range(0, 32, 4):
            address = state.symbols.resolved(state.symbols.add(stack, offset))
            inside = isinstance(address, int) and state.segment_at(address) is not None
            frame.append((state.known(address) if inside and isinstance(address, int) else ranges.anything()).word())
        return HandlerExit(
            site=site,
            exception_return=state.symbols.range(value).word(),
            frame=tuple(frame),
            state=machine_state(state, self._silicon),
        )

    def _drop(self, site: Site, target: int, state: State) -> Drop:
        return Drop(site=site, target=ranges.exactly(target).word(), state=machine_state(state, self._silicon))

    def _note(self, code: str, message: str, address: int) -> None:
        self._obstacles.append(
            Obstacle(code=code, message=message, would_help="see the message", site=Site(address=address))
        )


def _from_memory(trace: Trace, outputs: tuple[int, ...]) -> Iterator[bool]:
    """Of each store to one of the outputs, whether gate memory has a part in its value."""
    for key in trace.accesses:
        if key.kind is AccessKind.STORE and any(
            key.address.low < each + 4 and each <= key.address.high for each in outputs
        ):
            yield Origin.GATE in key.value.origins | key.control


def _stack_of(explored: list[_Explored]) -> tuple[int, int] | None:
    """The stack that handlers use; None where it has no bound."""
    lows, tops = [_lowest_stack(each.left) for each in explored], [each.stack for each in explored]
    known_lows = [low for low in lows if low is not None]
    known_tops = [top for top in tops if top is not None]
    if len(known_lows) < len(lows) or len(known_tops) < len(tops):
        return None
    return min(known_lows), max(known_tops)


def _grown(invariant: State, left: list[list[State]], confined: Places, round_number: int) -> State | None:
    """The invariant grown to cover what handlers left in gate memory and devices; None if it covers that already.

    The ends of one handler are joined first: where they differ, what chose between them shows. That the result differs
    from the invariant tells of nothing but which handlers ran.
    """
    grown = invariant
    for states in left:
        settled = [state.copy() for state in states]
        for twin, state in zip(settled, states, strict=True):
            _forget_dead_stack(twin, state)
        if all(_covered(invariant, twin, confined) for twin in settled):
            continue
        joined = reduce(join, settled)
        joined.control = ranges.NO_ORIGINS
        grown = join(grown, joined)
        for state in states:
            _forget_dead_stack(grown, state)
    if grown is invariant:
        return None
    for key in grown.slots if round_number > WIDEN_AFTER else ():
        old, new = invariant.known(key), grown.known(key)
        if _kept(key, confined) and old != new:
            known = ranges.widened(old, new) if round_number <= GIVE_UP_AFTER else ranges.anything(new.origins)
            grown.slots[key] = grown.symbols.fresh(known)
    _forget_relations(grown)
    return grown


def _forget_relations(state: State) -> None:
    """The invariant is a range for each slot: no slot may know anything about another.

    What is not one constant there tells which handlers ran before: it comes from the gate's memory of them, be that
    RAM or a device register.
    """
    history = frozenset((Origin.GATE,))
    for key, value in state.slots.items():
        if isinstance(value, Linear):
            state.slots[key] = state.symbols.fresh(state.symbols.range(value).with_origins(history))
    state.segments = [
        (low, high, known if known.only is not None else known.with_origins(history))
        for low, high, known in state.segments
    ]


def _forget_boot_stack(state: State) -> None:
    """The boot never returns, so what it left on the main stack is dead, and the handlers use the same stack again."""
    top, low = state.known(MAIN_STACK).only, state.stack_low
    if top is not None and low is not None and state.segment_at(low) is not None:
        state.fill(low, top, _DEAD)


def _forget_dead_stack(grown: State, left: State) -> None:
    """What a handler left below the stack pointer is dead: nothing is claimed about it, so it settles at once.

    It carries every origin but the sensor's: whether a handler stores a frame where none belongs is told by the state
    in which that handler ends, and a handler that reads dead stack gets a value that no requirement lets pass.
    """
    top, low = left.known(MAIN_STACK).only, left.stack_low
    if top is not None and low is not None:
        for key in grown.ram_slots(low, top):
            grown.slots[key] = grown.symbols.fresh(_DEAD)


def _aligned(known: ranges.Range) -> ranges.Range:
    return ranges.bit_and(known, ranges.exactly(~3 & ranges.MASK))


def _kept(key: int, confined: Places) -> bool:
    """Whether a slot carries over from one handler to the next: not registers, not what the confined part can write."""
    if key < 0 or key <= LR or key == PROCESS_STACK:
        return False
    return not any(start <= key < end for start, end in confined)


def _covered(invariant: State, state: State, confined: Places) -> bool:
    if not invariant.barriers - {STORES_COMPLETE} <= state.barriers:
        return False
    for key in invariant.slots.keys() | state.slots.keys():
        if _kept(key, confined) and not invariant.known(key).includes(state.known(key)):
            return False
    return all(
        any(start <= low and high <= end for start, end in confined) or mine.includes(its)
        for low, high, mine, its in pieces(invariant, state)
    )


def _accesses(trace: Trace, ends: list[State]) -> tuple[Access, ...]:
    always = reduce(lambda a, b: a & b, (state.passed for state in ends)) if ends else frozenset()
    again = _repeated(trace)
    found = []
    for key, record in trace.accesses.items():
        found.append(
            Access(
                kind=key.kind,
                site=key.site,
                address=key.address.word(),
                width=key.width,
                value=key.value.word(),
                order=record.order,
                in_loop=record.repeated or key in again,
                must=access_token(key.kind, key.site, key.address.only) in always,
                multiple=key.multiple,
                control=key.control,
            )
        )
    return tuple(found)


def _repeated(trace: Trace) -> set[AccessKey]:
    """Accesses of one instruction to the same place: iterations of a loop that was followed one by one."""
    sites: dict[tuple[AccessKind, Site], list[AccessKey]] = {}
    for key in trace.accesses:
        sites.setdefault((key.kind, key.site), []).append(key)
    again: set[AccessKey] = set()
    for keys in sites.values():
        keys.sort(key=lambda key: key.address.low)
        end, last = -1, keys[0]
        for key in keys:
            if key.address.low < end:
                again |= {key, last}
            if key.address.high + key.width > end:
                end, last = key.address.high + key.width, key
    return again


def _most_cycles(ends: list[State]) -> int | None:
    bounds = [cycles_of(state) for state in ends]
    known = [bound for bound in bounds if bound is not None]
    return max(known) if known and len(known) == len(bounds) else None


def _lowest_stack(ends: list[State]) -> int | None:
    bounds = [state.stack_low for state in ends]
    known = [bound for bound in bounds if bound is not None]
    return min(known) if known and len(known) == len(bounds) else None


def _joined(pieces: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The ranges in order, those that touch put together."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
