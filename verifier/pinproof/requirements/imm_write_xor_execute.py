"""An address MUST NOT be both writable and executable, for the gate as for the confined part, aliases included.

*How it is decided.* From the decoded protection: no byte of a RAM of the silicon file can be run by either privilege,
and no byte of flash at its own address can be written by either. Whatever else either privilege may both write and
run holds no memory in the silicon file, except the alias of flash at address 0, where a store changes nothing while
the flash controller is locked (imm-flash-locked) and the boot memory is not remapped.

*False accepts.* Memory that the silicon file does not list. Bit-band aliases cannot be run: instruction fetches there
are not remapped (DDI 0439, 3.7).

*False rejects.* RAM that is never written but may be run.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    MACHINE_REASONS,
    PROTECTION_REASONS,
    Facts,
    Known,
    Problem,
    Range,
    Refusal,
    all_runs,
    block_stores,
    conclude,
    drops,
    hardware,
    places,
    protections,
    span,
)
from pinproof.machine.mpu import Protection, Use
from pinproof.outcome import Outcome
from pinproof.silicon import MemoryKind

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "ram-executable": "RAM can be run, by the confined part or by the gate",
    "flash-writable": "the protection lets a store reach flash at its own address",
    "mpu-off": "the protection is off at the drop, so all memory can be written and run",
    "memory-remapped": "the gate changes which memory shows at address 0",
}

_REMAP_BLOCK = "SYSCFG"


def check(facts: Facts) -> Outcome:
    known = protections(facts)
    if not isinstance(known, Known):
        return conclude(facts, [known], [])
    evidence = [
        hardware(
            "no byte of RAM can be run and no byte of flash written, by either privilege",
            *(facts.at(drop.site) for drop in drops(facts)),
        )
    ]
    problems = [problem for each in known.value for problem in _problems(facts, each)]
    return conclude(facts, [*problems, *_remapped(facts)], evidence)


def _problems(facts: Facts, protection: Protection) -> Iterator[Problem]:
    if not protection.enabled:
        yield Refusal(reason="mpu-off", message="MPU_CTRL.ENABLE is 0 at the drop")
    rules = (
        (MemoryKind.RAM, Use.EXECUTE, "ram-executable", "run"),
        (MemoryKind.FLASH, Use.WRITE, "flash-writable", "written"),
    )
    for kind, use, reason, verb in rules:
        for memory in facts.silicon.memories_of(kind):
            for who, ranges in (
                ("the confined part", protection.unprivileged(use)),
                ("the gate", protection.privileged(use)),
            ):
                hit = _overlap(ranges, (memory.start, memory.end))
                if hit is not None:
                    yield Refusal(reason=reason, message=f"{span(*hit)} can be {verb} by {who}")


def _overlap(ranges: tuple[Range, ...], place: Range) -> Range | None:
    for start, end in ranges:
        low, high = max(start, place[0]), min(end, place[1])
        if low < high:
            return low, high
    return None


def _remapped(facts: Facts) -> Iterator[Problem]:
    if facts.silicon.has_peripheral(_REMAP_BLOCK):
        found = block_stores(facts, all_runs(facts), facts.silicon.peripheral(_REMAP_BLOCK))
        if found:
            yield Refusal(
                reason="memory-remapped", message=f"the gate stores to {_REMAP_BLOCK}", places=places(facts, found)
            )
