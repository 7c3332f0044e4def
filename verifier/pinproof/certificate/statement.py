"""The signed statement: in-toto Statement v1 with Pinproof's own predicate.

Written from a report that conforms, read back into a `Statement`. What is missing is an error, never a default.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from pinproof import report_json, strict_json
from pinproof.capacity import Capacity
from pinproof.certificate import _times
from pinproof.errors import CertificateError, NotConforming
from pinproof.outcome import Grade, NotApplicable, Pass, Verdict
from pinproof.report import Assumption, Decision, Report, outcome_word, suffices
from pinproof.silicon import Status
from pinproof.strict_json import Fields, JsonObject, JsonValue

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:pinproof:certificate:0.1"
SCHEMA = "pinproof certificate 0.1"
LARGEST = 4 * 1024 * 1024
LARGEST_FLASH = 16 * 1024 * 1024
"""Bytes. Checking a certificate puts the flash that it names together in memory; parts have 2 MiB at most."""

IMAGE, FLASH_IMAGE, MODEL = "image", "flash-image", "model"
"""Names of the three subjects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One requirement as the certificate states it: a pass with its grade, or not applicable (grade None)."""

    id: str
    grade: Grade | None
    minimum_grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was signed. `rulings` holds passes and not-applicables alone: anything else cannot be read."""

    image_sha256: str
    flash_start: int
    flash_size: int
    flash_sha256: str
    model_sha256: str
    specification_version: str
    catalogue_sha256: str
    verifier_version: str
    vendor: str
    product: str
    version: str
    part: str
    profile: str
    level: int
    issued: datetime
    expires: datetime
    rulings: tuple[Ruling, ...]
    capacity: Capacity
    assumptions: tuple[Assumption, ...]


def write_statement(report: Report, *, issued: datetime, expires: datetime) -> bytes:
    """The exact bytes to sign. Raises `NotConforming` unless the report can carry a certificate."""
    _refuse_unless_certifiable(report)
    if issued >= expires:
        raise CertificateError("the certificate would expire before it is issued")
    value: JsonObject = {
        "_type": STATEMENT_TYPE,
        "subject": _subjects(report),
        "predicateType": PREDICATE_TYPE,
        "predicate": _predicate(report, issued, expires),
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def _refuse_unless_certifiable(report: Report) -> None:
    if report.verdict is not Verdict.CONFORMS:
        raise NotConforming(f"no certificate: the verdict is {report.verdict}")
    if report.development:
        raise NotConforming("no certificate: the report was made for development")
    if report.level < 1:
        raise NotConforming("no certificate: level 0 is a self-scan")
    if report.module.part_status is not Status.CERTIFIABLE:
        raise NotConforming(f"no certificate: the silicon file of {report.module.part} is {report.module.part_status}")
    if report.capacity is None or report.memory is None or report.subjects.model_sha256 is None:
        raise NotConforming("no certificate: the report lacks the capacity, the memory or the model's digest")


def _subjects(report: Report) -> list[JsonValue]:
    subjects = report.subjects
    place: JsonObject = {"start": subjects.flash_start, "size": subjects.flash_size}
    return [
        _subject(IMAGE, subjects.image_sha256, {"file": subjects.image_name, "kind": subjects.image_kind}),
        _subject(FLASH_IMAGE, subjects.flash_sha256, place),
        _subject(MODEL, subjects.model_sha256 or "", {}),
    ]


def _subject(name: str, sha256: str, annotations: JsonObject) -> JsonObject:
    return {"name": name, "digest": {"sha256": sha256}, "annotations": annotations}


def _predicate(report: Report, issued: datetime, expires: datetime) -> JsonObject:
    """Parts of the report under the same keys, so that a reader of one knows the other."""
    whole = report_json.report_value(report)
    return {
        "schema": SCHEMA,
        "specification": whole["specification"],
        "verifier": whole["tool"],
        "report_sha256": hashlib.sha256(report_json.to_json(report).encode("ascii")).hexdigest(),
        "module": whole["module"],
        "level": report.level,
        "verdict": report.verdict.value,
        "issued": _times.spell(issued),
        "expires": _times.spell(expires),
        "requirements": [_ruling_value(decision) for decision in report.decisions],
        "capacity": whole["capacity"],
        "memory": whole["memory"],
        "assumptions": whole["assumptions"],
        "proof": whole["proof"],
    }


def _ruling_value(decision: Decision) -> JsonObject:
    outcome = decision.outcome
    return {
        "id": decision.id,
        "outcome": outcome_word(outcome),
        "grade": outcome.grade.value if isinstance(outcome, Pass) else None,
        "minimum_grade": decision.minimum_grade.value,
        "why": outcome.why if isinstance(outcome, NotApplicable) else None,
        "assumptions": list[JsonValue](outcome.assumptions if isinstance(outcome, Pass) else ()),
    }


def read_statement(data: bytes, name: str) -> Statement:
    """Raises `CertificateError`, one line, for anything unknown, missing, doubled or contradicting itself."""
    fields = Fields(strict_json.read(data, name=name, limit=LARGEST, error=CertificateError), name, CertificateError)
    fields.constant("_type", STATEMENT_TYPE)
    fields.constant("predicateType", PREDICATE_TYPE)
    subjects = fields.objects("subject")
    if len(subjects) != 3:
        raise fields.problem(f"{len(subjects)} subjects, but there are three: {IMAGE}, {FLASH_IMAGE}, {MODEL}")
    image, flash = _read_subject(subjects[0], IMAGE), _read_subject(subjects[1], FLASH_IMAGE)
    model = _read_subject(subjects[2], MODEL)
    image[1].text("file")
    image[1].text("kind")
    start = flash[1].whole("start", highest=0xFFFFFFFF)
    size = flash[1].whole("size", lowest=1, highest=min(LARGEST_FLASH, (1 << 32) - start))
    for _, notes in (image, flash, model):
        notes.done()
    predicate = fields.object("predicate")
    fields.done()
    return _read_predicate(predicate, image[0], flash[0], model[0], start, size)


def _read_subject(fields: Fields, name: str) -> tuple[str, Fields]:
    fields.constant("name", name)
    digest, annotations = fields.object("digest"), fields.object("annotations")
    sha256 = digest.sha256("sha256")
    digest.done()
    fields.done()
    return sha256, annotations


def _read_predicate(fields: Fields, image: str, flash: str, model: str, start: int, size: int) -> Statement:
    fields.constant("schema", SCHEMA)
    fields.constant("verdict", Verdict.CONFORMS.value)
    fields.sha256("report_sha256")
    specification, verifier = fields.object("specification"), fields.object("verifier")
    verifier.constant("name", "pinproof")
    module = report_json.read_module(fields.object("module"))
    if module.part_status is not Status.CERTIFIABLE:
        raise fields.problem(f"the silicon file of the part is {module.part_status}")
    capacity = report_json.read_capacity(fields.object("capacity"))
    report_json.read_memory(fields.object("memory"))
    if gaps := report_json.read_proof(fields.object("proof")).gaps:
        raise fields.problem(f"the proof proves nothing: {', '.join(gaps)}")
    assumptions = tuple(report_json.read_assumption(item) for item in fields.objects("assumptions"))
    ledger = frozenset(item.id for item in assumptions)
    statement = Statement(
        image_sha256=image,
        flash_start=start,
        flash_size=size,
        flash_sha256=flash,
        model_sha256=model,
        specification_version=specification.text("version"),
        catalogue_sha256=specification.sha256("catalogue_sha256"),
        verifier_version=verifier.text("version"),
        vendor=module.vendor,
        product=module.product,
        version=module.version,
        part=module.part,
        profile=module.profile,
        level=fields.whole("level", lowest=1, highest=3),
        issued=_times.take(fields, "issued"),
        expires=_times.take(fields, "expires"),
        rulings=tuple(_read_ruling(item, ledger) for item in fields.objects("requirements")),
        capacity=capacity,
        assumptions=assumptions,
    )
    for part in (specification, verifier, fields):
        part.done()
    if statement.issued >= statement.expires:
        raise fields.problem("'expires' is not after 'issued'")
    return statement


def _read_ruling(fields: Fields, ledger: frozenset[str]) -> Ruling:
    """A pass of sufficient grade resting only on printed assumptions, or a reasoned not-applicable."""
    outcome, why = fields.text("outcome"), fields.text_or_none("why")
    grade = None if outcome == "not-applicable" else fields.word("grade", Grade)
    if grade is None and (fields.take("grade") is not None or not why):
        raise fields.problem("a requirement that does not apply needs a reason and has no grade")
    if grade is not None and (outcome != "pass" or why is not None):
        raise fields.problem(f"a certificate holds no requirement that came to {outcome[:40]!r}")
    ruling = Ruling(id=fields.text("id"), grade=grade, minimum_grade=fields.word("minimum_grade", Grade))
    if grade is not None and not suffices(grade, ruling.minimum_grade):
        raise fields.problem(f"grade {grade} is weaker than {ruling.minimum_grade}")
    if not set(fields.texts("assumptions")) <= ledger:
        raise fields.problem("rests on an assumption that the certificate does not state")
    fields.done()
    return ruling
