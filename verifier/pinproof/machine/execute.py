"""Abstract execution of functions: blocks in weak topological order, calls inlined, IT blocks path by path.

Paths that meet are joined. Every way in which control can leave is either followed, recorded as an end of the run
(return, exception return, drop, endless loop), or recorded as an obstacle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce

from ..isa import semantics
from ..isa.errors import DecodeError
from ..isa.instruction import Condition, Instruction, Operation
from . import flags, ranges
from .bus import Bus
from .costs import Costs
from .flow import Block, FlowError, Function, Loop, Step, function_at, jumps_within
from .induction import Bounds
from .jumps import KnownJumps, each_entry, each_value
from .loops import run_loop
from .processor import AbstractProcessor
from .result import EndlessLoop, Origin, Site
from .state import CONTROL, LR, PRIMASK, State, join
from .trace import Blocked, Records, Trace
from .values import Infeasible, Value

DEEPEST_CALLS = 24
EXCEPTION_RETURN = 0xFFFFFFE0
"""EXC_RETURN values of handlers have these bits set (DDI 0403, B1.5.8); bit 4 tells the frame's form."""


@dataclass(slots=True)
class Ends:
    """Where the paths of one run ended."""

    exception_returns: list[tuple[Site, Value, State]] = field(default_factory=list)
    drops: list[tuple[Site, int, State]] = field(default_factory=list)
    endless: dict[Site, EndlessLoop] = field(default_factory=dict)


@dataclass(slots=True)
class Frame:
    """One activation of a function."""

    function: Function
    return_address: int | None
    """None for the function that the hardware entered."""


Edges = list[tuple[int, State]]
"""States and the block each goes to, or one of the two below: a way out counts as leaving every loop around it."""
RETURNED = -1
"""Where a state goes that returns to the function's caller."""
ENDED = -2
"""Where a state goes whose path is over, by an exception return or the drop."""


class Executor:
    def __init__(
        self,
        fetch: Callable[[int], Instruction],
        processor: AbstractProcessor,
        trace: Trace,
        costs: Costs,
        bus: Bus,
        jumps: KnownJumps | None = None,
    ) -> None:
        self.bus = bus
        self._jumps = KnownJumps() if jumps is None else jumps
        self._fetch = fetch
        self.processor = processor
        self.trace = trace
        self._costs = costs
        self._functions: dict[int, Function] = {}
        self._active: list[int] = []
        self.ends = Ends()
        self.bounds: dict[tuple[int, tuple[int, ...]], tuple[Bounds, int | None]] = {}
        """The bound that held for each loop in each calling context, and what it was chosen from."""
        self.on_interruptible: Callable[[State], None] | None = None
        """Told every state of the boot in which an exception could be taken."""
        self.on_arrive: Callable[[Site, State], None] | None = None
        """Told every instruction before it executes, for explanations: what it learns decides nothing."""

    def mark(self) -> tuple[Records, Ends]:
        """What has been recorded so far, to return to."""
        ends = self.ends
        return self.trace.mark(), Ends(list(ends.exception_returns), list(ends.drops), dict(ends.endless))

    def rewind(self, mark: tuple[Records, Ends]) -> None:
        records, self.ends = mark
        self.trace.rewind(records)

    # --- functions --------------------------------------------------------------------------------------------------

    def run(self, entry: int, state: State) -> list[State]:
        """Execute from a hardware entry; ends are in `ends`. Returns the states that returned to nowhere."""
        return [after for target, after in self._run_function(entry & ~1, state, None) if target == RETURNED]

    def _run_function(self, entry: int, state: State, return_address: int | None) -> Edges:
        if len(self._active) >= DEEPEST_CALLS or entry in self._active:
            raise Blocked("recursion", f"the function at 0x{entry:08x} calls itself, or calls nest too deep", _FLATTEN)
        function = self._function(entry)
        frame = Frame(function, return_address)
        self._active.append(entry)
        try:
            edges = self.run_elements(function.order, {entry: [state]}, frame)
        finally:
            self._active.pop()
        for target, _ in edges:
            if target not in (RETURNED, ENDED):  # a path that nobody would follow: the graph and the execution differ
                raise Blocked("return-address-changed", f"a path leaves the function for 0x{target:08x}", _STACK)
        return edges

    def _function(self, entry: int) -> Function:
        function = self._functions.get(entry)
        if function is None:
            try:
                function = function_at(entry, self._fetch, self._jumps.targets)
            except FlowError as error:
                raise Blocked(error.code, str(error), "let branches go to whole instructions of one IT block") from None
            except DecodeError as error:
                raise Blocked(_decode_code(error), str(error), "use instructions that the model executes") from None
            self._functions[entry] = function
        return function

    def run_elements(self, order: tuple[int | Loop, ...], pending: dict[int, list[State]], frame: Frame) -> Edges:
        """Execute a piece of a function in order; returns the edges that leave it. `pending` is used up.

        In a weak topological order every edge goes forward or to the head of a loop around it. The one exception is an
        edge from outside into the middle of a loop: its state would find its place already passed. That is an obstacle,
        named where the edge leads.
        """
        inside = _members(order)
        leaving: Edges = []
        for element in order:
            head = element if isinstance(element, int) else element.head
            arrived = pending.pop(head, None)
            if not arrived:
                continue
            state = reduce(join, arrived)
            if isinstance(element, int):
                edges = self.run_block(frame.function.blocks[element], state, frame)
            else:
                edges = run_loop(self, element, state, frame)
            for target, after in edges:
                if target in inside:
                    # Joined as they come: a thousand states that wait for one block would not fit in memory.
                    waiting = pending.setdefault(target, [])
                    waiting[:] = [reduce(join, [*waiting, after])]
                else:
                    leaving.append((target, after))
        if pending:
            self.trace.obstacle(_irreducible(min(pending)), min(pending))
        return leaving

    # --- blocks -----------------------------------------------------------------------------------------------------

    def run_block(self, block: Block, state: State, frame: Frame) -> Edges:
        """Execute straight code; obstacles end the path and are recorded where they arise."""
        edges: Edges = []
        position = 0
        current: State | None = state
        while current is not None and position < len(block.steps):
            step = block.steps[position]
            self._arrive(step.instruction, current)
            length = 1
            try:
                if step.instruction.operation is Operation.IT:
                    length = 1 + len(step.instruction.it_conditions)
                    current = self._run_it(block.steps[position + 1 : position + length], current, frame, edges)
                else:
                    current = self._run_one(step.instruction, current, frame, edges, in_it_block=False)
            except Blocked as blocked:
                self.trace.obstacle(blocked)
                return edges
            except Infeasible:
                return edges
            position += length
        if current is not None:
            edges.append((block.end, current))
        return edges

    def _arrive(self, instruction: Instruction, state: State) -> None:
        trace = self.trace
        trace.step()
        trace.address = instruction.address
        trace.executed[instruction.address] = instruction.size
        state.cycles += self._costs.of(instruction, state)
        if self.on_interruptible is not None and state.slots.get(PRIMASK) != 1:
            self.on_interruptible(state)
        if self.on_arrive is not None:
            self.on_arrive(trace.site, state)

    def _run_it(self, steps: tuple[Step, ...], state: State, frame: Frame, edges: Edges) -> State | None:
        """Follow both outcomes of each condition through the whole block, then join."""
        paths = [state]
        origins: frozenset[Origin] = ranges.NO_ORIGINS
        # Paths part at the first condition, and what they do later in the block was decided there.
        slow = any(_takes_time(step.instruction) for step in steps)
        for step in steps:
            assert step.condition is not None
            following: list[State] = []
            for path in paths:
                self._arrive(step.instruction, path)
                origins |= path.flags.origins
                taken, skipped = self._split(path, step.condition)
                if skipped is not None:
                    following.append(skipped)
                if taken is not None:
                    if skipped is not None and slow:
                        self._decided_by(path.flags.origins, taken, skipped)
                    after = self._run_one(step.instruction, taken, frame, edges, in_it_block=True)
                    if after is not None:
                        following.append(after)
            paths = following
        if not paths:
            return None
        return reduce(lambda a, b: join(a, b, origins), paths)

    def _split(self, state: State, condition: Condition) -> tuple[State | None, State | None]:
        """The states in which the condition holds and does not; None where that cannot be."""
        if condition is Condition.AL:
            return state, None
        return _assuming(state.copy(), condition), _assuming(state, flags.negated(condition))

    # --- one instruction --------------------------------------------------------------------------------------------

    def _run_one(
        self, instruction: Instruction, state: State, frame: Frame, edges: Edges, *, in_it_block: bool
    ) -> State | None:
        """Execute one instruction whose condition holds. Returns the state that falls through, if one does."""
        processor = self.processor
        processor.state = state
        flow = semantics.step(instruction, processor, in_it_block=in_it_block)
        following = instruction.address + instruction.size
        match flow:
            case semantics.Next():
                return self._after(state, following, edges)
            case semantics.BeginIt():
                raise AssertionError("IT is handled by its block")
            case semantics.Jump(target=target):
                if not processor.handler_mode and state.known(CONTROL).ones & 1:
                    self._drop(state, target, edges)
                else:
                    edges.append((target, state))
            case semantics.ConditionalJump(condition=condition, target=target):
                self._branch(state, state.flags, condition, target, following, edges)
            case semantics.CompareJump(register_value=value, jump_if_zero=jump_if_zero, target=target):
                zero = processor.assign_flags_of(value)
                condition = Condition.EQ if jump_if_zero else Condition.NE
                self._branch_on(state, zero, condition, target, following, edges)
            case semantics.Call(target=target, return_address=return_address):
                return self._call(target, state, return_address, edges)
            case semantics.JumpRegister(value=value, return_address=return_address, interworking=interworking):
                return self._jump(value, return_address, state, frame, edges, interworking=interworking)
            case semantics.TableJump(base=base, index=index, width=width):
                self._decided_by(state.symbols.origins(index), state)
                for target, after in each_entry(state, base, index, width, self.bus):
                    self._jump_within(target, after, edges)
            case semantics.Trap(operation=operation):
                raise Blocked("fault-possible", f"the gate executes {operation.value}, an exception", _NO_TRAP)
        return None

    def _after(self, state: State, following: int, edges: Edges) -> State | None:
        """Notice the drop: CONTROL.nPRIV is 1 and an ISB has made it hold.

        What follows runs unprivileged, so it proves nothing and harms nothing; moves and jumps are still followed, for
        they say where the confined part begins.
        """
        if self.processor.handler_mode:
            return state
        control = state.known(CONTROL)
        if control.zeros & 1:
            return state
        if not control.ones & 1:
            raise Blocked("unpredictable", "CONTROL.nPRIV may or may not be set here", "write CONTROL with a constant")
        upcoming = self._fetch(following).operation
        if "control-synchronised" not in state.barriers:
            if upcoming not in _BEFORE_DROP:
                raise Blocked("unpredictable", "code runs before an ISB makes CONTROL.nPRIV hold", _SYNCHRONISE)
            return state
        if upcoming in _AFTER_DROP:
            return state
        self._drop(state, following, edges)
        return None

    def _drop(self, state: State, target: int, edges: Edges) -> None:
        state.keep()
        self.ends.drops.append((self.trace.site, target, state))
        edges.append((ENDED, state))

    def _branch(
        self, state: State, known: flags.Flags, condition: Condition, target: int, following: int, edges: Edges
    ) -> None:
        taken, skipped = self._split(state, condition)
        if taken is not None and skipped is not None:
            self._decided_by(known.origins, taken, skipped)
        if taken is not None:
            edges.append((target, taken))
        if skipped is not None:
            edges.append((following, skipped))

    def _branch_on(
        self, state: State, known: flags.Flags, condition: Condition, target: int, following: int, edges: Edges
    ) -> None:
        """As `_branch`, on a comparison that leaves the state's own flags alone."""
        kept = state.flags
        state.flags = known
        before = len(edges)
        self._branch(state, known, condition, target, following, edges)
        for _, after in edges[before:]:
            after.flags = kept

    def _decided_by(self, origins: frozenset[Origin], *states: State) -> None:
        self.trace.branch_on(origins)
        hidden = origins - {Origin.SENSOR}
        for state in states:
            state.control = state.control | hidden

    def _call(self, target: int, state: State, return_address: int, edges: Edges) -> State | None:
        site = self.trace.address
        calls = self.trace.calls
        state.slots[LR] = return_address | 1
        self.trace.calls = (*calls, site)
        try:
            outcome = self._run_function(target & ~1, state, return_address & ~1)
        finally:
            self.trace.calls = calls
            self.trace.address = site
        edges += [edge for edge in outcome if edge[0] == ENDED]
        returned = [after for where, after in outcome if where == RETURNED]
        return reduce(join, returned) if returned else None

    def _jump(
        self,
        value: Value,
        return_address: int | None,
        state: State,
        frame: Frame,
        edges: Edges,
        *,
        interworking: bool,
    ) -> State | None:
        """Follow a jump to every address that `value` can be. Returns the state behind a call that returned."""
        if self.processor.state.known(CONTROL).ones & 1 and not self.processor.handler_mode:
            target = state.symbols.range(value).only
            self._drop(state, target if target is not None else 0, edges)
            return None
        self._decided_by(state.symbols.origins(value), state)
        returned = []
        for target, chosen in each_value(state, value):
            self.processor.state = chosen
            if not interworking:
                self._jump_within(target & ~1, chosen, edges)
            elif return_address is None and target >= EXCEPTION_RETURN and self.processor.handler_mode:
                chosen.keep()
                self.ends.exception_returns.append((self.trace.site, value, chosen))
                edges.append((ENDED, chosen))
            elif not target & 1:
                raise Blocked("fault-possible", f"a jump to 0x{target:08x} leaves Thumb state", _THUMB)
            elif return_address is None:
                self._leave(target & ~1, chosen, frame, edges)
            else:
                after = self._call(target, chosen, return_address, edges)
                returned += [] if after is None else [after]
        return reduce(join, returned) if returned else None

    def _leave(self, target: int, state: State, frame: Frame, edges: Edges) -> None:
        """A jump that is no call: a return, a jump within the function, or a tail call."""
        instruction = self._fetch(self.trace.address)
        if target == frame.return_address:
            edges.append((RETURNED, state))
        elif jumps_within(instruction):
            self._jump_within(target, state, edges)
        elif instruction.operation is Operation.BX and instruction.rm != LR:
            edges += self._run_function(target, state, frame.return_address)
        else:
            raise Blocked("return-address-changed", f"a function returns to 0x{target:08x}, not to its caller", _STACK)

    def _jump_within(self, target: int, state: State, edges: Edges) -> None:
        self._jumps.check(self.trace.address, target)
        edges.append((target, state))


def _assuming(state: State, condition: Condition) -> State | None:
    try:
        state.flags = flags.assume(state.symbols, state.flags, condition)
    except Infeasible:
        return None
    return state


def _takes_time(instruction: Instruction) -> bool:
    """Whether executing it takes another number of cycles than skipping it (DDI 0439, 3.3.1): not so for plain ALU."""
    name = instruction.operation.value
    return instruction.writes_pc or name.startswith(_SLOW)


def _members(order: tuple[int | Loop, ...]) -> frozenset[int]:
    found: set[int] = set()
    for element in order:
        found |= {element} if isinstance(element, int) else element.members
    return frozenset(found)


def _irreducible(address: int) -> Blocked:
    return Blocked(
        "irreducible-loop",
        f"a branch from outside leads into the middle of a loop, to 0x{address:08x}",
        "enter each loop at one place, its head",
    )


def _decode_code(error: DecodeError) -> str:
    name = type(error).__name__
    return {
        "UndefinedInstruction": "undefined-instruction",
        "UnpredictableInstruction": "unpredictable",
        "UnmodelledInstruction": "unmodelled-instruction",
    }.get(name, "code-not-in-image")


_BEFORE_DROP = frozenset((Operation.ISB, Operation.DSB, Operation.DMB, Operation.NOP, Operation.B, Operation.BX))
_SYNCHRONISE = "put an ISB right behind the write of CONTROL"
_AFTER_DROP = frozenset((Operation.MOV, Operation.MOVT, Operation.B, Operation.BX, Operation.NOP))
_SLOW = ("ld", "st", "push", "pop", "mul", "ml", "umul", "smul", "umla", "smla", "udiv", "sdiv")
_THUMB = "set bit 0 of code addresses"
_FLATTEN = "write the gate without recursion"
_NO_TRAP = "remove the instruction from gate code"
_STACK = "keep return addresses where no store can reach them"
