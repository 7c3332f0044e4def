"""The report: what one verification established.

The verdict is not stored: it is folded from the outcomes each time it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pinproof.capacity import Capacity
from pinproof.outcome import (
    GRADE_ORDER,
    Chain,
    Fail,
    Fault,
    Grade,
    Inconclusive,
    NotApplicable,
    Outcome,
    Pass,
    Verdict,
    fold,
)
from pinproof.silicon import Status


class Owner(StrEnum):
    """Who can discharge an assumption."""

    SILICON = "silicon"
    LAB = "lab"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """Something the verdict rests on that the image cannot show."""

    id: str
    statement: str
    owner: Owner
    discharge: str
    """How the owner shows that it holds."""


class Awaits(StrEnum):
    """What a requirement that does not pass needs before it can, as a run for development finds it."""

    PAPERS = "papers"
    """Digests, datasheet, statements, a rebuild: nothing of the module changes."""
    SEAL = "seal"
    """The provisioning file of a production unit."""
    PAPERS_AND_SEAL = "papers-and-seal"
    CHANGE = "change"
    """Code, hardware, or what is declared of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One requirement of the catalogue and what it came to. A pass weaker than the level asks for cannot be built."""

    id: str
    area: str
    sentence: str
    minimum_grade: Grade
    """Weakest grade that suffices at the report's level."""
    outcome: Outcome
    meaning: str | None = None
    """What the reason code of a failure or of an inconclusive outcome means."""
    remedy: str | None = None
    """What the gate's author can change so that it passes."""
    chains: tuple[Chain, ...] = ()
    """Where the evidence comes from, instruction by instruction; empty unless it was asked for."""
    awaits: Awaits | None = None
    """Set for what does not pass in a run for development, and nowhere else."""

    def __post_init__(self) -> None:
        if isinstance(self.outcome, Pass) and not suffices(self.outcome.grade, self.minimum_grade):
            raise ValueError(f"{self.id}: a pass of grade {self.outcome.grade} where {self.minimum_grade} is the least")
        if self.awaits is not None and isinstance(self.outcome, Pass | NotApplicable):
            raise ValueError(f"{self.id}: awaits the {self.awaits} although nothing is missing")


def suffices(grade: Grade, minimum: Grade) -> bool:
    return GRADE_ORDER.index(grade) >= GRADE_ORDER.index(minimum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """The bytes that the report is about. All digests are SHA-256 in lower-case hexadecimal."""

    image_name: str
    """File name without folders."""
    image_kind: str
    image_sha256: str
    flash_start: int
    flash_size: int
    flash_sha256: str
    """Of the canonical flash image: the whole flash, erased bytes as 0xFF."""
    model_sha256: str | None
    """Of the model's bytes in the image; None when the declared range is not loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """What the declaration calls the module, and how it is judged."""

    vendor: str
    product: str
    version: str
    part: str
    part_status: Status
    """What the silicon file may be used for; only a certifiable part can be certified."""
    profile: str
    declaration_name: str
    declaration_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory that can be written after the drop."""

    parts: tuple[tuple[str, int], ...]
    """Name and bytes of each that the part has, whether or not anything can reach it."""
    budget_bytes: int
    reachable: tuple[tuple[str, int], ...] | None = None
    """Name and bytes of each that the confined part, a handler or a bus master can still write; None where that is
    not known."""

    @property
    def total_bytes(self) -> int:
        return sum(size for _, size in self.parts)

    @property
    def reachable_bytes(self) -> int | None:
        return None if self.reachable is None else sum(size for _, size in self.reachable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the proof covered. Zeros here are a sign that nothing was proved."""

    gate_bytes: int
    instructions: int
    vectors: int
    handlers: int
    obstacles: int
    invariant_rounds: int
    steps: int
    tick_cycles: int | None
    """Bound of the longest handler, in cycles; None when there is none."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """Why this is no proof of anything: a count that is zero, or something that could not be analysed."""
        counts = {
            "gate bytes": self.gate_bytes,
            "instructions": self.instructions,
            "vectors": self.vectors,
            "handlers": self.handlers,
            "steps": self.steps,
        }
        found = [f"no {name}" for name, count in counts.items() if count == 0]
        return (*found, f"{self.obstacles} obstacles") if self.obstacles else tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    tool_version: str
    specification_version: str
    catalogue_sha256: str
    module: Module
    subjects: Subjects
    level: int
    development: bool
    decisions: tuple[Decision, ...]
    capacity: Capacity | None
    memory: Memory | None
    assumptions: tuple[Assumption, ...]
    proof: Proof

    def __post_init__(self) -> None:
        for ids in ([item.id for item in self.decisions], [item.id for item in self.assumptions]):
            if len(ids) != len(set(ids)):
                raise ValueError("an id appears twice in one report")
        for decision in self.by_kind(Fail, Inconclusive, Fault):
            if (decision.awaits is not None) is not self.development:
                raise ValueError(f"{decision.id}: a run for development says what is awaited, and no other does")

    @property
    def verdict(self) -> Verdict:
        """Folded from the outcomes, and never `CONFORMS` over a proof that examined nothing or met an obstacle.

        Nor in a run for development: what is still being made is not judged.
        """
        folded = fold(decision.outcome for decision in self.decisions)
        doubtful = self.development or bool(self.proof.gaps)
        return Verdict.UNDECIDED if folded is Verdict.CONFORMS and doubtful else folded

    def by_kind(self, *kinds: type[Outcome]) -> tuple[Decision, ...]:
        """The decisions whose outcome is of one of these kinds, in the catalogue's order."""
        return tuple(decision for decision in self.decisions if isinstance(decision.outcome, kinds))


OUTCOME_WORDS: dict[type[Outcome], str] = {
    Pass: "pass",
    Fail: "fail",
    Inconclusive: "inconclusive",
    NotApplicable: "not-applicable",
    Fault: "fault",
}


def outcome_word(outcome: Outcome) -> str:
    return OUTCOME_WORDS[type(outcome)]
