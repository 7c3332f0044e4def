"""The code MUST avoid each erratum of the core and the part that touches exceptions, protection, clocks, flash or
pins, or the erratum stands in the ledger.

*How it is decided.* The silicon file lists the errata with a check each. A barrier completes all stores before each
exception return; no load in the gate writes the stack pointer; the floating-point unit is off; after each store to a
clock enable the register is read back before the block is used. Errata without a check in the code are assumptions.
The declared revisions are among those that the silicon file knows.

*False accepts.* Errata that the silicon file does not list.

*False rejects.* Other ways round an erratum than the one the silicon file names.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    MACHINE_REASONS,
    MEMORY_REASONS,
    Facts,
    Problem,
    Refusal,
    Touch,
    Unknown,
    boot,
    conclude,
    erratum_assumption,
    floating_point_problems,
    handlers,
    loads,
    places,
    proved,
    stores,
    touches,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Erratum, Peripheral

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    "fpu-on": MEMORY_REASONS["fpu-on"],
    "revision-unlisted": "a declared silicon revision is none that the silicon file knows",
    "store-before-return": "a store may still be under way at an exception return",
    "load-to-stack-pointer": "a load of the gate writes the stack pointer",
    "clock-enable-not-read-back": "a block is used before its clock enable was read back",
    "erratum-unchecked": "the silicon file asks for a check that this verifier does not have",
}

_LEDGER = "ledger"
_STORES_COMPLETE = "stores-complete"
"""The machine's word for a DSB since the last store."""


def check(facts: Facts) -> Outcome:
    errata = facts.silicon.errata
    evidence = [proved(f"{erratum.id}: {erratum.avoided_by}") for erratum in errata if erratum.check != _LEDGER]
    evidence.append(proved(f"{len(errata)} errata are listed for revisions {', '.join(facts.silicon.revisions)}"))
    problems = [*_revisions(facts), *(problem for erratum in errata for problem in _decide(facts, erratum))]
    ledger = [erratum_assumption(erratum) for erratum in errata if erratum.check == _LEDGER]
    return conclude(facts, problems, evidence, ledger)


def _revisions(facts: Facts) -> Iterator[Problem]:
    unknown = [name for name in facts.declaration.module.revisions if name not in facts.silicon.revisions]
    if unknown:
        yield Refusal(
            reason="revision-unlisted",
            message=f"revision {', '.join(unknown)} is not among {', '.join(facts.silicon.revisions)}",
        )


def _decide(facts: Facts, erratum: Erratum) -> Iterator[Problem]:
    match erratum.check:
        case "ledger":
            return
        case "dsb-before-exception-return":
            yield from _barriers(facts)
        case "no-load-to-stack-pointer":
            yield from _stack_pointer_loads(facts)
        case "fpu-off":
            yield from floating_point_problems(facts)
        case "clock-enable-read-back":
            yield from _read_back(facts)
        case other:
            yield Unknown(
                reason="erratum-unchecked",
                message=f"erratum {erratum.id} asks for the check '{other}'",
                would_help="a version of the verifier that knows this check",
            )


def _barriers(facts: Facts) -> Iterator[Problem]:
    for run in handlers(facts):
        for leaving in run.exits:
            if _STORES_COMPLETE not in leaving.state.barriers:
                yield Refusal(
                    reason="store-before-return",
                    message="no DSB between the last store and the exception return",
                    places=(facts.at(leaving.site),),
                )


def _stack_pointer_loads(facts: Facts) -> Iterator[Problem]:
    """LDR and LDR (literal) with the stack pointer as target, over every instruction that was executed."""
    for start, end in facts.exploration.executed:
        address = start
        while address < end:
            code = facts.image.read(address, 4) or facts.image.read(address, 2) or b""
            first = int.from_bytes(code[:2], "little")
            wide = first >> 11 in (0b11101, 0b11110, 0b11111)
            second = int.from_bytes(code[2:4], "little") if wide else 0
            # DDI 0403, A7.7.43 and A7.7.44: 1111 1000 U101 nnnn tttt ...
            if first & 0xFF70 == 0xF850 and second >> 12 == 13:
                yield Refusal(
                    reason="load-to-stack-pointer",
                    message="a load writes the stack pointer",
                    places=(facts.at(address),),
                )
            address += 4 if wide else 2


def _read_back(facts: Facts) -> Iterator[Problem]:
    """Between a store that may enable a block's clock and the first access to it, a load of the same register."""
    for block in facts.silicon.peripherals:
        if block.clock is not None:
            yield from _enable(facts, block, block.clock.register, 1 << block.clock.bit)


def _enable(facts: Facts, block: Peripheral, register: int, mask: int) -> Iterator[Problem]:
    def may_enable(touch: Touch) -> bool:
        return bool(~touch.access.value.zeros & mask)

    uses = [touch.access.order for touch in touches(facts, boot(facts), block.base, block.end)]
    enables = [touch for touch in stores(facts, boot(facts), register) if may_enable(touch)]
    reads = [touch.access.order for touch in loads(facts, boot(facts), register) if touch.exact == register]
    for enable in enables:
        after = [order for order in uses if order > enable.access.order]
        if after and not any(enable.access.order < order < min(after) for order in reads):
            yield Refusal(
                reason="clock-enable-not-read-back",
                message=f"{block.name} is used before its clock enable was read back",
                places=places(facts, [enable]),
            )
            return
