"""Loops: a few iterations as they come, then one pass for all the rest.

The first iterations are followed one at a time, as straight code would be. The others are proved by the induction that
`induction` states: from the states seen it guesses a description of the head for every iteration; one pass over the
body from there has to end in the same description. The ways out of that pass, together with those of the first
iterations, are all the ways out of the loop: an execution leaves in some iteration, and each is one of those followed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from .fills import apply_fills, fills_of
from .flags import Flags
from .flow import Loop
from .induction import Bounds, Compared, Head, candidates, guess, reproduced, weaken
from .result import EndlessLoop, Site
from .state import State, join, pieces
from .trace import Blocked, StoreLog
from .values import Value

if TYPE_CHECKING:
    from .execute import Edges, Executor, Frame

UNDECIDED_ITERATIONS = 2
"""Of those in which the loop may be left: after so many, the rest is proved at once."""
DECIDED_ITERATIONS = 20
MOST_ITERATIONS = 512
"""Of a loop in which the rest, taken at once, meets an obstacle: a walk over a table, say, each entry another."""
MOST_ROUNDS = 8
WIDEN_AFTER = 3
_SIMPLER = "write the loop with a constant bound and one counter"


@dataclass(slots=True)
class Body:
    """One pass over a loop's body."""

    back: State | None
    """Joined over the edges to the head; None when no path goes round."""
    leaving: Edges
    compared: Compared


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
    compared: list[Compared] = []
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
    compared: list[Compared],
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
    """One iteration from `state` at the head, along every path."""
    compared: Compared = {}
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
    compared: list[Compared],
    frame: Frame,
) -> Edges:
    """All iterations from the last state at the head on. Raises Blocked when no description reproduces itself."""
    description = guess(heads)
    place = (loop.head, executor.trace.calls)
    bounds = candidates(compared)
    for bound in _likeliest_first(bounds, executor.bounds.get(place)):
        proved = _inductive(executor, loop, description.bounded(bound), bound, frame)
        if proved is not None:
            executor.bounds[place] = (bounds, bound)
            return _finish(executor, loop, frame, proved, bound)
    raise Blocked("step-budget", f"the loop at 0x{loop.head:08x} has no invariant that the model finds", _SIMPLER)


def _likeliest_first(bounds: Bounds, last: tuple[Bounds, int | None] | None) -> Iterable[int | None]:
    """The bound that held when the same comparisons were seen here before, then all of them, then none."""
    if last is not None and last[0] == bounds:
        yield last[1]
    yield from bounds
    yield None


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
        if body.back is None or reproduced(head, body.back, bound):
            return Proved(head, body, stores)
        executor.rewind(mark)
        if bound is not None and body.back.symbols.ranges[head.counter].high >= bound:
            return None  # a path goes round more often than the guess allows
        weaken(head, body.back, widen=round_number >= WIDEN_AFTER, give_up=round_number >= MOST_ROUNDS)
    return None


def _finish(executor: Executor, loop: Loop, frame: Frame, proved: Proved, bound: int | None) -> Edges:
    """The edges that leave in iteration k, for all k at once, with what the k iterations before them add.

    Each of those took at most the cycles of the longest way back, and there were at most `bound`. Where k is one
    number, the fills of that many iterations are certain; where it is not, what the loop made tells how often it ran.
    """
    head, body, stores = proved.head, proved.body, proved.stores
    if body.back is not None and not body.leaving:
        _record_endless(executor, loop, frame)
    rounds = 0.0 if body.back is None else math.inf if bound is None else bound
    each = 0.0 if body.back is None else body.back.cycles
    fills = [] if body.back is None else fills_of(stores, head.counter, body.back)
    for _, after in body.leaving:
        after.cycles += head.before.cycles + (rounds * each if rounds else 0.0)
        counted = after.symbols.range(after.slots.pop(head.hidden)).only
        if counted is not None:
            apply_fills(after, fills, stores, counted)
        else:
            _tell_what_ended_it(after, head.before)
        # Only now: what earlier iterations passed says nothing about how far the last one got.
        after.passed = after.passed | head.before.passed
    return body.leaving


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


def _record_endless(executor: Executor, loop: Loop, frame: Frame) -> None:
    calls = executor.trace.calls
    blocks = frame.function.blocks
    inside = {step.instruction.address for member in loop.members for step in blocks[member].steps}
    touches = any(_within(access.site, calls, inside) for access in executor.trace.accesses)
    site = Site(address=loop.head, calls=calls)
    executor.ends.endless[site] = EndlessLoop(site=site, touches_devices=touches)


def _within(site: Site, calls: tuple[int, ...], inside: set[int]) -> bool:
    """Whether the site is one of the instructions `inside` of the function that `calls` led to, or called by one."""
    chain = (*site.calls, site.address)
    return chain[: len(calls)] == calls and len(chain) > len(calls) and chain[len(calls)] in inside
