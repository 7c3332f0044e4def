"""Ways to stop, restart or reset the part from the gate: none may be used once the confined part runs."""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts._core import Facts, Problem, Refusal
from pinproof.facts._view import all_runs, boot, field, handlers, places, register, stores

STEADY_REASONS: dict[str, str] = {
    "reset-requested": "the gate can request a reset, which floats or drives pins at an instant that software chooses",
    "watchdog-used": "the gate writes a watchdog, whose reset would come at an instant that software chooses",
}

_PRIORITY_GROUPING = 0x05FA0000
_PRIORITY_GROUP_BITS = 0x700
_WATCHDOGS = ("IWDG", "WWDG")


def reset_problems(facts: Facts) -> Iterator[Problem]:
    """Refusals for a requested reset and for a watchdog (DDI 0403, B3.2.6; RM0368 15, 16)."""
    control = register(facts, "SCB", "AIRCR")
    bad = stores(facts, handlers(facts), control)
    for touch in stores(facts, boot(facts), control):
        values = field(touch.access.value, 0xFFFFFFFF)
        if (
            touch.exact != control
            or values is None
            or any(value & ~_PRIORITY_GROUP_BITS != _PRIORITY_GROUPING for value in values)
        ):
            bad.append(touch)
    if bad:
        yield Refusal(
            reason="reset-requested",
            message="the gate writes SCB.AIRCR with something other than the priority grouping, or in a handler",
            places=places(facts, bad),
        )
    if facts.provisioning is not None and facts.provisioning.option_bytes.wdg_sw == 0:
        # RM0368 3.6.1: the independent watchdog then runs from reset on, and nothing refreshes it.
        yield Refusal(reason="watchdog-used", message="the option bytes start the independent watchdog at reset")
    for name in _WATCHDOGS:
        if facts.silicon.has_peripheral(name):
            block = facts.silicon.peripheral(name)
            used = stores(facts, all_runs(facts), block.base, block.size)
            if used:
                yield Refusal(reason="watchdog-used", message=f"the gate writes {name}", places=places(facts, used))
