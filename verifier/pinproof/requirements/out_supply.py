"""The confined part MUST NOT be able to signal above the profile's limit through the supply current at the connector.

*How it is decided.* Not from the image. Below level 3 nothing is measured: the requirement passes on the declaration
alone and rests on the ledger's entry about the supply current. At level 3 a laboratory's record is needed.

*False accepts.* Below level 3 every module: that is what the ledger says.

*False rejects.* At level 3 every module, until this verifier reads a laboratory's record.
"""

from __future__ import annotations

from pinproof.facts import ASSUMPTION_SUPPLY, Facts, Unknown, conclude_without_machine, declared
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    "no-measurement": "level 3 asks for a measurement of the supply current, and there is none",
}

_LABORATORY = 3


def check(facts: Facts) -> Outcome:
    if facts.level >= _LABORATORY:
        missing = Unknown(
            reason="no-measurement",
            message="there is no record of a measurement of the supply current",
            would_help="a laboratory's record made with the modulating firmware, or a lower level",
        )
        return conclude_without_machine([missing], [])
    evidence = [declared("the vendor states that the supply current carries no more than the profile's limit")]
    return conclude_without_machine([], evidence, [ASSUMPTION_SUPPLY])
