"""Once the module is sealed, a boot mode of the part MUST NOT reach a loader.

*How it is decided.* The provisioning file engages an irreversible lock that closes booting from system memory and
from RAM in the silicon file. The image starts at the beginning of flash: its vector table is there.

*False accepts.* That units are provisioned so (A-provisioned), and glitches (A-glitch).

*False rejects.* None known.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_GLITCH,
    ASSUMPTION_PROVISIONED,
    SEALING_REASONS,
    Facts,
    Problem,
    Refusal,
    closing_problems,
    conclude_without_machine,
    hardware,
)
from pinproof.outcome import Outcome
from pinproof.silicon import MemoryKind

REASONS: dict[str, str] = {
    **SEALING_REASONS,
    "loader-open": "no irreversible lock closes booting from system memory and from RAM",
    "no-vector-table": "the image holds no vector table at the start of flash",
}

_VECTORS = 8
"""Bytes that the core reads at reset: stack pointer and reset vector (DDI 0403, B1.5.5)."""


def check(facts: Facts) -> Outcome:
    closed = closing_problems(facts, ("boot-from-system-memory", "boot-from-sram"), "loader-open")
    evidence = [hardware("the irreversible lock leaves flash as the only memory to boot from")]
    return conclude_without_machine([*_table(facts), *closed], evidence, [ASSUMPTION_PROVISIONED, ASSUMPTION_GLITCH])


def _table(facts: Facts) -> Iterator[Problem]:
    flash = facts.silicon.memories_of(MemoryKind.FLASH)
    if not flash or facts.image.read(flash[0].start, _VECTORS) is None:
        yield Refusal(reason="no-vector-table", message="the image holds nothing at the start of flash")
