"""What handlers do to devices, and what devices keep or show of an earlier frame."""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts._core import Facts, Problem, Refusal
from pinproof.facts._pins import port_of, ports
from pinproof.facts._timer import compare_registers
from pinproof.facts._view import (
    Touch,
    device_at_drops,
    handlers,
    loads,
    may_set,
    name_of_access,
    output_timer,
    places,
    register,
)
from pinproof.machine.result import AccessKind, Origin

DEVICE_REASONS: dict[str, str] = {
    "device-written": "a handler stores to a device in which it can leave a trace of the past",
    "cache-on": "a flash cache may be on, and what it holds outlives a period",
    "output-read-back": "the gate reads the port of a declared output, so the last bit reaches the next frame",
}

_CACHES = 0b11 << 9
"""FLASH_ACR.ICEN and DCEN (RM0368 3.8.1)."""
_FAULT_STATUS = ("CFSR", "HFSR", "DFSR", "AFSR")
"""Registers in which a stored 1 clears a bit and nothing can be left (DDI 0403, B3.2.15 to B3.2.19)."""


def device_problems(facts: Facts) -> Iterator[Problem]:
    """Devices as memory: what handlers store to them, the caches, and the output itself."""
    for touch in _stored_by_handlers(facts):
        if not _is_harmless(facts, touch):
            yield Refusal(
                reason="device-written",
                message=f"a handler stores to {name_of_access(facts, touch.access)}",
                places=places(facts, [touch]),
            )
            break
    if any(may_set(word, _CACHES) for word in device_at_drops(facts, register(facts, "FLASH", "ACR"))):
        yield Refusal(reason="cache-on", message="FLASH.ACR.ICEN or DCEN may be 1 at the drop")
    for pin in facts.declaration.output.pins:
        port = port_of(facts, pin)
        read = loads(facts, handlers(facts), port.register("IDR").address) if port is not None else []
        if read:
            yield Refusal(
                reason="output-read-back", message=f"a handler reads the port of {pin}", places=places(facts, read)
            )


def _stored_by_handlers(facts: Facts) -> Iterator[Touch]:
    for run in handlers(facts):
        for access in run.accesses:
            if access.kind is AccessKind.STORE:
                yield Touch(run=run, access=access)


def _is_harmless(facts: Facts, touch: Touch) -> bool:
    """A declared compare register (out-clocked, out-one-write), or a constant, always the same, to what keeps no data.

    To the timer's own status register also what it was read to hold: a stored 1 leaves a flag as it is (RM0368 13.4.5),
    so what is there afterwards tells of the timer alone. Other devices the tick does not read, and other gate memory is
    constant (mem-forgetful), so no value of these two origins comes from elsewhere.
    """
    if touch.exact in compare_registers(facts):
        return True
    timer, access = output_timer(facts), touch.access
    if timer is not None and touch.exact == register(facts, timer.name, "SR") and not access.control:
        return access.width == 4 and access.value.origins <= {Origin.DEVICE, Origin.GATE}
    return touch.exact in _keeps_nothing(facts) and access.value.only is not None and not access.control


def _keeps_nothing(facts: Facts) -> frozenset[int]:
    """Status registers, and the set-and-reset registers of ports, whose pins out-declared-pins judges."""
    found = {register(facts, "SCB", name) for name in (*_FAULT_STATUS, "SHCSR")}
    found |= {block.register("BSRR").address for block in ports(facts)}
    timer = output_timer(facts)
    if timer is not None:
        found.add(register(facts, timer.name, "SR"))
    return frozenset(found)
