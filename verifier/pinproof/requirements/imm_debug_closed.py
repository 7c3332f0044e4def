"""Debug and trace MUST be closed by the irreversible lock.

*How it is decided.* The provisioning file engages an irreversible lock that closes debug and trace in the silicon
file. No access of the gate, load or store, reaches a block with the capability `debug`. The confined part cannot:
these blocks are on the private bus, which no region opens.

*False accepts.* The trace port's stimulus registers can be opened to all by a bit that only power-on clears
(A-silicon-as-manual): the gate never touches it and a debugger never connects.

*False rejects.* Code that switches these units off.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_GLITCH,
    ASSUMPTION_MANUAL,
    ASSUMPTION_PROVISIONED,
    MACHINE_REASONS,
    SEALING_REASONS,
    Facts,
    Problem,
    Refusal,
    all_runs,
    blocks_with,
    closing_problems,
    conclude,
    hardware,
    places,
    proved,
    touches,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Capability

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **SEALING_REASONS,
    "debug-open": "no irreversible lock closes debug and trace",
    "debug-unit-used": "the gate reaches a breakpoint, trace or patch unit",
    "no-debug-blocks": "the silicon file lists no debug block, so nothing can be said of them",
}


def check(facts: Facts) -> Outcome:
    blocks = blocks_with(facts, Capability.DEBUG)
    evidence = [
        hardware("the irreversible lock closes debug and trace"),
        proved(f"no access of the gate reaches {', '.join(block.name for block in blocks)}"),
    ]
    closed = closing_problems(facts, ("debug", "trace"), "debug-open")
    assumptions = [ASSUMPTION_PROVISIONED, ASSUMPTION_GLITCH, ASSUMPTION_MANUAL]
    return conclude(facts, [*_used(facts), *closed], evidence, assumptions)


def _used(facts: Facts) -> Iterator[Problem]:
    blocks = blocks_with(facts, Capability.DEBUG)
    if not blocks:
        yield Refusal(reason="no-debug-blocks", message=f"{facts.silicon.part} lists no debug block")
    for block in blocks:
        found = list(touches(facts, all_runs(facts), block.base, block.end))
        if found:
            yield Refusal(
                reason="debug-unit-used", message=f"the gate reaches {block.name}", places=places(facts, found)
            )
