"""The code of the image MUST NOT reach a radio block, a radio ROM, a radio supervisor call or the mailbox of a radio
core.

*How it is decided.* On a part without a radio there is nothing to reach: the evidence is the silicon file's. On a
part with one, no access of the gate may reach its blocks and the protection must keep the confined part from them.

*False accepts.* A radio ROM or a second radio core that the silicon file does not list as a block.

*False rejects.* A work-around for a silicon fault that writes one register of a radio that is never used.
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
    blocks_with,
    conclude,
    conclude_without_machine,
    hardware,
    places,
    proved,
    silicon,
    touches,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Capability

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "radio-used": "the gate reaches a radio block",
    "radio-reachable": "the confined part can reach a radio block",
    "radio-not-listed": "the part has a radio whose blocks the silicon file does not list",
}


def check(facts: Facts) -> Outcome:
    radios = blocks_with(facts, Capability.RADIO)
    if not facts.silicon.radio and not radios:
        statement = f"{facts.silicon.part} has no radio block, ROM or core to reach"
        return conclude_without_machine([], [silicon(f"{statement} ({facts.silicon.radio_cite})")])
    evidence = [proved("no access of the gate reaches a radio"), hardware("the protection keeps the confined part out")]
    reached = block_reach_problems(facts, radios, "radio-reachable")
    return conclude(facts, [*_listed(facts), *_used(facts), *reached], evidence)


def _listed(facts: Facts) -> Iterator[Problem]:
    if not blocks_with(facts, Capability.RADIO):
        yield Refusal(reason="radio-not-listed", message=f"{facts.silicon.part} has a radio at unknown addresses")


def _used(facts: Facts) -> Iterator[Problem]:
    for block in blocks_with(facts, Capability.RADIO):
        found = list(touches(facts, all_runs(facts), block.base, block.end))
        if found:
            yield Refusal(reason="radio-used", message=f"the gate reaches {block.name}", places=places(facts, found))
