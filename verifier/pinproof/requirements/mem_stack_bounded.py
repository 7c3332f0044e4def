"""The stack of the gate, summed over preemption levels and exception frames, MUST have a proved bound inside gate
memory.

*How it is decided.* Every run has a lowest main-stack address. Below the stack pointer at the drop, the deepest
handler of each preemption level (the common priority of the tick and the configurable faults, HardFault, NMI) is
summed, with an exception frame and an alignment word each, and the sum stays inside the RAM that the confined part
cannot write. The process stack at the drop and at every end of a handler lies in confined memory.

*False accepts.* Floating-point frames are not counted: the unit is off (mem-forgetful).

*False rejects.* HardFault and NMI count as if they could interrupt each other at their deepest.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    MACHINE_REASONS,
    PROTECTION_REASONS,
    Facts,
    Known,
    Problem,
    Refusal,
    Unknown,
    all_runs,
    conclude,
    drops,
    gate_ram,
    handlers,
    proved,
    unprivileged,
)
from pinproof.machine.mpu import Use
from pinproof.machine.result import Run, Word
from pinproof.outcome import Location, Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "stack-unbounded": "a run has no proved lowest stack address",
    "stack-pointer-unknown": "the main stack pointer is not known at the drop",
    "stack-outside-gate-memory": "the gate's stack can reach memory that is not the gate's",
    "confined-stack-outside": "the confined stack can lie outside the memory that the confined part can write",
}

_EXCEPTION_FRAME = 36
"""Bytes that an exception entry can push: eight words and one of alignment (DDI 0403, B1.5.6)."""
_HARD_FAULT, _NMI = 3, 2
_FRAME_BYTES = 32


def check(facts: Facts) -> Outcome:
    open_ended = [run for run in all_runs(facts) if run.stack_low is None or run.stack_high is None]
    if open_ended:
        unknown = Unknown(
            reason="stack-unbounded",
            message="a run has no proved lowest stack address",
            would_help="no recursion, and stack pointers that are constants",
            places=tuple(facts.at(run.entry) for run in open_ended),
        )
        return conclude(facts, [unknown], [])
    depth = _handler_depth(facts)
    where = [facts.at(drop.site) for drop in drops(facts)]
    evidence = [
        proved(f"handlers use at most {depth} bytes below the main stack pointer at the drop, in gate memory", *where)
    ]
    return conclude(facts, [*_gate(facts, depth), *_confined(facts)], evidence)


def _handler_depth(facts: Facts) -> int:
    """Bytes that nested handlers can use: one of the common priority, then HardFault, then NMI."""
    levels = (
        [run for run in handlers(facts) if any(number not in (_HARD_FAULT, _NMI) for number in run.exceptions)],
        [run for run in handlers(facts) if _HARD_FAULT in run.exceptions],
        [run for run in handlers(facts) if _NMI in run.exceptions],
    )
    return sum(_EXCEPTION_FRAME + max((_depth(run) for run in level), default=0) for level in levels)


def _depth(run: Run) -> int:
    return (run.stack_high or 0) - (run.stack_low or 0)


def _gate(facts: Facts, depth: int) -> Iterator[Problem]:
    memory = gate_ram(facts)
    if not isinstance(memory, Known):
        yield memory
        return
    boot = facts.exploration.boot
    spans = [(boot.stack_low, boot.stack_high, facts.at(boot.entry))]
    for drop in drops(facts):
        pointer = drop.state.main_stack.only
        if pointer is None:
            yield Unknown(
                reason="stack-pointer-unknown",
                message="the main stack pointer is not one known number at the drop",
                would_help="a boot that returns its stack to the top before the drop",
                places=(facts.at(drop.site),),
            )
            continue
        spans.append((pointer - depth, pointer, facts.at(drop.site)))
    for low, high, where in spans:
        if low is None or high is None or not any(start <= low and high <= end for start, end in memory.value):
            yield Refusal(
                reason="stack-outside-gate-memory",
                message=f"the gate's stack can reach from 0x{low or 0:08X} to 0x{high or 0:08X}",
                places=(where,),
            )


def _confined(facts: Facts) -> Iterator[Problem]:
    writable = unprivileged(facts, Use.WRITE)
    if not isinstance(writable, Known):
        yield writable
        return
    pointers: list[tuple[Word, int, Location]] = [
        (drop.state.process_stack, -_FRAME_BYTES, facts.at(drop.site)) for drop in drops(facts)
    ]
    for run in handlers(facts):
        pointers += [(leaving.state.process_stack, _FRAME_BYTES, facts.at(leaving.site)) for leaving in run.exits]
    for word, reach, where in pointers:
        value = word.only
        low, high = (value or 0) + min(reach, 0), (value or 0) + max(reach, 0)
        if value is None or not any(start <= low and high <= end for start, end in writable.value):
            yield Refusal(
                reason="confined-stack-outside",
                message="the process stack pointer is not one known address inside confined memory",
                places=(where,),
            )
            return
