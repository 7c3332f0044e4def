"""All memory that can be written after the drop, peripheral buffers, backup and one-time memory included, MUST be
smaller than the profile's budget.

*How it is decided.* First the sum over every RAM, every one-time memory and every buffer of a peripheral in the
silicon file, whether or not anything can reach it: what the silicon does not have, no firmware can use. Where that is
too much, the sum over what can still be written after the drop: the memory that the decoded protection opens to the
confined part, the RAM that stores of handlers and their nested stacks reach, and one-time memory and buffers unless
no access of the gate or the confined part reaches them and their block has no clock. A bus master that could run, or
a handler that could change a clock, and everything counts.

*False accepts.* A buffer that the silicon file does not list. Data registers of single words are not counted: what
handlers may leave in them is mem-forgetful. Flash is not counted: that it cannot be written after the drop is
imm-flash-locked.

*False rejects.* A buffer in a block that has a clock and no wire.
"""

from __future__ import annotations

from pinproof.facts import (
    MACHINE_REASONS,
    WRITABLE_REASONS,
    Facts,
    Known,
    Refusal,
    conclude,
    conclude_without_machine,
    proved,
    silicon,
    writable_memory,
    writable_parts,
)
from pinproof.outcome import Outcome
from pinproof.silicon import MemoryKind

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **WRITABLE_REASONS,
    "budget-exceeded": "the memory that can be written after the drop is not smaller than the profile's budget",
    "no-memory-listed": "the silicon file lists no RAM, so the sum means nothing",
}


def check(facts: Facts) -> Outcome:
    if not facts.silicon.memories_of(MemoryKind.RAM):
        missing = Refusal(reason="no-memory-listed", message=f"{facts.silicon.part} lists no RAM")
        return conclude_without_machine([missing], [])
    budget = facts.profile.memory_budget.bytes
    whole, listed = _sum(writable_parts(facts))
    if whole < budget:
        return conclude_without_machine([], [silicon(f"{listed}, below {budget}")])
    reached = writable_memory(facts)
    if not isinstance(reached, Known):
        return conclude(facts, [reached], [])
    total, named = _sum(reached.value)
    both = f"{named} can be written after the drop, of {whole} on the part; the budget is {budget}"
    if total >= budget:
        return conclude(facts, [Refusal(reason="budget-exceeded", message=both)], [])
    return conclude(facts, [], [*reached.evidence, proved(both)])


def _sum(parts: tuple[tuple[str, int], ...]) -> tuple[int, str]:
    total = sum(size for _, size in parts)
    return total, f"{' + '.join(f'{name} {size}' for name, size in parts)} = {total} bytes"
