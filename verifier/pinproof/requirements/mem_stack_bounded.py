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
    STACK_REASONS,
    Facts,
    Known,
    Problem,
    Range,
    Refusal,
    conclude,
    drops,
    gate_ram,
    handler_stacks,
    handlers,
    proved,
    unbounded_stack,
    unprivileged,
)
from pinproof.machine.mpu import Use
from pinproof.machine.result import Word
from pinproof.outcome import Location, Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    **STACK_REASONS,
    "stack-outside-gate-memory": "the gate's stack can reach memory that is not the gate's",
    "confined-stack-outside": "the confined stack can lie outside the memory that the confined part can write",
}

_FRAME_BYTES = 32


def check(facts: Facts) -> Outcome:
    boot = facts.exploration.boot
    if boot.stack_low is None or boot.stack_high is None:
        return conclude(facts, [unbounded_stack(facts, [boot])], [])
    stacks = handler_stacks(facts)
    if not isinstance(stacks, Known):
        return conclude(facts, [stacks, *_confined(facts)], [])
    depth = max((high - low for low, high in stacks.value), default=0)
    where = [facts.at(drop.site) for drop in drops(facts)]
    evidence = [
        proved(f"handlers use at most {depth} bytes below the main stack pointer at the drop, in gate memory", *where)
    ]
    return conclude(facts, [*_gate(facts, stacks.value), *_confined(facts)], evidence)


def _gate(facts: Facts, stacks: tuple[Range, ...]) -> Iterator[Problem]:
    memory = gate_ram(facts)
    if not isinstance(memory, Known):
        yield memory
        return
    boot = facts.exploration.boot
    spans = [(boot.stack_low, boot.stack_high, facts.at(boot.entry))]
    spans += [(low, high, facts.at(drop.site)) for (low, high), drop in zip(stacks, drops(facts), strict=True)]
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
