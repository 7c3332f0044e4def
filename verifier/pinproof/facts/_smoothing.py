"""What the gate remembers of earlier answers, and what that leaves of the pin: proved from the graph of its memory."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import prod

from pinproof.facts._core import Facts, Known, Problem, Refusal, Unknown
from pinproof.facts._graph import (
    Edge,
    Graph,
    Node,
    coarse_graph,
    graph_of,
    least_gap,
    most_outcomes,
    periods_to_idle,
    quickest_changes,
    raised_by_idle,
)
from pinproof.facts._rates import (
    Budget,
    Rate,
    budget_of,
    changes_by_gap,
    highest_of,
    log2,
    rate_of_graph,
    rate_of_runs,
)
from pinproof.machine.result import History, Unfollowed

SMOOTHING_REASONS: dict[str, str] = {
    "gate-state-unbounded": "a handler stores to gate memory at an address that is not bounded to a few words",
    "gate-state-too-large": "what the gate remembers of earlier answers has too many states to follow them all",
    "gate-state-unfollowed": "what the tick makes of its memory cannot be told from that memory and the answer",
    "gate-state-in-loop": "the tick stores to its memory, or to the compare register, in a loop",
    "gate-state-from-sensor": "what the tick does to its memory may depend on what it reads from the sensor itself",
    "gate-state-stored-elsewhere": "a handler other than the tick stores to the memory that decides about the pin",
}
_HIGHEST = (1 << 32) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothed:
    """The bounds that the gate's memory keeps."""

    words: tuple[int, ...]
    """Addresses of the words that hold it; not of a count without bound, which is a record and no smoothing."""
    graph: Graph
    memory_bits: int
    """log2 of the states that the memory can be in, rounded up."""
    outcomes: int
    """In how many ways one answer can change the memory and the pin, at the most."""
    gap: int
    """The fewest periods between two changes."""
    quickest: tuple[Node, ...]
    """A way from one change to the next that takes so long."""
    budget: Budget | None
    """The tightest budget of changes that one counter keeps."""
    rate: Rate
    raised: Edge | None
    """A move on which the idle answer raises the pin."""
    idle_after: int | None
    """So many idle answers lead to the idle output from anywhere; None where they may never."""

    def changes_in(self, periods: int) -> int:
        by_gap = changes_by_gap(self.gap, periods)
        return by_gap if self.budget is None else min(by_gap, self.budget.changes(periods))


def smoothed_of(facts: Facts, never: int) -> Known[Smoothed] | Problem | None:
    """None where the gate's memory has no part in what the pin says. `never` is the compare value of the idle level."""
    history = facts.exploration.history
    if history is None:
        return None
    if isinstance(history, Unfollowed):
        where = () if history.site is None else (facts.at(history.site),)
        if history.code == "gate-state-stored-elsewhere":
            return Refusal(reason=history.code, message=history.message, places=where)
        return Unknown(reason=history.code, message=history.message, would_help=history.would_help, places=where)
    return Known(value=_smoothed(history, never))


def state_words(node: Node) -> str:
    """The state of a node as messages write it; its place is that of the history's state."""
    return f"state {node[1]} and counts {list(node[2])}" if node[2] else f"state {node[1]}"


def periods_in(seconds: Fraction, period: Fraction) -> int:
    """Update events in any stretch of time of this length, at the most."""
    return int(seconds // period) + 1


@lru_cache(maxsize=8)
def _smoothed(history: History, never: int) -> Smoothed:
    idle = tuple(never for _ in history.moves[0].outputs)
    graph, coarse = graph_of(history, idle), coarse_graph(history, idle)
    budgets = [budget_of(coarse, place, known) for place, known in enumerate(history.counters_at_start)]
    known = [budget for budget in budgets if budget is not None]
    budget = min(known, key=lambda each: (Fraction(each.each_period, each.cost), each.saved), default=None)
    gap = least_gap(graph) or 1
    return Smoothed(
        words=_bounded_words(graph, coarse, history),
        graph=graph,
        memory_bits=_memory_bits(graph, coarse, history),
        outcomes=most_outcomes(graph),
        gap=gap,
        quickest=quickest_changes(graph),
        budget=budget,
        rate=_rate(graph, gap, budget),
        raised=raised_by_idle(graph, idle),
        idle_after=periods_to_idle(graph, idle),
    )


def _rate(graph: Graph, gap: int, budget: Budget | None) -> Rate:
    values = {node[0] for node in graph.nodes}
    if len(values) == 1:
        return Rate(bits=Decimal(0), head_start=Decimal(0))
    found = [rate_of_runs(len(values), gap, None), rate_of_runs(len(values), gap, budget), rate_of_graph(graph)]
    return min((each for each in found if each is not None), key=lambda rate: (rate.bits, rate.head_start))


def _bounded_words(graph: Graph, coarse: Graph, history: History) -> tuple[int, ...]:
    kept = [
        word
        for place, (word, known) in enumerate(zip(history.counters, history.counters_at_start, strict=True))
        if place in graph.explicit or highest_of(coarse, place, known) is not None
    ]
    return tuple(sorted((*history.words, *kept)))


def _memory_bits(graph: Graph, coarse: Graph, history: History) -> int:
    listed = {node[1:] for node in graph.nodes}
    highest = [
        highest_of(coarse, place, known)
        for place, known in enumerate(history.counters_at_start)
        if place not in graph.explicit
    ]
    values = prod((_HIGHEST if each is None else each) + 1 for each in highest) * len(listed)
    return int(log2(Fraction(values)).to_integral_value(rounding="ROUND_CEILING"))
