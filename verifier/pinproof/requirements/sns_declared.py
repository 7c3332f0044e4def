"""The firmware MUST be able to read only the declared sensor.

*How it is decided.* No load or store of the gate reaches an analogue block or a serial, USB, network or storage block
other than the declared bus, and the protection gives the confined part none. The bill of materials names the declared
sensor and nothing else.

*False accepts.* What is really on the board, and inside the sensor (A-materials).

*False rejects.* A bill that names the sensor twice under two names.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_MATERIALS,
    MACHINE_REASONS,
    PROTECTION_REASONS,
    Facts,
    Problem,
    Refusal,
    all_runs,
    block_reach_problems,
    blocks_with,
    conclude,
    hardware,
    places,
    proved,
    touches,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Capability, Peripheral

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "undeclared-sensor": "the gate reaches an analogue block or a bus that is not declared",
    "sensor-reachable": "the confined part can reach an analogue block or a bus",
    "undeclared-transducer": "the bill of materials lists a transducer other than the declared sensor",
    "undeclared-memory": "the bill of materials lists a memory beside the part's own",
}

_SENSING = (Capability.ANALOG, Capability.SERIAL, Capability.USB, Capability.NETWORK, Capability.STORAGE)


def check(facts: Facts) -> Outcome:
    evidence = [
        proved(f"the gate reaches none of {len(_others(facts))} converters and buses beside the declared bus"),
        hardware("the protection gives the confined part none of them"),
    ]
    return conclude(facts, [*_bill(facts), *_used(facts), *_reach(facts)], evidence, [ASSUMPTION_MATERIALS])


def _others(facts: Facts) -> tuple[Peripheral, ...]:
    bus = facts.declaration.sensor.bus
    return tuple(block for block in blocks_with(facts, *_SENSING) if block.name != bus)


def _bill(facts: Facts) -> Iterator[Problem]:
    materials = facts.declaration.materials
    extra = [name for name in materials.transducers if name != facts.declaration.sensor.model]
    if extra or len(materials.transducers) != 1:
        named = ", ".join(extra or materials.transducers) or "nothing"
        yield Refusal(reason="undeclared-transducer", message=f"the bill of materials lists {named}")
    if materials.memories:
        yield Refusal(
            reason="undeclared-memory", message=f"the bill of materials lists {', '.join(materials.memories)}"
        )


def _used(facts: Facts) -> Iterator[Problem]:
    for block in _others(facts):
        found = list(touches(facts, all_runs(facts), block.base, block.end))
        if found:
            yield Refusal(
                reason="undeclared-sensor", message=f"the gate reaches {block.name}", places=places(facts, found)
            )


def _reach(facts: Facts) -> Iterator[Problem]:
    return block_reach_problems(facts, blocks_with(facts, *_SENSING), "sensor-reachable")
