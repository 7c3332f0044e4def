"""Which exceptions the gate lets happen, at which priority, and that no handler changes it.

Sections are of DDI 0403. Only the tick's interrupt may be enabled; the faults, SVCall, PendSV and SysTick share its
priority, so that no handler of theirs can be interrupted by another.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts._core import Facts, Problem, Refusal
from pinproof.facts._view import boot, device_at_drops, drops, field, handlers, is_tick, places, register, stores
from pinproof.machine.result import Origin, Word
from pinproof.silicon import Timer

EXCEPTION_REASONS: dict[str, str] = {
    "interrupt-enabled": "an interrupt other than the tick can be enabled",
    "tick-not-enabled": "the tick's interrupt is not enabled on every path to the drop",
    "systick-enabled": "the system timer's interrupt can be enabled",
    "interrupt-pended": "the gate can make an exception pending by software",
    "priorities-differ": "the tick and the exceptions that the confined part can cause differ in priority",
    "fault-not-enabled": "a configurable fault is not enabled, so it escalates above the tick",
    "fault-marked-active": "boot marks an exception as active or pending, so that the tick never comes",
    "system-handlers-written": "a handler changes which faults are enabled, or ends one that is active",
    "priority-written": "a handler changes a priority or an interrupt enable",
    "interrupts-open-in-boot": "boot does not mask interrupts before it enables one",
}

FAULTS_ENABLED = 0x70000
"""SHCSR with the three configurable faults enabled, none pending or active (B3.2.13)."""
_TICK_INTERRUPT = 1 << 1
_FIRST_INTERRUPT = 16


def exception_problems(facts: Facts, timer: Timer) -> Iterator[Problem]:
    """Refusals for every exception that may happen beside the tick and the faults, and for priorities that differ."""
    yield from _enables(facts, timer)
    yield from _priorities(facts, timer)
    yield from _later(facts)


def _enables(facts: Facts, timer: Timer) -> Iterator[Problem]:
    interrupt = timer.exception - _FIRST_INTERRUPT
    enables = [each for each in facts.silicon.peripheral("NVIC").registers if each.name.startswith("ISER")]
    own = f"ISER{interrupt // 32}"
    for each in enables:
        wanted = 1 << interrupt % 32 if each.name == own else 0
        for word in device_at_drops(facts, each.address):
            if field(word, wanted) != frozenset({wanted}):
                yield Refusal(reason="tick-not-enabled", message=f"NVIC.{each.name} may lack the tick at the drop")
            if _others(word, wanted):
                yield Refusal(reason="interrupt-enabled", message=f"NVIC.{each.name} may enable another interrupt")
        early = [touch for touch in stores(facts, boot(facts), each.address) if _others(touch.access.value, wanted)]
        if early:
            yield Refusal(
                reason="interrupt-enabled",
                message=f"boot may enable another interrupt in NVIC.{each.name}",
                places=places(facts, early),
            )
    masked = [value for name, _, value in facts.exploration.boot.system_writes if name.lower() == "primask"]
    if drops(facts) and not any(word.only == 1 for word in masked):
        yield Refusal(reason="interrupts-open-in-boot", message="boot never sets PRIMASK")
    system = facts.silicon.peripheral("SysTick").register("CSR").address
    if any(field(word, _TICK_INTERRUPT) != frozenset({0}) for word in device_at_drops(facts, system)):
        yield Refusal(reason="systick-enabled", message="SysTick.CSR.TICKINT may be 1 at the drop")


def _others(word: Word, wanted: int) -> bool:
    return bool(~word.zeros & ~wanted & 0xFFFFFFFF)


def _priorities(facts: Facts, timer: Timer) -> Iterator[Problem]:
    interrupt = timer.exception - _FIRST_INTERRUPT
    # DDI 0403, B3.2.10 to B3.2.12: one byte each; the reserved bytes and DebugMonitor are left out.
    bytes_used = [
        (register(facts, "SCB", "SHPR1"), 0x00FFFFFF),
        (register(facts, "SCB", "SHPR2"), 0xFF000000),
        (register(facts, "SCB", "SHPR3"), 0xFFFF0000),
        (register(facts, "NVIC", f"IPR{interrupt // 4}"), 0xFF << 8 * (interrupt % 4)),
    ]
    # Only the upper bits of a byte are implemented; the lower read as zero and are ignored.
    implemented = 0xFF << (8 - facts.silicon.exceptions.priority_bits) & 0xFF
    found: set[int | None] = set()
    for address, mask in bytes_used:
        for word in device_at_drops(facts, address):
            known = word.bits(mask)
            found |= {
                None if known is None else known >> shift & implemented
                for shift in range(0, 32, 8)
                if mask >> shift & 1
            }
    if len(found) != 1 or None in found:
        yield Refusal(reason="priorities-differ", message="tick, faults, SVCall, PendSV and SysTick differ in priority")
    state = register(facts, "SCB", "SHCSR")
    for word in device_at_drops(facts, state):
        if field(word, FAULTS_ENABLED) != frozenset({FAULTS_ENABLED}):
            yield Refusal(reason="fault-not-enabled", message="a fault enable of SCB.SHCSR may be 0 at the drop")
    marked = [touch for touch in stores(facts, boot(facts), state) if _marks(touch.access.value)]
    if marked:
        yield Refusal(
            reason="fault-marked-active",
            message="boot stores more to SCB.SHCSR than fault enables",
            places=places(facts, marked),
        )


def _marks(value: Word) -> bool:
    """Whether an active or pending bit may be set by the store itself.

    Bits that were read back, to change others in place, are the hardware's: no exception is active in boot.
    """
    return bool(value.ones & ~FAULTS_ENABLED) or (_others(value, FAULTS_ENABLED) and value.origins != {Origin.DEVICE})


def _later(facts: Facts) -> Iterator[Problem]:
    runs = handlers(facts)
    state = register(facts, "SCB", "SHCSR")
    changed = [
        touch
        for touch in stores(facts, runs, state)
        if touch.exact != state
        or field(touch.access.value, 0xFFFFFFFF) != frozenset({FAULTS_ENABLED})
        # A fault's own handler would end the fault before its return, which then is a fault as well (B1.5.8).
        or not is_tick(facts, touch.run)
    ]
    if changed:
        yield Refusal(
            reason="system-handlers-written",
            message="a handler writes SCB.SHCSR, and it is not the tick or not the three fault enables",
            places=places(facts, changed),
        )
    controller, control = facts.silicon.peripheral("NVIC"), register(facts, "SCB", "SHPR1")
    written = [*stores(facts, runs, controller.base, controller.size), *stores(facts, runs, control, 12)]
    if written:
        yield Refusal(
            reason="priority-written", message="a handler writes NVIC or SHPR registers", places=places(facts, written)
        )
    pended = [
        *stores(facts, (*boot(facts), *runs), register(facts, "SCB", "ICSR")),
        *stores(facts, (*boot(facts), *runs), register(facts, "STIR", "STIR")),
        *(
            touch
            for each in controller.registers
            if each.name.startswith("ISPR")
            for touch in stores(facts, (*boot(facts), *runs), each.address)
        ),
    ]
    if pended:
        yield Refusal(
            reason="interrupt-pended",
            message="the gate stores to a register that makes exceptions pending",
            places=places(facts, pended),
        )
