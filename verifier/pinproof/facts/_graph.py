"""The graph of what the gate remembers, with its counters' values filled in, and what follows from its shape.

A node is what the pin shows, the state of the gate's memory, and the values of the counters that are followed one by
one. A counter with too many values is left out of the nodes: then its guards are ignored, which only adds edges.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from pinproof.machine.result import History, Move

MOST_NODES = 3000
_WORD = 1 << 32

Outputs = tuple[int, ...]
Node = tuple[Outputs, int, tuple[int, ...]]
"""What the pin shows; the state's place in the history; the counters in the nodes."""


@dataclass(frozen=True, slots=True)
class Edge:
    source: int
    target: int
    move: Move
    changes: bool
    """Whether the pin changes."""


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]
    starts: int
    """The first nodes, as many as this, are those at the drop."""
    edges: tuple[tuple[Edge, ...], ...]
    """By source."""
    explicit: tuple[int, ...]
    """Which counters are in the nodes."""

    def all_edges(self) -> Iterator[Edge]:
        for leaving in self.edges:
            yield from leaving


class _TooLarge(Exception):
    def __init__(self, spread: list[int]) -> None:
        super().__init__()
        self.spread = spread


def graph_of(history: History, idle: Outputs) -> Graph:
    """The graph with as many counters in its nodes as fit."""
    explicit = [place for place, at_start in enumerate(history.counters_at_start) if at_start.values is not None]
    while True:
        try:
            return _expanded(history, idle, tuple(explicit))
        except _TooLarge as large:
            explicit.pop(large.spread.index(max(large.spread)))


def coarse_graph(history: History, idle: Outputs) -> Graph:
    """The graph with no counter in its nodes."""
    return _expanded(history, idle, ())


def _expanded(history: History, idle: Outputs, explicit: tuple[int, ...]) -> Graph:
    by_source: dict[int, list[Move]] = {}
    for move in history.moves:
        by_source.setdefault(move.source, []).append(move)
    at_start = [sorted(history.counters_at_start[place].values or ()) for place in explicit]
    nodes: dict[Node, int] = {}
    for state in range(history.starts):
        for counters in product(*at_start):
            nodes[idle, state, counters] = len(nodes)
    starts = len(nodes)
    edges: list[tuple[Edge, ...]] = []
    order = list(nodes)
    for node in order:  # grows meanwhile
        shown, state, counters = node
        leaving: dict[Edge, None] = {}
        for move in by_source.get(state, ()):
            if not all(move.guards[place].contains(value) for place, value in zip(explicit, counters, strict=True)):
                continue
            after = tuple(_updated(move, place, value) for place, value in zip(explicit, counters, strict=True))
            reached = (move.outputs, move.target, after)
            if reached not in nodes:
                nodes[reached] = len(nodes)
                order.append(reached)
                if explicit and len(nodes) > MOST_NODES:
                    raise _TooLarge([len({each[2][index] for each in nodes}) for index in range(len(explicit))])
            leaving[Edge(nodes[node], nodes[reached], move, move.outputs != shown)] = None
        edges.append(tuple(leaving))
    return Graph(tuple(order), starts, tuple(edges), explicit)


def _updated(move: Move, place: int, value: int) -> int:
    update = move.updates[place]
    return (value + update.amount) % _WORD if update.keeps else update.amount


def least_gap(graph: Graph) -> int | None:
    """The fewest periods from one change of the pin to the next; None where it never changes twice."""
    changing = {edge.source for edge in graph.all_edges() if edge.changes}
    distance = {edge.target: 1 for edge in graph.all_edges() if edge.changes}
    waiting = deque(distance)
    while waiting:
        node = waiting.popleft()
        if node in changing:
            return distance[node]
        for edge in graph.edges[node]:
            if edge.target not in distance:
                distance[edge.target] = distance[node] + 1
                waiting.append(edge.target)
    return None


def quickest_changes(graph: Graph) -> tuple[Node, ...]:
    """The nodes on a shortest way from one change of the pin to the next, the second change's end included."""
    came: dict[int, int | None] = {edge.target: None for edge in graph.all_edges() if edge.changes}
    waiting = deque(came)
    while waiting:
        node = waiting.popleft()
        for edge in graph.edges[node]:
            if edge.changes:
                way = [edge.target, node]
                while (before := came[way[-1]]) is not None:
                    way.append(before)
                return tuple(graph.nodes[each] for each in reversed(way))
        for edge in graph.edges[node]:
            if edge.target not in came:
                came[edge.target] = node
                waiting.append(edge.target)
    return ()


def raised_by_idle(graph: Graph, idle: Outputs) -> Edge | None:
    """An edge on which the idle answer makes some pin leave its idle level."""
    for edge in graph.all_edges():
        shown = graph.nodes[edge.source][0]
        risen = any(
            now != never and before == never for before, now, never in zip(shown, edge.move.outputs, idle, strict=True)
        )
        if edge.move.idle and risen:
            return edge
    return None


def periods_to_idle(graph: Graph, idle: Outputs) -> int | None:
    """How many idle answers in a row lead to the idle output from anywhere, at the most; None where they never may."""
    shown = [node[0] != idle for node in graph.nodes]
    onward = [
        [edge.target for edge in leaving if edge.move.idle and shown[edge.target]] if shown[place] else []
        for place, leaving in enumerate(graph.edges)
    ]
    arriving = [0] * len(graph.nodes)
    for targets in onward:
        for target in targets:
            arriving[target] += 1
    longest = [1 if each else 0 for each in shown]
    ready = [place for place, count in enumerate(arriving) if count == 0]
    done = 0
    while ready:
        place = ready.pop()
        done += 1
        for target in onward[place]:
            longest[target] = max(longest[target], longest[place] + 1)
            arriving[target] -= 1
            if arriving[target] == 0:
                ready.append(target)
    return max(longest) if done == len(graph.nodes) else None


def most_outcomes(graph: Graph) -> int:
    """In how many ways one tick can go on from one state, at the most: what one answer can leave behind."""
    return max((_outcomes(graph, leaving) for leaving in graph.edges), default=0)


def _outcomes(graph: Graph, leaving: tuple[Edge, ...]) -> int:
    hidden = [place for place in range(len(leaving[0].move.guards) if leaving else 0) if place not in graph.explicit]
    corners = product(*({edge.move.guards[place].low for edge in leaving} for place in hidden))
    most = 0
    for corner in corners:
        found = {
            (edge.target, tuple(edge.move.updates[place] for place in hidden))
            for edge in leaving
            if all(_covers(edge, place, value) for place, value in zip(hidden, corner, strict=True))
        }
        most = max(most, len(found))
    return most


def _covers(edge: Edge, place: int, value: int) -> bool:
    """By the bounds alone, so that the lowest corners of all guards are enough to find where most of them meet."""
    return edge.move.guards[place].low <= value <= edge.move.guards[place].high
