"""The provisioning file MUST set the part's irreversible read-out lock and true write protection of every sector.

*How it is decided.* The provisioning file's option bytes engage every lock that the silicon file lists: the read-out
level that cannot be undone, every sector protected, and the protection bits meaning write protection. A unit is first
erased, programmed and read back; after the seal comes nothing but showing that the part is closed. The brown-out
reset is at its highest level, as the wait states of flash ask. The image holds no byte of option memory.

*False accepts.* That units are programmed so (A-provisioned), and glitches (A-glitch).

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
    conclude_without_machine,
    hardware,
    is_engaged,
    provisioning_problems,
    span,
)
from pinproof.outcome import Outcome
from pinproof.provisioning import Provisioning, Step
from pinproof.silicon import MemoryKind

REASONS: dict[str, str] = {
    **SEALING_REASONS,
    "no-irreversible-lock": "the part has no read-out lock that cannot be undone",
    "read-out-open": "the read-out lock is not set to its irreversible level",
    "sectors-unprotected": "a sector of flash is not write-protected",
    "lock-open": "another lock of the part is not engaged",
    "sealed-too-early": "sealing is not the last step but showing that it holds",
    "not-erased-first": "mass erase, programming and reading back do not come first: flash can hold other bytes",
    "supply-unwatched": "the brown-out reset is below the supply that flash needs for its wait states",
    "option-bytes-in-image": "the image holds bytes of option memory",
}

_FIRST = (Step.MASS_ERASE, Step.PROGRAM, Step.READ_BACK)
_BROWN_OUT_AT_2V7 = 0
"""BOR_LEV of level 3, the highest (RM0368 3.6.1): the silicon file's wait states hold from 2.7 V up."""
_CODES = {"RDP": "read-out-open", "nWRP": "sectors-unprotected"}


def check(facts: Facts) -> Outcome:
    problems = [*_image(facts), *provisioning_problems(facts)]
    if facts.provisioning is not None:
        problems += [*_locks(facts, facts.provisioning), *_steps(facts.provisioning), *_supply(facts.provisioning)]
    named = ", ".join(lock.id for lock in facts.silicon.locks)
    evidence = [hardware(f"the provisioning file engages {named}, sealing last")]
    return conclude_without_machine(problems, evidence, [ASSUMPTION_PROVISIONED, ASSUMPTION_GLITCH])


def _locks(facts: Facts, given: Provisioning) -> Iterator[Problem]:
    if not any(lock.irreversible for lock in facts.silicon.locks):
        yield Refusal(reason="no-irreversible-lock", message=f"{facts.silicon.part} has no irreversible lock")
    for lock in facts.silicon.locks:
        if not is_engaged(lock, given):
            value = given.option_bytes.field(lock.field)
            shown = f"0x{value:X}" if value is not None else "not set"
            yield Refusal(
                reason=_CODES.get(lock.field, "lock-open"),
                message=f"{lock.field} is {shown}, but {lock.id} needs 0x{lock.value:X}",
            )


def _steps(given: Provisioning) -> Iterator[Problem]:
    after = given.steps[given.steps.index(Step.SEAL) + 1 :] if Step.SEAL in given.steps else given.steps
    if any(step is not Step.SHOW_CLOSED for step in after) or Step.SEAL not in given.steps:
        yield Refusal(reason="sealed-too-early", message=f"after sealing comes {', '.join(after) or 'nothing'}")
    if given.steps[: len(_FIRST)] != _FIRST:
        yield Refusal(
            reason="not-erased-first",
            message=f"a unit is programmed by {', '.join(given.steps)}, not by {', '.join(_FIRST)} first",
        )


def _supply(given: Provisioning) -> Iterator[Problem]:
    """Whoever holds the connector holds the supply: below what flash needs, the gate runs what it does not hold."""
    level = given.option_bytes.bor_lev
    if level != _BROWN_OUT_AT_2V7:
        yield Refusal(reason="supply-unwatched", message=f"BOR_LEV is {level}, but {_BROWN_OUT_AT_2V7} is 2.7 V")


def _image(facts: Facts) -> Iterator[Problem]:
    for memory in facts.silicon.memories_of(MemoryKind.OPTION):
        for segment in facts.image.segments:
            low, high = max(segment.address, memory.start), min(segment.end, memory.end)
            if low < high:
                yield Refusal(
                    reason="option-bytes-in-image", message=f"the image holds option bytes at {span(low, high)}"
                )
