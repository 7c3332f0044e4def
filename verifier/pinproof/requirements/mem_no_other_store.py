"""Backup memory and registers, one-time memory, external memory controllers, SD, EEPROM and data flash MUST be
unreachable to the confined part and unused by the gate.

*How it is decided.* No access of the gate reaches a block with the capability `storage` or a memory that is one-time,
and the protection gives the confined part none of these. The declared sensor bus is used before the drop alone
(out-sensor-lines-constant), so no memory behind it can serve.

*False accepts.* A block that the silicon file does not list as storage; a memory inside the sensor (A-materials).

*False rejects.* A read of the backup registers that goes nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    MACHINE_REASONS,
    PROTECTION_REASONS,
    Facts,
    Problem,
    Range,
    Refusal,
    all_runs,
    block_reach_problems,
    blocks_with,
    conclude,
    hardware,
    places,
    proved,
    reach_problems,
    touches,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Capability, MemoryKind

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "storage-used": "the gate reaches a block or memory that keeps data",
    "storage-reachable": "the confined part can reach a block or memory that keeps data",
}


def check(facts: Facts) -> Outcome:
    evidence = [
        proved(f"no access of the gate reaches {', '.join(name for name, _ in _stores(facts))}"),
        hardware("the protection keeps the confined part from all of them"),
    ]
    one_time = tuple((memory.start, memory.end) for memory in facts.silicon.memories_of(MemoryKind.OTP))
    reached = [
        *block_reach_problems(facts, blocks_with(facts, Capability.STORAGE), "storage-reachable"),
        *reach_problems(facts, one_time, "storage-reachable", "one-time memory"),
    ]
    return conclude(facts, [*_used(facts), *reached], evidence)


def _stores(facts: Facts) -> tuple[tuple[str, Range], ...]:
    blocks = [(block.name, (block.base, block.end)) for block in blocks_with(facts, Capability.STORAGE)]
    memories = [(memory.name, (memory.start, memory.end)) for memory in facts.silicon.memories_of(MemoryKind.OTP)]
    return (*blocks, *memories)


def _used(facts: Facts) -> Iterator[Problem]:
    for name, (start, end) in _stores(facts):
        found = list(touches(facts, all_runs(facts), start, end))
        if found:
            yield Refusal(reason="storage-used", message=f"the gate reaches {name}", places=places(facts, found))
