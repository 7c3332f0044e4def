"""What a module in development still awaits: each requirement that does not pass, decided again as if it were done.

Two things are done late, and not by changing code: the papers (digests, the model's size, datasheet, statements, a
rebuild) and the seal (the provisioning file). A requirement that passes once they are supposed to be done awaits them
alone; any other needs a change. Nothing supposed here reaches an outcome or the verdict: a run with `--development`
never conforms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import fields, replace

from pinproof.declaration import Model
from pinproof.facts import Facts
from pinproof.outcome import NotApplicable, Pass
from pinproof.provisioning import OptionBytes, Provisioning, Step
from pinproof.report import Awaits, Decision
from pinproof.runner import Obligation, decide

_DATASHEET_SECTIONS = (
    "description", "use case", "communication", "hardware", "bill of materials", "training data", "privacy", "model",
    "performance", "environmental sensitivity", "demographic bias", "environmental impact", "compliance",
)  # fmt: skip
_STATED = "as the vendor will state"
_OPEN: dict[str, int] = {
    "rdp": 0xAA, "nwrp": 0xFF, "sprmod": 0, "bor_lev": 0, "wdg_sw": 1, "nrst_stop": 1, "nrst_stdby": 1,
}  # fmt: skip
"""The option bytes of a part as it comes (RM0368 3.6.2), but for the brown-out level, which is at its highest."""


def awaiting(
    decisions: Iterable[Decision],
    obligations: Iterable[Obligation],
    known: Facts,
    *,
    level: int,
    ledger: Collection[str],
) -> tuple[Decision, ...]:
    """The decisions, each that does not pass with what it awaits."""
    by_name = {obligation.id: obligation for obligation in obligations}
    papers, seal = with_papers(known), with_seal(known)
    supposed = ((Awaits.PAPERS, papers), (Awaits.SEAL, seal), (Awaits.PAPERS_AND_SEAL, with_seal(papers)))

    def awaited(decision: Decision) -> Awaits:
        for answer, facts in supposed:
            (again,) = decide([by_name[decision.id]], facts, level=level, ledger=ledger)
            if isinstance(again.outcome, Pass | NotApplicable):
                return answer
        return Awaits.CHANGE

    return tuple(
        decision if isinstance(decision.outcome, Pass | NotApplicable) else replace(decision, awaits=awaited(decision))
        for decision in decisions
    )


def with_papers(known: Facts) -> Facts:
    """As if every digest were of what is there, the datasheet filled in, the end of life stated, the image rebuilt."""
    declared = known.declaration
    datasheet = "\n".join(f"# {title}\n{_STATED}" for title in _DATASHEET_SECTIONS).encode()
    given = known.provisioning.sha256 if known.provisioning is not None else declared.provisioning.sha256
    return replace(
        known,
        datasheet=datasheet,
        rebuilt=known.image if known.rebuilt is None else known.rebuilt,
        declaration=replace(
            declared,
            datasheet=replace(declared.datasheet, sha256=_digest(datasheet)),
            model=_model_as_built(known),
            provisioning=replace(declared.provisioning, sha256=given),
            build=replace(declared.build, flash_sha256=None),
            lifecycle=replace(declared.lifecycle, **{each.name: _STATED for each in fields(declared.lifecycle)}),
        ),
    )


def _model_as_built(known: Facts) -> Model:
    """What the image holds from the declared start on; the place itself is no paper, and the gate's flash no model."""
    declared = known.declaration.model
    for segment in known.image.segments:
        place = replace(declared.range, size=len(segment.data))
        if segment.address == declared.range.start and not place.overlaps(known.declaration.flash.gate):
            return Model(range=place, sha256=_digest(segment.data))
    return declared


def with_seal(known: Facts) -> Facts:
    """As if the provisioning file engaged every lock of the part, last of all steps."""
    values = dict(_OPEN)
    for lock in known.silicon.locks:
        name = lock.field.lower()
        if name in values:
            values[name] = values[name] & ~lock.mask | lock.value & lock.mask
    sealed = Provisioning(
        specification=known.declaration.specification,
        part=known.silicon.part,
        steps=tuple(Step),
        option_bytes=OptionBytes(**values),
        sha256=known.declaration.provisioning.sha256,
    )
    return replace(known, provisioning=sealed)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
