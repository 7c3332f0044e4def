"""What a requirement can come to, and with which evidence.

A `Pass` cannot be built without evidence, and folding outcomes is fail-closed: any `Fail` means "does not conform"; any
`Inconclusive` or `Fault`, or nothing passed at all, means "undecided".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How strong a piece of evidence is, weakest first in `GRADE_ORDER`."""

    DECLARED = "declared"
    MEASURED = "measured"
    PROVED = "proved"
    HARDWARE = "hardware"
    SILICON = "silicon"


GRADE_ORDER: tuple[Grade, ...] = (Grade.DECLARED, Grade.MEASURED, Grade.PROVED, Grade.HARDWARE, Grade.SILICON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in the image: instruction address, and function and source line where the image's DWARF has them."""

    address: int
    function: str | None = None
    line: str | None = None
    calls: tuple[Location, ...] = ()
    """The calls that lead here, outermost first, where what is said holds for them; they have no calls of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a chain: an instruction, or where a value began, and what is to be known of it."""

    depth: int
    """How far it lies behind the first step; never more than one behind the step before."""
    text: str
    location: Location | None = None
    instruction: str | None = None
    """As assembly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """How one instruction came to do what it does. An explanation for people: no outcome rests on it."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("a chain has at least one step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One fact that an outcome rests on, in one sentence, with the instructions that show it."""

    grade: Grade
    statement: str
    locations: tuple[Location, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    evidence: tuple[Evidence, ...]
    assumptions: tuple[str, ...] = ()
    """IDs of ledger assumptions that this pass rests on."""

    def __post_init__(self) -> None:
        if not self.evidence:
            raise ValueError("a Pass needs evidence")

    @property
    def grade(self) -> Grade:
        """The weakest grade among the evidence."""
        return min((item.grade for item in self.evidence), key=GRADE_ORDER.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    reason: str
    """Reason code, a slug such as `mpu-region-too-large`; stable, tested, and named by the vectors."""
    message: str
    witness: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconclusive:
    reason: str
    message: str
    would_help: str
    locations: tuple[Location, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplicable:
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The check itself broke. Made by the runner alone; counts as undecided."""

    message: str


Outcome = Pass | Fail | Inconclusive | NotApplicable | Fault


class Verdict(StrEnum):
    CONFORMS = "conforms"
    DOES_NOT_CONFORM = "does-not-conform"
    UNDECIDED = "undecided"


def fold(outcomes: Iterable[Outcome]) -> Verdict:
    """The verdict over all outcomes: fail-closed, and never `CONFORMS` when nothing passed."""
    collected = list(outcomes)
    if any(isinstance(outcome, Fail) for outcome in collected):
        return Verdict.DOES_NOT_CONFORM
    if any(isinstance(outcome, Inconclusive | Fault) for outcome in collected):
        return Verdict.UNDECIDED
    if not any(isinstance(outcome, Pass) for outcome in collected):
        return Verdict.UNDECIDED
    return Verdict.CONFORMS
