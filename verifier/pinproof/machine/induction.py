"""The induction over a loop: a description of its head for every iteration at once, and what shows that it holds.

Let k count iterations from the state `before`. P(k) says: when the head is reached for the (k + 1)-th time, the machine
lies in the description with its symbol `counter` equal to k (modulo 2^32, as all values are) and k at most the bound.

- **Base.** `guess` makes the description from `before` by adding to what each part allows: a slot that is left alone or
  gets `+ step * k` holds its old value at k = 0; every other one gets a range around the value that it had.
- **Step.** One pass over the body starts from the description for all k up to the bound together. `reproduced` says
  that every way back to the head ends in the description with k + 1, and with k + 1 still within the bound.
- **Nothing is left out.** What a pass can change is a `State`, and the check goes through it part by part: every slot
  of either state (registers, RAM words, devices, MPU), the segments for the words without a slot, barriers, the lowest
  stack pointer, the origins of conditions, flags. Flags are simply unknown at the head. Cycles and `passed` start
  from nothing there, so they speak of one iteration; the caller adds up the rest.
- **What is guessed and then checked**: the steps, the ranges, and the bound. A wrong guess costs time, never soundness:
  `reproduced` alone decides, and `weaken` only ever adds to what the description allows.

Relations between slots: two slots may share symbols in the description. A slot's value counts as reproduced when it is
the same expression over the same symbols, each of which stands for one value in one execution; a range is enough only
for a slot whose symbol is `free`, that is, made for this slot alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import ranges
from .flags import Flags
from .ranges import MASK, Range
from .result import Site
from .state import State, pieces
from .values import Linear, Value, linear

MOST_CANDIDATES = 24
_FAR = 1 << 24
Bounds = tuple[int, ...]
Compared = dict[tuple[Site, int], Value]
"""Differences that the comparisons of one pass looked at, by site and how often the site was passed before."""


@dataclass(slots=True)
class Head:
    """The description of the state at the head for every k."""

    state: State
    counter: int
    """The symbol k."""
    steps: dict[int, int]
    """Change of each affine slot in one iteration."""
    free: set[int]
    """Symbols that stand for "anything in its range" in one slot, and are related to nothing else."""
    before: State
    """The state that the guess starts from."""

    @property
    def hidden(self) -> int:
        """A slot that keeps the counter's symbol alive through joins."""
        return -self.counter

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


def guess(heads: list[State]) -> Head:
    """The description that the last few states at the head suggest; `heads[-1]` is where k = 0.

    A slot that changed by the same constant twice is affine in k. One that changed otherwise is anything in the hull
    of its last two values, and comes also from the conditions that chose the path.
    """
    last = heads[-1]
    state = last.copy()
    counter = state.symbols.source.number()
    state.symbols.ranges[counter] = ranges.anything()
    state.flags = Flags(origins=last.flags.origins)
    state.cycles = 0
    state.passed = frozenset()
    head = Head(state, counter, {}, set(), last)
    state.slots[head.hidden] = linear(0, {counter: 1})
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


def candidates(compared: list[Compared]) -> Bounds:
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


def reproduced(head: Head, back: State, bound: int | None) -> bool:
    """Whether `back`, where all ways back to the head were joined, lies in the description with k + 1."""
    within = bound is None or back.symbols.ranges[head.counter].high < bound
    return within and _includes(head, back)


def _advanced(head: Head, key: int) -> Value:
    """What an affine slot must hold at the back edge: its description with k + 1."""
    return head.state.symbols.add(head.state.slots[key], head.steps[key])


def _includes(head: Head, back: State) -> bool:
    """Whether every part of `back` lies in the description's. Facts about barriers must hold on every way back."""
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
    """A slot that only one of the states names holds, in the other, what its segment or reset value says."""
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


def weaken(head: Head, back: State, *, widen: bool, give_up: bool) -> None:
    """Let the description allow what it did not reproduce, and, to get there in few rounds, more than that.

    What differs from one iteration to the next tells how often the loop went round, so it comes from what decides that.
    """
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
    """Let each word of RAM without a slot be what it can be in either state."""
    if state.segments is other.segments:
        return
    taint = other.control | state.control
    state.segments = [
        (low, high, mine if mine == its else ranges.hull(mine, its).with_origins(taint))
        for low, high, mine, its in pieces(state, other)
    ]
