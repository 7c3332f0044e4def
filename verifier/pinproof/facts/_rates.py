"""How often the pin can change and how many different things it can say, bounded from above by a graph.

Every bound is checked in exact arithmetic; floating point only proposes numbers, and a poor proposal gives a larger
bound, never a wrong one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction

from pinproof.facts._graph import Edge, Graph
from pinproof.machine.result import Word

MOST_SUBSETS = 1500
_ROUNDS = 400
_SCALE = 10**9
_LONGEST_GAP = 2000
"""A longer one is taken for this, which bounds the arithmetic."""
_WORD = 1 << 32
_UP = Context(prec=40, rounding=ROUND_CEILING)
_SLACK = Decimal("1e-30")
"""More than the error of a logarithm in 40 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """In any T periods at most 2^(bits * T + head_start) different things can be said."""

    bits: Decimal
    head_start: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """In any T periods at most (each_period * T + saved) / cost changes."""

    cost: int
    each_period: int
    saved: int

    def changes(self, periods: int) -> int:
        return (self.each_period * periods + self.saved) // self.cost


def changes_by_gap(gap: int, periods: int) -> int:
    """How many changes fit in so many periods, `gap` apart."""
    return (periods - 1) // gap + 1


# --- counters as budgets ----------------------------------------------------------------------------------------------


def budget_of(graph: Graph, place: int, at_start: Word) -> Budget | None:
    """The budget of changes that one counter keeps, None where it keeps none.

    Let the counter change by D on an edge, by more than -E on all. If no cycle of the graph gains by `cost` a change,
    less D and E an edge, then over any way, whatever its length T, cost * changes <= D's + E * T + P, with P the most
    that a way can gain; and the D's add up to no more than the counter's highest value.
    """
    edges = [(edge, _least_change(edge, place)) for edge in graph.all_edges()]
    highest = highest_of(graph, place, at_start)
    if highest is None or any(change is None for _, change in edges) or not any(edge.changes for edge, _ in edges):
        return None
    known = [(edge, change) for edge, change in edges if change is not None]
    each = max(0, -min(change for _, change in known))
    low, best = 0, None
    high = highest + each + 1
    while low < high:
        cost = (low + high + 1) // 2
        gain = _most_gain(graph, [(edge, cost * edge.changes - change - each) for edge, change in known])
        if gain is None:
            high = cost - 1
        else:
            low, best = cost, Budget(cost=cost, each_period=each, saved=highest + gain)
    return best


def _least_change(edge: Edge, place: int) -> int | None:
    """What the counter changes by on this edge at the least; None where it may wrap round."""
    guard, update = edge.move.guards[place], edge.move.updates[place]
    if not update.keeps:
        return update.amount - guard.high
    amount = update.amount - _WORD if update.amount >> 31 else update.amount
    return amount if guard.low + amount >= 0 and guard.high + amount < _WORD else None


def highest_of(graph: Graph, place: int, at_start: Word) -> int | None:
    """The highest value that a counter can have; None where it may wrap round."""
    highest = at_start.high
    for edge in graph.all_edges():
        change = _least_change(edge, place)
        guard, update = edge.move.guards[place], edge.move.updates[place]
        if not update.keeps:
            highest = max(highest, update.amount)
        elif change is None:
            return None
        elif change > 0:
            highest = max(highest, guard.high + change)
    return highest


def _most_gain(graph: Graph, weights: list[tuple[Edge, int]]) -> int | None:
    """The most that a way can gain, 0 at the least; None where a cycle gains."""
    gain = [0] * len(graph.nodes)
    for _ in range(len(graph.nodes) + 1):
        changed = False
        for edge, weight in weights:
            if gain[edge.source] + weight > gain[edge.target]:
                gain[edge.target] = gain[edge.source] + weight
                changed = True
        if not changed:
            return max(gain)
    return None


# --- what can be said -------------------------------------------------------------------------------------------------


def rate_of_graph(graph: Graph) -> Rate | None:
    """From the largest eigenvalue of the graph of output sequences; None where that graph is too large.

    Its nodes are what is known of the state from the output alone, so that each sequence is one way through it. For
    any positive vector v, the largest (A v)_i / v_i is at least the eigenvalue (Collatz and Wielandt), and the number
    of sequences of length T from i is at most that number to the T, times v_i, over the least v.
    """
    following = _by_output(graph)
    if following is None:
        return None
    vector = [1.0] * len(following)
    for _ in range(_ROUNDS):
        summed = [vector[place] + sum(vector[each] for each in targets) for place, targets in enumerate(following)]
        largest = max(summed)
        vector = [each / largest for each in summed]
    scaled = [int(each * _SCALE) + 1 for each in vector]
    growth = max(
        Fraction(sum(scaled[each] for each in targets), scaled[place]) for place, targets in enumerate(following)
    )
    return Rate(bits=log2(max(growth, Fraction(1))), head_start=log2(Fraction(max(scaled), min(scaled))))


def _by_output(graph: Graph) -> list[list[int]] | None:
    """Sets of nodes that the output so far leaves possible, and where each next output leads."""
    first = frozenset(range(graph.starts))
    places = {first: 0}
    order = [first]
    following: list[list[int]] = []
    for subset in order:  # grows meanwhile
        reached: dict[tuple[int, ...], set[int]] = {}
        for place in subset:
            for edge in graph.edges[place]:
                reached.setdefault(edge.move.outputs, set()).add(edge.target)
        targets = []
        for found in map(frozenset, reached.values()):
            if found not in places:
                places[found] = len(places)
                order.append(found)
                if len(places) > MOST_SUBSETS:
                    return None
            targets.append(places[found])
        following.append(targets)
    return following


def rate_of_runs(alphabet: int, gap: int, budget: Budget | None) -> Rate:
    """Of all sequences whose changes are at least `gap` apart, and as few as the budget says.

    With x^gap >= x^(gap-1) + z * (alphabet - 1) and 0 < z <= 1, the sequences of length T, each weighed with z to the
    number of its changes, add up to at most x^(T + gap - 1). With n changes at the most there are no more sequences
    than z^-n times that.
    """
    if budget is None:
        return _rate_of_runs(alphabet, gap, None, Fraction(1))
    candidates = [Fraction(1)]
    share = budget.each_period / budget.cost
    if 0 < share < 1:
        candidates.append(min(Fraction(1), Fraction(share / (1 - share)).limit_denominator(_SCALE)))
    candidates += [Fraction(1, 1 << shift) for shift in range(1, 24)]
    return min((_rate_of_runs(alphabet, gap, budget, each) for each in candidates), key=lambda rate: rate.bits)


def _rate_of_runs(alphabet: int, gap: int, budget: Budget | None, weight: Fraction) -> Rate:
    gap = min(gap, _LONGEST_GAP)
    growth = _root(gap, weight * (alphabet - 1))
    bits, head_start = log2(growth), (gap - 1) * log2(growth)
    if budget is not None:
        each = log2(1 / weight)
        bits = _UP.add(bits, _times(each, Fraction(budget.each_period, budget.cost)))
        head_start = _UP.add(head_start, _times(each, Fraction(budget.saved, budget.cost)))
    return Rate(bits=bits, head_start=head_start)


def _root(gap: int, weight: Fraction) -> Fraction:
    """A number x, hardly above the least, with x^gap >= x^(gap-1) + weight."""
    low, high = 1.0, 1.0 + float(weight) + 1e-9
    for _ in range(80):
        middle = (low + high) / 2
        if (gap - 1) * math.log(middle) + math.log(max(middle - 1, 1e-300)) >= math.log(max(float(weight), 1e-300)):
            high = middle
        else:
            low = middle
    found, step = Fraction(high).limit_denominator(_SCALE), Fraction(1, _SCALE)
    while not _is_above_root(found, gap, weight):
        found, step = found + step, 2 * step
    return found


def _is_above_root(found: Fraction, gap: int, weight: Fraction) -> bool:
    return found >= 1 and found ** (gap - 1) * (found - 1) >= weight


def log2(number: Fraction) -> Decimal:
    """Of a number that is at least 1, rounded up."""
    if number <= 1:
        return Decimal(0)
    if number.denominator == 1 and number.numerator & (number.numerator - 1) == 0:
        return Decimal(number.numerator.bit_length() - 1)
    quotient = _UP.divide(Decimal(number.numerator), Decimal(number.denominator))
    return _UP.add(_UP.divide(_UP.ln(quotient), _UP.ln(Decimal(2))), _SLACK)


def _times(number: Decimal, factor: Fraction) -> Decimal:
    return _UP.divide(_UP.multiply(number, Decimal(factor.numerator)), Decimal(factor.denominator))
