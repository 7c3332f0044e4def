"""A bus master other than the processor MUST NOT move data, except in the declared capture, whose channel, direction,
count and mode are proved.

*How it is decided.* No store of the gate reaches a bus master of the silicon file or a block with the capability
`dma`, their clocks are off at the drop, and the protection keeps the confined part from them. Capture is by the
processor.

*False accepts.* A master that the silicon file does not list.

*False rejects.* A declared capture by DMA: it is not modelled.
"""

from __future__ import annotations

from pinproof.facts import (
    MACHINE_REASONS,
    MASTER_REASONS,
    PROTECTION_REASONS,
    Facts,
    conclude,
    hardware,
    master_problems,
    masters,
    proved,
)
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    **MASTER_REASONS,
}


def check(facts: Facts) -> Outcome:
    named = ", ".join(block.name for block in masters(facts)) or "no bus master on the part"
    evidence = [
        proved(f"never stored to and without a clock: {named}"),
        hardware("the confined part reaches none of them"),
    ]
    return conclude(facts, master_problems(facts), evidence)
