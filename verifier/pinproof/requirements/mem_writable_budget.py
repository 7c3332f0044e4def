"""All memory that can be written after the drop, peripheral buffers, backup and one-time memory included, MUST be
smaller than the profile's budget.

*How it is decided.* The sum is taken over every RAM, every one-time memory and every buffer of a peripheral in the
silicon file, whether or not anything can reach it: what the silicon does not have, no firmware can use.

*False accepts.* A buffer that the silicon file does not list. Flash is not counted: that it cannot be written after
the drop is imm-flash-locked.

*False rejects.* A part with more memory than the budget, of which the protection and the gate leave only a part in
reach.
"""

from __future__ import annotations

from pinproof.facts import Facts, Problem, Refusal, conclude_without_machine, silicon, writable_parts
from pinproof.outcome import Outcome
from pinproof.silicon import MemoryKind

REASONS: dict[str, str] = {
    "budget-exceeded": "the part's writable memory is not smaller than the profile's budget",
    "no-memory-listed": "the silicon file lists no RAM, so the sum means nothing",
}


def check(facts: Facts) -> Outcome:
    parts = writable_parts(facts)
    total = sum(size for _, size in parts)
    budget = facts.profile.memory_budget.bytes
    listed = " + ".join(f"{name} {size}" for name, size in parts)
    problems: list[Problem] = []
    if not facts.silicon.memories_of(MemoryKind.RAM):
        problems.append(Refusal(reason="no-memory-listed", message=f"{facts.silicon.part} lists no RAM"))
    if total >= budget:
        problems.append(Refusal(reason="budget-exceeded", message=f"{listed} = {total} bytes of {budget}"))
    return conclude_without_machine(problems, [silicon(f"{listed} = {total} bytes, below {budget}")])
