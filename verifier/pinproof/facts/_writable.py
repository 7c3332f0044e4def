"""How much memory can be written after the drop, by whatever: on the whole part, and of that what is in reach.

The second number is a sum over what can be reached, never a difference: what is not proved to be out of reach counts.
"""

from __future__ import annotations

from pinproof.facts._core import Facts, Known, Unknown, exploration_gap, hardware, proved, span
from pinproof.facts._masters import master_problems, masters, may_be_clocked
from pinproof.facts._memory import STACK_REASONS, handler_stacks
from pinproof.facts._protection import PROTECTION_REASONS, Range, block_ranges, merged, unprivileged, without
from pinproof.facts._view import all_runs, block_stores, drops, handlers, touches
from pinproof.machine.mpu import Use
from pinproof.silicon import Buffer, MemoryKind

WRITABLE_REASONS: dict[str, str] = {
    "mpu-words-unknown": PROTECTION_REASONS["mpu-words-unknown"],
    **STACK_REASONS,
}
"""Why nothing is known of what can be written."""

_RECEIVER_BYTES = 4
"""What a running receiver can hold: its data register and its shift register, of 16 bits each (RM0402 26.3)."""

Parts = tuple[tuple[str, int], ...]
"""Name and bytes of each part, as a report prints it."""


def writable_parts(facts: Facts) -> Parts:
    """Everything on the part that holds data and is not flash, whether or not anything can reach it."""
    memories = [
        (memory.name, memory.size)
        for memory in facts.silicon.memories
        if memory.kind in (MemoryKind.RAM, MemoryKind.OTP)
    ]
    return (*memories, *((buffer.name, buffer.size) for buffer in facts.silicon.buffers))


def writable_memory(facts: Facts) -> Known[Parts] | Unknown:
    """What can still be written after the drop: by the confined part, by handlers, by exceptions, by other masters."""
    gap = exploration_gap(facts)
    if gap is not None:
        return gap
    opened, stacks = unprivileged(facts, Use.WRITE), handler_stacks(facts)
    if not isinstance(opened, Known):
        return opened
    if not isinstance(stacks, Known):
        return stacks
    rams = tuple((memory.start, memory.end) for memory in facts.silicon.memories_of(MemoryKind.RAM))
    stored = [place for run in handlers(facts) for place in (rams if run.ram_stores is None else run.ram_stores)]
    alone = not list(master_problems(facts)) and not _clocks_change(facts)
    if not alone or without(opened.value, rams):
        # Somebody else moves data, or the confined part stores through an alias: nothing is out of reach.
        return Known(value=writable_parts(facts))
    gate = without(merged(sorted((*stored, *stacks.value))), opened.value)
    evidence = (
        hardware(
            f"the protection lets the confined part write {_spans(opened.value)} alone",
            *(facts.at(drop.site) for drop in drops(facts)),
        ),
        proved(f"beside that, handlers and their stacks reach {_spans(gate)}; no other master runs"),
    )
    parts = [("confined memory", _size(opened.value)), ("gate memory", _size(gate))]
    parts += [(name, size) for name, size, reached in _others(facts) if reached]
    if facts.declaration.sensor.data_bus is not None:
        parts.append((f"{facts.declaration.sensor.data_bus} receiver", _RECEIVER_BYTES))
    return Known(value=tuple(parts), evidence=evidence)


def _others(facts: Facts) -> list[tuple[str, int, bool]]:
    """One-time memory and buffers, and whether anything can write them."""
    found = [
        (memory.name, memory.size, _touched(facts, (memory.start, memory.end)))
        for memory in facts.silicon.memories_of(MemoryKind.OTP)
    ]
    found += [(buffer.name, buffer.size, _filled(facts, buffer)) for buffer in facts.silicon.buffers]
    return found


def _filled(facts: Facts, buffer: Buffer) -> bool:
    """Whether the buffer's block can be reached or may be running, and with it whatever fills the buffer."""
    if not facts.silicon.has_peripheral(buffer.peripheral):
        return True
    block = facts.silicon.peripheral(buffer.peripheral)
    # What one controller's entry counts may lie in any of them.
    blocks = masters(facts) if block in masters(facts) else (block,)
    return any(
        may_be_clocked(facts, each) or any(_touched(facts, place) for place in block_ranges(facts, each))
        for each in blocks
    )


def _touched(facts: Facts, place: Range) -> bool:
    """Whether an access of the gate, boot included, or of the confined part can reach a byte of it."""
    opened = unprivileged(facts, Use.WRITE)
    reachable = not isinstance(opened, Known) or any(low < place[1] and place[0] < high for low, high in opened.value)
    return reachable or any(True for _ in touches(facts, all_runs(facts), *place))


def _clocks_change(facts: Facts) -> bool:
    """Whether a handler stores to the clock controller, so that what is without a clock at the drop may get one."""
    return bool(block_stores(facts, handlers(facts), facts.silicon.peripheral("RCC")))


def _size(places: tuple[Range, ...]) -> int:
    return sum(end - start for start, end in places)


def _spans(places: tuple[Range, ...]) -> str:
    return ", ".join(span(*place) for place in places) or "nothing"
