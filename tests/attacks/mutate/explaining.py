"""Why a mutant that does otherwise than the original is harmless all the same.

An explanation is a projection: it takes a trace and leaves out, or writes in one way, what it says does not matter.
Original and mutant are explained if some explanations, each applied to both, make all their traces equal. The table
is short on purpose: whatever it does not cover is reported as dangerous until a person has looked at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.attacks.mutate import ports, projections
from tests.attacks.mutate.behaviour import Event

Trace = tuple[Event, ...]
Projection = Callable[[Trace], Trace]
EQUAL, UNEXPLAINED = "equal", "unexplained"

EXPLANATIONS: Mapping[str, tuple[str, Projection]] = {
    "gate-memory": (
        "only the gate reaches gate memory, and what it makes of it shows in its other stores",
        projections.without_gate_memory,
    ),
    "sensor-bytes": (
        "what boot sends to the sensor is constant, comes before the first frame and changes what the camera sees",
        projections.without_sensor_bus,
    ),
    "camera": (
        "what the frame holds, and whether there is one, is the camera's doing",
        projections.without_camera,
    ),
    "pins": (
        "each pin ends up, and the output pin is at any time, connected to the same function, or to none",
        ports.effective,
    ),
    "stack-pointers": (
        "stack pointers have no bits 0 and 1 (DDI 0403 B1.4.1); the process's is not used before the drop",
        projections.aligned_stacks,
    ),
    "flags": (
        "flags are not seen by anybody once the registers are fresh, nor a mask or mode that is set already",
        projections.without_status,
    ),
    "same-again": ("it is stored what was stored there last, to a register without side effects", projections.once),
    "highest-compare": (
        "a compare value above the reload value means always, whichever it is (RM0368 13.3.9)",
        projections.highest_compare,
    ),
    "answers": (
        "which messages mean present is between the confined part and its reader, if silence and faults mean idle",
        projections.answers,
    ),
    "timer-settings": (
        "what is stored to the timer before the update that loads it, in whatever order, moves nothing",
        projections.timer_settings,
    ),
    "longer-period": ("the period is longer than it must be", projections.shortest_period),
    "acknowledged": (
        "status flags other than the update's mean nothing, and clearing them twice neither",
        projections.acknowledged,
    ),
    "fault-status": ("fault status registers are read by nobody", projections.without_fault_status),
    "constant-registers": (
        "the confined part starts with the same registers every time",
        projections.constant_registers,
    ),
    "clock-waits": (
        "waiting less or not at all for a clock leaves the tree that was set, or the slower one of reset",
        projections.without_clock_switch,
    ),
    "boot-order": (
        "registers without side effects have the same values at the drop, however boot came to them",
        projections.final_values,
    ),
    "cleared": ("memory is cleared to another constant than 0; what begins with it does the same", projections.cleared),
    "wiped": ("the same memory is cleared, in another order or more than once", projections.wiped),
    "last-restart": (
        "only what a handler leaves for its return counts, not what it put there before",
        projections.last_restart,
    ),
}


def explained(original: Sequence[Trace], mutant: Sequence[Trace]) -> str:
    """`equal`, the names of the explanations that are needed, or `unexplained`. Traces of the same runs, in order."""
    if tuple(original) == tuple(mutant):
        return EQUAL
    for name in EXPLANATIONS:
        if _agree(original, mutant, [name]):
            return name
    for names in _most():
        if _agree(original, mutant, names):
            return " + ".join(_needed(original, mutant, names))
    return UNEXPLAINED


def _most() -> Iterator[list[str]]:
    """All explanations, and all but one: what one leaves out, another may want to see."""
    yield list(EXPLANATIONS)
    for left in EXPLANATIONS:
        yield [name for name in EXPLANATIONS if name != left]


def _needed(original: Sequence[Trace], mutant: Sequence[Trace], names: list[str]) -> list[str]:
    for name in reversed(names):
        fewer = [each for each in names if each != name]
        if _agree(original, mutant, fewer):
            names = fewer
    return names


def _agree(original: Sequence[Trace], mutant: Sequence[Trace], names: Sequence[str]) -> bool:
    return all(_projected(one, names) == _projected(two, names) for one, two in zip(original, mutant, strict=True))


def _projected(trace: Trace, names: Sequence[str]) -> Trace:
    for name in names:
        trace = EXPLANATIONS[name][1](trace)
    return trace
