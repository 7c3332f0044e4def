"""A block that can signal outside MUST NOT be reachable by the confined part or used by the gate, except the declared
output timer and the declared sensor bus.

*How it is decided.* The decoded protection gives the confined part no address of any block, bit-band aliases
included. No store of the gate reaches a block that can signal (radio, serial, usb, network, storage, analogue, debug,
other timers, DMA) except the declared output timer and the declared sensor bus, and no such block is clocked at the
drop, the sensor bus included. The core's own timer has no line to the outside: boot may use it.

*False accepts.* A block that the silicon file does not list, or lists without its capability. Debug blocks have no
clock bit; what they do after power-on stands in the ledger.

*False rejects.* A store that switches such a block off.
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
    device_at_drops,
    drops,
    hardware,
    may_set,
    peripheral_blocks,
    places,
    proved,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Capability, Peripheral

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "peripheral-reachable": "the confined part can reach a peripheral block",
    "undeclared-peripheral": "the gate stores to a block that can signal outside and is not declared",
    "peripheral-clocked": "a block that can signal outside has its clock on at the drop",
}

_SIGNALLING = (
    Capability.RADIO,
    Capability.SERIAL,
    Capability.USB,
    Capability.NETWORK,
    Capability.STORAGE,
    Capability.ANALOG,
    Capability.DEBUG,
    Capability.TIMER,
    Capability.DMA,
)


_CORE_TIMER = frozenset({Capability.CORE, Capability.TIMER})
"""SysTick; what handlers store to it, and its interrupt, are judged by mem-forgetful and run-handlers."""


def check(facts: Facts) -> Outcome:
    evidence = [
        hardware(
            f"the protection gives the confined part none of {len(peripheral_blocks(facts))} blocks",
            *(facts.at(drop.site) for drop in drops(facts)),
        ),
        proved(f"the gate stores to none of {len(_others(facts))} blocks that can signal, beside the declared ones"),
    ]
    reached = block_reach_problems(facts, peripheral_blocks(facts), "peripheral-reachable")
    return conclude(facts, [*reached, *_used(facts), *_clocked(facts)], evidence)


def _others(facts: Facts) -> tuple[Peripheral, ...]:
    """The blocks that can signal and are not declared."""
    declared = {facts.declaration.output.timer, facts.declaration.sensor.bus}
    return tuple(
        block
        for block in blocks_with(facts, *_SIGNALLING)
        if block.name not in declared and block.capabilities != _CORE_TIMER
    )


def _used(facts: Facts) -> Iterator[Problem]:
    for block in _others(facts):
        found = block_stores(facts, all_runs(facts), block)
        if found:
            yield Refusal(
                reason="undeclared-peripheral", message=f"the gate stores to {block.name}", places=places(facts, found)
            )


def _clocked(facts: Facts) -> Iterator[Problem]:
    for block in _others(facts):
        clock = block.clock
        if clock is not None and any(may_set(word, 1 << clock.bit) for word in device_at_drops(facts, clock.register)):
            yield Refusal(reason="peripheral-clocked", message=f"{block.name} may be clocked at the drop")
