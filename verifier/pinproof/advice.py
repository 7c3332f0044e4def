"""What a reason means and what to do about it, at the place where it shows: for every outcome that is no pass."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace

from pinproof import facts, subjects
from pinproof.facts import Facts
from pinproof.machine.result import Access, AccessKind, Run, Site
from pinproof.outcome import Fail, Inconclusive, Location
from pinproof.remedies import remedy_of
from pinproof.report import Decision

_MOST_CULPRITS = 2
_OF_THE_MACHINE = frozenset(("gate-not-proved", "other-obstacle"))
"""Reasons that stand for an obstacle, which brings its own advice."""


def advised(decision: Decision, known: Facts) -> Decision:
    """The decision with what its reason code means, and what the gate's author can change."""
    outcome = decision.outcome
    if not isinstance(outcome, Fail | Inconclusive):
        return decision
    return replace(
        decision,
        meaning=meaning_of(decision.id, outcome.reason),
        remedy=_remedy(decision.id, outcome, known),
    )


def meaning_of(requirement: str, reason: str) -> str | None:
    """The reason code in words, as the requirement's check has them."""
    try:
        module = importlib.import_module(f"pinproof.requirements.{requirement.replace('-', '_')}")
    except ImportError:
        return None
    reasons: dict[str, str] = module.REASONS
    return reasons.get(reason)


def _remedy(requirement: str, outcome: Fail | Inconclusive, known: Facts) -> str | None:
    found = remedy_of(requirement, outcome.reason)
    helps = outcome.would_help if isinstance(outcome, Inconclusive) else None
    if found is None:
        return helps
    if outcome.reason in _OF_THE_MACHINE and helps:
        found = f"{found}; there: {helps}"
    culprits = list(dict.fromkeys((*_culprits(known, _places(outcome)), *_setters(known, outcome))))[:_MOST_CULPRITS]
    return f"{' and '.join(culprits)}: {found}" if culprits else found


def _places(outcome: Fail | Inconclusive) -> Iterator[Location]:
    if isinstance(outcome, Inconclusive):
        yield from outcome.locations
    else:
        for item in outcome.witness:
            yield from item.locations


def _culprits(known: Facts, places: Iterator[Location]) -> Iterator[str]:
    """The loads, stores and branches at these places, as a person would point at them."""
    for place in places:
        calls = tuple(call.address for call in place.calls)
        for run in facts.all_runs(known):
            what = _doing(known, run, Site(address=place.address, calls=calls))
            if what is not None:
                yield f"{what} {spot(place)}"
                break


def _setters(known: Facts, outcome: Fail | Inconclusive) -> Iterator[str]:
    """The stores of boot that left what the message finds in a register, where no instruction is to blame directly."""
    if any(True for _ in _culprits(known, _places(outcome))):
        return
    touches = [touch for touch, _ in subjects.region_stores(known, outcome.message)]
    if not touches:
        touches = [
            each for at in subjects.registers(known, outcome.message) for each in subjects.last_stores(known, at)
        ]
    for touch in touches:
        yield f"{describe(known, touch.access)} {spot(known.at(touch.access.site))}"


def _doing(known: Facts, run: Run, site: Site) -> str | None:
    found = [access for access in run.accesses if access.site == site]
    if found:
        return describe(known, found[0])
    if site in run.confined_branches:
        return "the branch"
    if site in [loop.site for loop in run.endless]:
        return "the loop"
    return "the instruction" if any(each.site == site for each in known.exploration.obstacles) else None


def describe(known: Facts, access: Access) -> str:
    """`the store to TIM2.CCR1`."""
    verb = "store to" if access.kind is AccessKind.STORE else "load from"
    if access.address.only is not None and access.address.low & ~3 == known.declaration.memory.mailbox:
        return f"the {verb} the mailbox"
    return f"the {verb} {facts.name_of_access(known, access)}"


def spot(place: Location) -> str:
    """`at gate/timer.c:50 in timer_show, called at gate/tick.c:31`, or the address where the image names no line."""
    text = f"at {place.line or f'0x{place.address:08x}'}"
    if place.function:
        text += f" in {place.function}"
    if place.calls:
        last = place.calls[-1]
        text += f", called at {last.line or f'0x{last.address:08x}'}"
    return text
