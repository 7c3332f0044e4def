"""A bus master other than the processor MUST NOT move data, except in the declared capture, whose channel, direction,
count and mode are proved.

*How it is decided.* No store of the gate reaches a bus master of the silicon file or a block with the capability
`dma`, their clocks are off at the drop, and the protection keeps the confined part from them. Capture is by the
processor.

*False accepts.* A master that the silicon file does not list.

*False rejects.* A declared capture by DMA: it is not modelled.
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
    conclude,
    device_at_drops,
    hardware,
    may_set,
    places,
    proved,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Capability, Peripheral

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "master-used": "the gate stores to a bus master beside the processor",
    "master-clocked": "a bus master beside the processor may have its clock on at the drop",
    "master-reachable": "the confined part can reach a bus master beside the processor",
    "master-not-listed": "the silicon file names a bus master without a block, so nothing can be said of it",
}


def check(facts: Facts) -> Outcome:
    blocks = _masters(facts)
    named = ", ".join(block.name for block in blocks) or "no bus master on the part"
    evidence = [
        proved(f"never stored to and without a clock: {named}"),
        hardware("the confined part reaches none of them"),
    ]
    reached = block_reach_problems(facts, blocks, "master-reachable")
    return conclude(facts, [*_problems(facts, blocks), *reached], evidence)


def _masters(facts: Facts) -> tuple[Peripheral, ...]:
    names = {master.name for master in facts.silicon.masters}
    return tuple(
        block for block in facts.silicon.peripherals if block.name in names or Capability.DMA in block.capabilities
    )


def _problems(facts: Facts, blocks: tuple[Peripheral, ...]) -> Iterator[Problem]:
    unlisted = [master.name for master in facts.silicon.masters if not facts.silicon.has_peripheral(master.name)]
    if unlisted:
        yield Refusal(reason="master-not-listed", message=f"{', '.join(unlisted)} has no block in the silicon file")
    for block in blocks:
        found = block_stores(facts, all_runs(facts), block)
        if found:
            yield Refusal(reason="master-used", message=f"the gate stores to {block.name}", places=places(facts, found))
        clock = block.clock
        if clock is not None and any(may_set(word, 1 << clock.bit) for word in device_at_drops(facts, clock.register)):
            yield Refusal(reason="master-clocked", message=f"{block.name} may be clocked at the drop")
