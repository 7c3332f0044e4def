"""Bounds that follow from the graph of gate memory, against counting all that small gates made up here can do."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from pinproof.facts._graph import coarse_graph, graph_of, least_gap, periods_to_idle, raised_by_idle
from pinproof.facts._rates import Budget, Rate, budget_of, changes_by_gap, log2, rate_of_graph, rate_of_runs
from pinproof.machine.result import History, Move, Update, Word

UP = 0xFFFFFFFF
LONGEST = 14


def gate(needed: int, of: int, dwell: int) -> History:
    """The reference module's smoothing, made of its description: states are answers, what is shown, and the wait."""
    states: list[tuple[int, int, int]] = [(0, 0, 0)]
    moves = []
    for state in states:  # grows meanwhile
        for answer in (0, 1):
            answers, shown, wait = state
            answers = (answers << 1 | answer) & (1 << of) - 1
            wanted = answers.bit_count() >= needed and bool(answer or shown)
            change = wanted != bool(shown) and wait == 0
            after = answers, shown ^ change, dwell - 1 if change else max(wait - 1, 0)
            if after not in states:
                states.append(after)
            moves.append(
                Move(
                    source=states.index(state),
                    target=states.index(after),
                    idle=not answer,
                    guards=(),
                    updates=(),
                    outputs=(UP if after[1] else 0,),
                )
            )
    return History(
        words=(0, 4, 8), counters=(), states=tuple(states), starts=1, counters_at_start=(), moves=tuple(moves)
    )


def bucket(cost: int, most: int) -> History:
    """The pin says each answer while what it owes allows a change; each period pays back 1."""
    moves = []
    for shown, answer in product((0, 1), (0, 1)):
        idle, up = not answer, (UP if answer else 0,)
        stays = (UP if shown else 0,)
        for low, high, update in (
            (0, 0, Update(keeps=False, amount=0)),
            (1, UP, Update(keeps=True, amount=UP)),
        ):
            if answer == shown:
                guard = Word(low=low, high=high)
                moves.append(
                    Move(source=shown, target=shown, idle=idle, guards=(guard,), updates=(update,), outputs=stays)
                )
        if answer != shown:
            free, bound = Word(low=0, high=most - cost), Word(low=most - cost + 1, high=UP)
            spent, paid = Update(keeps=True, amount=cost - 1), Update(keeps=True, amount=UP)
            moves.append(Move(source=shown, target=answer, idle=idle, guards=(free,), updates=(spent,), outputs=up))
            moves.append(Move(source=shown, target=shown, idle=idle, guards=(bound,), updates=(paid,), outputs=stays))
    return History(
        words=(0,),
        counters=(4,),
        states=((0,), (1,)),
        starts=1,
        counters_at_start=(Word.exactly(0),),
        moves=tuple(moves),
    )


def said(history: History, length: int) -> set[tuple[tuple[int, ...], ...]]:
    """All that the pin can show in so many periods, from any state."""
    graph = graph_of(history, (0,))
    found: set[tuple[tuple[int, ...], ...]] = set()
    ways = {((), place) for place in range(len(graph.nodes))}
    for _ in range(length):
        ways = {((*way, edge.move.outputs), edge.target) for way, place in ways for edge in graph.edges[place]}
    found |= {way for way, _ in ways}
    return found


def from_start(history: History, length: int) -> set[tuple[int, ...]]:
    graph = graph_of(history, (0,))
    ways: set[tuple[tuple[int, ...], int]] = {((), 0)}
    for _ in range(length):
        ways = {((*way, edge.move.outputs[0]), edge.target) for way, place in ways for edge in graph.edges[place]}
    return {way for way, _ in ways}


def changes(way: Iterable[int]) -> list[int]:
    found, before = [], 0
    for at, value in enumerate(way):
        if value != before:
            found.append(at)
        before = value
    return found


@pytest.mark.parametrize(("needed", "of", "dwell"), [(1, 1, 1), (2, 3, 1), (2, 3, 3), (3, 4, 2), (1, 1, 5)])
def test_the_gap_is_the_least_that_happens(needed: int, of: int, dwell: int) -> None:
    history = gate(needed, of, dwell)
    gaps = [b - a for way in from_start(history, LONGEST) for a, b in zip(changes(way), changes(way)[1:], strict=False)]
    assert least_gap(graph_of(history, (0,))) == min(gaps) >= dwell


@pytest.mark.parametrize(("needed", "of", "dwell"), [(1, 1, 1), (2, 3, 1), (2, 3, 3), (3, 4, 2), (1, 1, 5)])
def test_no_more_is_said_than_each_rate_allows(needed: int, of: int, dwell: int) -> None:
    history = gate(needed, of, dwell)
    rate = rate_of_graph(graph_of(history, (0,)))
    assert rate is not None
    for length in range(1, LONGEST):
        count = len(said(history, length))
        assert count <= allowed(rate, length)
        assert len(from_start(history, length)) <= allowed(rate_of_runs(2, dwell, None), length)


def allowed(rate: Rate, length: int) -> float:
    return 2 ** float(rate.bits * length + rate.head_start) * (1 + 1e-9)


def test_a_gate_that_forgets_carries_one_bit() -> None:
    rate = rate_of_graph(graph_of(gate(1, 1, 1), (0,)))
    assert rate is not None
    assert rate.bits == 1


def test_a_dwell_of_three_leaves_the_known_number() -> None:
    """The root of x^3 = x^2 + 1 is 1.46557."""
    assert Decimal("0.551463") < rate_of_runs(2, 3, None).bits < Decimal("0.551464")
    rate = rate_of_graph(graph_of(gate(1, 1, 3), (0,)))
    assert rate is not None
    assert abs(rate.bits - rate_of_runs(2, 3, None).bits) < Decimal("0.000001")


@pytest.mark.parametrize(("cost", "most"), [(3, 3), (4, 8), (5, 11)])
def test_a_bucket_is_found_and_never_exceeded(cost: int, most: int) -> None:
    history = bucket(cost, most)
    budget = budget_of(coarse_graph(history, (0,)), 0, history.counters_at_start[0])
    assert budget is not None
    assert (budget.cost, budget.each_period) == (cost, 1)
    for length in range(1, LONGEST):
        seen = max(len(changes(way)) for way in from_start(history, length))
        assert seen <= budget.changes(length)
    assert budget.changes(10_000) <= 10_000 // cost + most // cost + 2


def test_no_budget_where_the_counter_may_wrap_round() -> None:
    """A bucket that does not look before it takes."""
    history = bucket(4, 8)
    wrapping = tuple(
        Move(
            source=each.source,
            target=each.target,
            idle=each.idle,
            guards=(Word(low=0, high=UP),),
            updates=each.updates,
            outputs=each.outputs,
        )
        for each in history.moves
    )
    changed = History(
        words=(0,), counters=(4,), states=((0,), (1,)), starts=1, counters_at_start=(Word.exactly(0),), moves=wrapping
    )
    assert budget_of(coarse_graph(changed, (0,)), 0, Word.exactly(0)) is None


def test_a_budget_lowers_the_rate() -> None:
    budget = Budget(cost=864, each_period=1, saved=8640)
    rate = rate_of_runs(2, 1, budget)
    # The entropy of 1/864 is 0.012930 bits.
    assert Decimal("0.01292") < rate.bits < Decimal("0.0131")
    assert budget.changes(86_401) == 110
    assert changes_by_gap(3, 86_401) == 28_801


def test_idle_answers() -> None:
    graph = graph_of(gate(2, 3, 3), (0,))
    assert raised_by_idle(graph, (0,)) is None
    assert periods_to_idle(graph, (0,)) == 3
    latched = gate(1, 1, 1)
    stays = [each for each in latched.moves if each.idle and each.source == 1]
    kept = tuple(each for each in latched.moves if each not in stays)
    again = tuple(Move(source=1, target=1, idle=True, guards=(), updates=(), outputs=(UP,)) for _ in stays)
    changed = History(
        words=(0,), counters=(), states=latched.states, starts=1, counters_at_start=(), moves=(*kept, *again)
    )
    assert periods_to_idle(graph_of(changed, (0,)), (0,)) is None


def test_logarithms_are_rounded_up() -> None:
    assert log2(Fraction(8)) == 3
    assert log2(Fraction(1)) == 0
    assert Decimal("1.5849625007211561") < log2(Fraction(3)) < Decimal("1.5849625007211562")
