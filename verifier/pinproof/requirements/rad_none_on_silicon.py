"""The part MUST have no radio transceiver on the die, near-field communication included.

*How it is decided.* The silicon file says whether there is a transceiver on the die, and lists every block with its
capabilities. Either one that says yes fails.

*False accepts.* A radio on another chip of the board: that is sns-declared's bill and out-no-other-peripheral's
buses.

*False rejects.* None known.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import Facts, Problem, Refusal, blocks_with, conclude_without_machine, silicon
from pinproof.outcome import Outcome
from pinproof.silicon import Capability

REASONS: dict[str, str] = {
    "radio-on-silicon": "the part has a radio transceiver on the die",
}


def check(facts: Facts) -> Outcome:
    statement = f"{facts.silicon.part} has no transceiver among its {len(facts.silicon.peripherals)} blocks"
    return conclude_without_machine(_problems(facts), [silicon(f"{statement} ({facts.silicon.radio_cite})")])


def _problems(facts: Facts) -> Iterator[Problem]:
    radios = blocks_with(facts, Capability.RADIO)
    if facts.silicon.radio or radios:
        named = ", ".join(block.name for block in radios) or "a transceiver"
        yield Refusal(reason="radio-on-silicon", message=f"{facts.silicon.part} has {named} on the die")
