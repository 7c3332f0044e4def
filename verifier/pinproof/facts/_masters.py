"""Bus masters beside the processor: the protection unit does not see what they move."""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts._core import Facts, Problem, Refusal
from pinproof.facts._protection import block_reach_problems
from pinproof.facts._view import all_runs, block_stores, device_at_drops, may_set, places
from pinproof.silicon import Capability, Peripheral

MASTER_REASONS: dict[str, str] = {
    "master-used": "the gate stores to a bus master beside the processor",
    "master-clocked": "a bus master beside the processor may have its clock on at the drop",
    "master-reachable": "the confined part can reach a bus master beside the processor",
    "master-not-listed": "the silicon file names a bus master without a block, so nothing can be said of it",
}


def masters(facts: Facts) -> tuple[Peripheral, ...]:
    """The blocks that can move data by themselves."""
    names = {master.name for master in facts.silicon.masters}
    return tuple(
        block for block in facts.silicon.peripherals if block.name in names or Capability.DMA in block.capabilities
    )


def master_problems(facts: Facts) -> Iterator[Problem]:
    """Whatever could let a bus master move a byte."""
    blocks = masters(facts)
    yield from block_reach_problems(facts, blocks, "master-reachable")
    unlisted = [master.name for master in facts.silicon.masters if not facts.silicon.has_peripheral(master.name)]
    if unlisted:
        yield Refusal(reason="master-not-listed", message=f"{', '.join(unlisted)} has no block in the silicon file")
    for block in blocks:
        found = block_stores(facts, all_runs(facts), block)
        if found:
            yield Refusal(reason="master-used", message=f"the gate stores to {block.name}", places=places(facts, found))
        if may_be_clocked(facts, block):
            yield Refusal(reason="master-clocked", message=f"{block.name} may be clocked at the drop")


def may_be_clocked(facts: Facts, block: Peripheral) -> bool:
    """Whether the block's clock may be on at the drop. False for a block that the silicon file gives no clock bit."""
    clock = block.clock
    return clock is not None and any(may_set(word, 1 << clock.bit) for word in device_at_drops(facts, clock.register))
