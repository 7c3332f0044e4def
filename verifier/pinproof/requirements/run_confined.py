"""At the drop, the decoded protection MUST let the confined part read and run flash, write its own memory, and
nothing else.

*How it is decided.* At every drop the region registers and MPU_CTRL are known numbers, which the decoder accepts:
sizes, alignment, subregions, overlap, permissions, execute-never, background map. Unprivileged code may read and run
flash and read and write the declared confined memory, and nothing else; the protection also holds in fault handlers.
Privilege is dropped with the process stack in use, after the barriers that the architecture asks for. Execution goes
on at the declared entry or the idle loop; the machine follows the moves and jumps on the way there. No handler stores
to the protection unit, its aliases, the vector base or the control registers of the core, and no store of CONTROL
gives privilege back.

*False accepts.* The private peripheral bus is taken as closed to unprivileged code, which the architecture says
(A-silicon-as-manual); the one register there that can be opened is checked.

*False rejects.* Confined memory that is smaller than declared on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_MANUAL,
    DECODING_REASONS,
    MACHINE_REASONS,
    PROTECTION_REASONS,
    Facts,
    Known,
    Problem,
    Range,
    Refusal,
    Unknown,
    all_runs,
    block_stores,
    conclude,
    device,
    drops,
    field,
    handlers,
    hardware,
    may_set,
    places,
    protection_of,
    register,
    span,
    stores,
    values_of,
    without,
)
from pinproof.machine.mpu import Protection, Rights, Use
from pinproof.machine.result import Drop
from pinproof.outcome import Outcome
from pinproof.silicon import MemoryKind

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    "mpu-words-unknown": PROTECTION_REASONS["mpu-words-unknown"],
    **DECODING_REASONS,
    "mpu-disabled": "the protection unit is off at the drop",
    "mpu-off-in-faults": "the protection does not hold in HardFault and NMI handlers (HFNMIENA)",
    "mpu-region-too-large": "the confined part can reach memory beyond its own",
    "peripheral-reachable": "the confined part can reach a peripheral block",
    "flash-writable": "the protection lets the confined part store to flash",
    "confined-memory-executable": "the confined part can run memory that it can write",
    "confined-memory-differs": "the memory that the confined part can write is not what the declaration says",
    "confined-not-ram": "the declared confined memory is not RAM of the part",
    "flash-not-normal": "flash is executed as Device or Strongly-ordered memory, which is unpredictable",
    "flash-not-runnable": "the confined part cannot read and run its own flash, so it cannot start",
    "gate-not-runnable": "the gate cannot run its own code, so that a handler faults and the processor locks up",
    "missing-barrier": "a barrier is missing between the set-up of the protection or of CONTROL and the drop",
    "still-privileged": "execution after the drop may be privileged",
    "shares-main-stack": "the confined part may run on the gate's stack",
    "drop-target": "execution after the drop goes on elsewhere than at the declared entry or the idle loop",
    "drop-target-unknown": "where execution goes on after the drop is not known",
    "mpu-written-after-drop": "a handler stores to the protection unit",
    "mpu-narrow-store": "the protection unit is written with less than a word",
    "vector-table-moved": "the vector base is not the start of flash, or a handler writes it",
    "control-written-back": "a handler can give privilege back to thread mode",
    "configuration-control": "SCB.CCR opens interrupts to unprivileged code, or changes how faults work",
}

_UNPRIVILEGED, _PROCESS_STACK = 1, 2
_BARRIERS = {"mpu-synchronised": "DSB and ISB after the MPU", "control-synchronised": "ISB after CONTROL"}
_CONFIGURATION_TRAPS = 0b11000
"""CCR.UNALIGN_TRP and DIV_0_TRP: the only bits that may be set beside STKALIGN (DDI 0403, B3.2.8)."""
_STACK_ALIGNMENT = 1 << 9


def check(facts: Facts) -> Outcome:
    where = [facts.at(drop.site) for drop in drops(facts)]
    confined = facts.declaration.memory.confined
    evidence = [
        hardware(
            f"decoded: the confined part writes {span(confined.start, confined.end)}, reads and runs flash", *where
        ),
        hardware("the protection, the vector base and the privilege of thread mode never change after the drop"),
    ]
    problems: list[Problem] = []
    for drop in drops(facts):
        known = protection_of(facts, drop)
        if isinstance(known, Known):
            problems += [*_map(facts, known.value), *_memory_types(facts, known.value)]
        else:
            problems.append(known)
        problems += _state(facts, drop)
    return conclude(facts, [*problems, *_later(facts)], evidence, [ASSUMPTION_MANUAL])


def _map(facts: Facts, protection: Protection) -> Iterator[Problem]:
    if not protection.enabled:
        yield Refusal(reason="mpu-disabled", message="MPU_CTRL.ENABLE is 0 at the drop")
        return
    if not protection.covers_fault_handlers:
        yield Refusal(reason="mpu-off-in-faults", message="MPU_CTRL.HFNMIENA is 0 at the drop")
    confined = facts.declaration.memory.confined
    own: tuple[Range, ...] = ((confined.start, confined.end),)
    rams = tuple((memory.start, memory.end) for memory in facts.silicon.memories_of(MemoryKind.RAM))
    if without(own, rams):
        yield Refusal(reason="confined-not-ram", message=f"{span(*own[0])} is not all RAM of {facts.silicon.part}")
    flash = tuple((memory.start, memory.end) for memory in facts.silicon.memories_of(MemoryKind.FLASH))
    allowed = {Use.READ: (*flash, *own), Use.WRITE: own, Use.EXECUTE: flash}
    for use, ranges in allowed.items():
        for extra in without(protection.unprivileged(use), ranges):
            yield Refusal(
                reason=_reason(facts, use, extra, own),
                message=f"the confined part can {use} {span(*extra)}",
            )
    if without(own, protection.unprivileged(Use.WRITE)) or without(own, protection.unprivileged(Use.READ)):
        yield Refusal(
            reason="confined-memory-differs",
            message=f"the confined part cannot read and write all of {span(*own[0])}",
        )
    code = facts.declaration.flash.confined
    if without(((code.start, code.end),), protection.unprivileged(Use.EXECUTE)):
        yield Refusal(reason="flash-not-runnable", message=f"the confined part cannot run {span(code.start, code.end)}")
    for barred in without(facts.exploration.executed, protection.privileged(Use.EXECUTE)):
        yield Refusal(reason="gate-not-runnable", message=f"the gate cannot run its own code at {span(*barred)}")
        return


def _reason(facts: Facts, use: Use, extra: Range, own: tuple[Range, ...]) -> str:
    def hits(ranges: tuple[Range, ...]) -> bool:
        return any(extra[0] < end and start < extra[1] for start, end in ranges)

    blocks = tuple((block.base, block.end) for block in facts.silicon.peripherals)
    bands = tuple((band.base, band.end) for band in facts.silicon.bit_bands if band.target >= 0x40000000)
    if hits((*blocks, *bands)):
        return "peripheral-reachable"
    if use is Use.WRITE and hits(tuple((each.start, each.end) for each in facts.silicon.memories_of(MemoryKind.FLASH))):
        return "flash-writable"
    return "confined-memory-executable" if use is Use.EXECUTE and hits(own) else "mpu-region-too-large"


def _memory_types(facts: Facts, protection: Protection) -> Iterator[Problem]:
    """Fetching from Device or Strongly-ordered memory is unpredictable: nothing proved of such code holds.

    DDI 0403, A3.5.5.
    """
    flash = facts.silicon.memories_of(MemoryKind.FLASH)
    for region in protection.regions:
        runs = Rights.EXECUTE in region.privileged | region.unprivileged
        there = any(start < memory.end and memory.start < end for start, end in region.subregions for memory in flash)
        if runs and there and not region.normal:
            message = f"MPU region {region.number} makes flash Device or Strongly-ordered memory"
            yield Refusal(reason="flash-not-normal", message=message)


def _state(facts: Facts, drop: Drop) -> Iterator[Problem]:
    state, where = drop.state, (facts.at(drop.site),)
    missing = [words for fact, words in _BARRIERS.items() if fact not in state.barriers]
    if missing:
        yield Refusal(reason="missing-barrier", message=f"no {' and no '.join(missing)} before the drop", places=where)
    if state.control.bits(_UNPRIVILEGED) != _UNPRIVILEGED:
        yield Refusal(reason="still-privileged", message="CONTROL.nPRIV may be 0 at the drop", places=where)
    if state.control.bits(_PROCESS_STACK) != _PROCESS_STACK:
        yield Refusal(reason="shares-main-stack", message="CONTROL.SPSEL may be 0 at the drop", places=where)
    starts = {facts.declaration.entry.detector, facts.declaration.entry.idle}
    targets = values_of(drop.target)
    if targets is None:
        yield Unknown(
            reason="drop-target-unknown",
            message="where execution goes on after the drop is not one of a few known addresses",
            would_help="a branch to a constant address",
            places=where,
        )
    elif not {value & ~1 for value in targets} <= starts:
        shown = ", ".join(f"0x{value:08X}" for value in sorted(targets))
        yield Refusal(reason="drop-target", message=f"execution goes on at {shown} after the drop", places=where)
    yield from _core_registers(facts, drop)


def _core_registers(facts: Facts, drop: Drop) -> Iterator[Problem]:
    where = (facts.at(drop.site),)
    base = device(drop, register(facts, "SCB", "VTOR"))
    starts = frozenset({0, *(memory.start for memory in facts.silicon.memories_of(MemoryKind.FLASH))})
    if not (values_of(base) or frozenset({-1})) <= starts:
        yield Refusal(
            reason="vector-table-moved", message="VTOR may not be the start of flash at the drop", places=where
        )
    configuration = device(drop, register(facts, "SCB", "CCR"))
    if may_set(configuration, ~(_CONFIGURATION_TRAPS | _STACK_ALIGNMENT) & 0xFFFFFFFF):
        yield Refusal(
            reason="configuration-control",
            message="SCB.CCR may let unprivileged code pend interrupts, or change how faults work",
            places=where,
        )


def _later(facts: Facts) -> Iterator[Problem]:
    unit = facts.silicon.peripheral("MPU")
    narrow = [touch for touch in block_stores(facts, all_runs(facts), unit) if touch.access.width != 4]
    rules = (
        ("mpu-narrow-store", "the gate stores less than a word to the protection unit", narrow),
        (
            "mpu-written-after-drop",
            "a handler stores to the protection unit",
            block_stores(facts, handlers(facts), unit),
        ),
        (
            "vector-table-moved",
            "a handler stores to VTOR",
            stores(facts, handlers(facts), register(facts, "SCB", "VTOR")),
        ),
        (
            "configuration-control",
            "a handler stores to SCB.CCR",
            stores(facts, handlers(facts), register(facts, "SCB", "CCR")),
        ),
    )
    for reason, message, found in rules:
        if found:
            yield Refusal(reason=reason, message=message, places=places(facts, found))
    for run in handlers(facts):
        for name, site, value in run.system_writes:
            if name.lower() == "control" and field(value, 0b101) != frozenset({_UNPRIVILEGED}):
                yield Refusal(
                    reason="control-written-back",
                    message="a handler may write CONTROL with nPRIV clear or floating point on",
                    places=(facts.at(site),),
                )
