"""Flash programming MUST be unreachable to the confined part and never unlocked by the gate.

*How it is decided.* The protection keeps the flash controller from the confined part. Of its registers the gate
stores to the access control register alone (wait states), and no store of the gate reaches flash itself.

*False accepts.* None known; the controller starts locked after every reset (RM0368 3.8.5).

*False rejects.* A wrong key, written on purpose to lock the controller until reset, and clearing its error flags.
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
    block_reach_problems,
    block_stores,
    blocks_with,
    conclude,
    drops,
    hardware,
    name_of_access,
    places,
    proved,
    stores,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Capability, MemoryKind

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "no-flash-controller": "the silicon file lists no flash controller, so nothing can be said of it",
    "flash-unlock": "the gate stores to a key register of the flash controller",
    "flash-control-written": "the gate stores to another register of the flash controller",
    "flash-stored-to": "the gate stores to flash",
    "flash-controller-reachable": "the confined part can reach the flash controller",
}

_KEYS = frozenset({"KEYR", "OPTKEYR"})
_WAIT_STATES = "ACR"


def check(facts: Facts) -> Outcome:
    evidence = [
        proved("the gate stores to no register of the flash controller but its wait states, and not to flash"),
        hardware(
            "the protection keeps the controller from the confined part",
            *(facts.at(drop.site) for drop in drops(facts)),
        ),
    ]
    reached = block_reach_problems(facts, blocks_with(facts, Capability.FLASH_CONTROL), "flash-controller-reachable")
    return conclude(facts, [*_controller(facts), *_flash(facts), *reached], evidence)


def _controller(facts: Facts) -> Iterator[Problem]:
    blocks = blocks_with(facts, Capability.FLASH_CONTROL)
    if not blocks:
        yield Refusal(reason="no-flash-controller", message=f"{facts.silicon.part} lists no flash controller")
    for block in blocks:
        for touch in block_stores(facts, all_runs(facts), block):
            known = facts.silicon.register_at(touch.exact & ~3) if touch.exact is not None else None
            if known is not None and known.name == _WAIT_STATES:
                continue
            unlocks = known is None or known.name in _KEYS
            yield Refusal(
                reason="flash-unlock" if unlocks else "flash-control-written",
                message=f"the gate stores to {name_of_access(facts, touch.access)}",
                places=places(facts, [touch]),
            )


def _flash(facts: Facts) -> Iterator[Problem]:
    for memory in facts.silicon.memories:
        if memory.kind in (MemoryKind.FLASH, MemoryKind.ALIAS, MemoryKind.OPTION):
            found = stores(facts, all_runs(facts), memory.start, memory.size)
            if found:
                yield Refusal(
                    reason="flash-stored-to", message=f"the gate stores to {memory.name}", places=places(facts, found)
                )
