"""Computed jumps: table branches, jumps through a register or memory, calls through a pointer.

Where one leads is what its value can be: a short list, or it is refused. A function's graph is laid out before the
function is executed, so a jump within it that is met for the first time interrupts the exploration, which starts anew
knowing one target more. Nothing is concluded from the shape of the code around the jump: the exploration that counts is
the one in which every target that a value allows was an edge of the graph.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import ranges
from .bus import Bus
from .state import State
from .trace import Blocked
from .values import Infeasible, Value

MOST_TARGETS = 256
_BOUND = "compare the index with the table's length before the jump, or build the gate with -fno-jump-tables"


class Discovered(Exception):
    """A jump within a function leads where its graph has no edge; `KnownJumps` now has it."""


class KnownJumps:
    """Targets of the computed jumps within functions, as far as they have been met, in one exploration."""

    def __init__(self) -> None:
        self.targets: dict[int, frozenset[int]] = {}

    def check(self, jump: int, target: int) -> None:
        """Raises `Discovered` for a target that the jump at this address is not known to have."""
        known = self.targets.get(jump, frozenset())
        if target not in known:
            self.targets[jump] = known | {target}
            raise Discovered


def each_value(state: State, value: Value) -> Iterator[tuple[int, State]]:
    """Each number that `value` can be, with the states in which it is that."""
    known = state.symbols.range(value)
    if known.only is not None:
        yield known.only, state
        return
    if known.values is None:
        raise Blocked("computed-branch", "a jump goes to an address that is not one of a few constants", _BOUND)
    yield from _chosen(state, value, {number: frozenset((number,)) for number in known.values})


def each_entry(state: State, base: int, index: Value, width: int, bus: Bus) -> Iterator[tuple[int, State]]:
    """Each target of a table branch (DDI 0403, A7.7.185), with the states whose index selects it."""
    known = state.symbols.range(index)
    if known.high - known.low >= MOST_TARGETS:
        raise Blocked("computed-branch", "the index of a table branch is not bounded to a short table", _BOUND)
    groups: dict[int, frozenset[int]] = {}
    for number in range(known.low, known.high + 1):
        if known.contains(number):
            entry = bus.load(state, base + width * number & ranges.MASK, width, signed=False, multiple=False)
            if not isinstance(entry, int):
                raise Blocked("computed-branch", "the table of a table branch is not constant", _BOUND)
            target = base + 2 * entry & ranges.MASK
            groups[target] = groups.get(target, frozenset()) | {number}
    yield from _chosen(state, index, groups)


def _chosen(state: State, value: Value, groups: dict[int, frozenset[int]]) -> Iterator[tuple[int, State]]:
    for target, numbers in sorted(groups.items()):
        chosen = state.copy()
        try:
            chosen.symbols.narrow(value, ranges.of_values(numbers))
        except Infeasible:
            continue
        yield target, chosen
