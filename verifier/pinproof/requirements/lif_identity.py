"""The unique identity of a unit MUST NOT be readable by the confined part.

*How it is decided.* The decoded protection gives the confined part no address of system, option or one-time memory,
where the part keeps a unit's identity and whatever else tells units apart, and no load of the gate reaches it. That a
certificate has an expiry follows from its format.

*False accepts.* Differences between units that no memory holds, such as the speed of an oscillator.

*False rejects.* A gate that reads calibration values.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    MACHINE_REASONS,
    PROTECTION_REASONS,
    Facts,
    Problem,
    Refusal,
    all_runs,
    conclude,
    drops,
    hardware,
    places,
    proved,
    reach_problems,
    touches,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Memory, MemoryKind

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "identity-readable": "the confined part can reach memory that tells units apart",
    "identity-read": "the gate reaches memory that tells units apart",
    "identity-not-listed": "the silicon file does not say where a unit's identity is",
}

_KINDS = (MemoryKind.SYSTEM, MemoryKind.OTP, MemoryKind.OPTION)


def check(facts: Facts) -> Outcome:
    evidence = [
        hardware(
            "the protection keeps the unit's identity from the confined part",
            *(facts.at(drop.site) for drop in drops(facts)),
        ),
        proved("no access of the gate reaches it; a certificate without an expiry cannot be written"),
    ]
    return conclude(facts, _problems(facts), evidence)


def _problems(facts: Facts) -> Iterator[Problem]:
    memories = _identities(facts)
    if not memories:
        yield Refusal(reason="identity-not-listed", message=f"{facts.silicon.part} lists no memory with an identity")
    ranges = tuple((memory.start, memory.end) for memory in memories)
    yield from reach_problems(facts, ranges, "identity-readable", "the unit's identity")
    for memory in memories:
        found = list(touches(facts, all_runs(facts), memory.start, memory.end))
        if found:
            yield Refusal(
                reason="identity-read", message=f"the gate reaches {memory.name}", places=places(facts, found)
            )


def _identities(facts: Facts) -> list[Memory]:
    return [memory for memory in facts.silicon.memories if memory.kind in _KINDS]
