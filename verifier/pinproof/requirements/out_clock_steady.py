"""Instructions and accesses of the confined part, sleep instructions included, and clock failures MUST NOT be able to
stop, slow, restart or re-source the clock of the tick.

*How it is decided.* At the drop deep sleep is off, the timer's clock is on and stays on in sleep, the clock security
system is off and the crystal is not bypassed. No handler stores to the clock, power, watchdog or debug blocks or to
the system control register; boot stops writing the clock tree before it starts the timer, and never turns the core's
regulator down. The confined part reaches none of these (run-confined).

*False accepts.* A crystal that dies stops the whole part, tick included, until power is cycled: no software chooses
that.

*False rejects.* A watchdog that only the tick refreshes.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_MANUAL,
    MACHINE_REASONS,
    PERIOD_REASONS,
    PROTECTION_REASONS,
    STEADY_REASONS,
    Facts,
    Problem,
    Refusal,
    Touch,
    block_reach_problems,
    block_stores,
    blocks_with,
    boot,
    bypass_possible,
    conclude,
    device_at_drops,
    drops,
    field,
    handlers,
    is_start,
    may_clear,
    may_set,
    output_timer,
    peripheral_blocks,
    places,
    proved,
    register,
    reset_problems,
    security_system_possible,
    stores,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Capability, Timer

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    **STEADY_REASONS,
    "output-timer-unknown": PERIOD_REASONS["output-timer-unknown"],
    "deep-sleep": "deep sleep may be on, so a sleep instruction stops the timer",
    "timer-clock-off": "the timer's clock may be off at the drop",
    "timer-stops-in-sleep": "the timer may have no clock while the processor sleeps",
    "clock-security-on": "the clock security system may switch the clock by itself",
    "clock-from-outside": "the crystal is bypassed: a signal from outside is the clock",
    "clock-tree-written": "the clock tree is written after the drop, or after the timer started",
    "power-written": "a handler writes the power block, or boot turns the core's regulator down",
    "sleep-control-written": "a handler writes the system control register",
    "debug-freeze-written": "the gate writes the debug block that can freeze the timer",
    "clock-reachable": "the confined part can reach the clock, power or timer blocks",
}

_DEEP_SLEEP = 1 << 2
_SCALE, _FULL_SCALE = 0b11 << 14, 0b10 << 14
"""PWR_CR.VOS (RM0368 5.4.1): scale 2 is the one for 84 MHz, and the one after reset."""


def check(facts: Facts) -> Outcome:
    timer = output_timer(facts)
    if timer is None:
        name = facts.declaration.output.timer
        missing = Refusal(reason="output-timer-unknown", message=f"the silicon file knows no timer {name}")
        return conclude(facts, [missing], [])
    evidence = [
        proved(
            f"deep sleep and the clock security system are off, and {timer.name} is clocked in sleep, at the drop",
            *(facts.at(drop.site) for drop in drops(facts)),
        ),
        proved("no handler stores to the clock, power, watchdog or debug blocks or to the system control register"),
    ]
    return conclude(facts, [*_at_drop(facts, timer), *_later(facts, timer)], evidence, [ASSUMPTION_MANUAL])


def _at_drop(facts: Facts, timer: Timer) -> Iterator[Problem]:
    if any(may_set(word, _DEEP_SLEEP) for word in device_at_drops(facts, register(facts, "SCB", "SCR"))):
        yield Refusal(reason="deep-sleep", message="SCB.SCR.SLEEPDEEP may be 1 at the drop")
    block = facts.silicon.peripheral(timer.name)
    for bit, reason in ((block.clock, "timer-clock-off"), (block.sleep_clock, "timer-stops-in-sleep")):
        if bit is not None and any(may_clear(word, 1 << bit.bit) for word in device_at_drops(facts, bit.register)):
            yield Refusal(reason=reason, message=f"bit {bit.bit} of 0x{bit.register:08X} may be 0 at the drop")
    if security_system_possible(facts):
        yield Refusal(reason="clock-security-on", message="RCC.CR.CSSON may be 1 at the drop")
    if bypass_possible(facts):
        yield Refusal(reason="clock-from-outside", message="RCC.CR.HSEBYP may be 1 at the drop")


def _later(facts: Facts, timer: Timer) -> Iterator[Problem]:
    clock = _stores_to(facts, Capability.CLOCK) + _tree_after_start(facts, timer)
    power = _regulator(facts) + [
        touch
        for block in blocks_with(facts, Capability.POWER)
        if block.name == "PWR"
        for touch in _late(facts, block.name)
    ]
    debug = _stores_to(facts, Capability.DEBUG)
    sleep = stores(facts, handlers(facts), register(facts, "SCB", "SCR"))
    for found, reason, message in (
        (clock, "clock-tree-written", "the clock tree is written once the timer runs"),
        (power, "power-written", "the power block is written in a handler, or the regulator turned down"),
        (sleep, "sleep-control-written", "a handler writes SCB.SCR"),
        (debug, "debug-freeze-written", "a handler writes a debug block"),
    ):
        if found:
            yield Refusal(reason=reason, message=message, places=places(facts, found))
    yield from reset_problems(facts)
    shared = blocks_with(facts, Capability.CLOCK, Capability.POWER, Capability.TIMER)
    reachable = tuple(block for block in peripheral_blocks(facts) if block in shared)
    yield from block_reach_problems(facts, reachable, "clock-reachable")


def _regulator(facts: Facts) -> list[Touch]:
    """Boot's stores that could leave the core's regulator at another scale than the one for every rated clock."""
    found = stores(facts, boot(facts), register(facts, "PWR", "CR"))
    return [touch for touch in found if field(touch.access.value, _SCALE) != frozenset({_FULL_SCALE})]


def _stores_to(facts: Facts, capability: Capability) -> list[Touch]:
    return [touch for block in blocks_with(facts, capability) for touch in block_stores(facts, handlers(facts), block)]


def _late(facts: Facts, name: str) -> list[Touch]:
    return block_stores(facts, handlers(facts), facts.silicon.peripheral(name))


def _tree_after_start(facts: Facts, timer: Timer) -> list[Touch]:
    """Boot's stores to the clock block after the counter may run: they would bend the first periods."""
    block = facts.silicon.peripheral(timer.name)
    starts = [
        touch.access.order
        for touch in stores(facts, boot(facts), block.base, block.size)
        if is_start(facts, timer, touch)
    ]
    tree = [touch for each in blocks_with(facts, Capability.CLOCK) for touch in block_stores(facts, boot(facts), each)]
    return [touch for touch in tree if starts and touch.access.order > min(starts)]
