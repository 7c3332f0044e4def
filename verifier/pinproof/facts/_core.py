"""The inputs that requirements are decided from, and the one way in which they come to an outcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from pinproof.declaration import Declaration
from pinproof.image import Image, SourceMap
from pinproof.machine.result import Exploration, Site
from pinproof.outcome import Evidence, Fail, Grade, Inconclusive, Location, Outcome, Pass
from pinproof.profile import Profile
from pinproof.provisioning import Provisioning
from pinproof.silicon import Silicon

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that one verification starts from. Derived facts are functions of this package on it."""

    image: Image
    declaration: Declaration
    profile: Profile
    silicon: Silicon
    exploration: Exploration
    level: int
    """0 to 3."""
    provisioning: Provisioning | None = None
    """None where the file that the declaration names was not given."""
    datasheet: bytes | None = None
    """None where the file that the declaration names was not given."""
    rebuilt: Image | None = None
    """A rebuild of the image made elsewhere, where one was given."""
    sources: SourceMap = field(default_factory=SourceMap)
    """For messages only."""

    def at(self, place: Site | int) -> Location:
        """The place of an instruction, with function and line where the image names them."""
        if isinstance(place, int):
            return self._point(place)
        return replace(self._point(place.address), calls=tuple(self._point(call) for call in place.calls))

    def _point(self, address: int) -> Location:
        function, line = self.sources.lookup(address)
        return Location(address=address, function=function, line=line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Generic[Value]):
    """A derived fact, and what it was derived from."""

    value: Value
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A fact that could not be derived. Never a sign that something is absent."""

    reason: str
    message: str
    would_help: str
    places: tuple[Location, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that must not be, with where it shows."""

    reason: str
    message: str
    places: tuple[Location, ...] = ()


Problem = Refusal | Unknown
"""Why a requirement does not pass. A refusal outweighs an unknown: what was seen stands whatever was not seen."""

MACHINE_REASONS: dict[str, str] = {
    "nothing-explored": "abstract execution reached no drop or no handler: nothing is known of what follows",
    "gate-not-proved": "part of the gate could not be analysed, so nothing can be concluded from what was",
}
"""Reason codes of every requirement that rests on the exploration."""


def conclude(
    facts: Facts, problems: Iterable[Problem], evidence: Iterable[Evidence], assumptions: Iterable[str] = ()
) -> Outcome:
    """The outcome of a requirement that rests on the exploration.

    A refusal first: it is a fact about code that was seen. Then whatever is unknown, and an exploration that is empty
    or met an obstacle, because silence about what was not analysed proves nothing. Only then a pass.
    """
    found = list(problems)
    if not any(isinstance(problem, Refusal) for problem in found):
        gap = exploration_gap(facts)
        found = [*found, gap] if gap is not None else found
    return conclude_without_machine(found, evidence, assumptions)


def conclude_without_machine(
    problems: Iterable[Problem], evidence: Iterable[Evidence], assumptions: Iterable[str] = ()
) -> Outcome:
    """The outcome of a requirement that needs nothing of the exploration."""
    found = list(problems)
    for problem in found:
        if isinstance(problem, Refusal):
            return _fail(problem)
    for problem in found:
        if isinstance(problem, Unknown):
            return Inconclusive(
                reason=problem.reason,
                message=problem.message,
                would_help=problem.would_help,
                locations=problem.places,
            )
    return Pass(evidence=tuple(evidence), assumptions=tuple(dict.fromkeys(assumptions)))


def exploration_gap(facts: Facts) -> Unknown | None:
    """Why silence of this exploration proves nothing, if so. An exploration without a drop satisfies everything."""
    exploration = facts.exploration
    empty = _empty_part(exploration)
    if empty is not None:
        return Unknown(
            reason="nothing-explored",
            message=f"abstract execution {empty}",
            would_help="an image whose start-up code reaches the drop on some path",
        )
    if exploration.obstacles:
        first = exploration.obstacles[0]
        return Unknown(
            reason="gate-not-proved",
            message=f"{len(exploration.obstacles)} places could not be analysed; the first: {first.message}",
            would_help=first.would_help,
            places=(facts.at(first.site),),
        )
    return None


def _empty_part(exploration: Exploration) -> str | None:
    if not exploration.boot.instructions:
        return "executed no instruction from reset"
    if not exploration.boot.drops:
        return "found no path from reset to the drop"
    if not exploration.handlers:
        return "explored no handler"
    if any(not run.instructions for run in exploration.handlers):
        return "explored a handler without an instruction"
    return None


def proved(statement: str, *places: Location) -> Evidence:
    return Evidence(grade=Grade.PROVED, statement=statement, locations=places)


def hardware(statement: str, *places: Location) -> Evidence:
    return Evidence(grade=Grade.HARDWARE, statement=statement, locations=places)


def silicon(statement: str) -> Evidence:
    return Evidence(grade=Grade.SILICON, statement=statement)


def declared(statement: str) -> Evidence:
    return Evidence(grade=Grade.DECLARED, statement=statement)


def measured(statement: str) -> Evidence:
    return Evidence(grade=Grade.MEASURED, statement=statement)


def span(start: int, end: int) -> str:
    """Bytes `start` up to, not including, `end`, as messages write them."""
    return f"0x{start:08X}-0x{end - 1:08X}"


def _fail(problem: Refusal) -> Fail:
    witness = (Evidence(grade=Grade.PROVED, statement=problem.message, locations=problem.places),)
    return Fail(reason=problem.reason, message=problem.message, witness=witness)
