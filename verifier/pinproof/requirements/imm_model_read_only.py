"""The model MUST lie in read-only memory with the declared digest.

*How it is decided.* The declared range lies in flash, the image holds every byte of it, its SHA-256 is the declared
one, and the confined part cannot write it. A changed copy cannot serve because the model does not fit into the memory
that the confined part can write, or because nothing in that memory outlives a period.

*False accepts.* Whether the confined part uses this model at all: its code is not analysed, only hashed.

*False rejects.* A model that is compressed in flash and unpacked into RAM, where its digest is another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pinproof.facts import (
    MACHINE_REASONS,
    PROTECTION_REASONS,
    Facts,
    Known,
    Problem,
    Refusal,
    conclude,
    leftovers,
    proved,
    reach_problems,
    span,
    unprivileged,
)
from pinproof.machine.mpu import Use
from pinproof.outcome import Outcome
from pinproof.silicon import MemoryKind

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "model-not-in-flash": "the declared model does not lie in flash",
    "model-not-loaded": "the image does not hold every byte of the declared model",
    "model-digest": "the model's bytes do not have the declared SHA-256",
    "model-writable": "the confined part can write the model's bytes",
    "model-copy": "a changed copy of the model fits into writable memory and can outlive a period",
}


def check(facts: Facts) -> Outcome:
    model = facts.declaration.model
    evidence = [
        proved(f"{model.range.size} bytes at {span(model.range.start, model.range.end)} have SHA-256 {model.sha256}"),
        proved("no changed copy can serve: it does not fit into writable memory, or does not outlive a period"),
    ]
    return conclude(facts, [*_place(facts), *_bytes(facts), *_written(facts), *_copy(facts)], evidence)


def _place(facts: Facts) -> Iterator[Problem]:
    place = facts.declaration.model.range
    if not any(
        memory.start <= place.start and place.end <= memory.end
        for memory in facts.silicon.memories_of(MemoryKind.FLASH)
    ):
        yield Refusal(reason="model-not-in-flash", message=f"{span(place.start, place.end)} is not in flash")


def _bytes(facts: Facts) -> Iterator[Problem]:
    model = facts.declaration.model
    data = facts.image.read(model.range.start, model.range.size)
    if data is None:
        yield Refusal(
            reason="model-not-loaded", message=f"{span(model.range.start, model.range.end)} is not all in the image"
        )
    elif hashlib.sha256(data).hexdigest() != model.sha256:
        yield Refusal(reason="model-digest", message=f"the model's SHA-256 is {hashlib.sha256(data).hexdigest()}")


def _written(facts: Facts) -> Iterator[Problem]:
    writable = unprivileged(facts, Use.WRITE)
    if not isinstance(writable, Known):
        yield from reach_problems(facts, (), "model-writable", "the model")
        return
    place = facts.declaration.model.range
    for start, end in writable.value:
        low, high = max(start, place.start), min(end, place.end)
        if low < high:
            yield Refusal(reason="model-writable", message=f"the confined part can write {span(low, high)}")


def _copy(facts: Facts) -> Iterator[Problem]:
    writable = unprivileged(facts, Use.WRITE)
    if not isinstance(writable, Known):
        return
    room = sum(end - start for start, end in writable.value)
    if facts.declaration.model.range.size <= room and list(leftovers(facts)):
        yield Refusal(
            reason="model-copy",
            message=f"{facts.declaration.model.range.size} bytes fit into {room}, and memory can outlive a period",
        )
