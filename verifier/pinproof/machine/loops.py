"""Loops: a few iterations as they come, then one pass for all the rest.

The rest is proved by induction. Let k count iterations from the state at hand. A slot that changed by the same constant
in each iteration seen is guessed to be `value + step * k`; every other slot that changed becomes unknown within bounds
that grow until they hold. The guess for how often the loop can go round comes from the comparisons seen. A guess counts
only when one pass over the body, for every k up to the bound at once, ends in the same description with k + 1, within
the bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

from . import ranges
from .fills import apply_fills, fills_of
from .flags import Flags
from .flow import Loop
from .ranges import MASK, Range
from .result import EndlessLoop, Site
from .state import State, join, pieces
from .trace import Blocked, StoreLog, is_access
from .values import Linear, Value, linear

if TYPE_CHECKING:
    from .execute import Edges, Executor, Frame

UNDECIDED_ITERATIONS = 2
DECIDED_ITERATIONS = 20
MOST_ITERATIONS = 512
"""Of a loop in which the rest, taken at once, meets an obstacle: a walk over a table, say, each entry another."""
MOST_ROUNDS = 8
WIDEN_AFTER = 3
MOST_CANDIDATES = 24
_FAR = 1 << 24
Bounds = tuple[int, ...]
_SIMPLER = "write the loop with a constant bound and one counter"


@dataclass(slots=True)
class Body:
    """One pass over a loop's body."""

    back: State | None
    """Joined over the edges to the head; None when no path goes round."""
    leaving: Edges
    compared: dict[tuple[Site, int], Value] = field(default_factory=dict)
    """Differences that comparisons looked at, by site and how often the site was passed before."""


@dataclass(slots=True)
class Head:
    """The guessed description of the state at the head for every k."""

    state: State
    counter: int
    """The symbol k."""
    steps: dict[int, int]
    """Change of each affine slot in one iteration."""
    free: set[int]
    """Symbols that stand for "anything in its range" in one slot, and are related to nothing else."""
    before: State
    """The state that the guess starts from."""

    def bounded(self, bound: int | None) -> Head:
        """The same guess for iterations 0 to `bound`."""
        state = self.state.copy()
        known = ranges.between(0, MASK if bound is None else bound)
        assert known is not None
        state.symbols.ranges[self.counter] = known
        return Head(state, self.counter, dict(self.steps), set(self.free), self.before)

    def release(self, key: int, known: Range) -> None:
        """Let the slot be anything in `known`."""
        self.steps.pop(key, None)
        value = self.state.symbols.fresh(known)
        self.state.slots[key] = value
        if isinstance(value, Linear):
            self.free.add(value.terms[0][0])


@dataclass(frozen=True, slots=True)
class Proved:
    """A description that one pass reproduced, that pass, and the stores it made."""

    head: Head
    body: Body
    stores: StoreLog


def run_loop(executor: Executor, loop: Loop, state: State, frame: Frame) -> Edges:
    """Every edge that leaves the loop when it is entered with `state`."""
    leaving: Edges = []
    heads = [state]
    compared: list[dict[tuple[Site, int], Value]] = []
    undecided = 0
    for _ in range(DECIDED_ITERATIONS):
        body = _pass(executor, loop, heads[-1].copy(), frame)
        leaving += body.leaving
        compared.append(body.compared)
        if body.back is None:
            return leaving
        heads.append(body.back)
        undecided += bool(body.leaving)
        if undecided >= UNDECIDED_ITERATIONS or (not body.leaving and _settled(heads)):
            break
    return leaving + _rest(executor, loop, heads, compared, frame)


def _rest(
    executor: Executor,
    loop: Loop,
    heads: list[State],
    compared: list[dict[tuple[Site, int], Value]],
    frame: Frame,
) -> Edges:
    """The remaining iterations at once; one by one where that meets an obstacle and this does not."""
    obstacles = len(executor.trace.obstacles)
    mark = executor.mark()
    blocked = None
    try:
        edges = _accelerate(executor, loop, heads[-3:], compared[-2:], frame)
    except Blocked as found:
        blocked = found
    if blocked is None and len(executor.trace.obstacles) == obstacles:
        return edges
    executor.rewind(mark)
    mark = executor.mark()
    singly = _one_by_one(executor, loop, heads[-1], frame, obstacles)
    if singly is not None:
        return singly
    executor.rewind(mark)
    return _accelerate(executor, loop, heads[-3:], compared[-2:], frame)


def _one_by_one(executor: Executor, loop: Loop, state: State, frame: Frame, obstacles: int) -> Edges | None:
    """Every edge that leaves the loop from here; None where an obstacle is met, or it goes round too often."""
    leaving: Edges = []
    for _ in range(MOST_ITERATIONS):
        try:
            body = _pass(executor, loop, state.copy(), frame)
        except Blocked:
            return None
        if len(executor.trace.obstacles) != obstacles:
            return None
        leaving += body.leaving
        if body.back is None:
            return leaving
        state = body.back
    return None


def _pass(executor: Executor, loop: Loop, state: State, frame: Frame) -> Body:
    compared: dict[tuple[Site, int], Value] = {}
    trace = executor.trace

    def note(difference: Value) -> None:
        site = trace.site
        count = 0
        while (site, count) in compared:
            count += 1
        if count < 2:
            compared[site, count] = difference

    outer = executor.processor.on_compare
    executor.processor.on_compare = note
    try:
        edges = _body_edges(executor, loop, state, frame)
    finally:
        executor.processor.on_compare = outer
    back = [after for target, after in edges if target == loop.head]
    leaving = [(target, after) for target, after in edges if target != loop.head]
    return Body(reduce(join, back) if back else None, leaving, compared)


def _body_edges(executor: Executor, loop: Loop, state: State, frame: Frame) -> Edges:
    pending: dict[int, list[State]] = {}
    leaving: Edges = []
    body = loop.members - {loop.head}
    for target, after in executor.run_block(frame.function.blocks[loop.head], state, frame):
        if target in body:
            pending.setdefault(target, []).append(after)
        else:
            leaving.append((target, after))
    return leaving + executor.run_elements(loop.body, pending, frame)


def _settled(heads: list[State]) -> bool:
    """Whether an iteration changed nothing: the loop goes round for ever in one state."""
    return heads[-1].slots == heads[-2].slots and heads[-1].segments == heads[-2].segments


# --- the rest of the iterations at once -----------------------------------------------------------------------------


def _accelerate(
    executor: Executor,
    loop: Loop,
    heads: list[State],
    compared: list[dict[tuple[Site, int], Value]],
    frame: Frame,
) -> Edges:
    guess = _guess(heads)
    place = (loop.head, executor.trace.calls)
    bounds = _candidates(compared)
    for bound in _likeliest_first(bounds, executor.bounds.get(place)):
        proved = _inductive(executor, loop, guess.bounded(bound), bound, frame)
        if proved is not None:
            executor.bounds[place] = (bounds, bound)
            return _finish(executor, loop, proved, bound)
    raise Blocked("step-budget", f"the loop at 0x{loop.head:08x} has no invariant that the model finds", _SIMPLER)


def _likeliest_first(bounds: Bounds, last: tuple[Bounds, int | None] | None) -> Iterable[int | None]:
    """The bound that held when the same comparisons were seen here before, then all of them, then none."""
    if last is not None and last[0] == bounds:
        yield last[1]
    yield from bounds
    yield None


def _guess(heads: list[State]) -> Head:
    last = heads[-1]
    state = last.copy()
    counter = state.symbols.source.number()
    state.symbols.ranges[counter] = ranges.anything()
    state.slots[_hidden(counter)] = linear(0, {counter: 1})
    state.flags = Flags(origins=last.flags.origins)
    state.cycles = 0
    state.passed = frozenset()
    head = Head(state, counter, {}, set(), last)
    if len(heads) < 3:
        return head
    before, middle = heads[0], heads[1]
    for key in last.slots.keys() | middle.slots.keys():
        value = last.slots.get(key)
        if isinstance(value, int) and value == middle.slots.get(key, value):
            continue
        step = _common_step(before.settled(key), middle.settled(key), last.settled(key))
        if step:
            head.steps[key] = step
            # Settled, so that it names no symbol of an inner loop that the next iteration forgets.
            start = last.settled(key)
            assert start is not None
            state.slots[key] = state.symbols.add(start, linear(0, {counter: step}))
        elif step is None:
            head.release(key, ranges.hull(middle.known(key), last.known(key)).with_origins(last.control))
    _grow_segments(state, middle)
    return head


def _common_step(first: Value | None, second: Value | None, third: Value | None) -> int | None:
    """The constant by which a slot changed twice, 0 if it did not change; None when there is no such constant."""
    if third is None:
        return None
    if second is None or second == third:
        return 0  # first written in the last iteration: perhaps for good
    if first is None:
        return None
    one, other = _difference(second, first), _difference(third, second)
    return one if one == other else None


def _difference(a: Value, b: Value) -> int | None:
    """a - b where that is the same number whatever the symbols are."""
    terms_a = a.terms if isinstance(a, Linear) else ()
    terms_b = b.terms if isinstance(b, Linear) else ()
    if terms_a != terms_b:
        return None
    constant_a = a.constant if isinstance(a, Linear) else a
    constant_b = b.constant if isinstance(b, Linear) else b
    return constant_a - constant_b & MASK


def _candidates(compared: list[dict[tuple[Site, int], Value]]) -> Bounds:
    """Iteration counts at which a comparison seen in the last two iterations would change its answer, likely first.

    A test for equality, or "less than", stops where the difference is zero; "at most" goes one further. Differences
    that were already past zero are tried last: they would have to come round through 2^32.
    """
    if len(compared) < 2:
        return ()
    likely: set[int] = set()
    others: set[int] = set()
    for key, later in compared[1].items():
        earlier = compared[0].get(key)
        step = None if earlier is None else _difference(later, earlier)
        if not step or isinstance(later, Linear):
            continue
        slope = ranges.signed(step)
        for start in (ranges.signed(later), later, later - (1 << 32)):
            crossing = -start // slope - 1
            if 0 <= crossing + 1 < _FAR:
                likely.update((crossing, crossing + 1))
            others.update(range(crossing - 2, crossing + 3))
    ordered = sorted(likely) + sorted(others - likely)
    return tuple(bound for bound in ordered if 0 <= bound <= MASK)[:MOST_CANDIDATES]


def _inductive(executor: Executor, loop: Loop, head: Head, bound: int | None, frame: Frame) -> Proved | None:
    """The description, weakened until one pass reproduces it; None when the bound does not hold.

    Only the records of the pass that reproduces it stay: it covers every iteration that the others tried to.
    """
    for round_number in range(MOST_ROUNDS * 8):
        mark = executor.mark()
        stores = executor.trace.begin_store_log()
        executor.trace.loops += 1
        try:
            body = _pass(executor, loop, head.state.copy(), frame)
        finally:
            executor.trace.loops -= 1
            executor.trace.end_store_log()
        if body.back is None or _reproduced(head, body.back, bound):
            return Proved(head, body, stores)
        executor.rewind(mark)
        if bound is not None and body.back.symbols.ranges[head.counter].high >= bound:
            return None  # a path goes round more often than the guess allows
        _weaken(head, body.back, widen=round_number >= WIDEN_AFTER, give_up=round_number >= MOST_ROUNDS)
    return None


def _reproduced(head: Head, back: State, bound: int | None) -> bool:
    within = bound is None or back.symbols.ranges[head.counter].high < bound
    return within and _includes(head, back)


def _advanced(head: Head, key: int) -> Value:
    """What an affine slot must hold at the back edge: its description with k + 1."""
    return head.state.symbols.add(head.state.slots[key], head.steps[key])


def _includes(head: Head, back: State) -> bool:
    state = head.state
    if _changed_slots(head, back, first_only=True):
        return False
    if not state.barriers <= back.barriers or (state.stack_low is not None and back.stack_low is None):
        return False
    if state.stack_low is not None and back.stack_low is not None and back.stack_low < state.stack_low:
        return False
    if not back.control <= state.control or not back.flags.origins <= state.flags.origins:
        return False
    return all(of_state.includes(of_back) for _, _, of_state, of_back in pieces(state, back))


def _changed_slots(head: Head, back: State, *, first_only: bool = False) -> list[int]:
    """The slots of `back` that the description does not cover."""
    slots, steps = head.state.slots, head.steps
    changed = []
    for key, value in back.slots.items():
        if (slots.get(key) != value or key in steps) and not _slot_included(head, back, key):
            changed.append(key)
            if first_only:
                return changed
    changed += [key for key in slots.keys() - back.slots.keys() if not _slot_included(head, back, key)]
    return changed


def _slot_included(head: Head, back: State, key: int) -> bool:
    state = head.state
    if key in head.steps:
        return _resolved_equal(back, back.slots.get(key), _advanced(head, key))
    mine, other = state.slots.get(key), back.slots.get(key)
    if mine is not None and mine == other:
        return True
    if mine is not None and not _free(head, mine):
        return False
    return state.known(key).includes(back.known(key))


def _free(head: Head, value: Value) -> bool:
    """Whether its range is all that the description says about this value: nothing relates it to another slot."""
    return isinstance(value, int) or (len(value.terms) == 1 and value.terms[0][0] in head.free)


def _resolved_equal(back: State, found: Value | None, wanted: Value) -> bool:
    if found is None:
        return False
    if found == wanted:
        return True
    return back.symbols.knows(wanted) and back.symbols.resolved(found) == back.symbols.resolved(wanted)


def _weaken(head: Head, back: State, *, widen: bool, give_up: bool) -> None:
    state = head.state
    for key in _changed_slots(head, back):
        mine, other = state.known(key), back.known(key)
        known = ranges.widened(mine, other) if widen else ranges.hull(mine, other)
        if give_up:
            known = ranges.anything(known.origins)
        head.release(key, known.with_origins(back.control))
    state.barriers = state.barriers & back.barriers
    state.control = state.control | back.control
    state.flags = Flags(origins=state.flags.origins | back.flags.origins)
    if state.stack_low is not None and (back.stack_low is None or back.stack_low < state.stack_low):
        state.stack_low = None if widen or back.stack_low is None else back.stack_low
    _grow_segments(state, back)


def _grow_segments(state: State, other: State) -> None:
    if state.segments is other.segments:
        return
    taint = other.control | state.control
    state.segments = [
        (low, high, mine if mine == its else ranges.hull(mine, its).with_origins(taint))
        for low, high, mine, its in pieces(state, other)
    ]


def _finish(executor: Executor, loop: Loop, proved: Proved, bound: int | None) -> Edges:
    """What follows from the pass that proves the loop for the edges that leave."""
    head, body, stores = proved.head, proved.body, proved.stores
    if body.back is not None and not body.leaving:
        _record_endless(executor, loop, body.back)
    rounds = 0.0 if body.back is None else math.inf if bound is None else bound
    each = 0.0 if body.back is None else body.back.cycles
    fills = [] if body.back is None else fills_of(stores, head.counter, body.back)
    for _, after in body.leaving:
        after.cycles += head.before.cycles + (rounds * each if rounds else 0.0)
        counted = _counted(after, head.counter)
        if counted is not None:
            apply_fills(after, fills, stores, counted)
        else:
            _tell_what_ended_it(after, head.before)
        # Only now: what earlier iterations passed says nothing about how far the last one got.
        after.passed = after.passed | head.before.passed
    return body.leaving


def _counted(after: State, counter: int) -> int | None:
    """The number of complete iterations, where it is one number."""
    return after.symbols.range(after.slots.pop(_hidden(counter))).only


def _tell_what_ended_it(after: State, before: State) -> None:
    """What the loop made depends on how often it ran, so it comes from what decided that."""
    known, control = after.symbols.ranges, after.control
    if not control:
        return
    for symbol in known.keys() - before.symbols.ranges.keys():
        known[symbol] = known[symbol].with_origins(control)
    after.segments = [
        (low, high, now if now == then else now.with_origins(control)) for low, high, then, now in pieces(before, after)
    ]
    made = after.flags
    after.flags = Flags(made.possible, made.producer, made.a, made.b, made.origins | control)


def _record_endless(executor: Executor, loop: Loop, back: State) -> None:
    site = Site(address=loop.head, calls=executor.trace.calls)
    touches = any(is_access(token) for token in back.passed)
    executor.ends.endless[site] = EndlessLoop(site=site, touches_devices=touches)


def _hidden(counter: int) -> int:
    """A slot that keeps the counter's symbol alive through joins."""
    return -counter
