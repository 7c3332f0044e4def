"""After every reset, all RAM MUST be cleared before the confined part runs.

*How it is decided.* At every drop no byte of any RAM of the silicon file can hold what was there before reset, and
every byte that the confined part can write is a constant of the image. Nothing that boot stores to a device, and no
branch before it, depends on memory or backup registers that a reset keeps.

*False accepts.* None known: what a reset leaves is taken as anything.

*False rejects.* A clear that leaves out memory which the silicon file lists and the module does not use; boot code
that goes by the backup domain.
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
    Touch,
    Unknown,
    boot,
    conclude,
    described,
    drops,
    places,
    proved,
    ranges_at,
    span,
    unprivileged,
)
from pinproof.machine.mpu import Use
from pinproof.machine.result import AccessKind, Content, Drop, Origin
from pinproof.outcome import Outcome
from pinproof.silicon import MemoryKind

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    "mpu-words-unknown": PROTECTION_REASONS["mpu-words-unknown"],
    "not-cleared": "a byte of RAM can hold at the drop what it held before reset",
    "confined-memory-not-constant": "a byte that the confined part can write is not a constant at the drop",
    "boot-depends-on-memory": "what boot stores to a device, or when, depends on what was there before reset",
    "memory-not-described": "the machine does not say what a byte of RAM holds at the drop",
}


def check(facts: Facts) -> Outcome:
    rams = tuple((memory.start, memory.end) for memory in facts.silicon.memories_of(MemoryKind.RAM))
    total = sum(end - start for start, end in rams)
    evidence = [
        proved(f"all {total} bytes of RAM are set before the drop", *(facts.at(drop.site) for drop in drops(facts)))
    ]
    problems = [problem for drop in drops(facts) for problem in _problems(facts, drop)]
    return conclude(facts, [*_told(facts), *problems], evidence)


def _told(facts: Facts) -> Iterator[Problem]:
    """A reset does not clear RAM: before the gate does, it could show on a pin what the last frame left there."""
    told = [
        Touch(run=run, access=access)
        for run in boot(facts)
        for access in run.accesses
        if access.kind is AccessKind.STORE
        and Origin.RESET in access.value.origins | access.address.origins | access.control
    ]
    if told:
        yield Refusal(
            reason="boot-depends-on-memory",
            message=f"{len(told)} stores of boot to devices depend on what was there before reset",
            places=places(facts, told),
        )


def _problems(facts: Facts, drop: Drop) -> Iterator[Problem]:
    rams = tuple((memory.start, memory.end) for memory in facts.silicon.memories_of(MemoryKind.RAM))
    where = (facts.at(drop.site),)
    if not described(drop.state, rams):
        yield Unknown(
            reason="memory-not-described",
            message="the state at the drop does not cover all RAM",
            would_help="a silicon file and a machine that agree about RAM",
            places=where,
        )
    for ram in rams:
        for part, item in ranges_at(drop.state, ram):
            if Origin.RESET in item.value.origins:
                yield Refusal(reason="not-cleared", message=f"{span(*part)} is not cleared", places=where)
                return
    writable = unprivileged(facts, Use.WRITE)
    if not isinstance(writable, Known):
        yield writable
        return
    for place in writable.value:
        for part, item in ranges_at(drop.state, place):
            if item.content is not Content.CONSTANT or item.value.origins:
                yield Refusal(
                    reason="confined-memory-not-constant",
                    message=f"{span(*part)} may hold something other than constants",
                    places=where,
                )
                return
