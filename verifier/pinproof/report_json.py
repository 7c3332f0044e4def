"""The JSON form of a report (schema `pinproof report 0.1`).

The verdict is folded from the outcomes on writing and again on reading: a report whose verdict disagrees with its own
outcomes cannot be read; nor one whose rates do not follow from its alphabet and period.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from pinproof import strict_json
from pinproof.capacity import IDENTITY_BITS, TEMPLATE_BITS, Capacity, Smoothing, spell
from pinproof.errors import InputError
from pinproof.outcome import (
    Chain,
    Evidence,
    Fail,
    Fault,
    Grade,
    Inconclusive,
    Location,
    NotApplicable,
    Outcome,
    Pass,
    Step,
)
from pinproof.report import (
    Assumption,
    Awaits,
    Decision,
    Memory,
    Module,
    Owner,
    Proof,
    Report,
    Subjects,
    outcome_word,
)
from pinproof.silicon import Status
from pinproof.strict_json import Fields, JsonObject, JsonValue

SCHEMA = "pinproof report 0.1"
LARGEST_REPORT = 16 * 1024 * 1024
"""Bytes of JSON that `from_json` is ready to read."""


def to_json(report: Report) -> str:
    """The report as JSON text: equal reports give equal bytes."""
    return strict_json.write(report_value(report))


def report_value(report: Report) -> JsonObject:
    return {
        "schema": SCHEMA,
        "tool": {"name": "pinproof", "version": report.tool_version},
        "specification": {"version": report.specification_version, "catalogue_sha256": report.catalogue_sha256},
        "module": _module_value(report.module),
        "subjects": _subjects_value(report.subjects),
        "level": report.level,
        "development": report.development,
        "verdict": report.verdict.value,
        "requirements": [decision_value(decision) for decision in report.decisions],
        "capacity": None if report.capacity is None else capacity_value(report.capacity),
        "memory": None if report.memory is None else _memory_value(report.memory),
        "assumptions": [assumption_value(assumption) for assumption in report.assumptions],
        "proof": _proof_value(report.proof),
    }


def _module_value(module: Module) -> JsonObject:
    return {
        "vendor": module.vendor,
        "product": module.product,
        "version": module.version,
        "part": module.part,
        "part_status": module.part_status.value,
        "profile": module.profile,
        "declaration": {"name": module.declaration_name, "sha256": module.declaration_sha256},
    }


def _subjects_value(subjects: Subjects) -> JsonObject:
    return {
        "image": {"name": subjects.image_name, "kind": subjects.image_kind, "sha256": subjects.image_sha256},
        "flash": {"start": subjects.flash_start, "size": subjects.flash_size, "sha256": subjects.flash_sha256},
        "model": None if subjects.model_sha256 is None else {"sha256": subjects.model_sha256},
    }


def decision_value(decision: Decision) -> JsonObject:
    """One requirement as JSON. Every key is present whatever the outcome, so that none can be dropped unseen."""
    outcome = decision.outcome
    evidence: tuple[Evidence, ...] = ()
    if isinstance(outcome, Pass):
        evidence = outcome.evidence
    elif isinstance(outcome, Fail):
        evidence = outcome.witness
    return {
        "id": decision.id,
        "area": decision.area,
        "sentence": decision.sentence,
        "outcome": outcome_word(outcome),
        "minimum_grade": decision.minimum_grade.value,
        "grade": outcome.grade.value if isinstance(outcome, Pass) else None,
        "reason": outcome.reason if isinstance(outcome, Fail | Inconclusive) else None,
        "message": _message(outcome),
        "would_help": outcome.would_help if isinstance(outcome, Inconclusive) else None,
        "evidence": [_evidence_value(item) for item in evidence],
        "locations": _locations_value(outcome.locations if isinstance(outcome, Inconclusive) else ()),
        "assumptions": list[JsonValue](outcome.assumptions if isinstance(outcome, Pass) else ()),
        "meaning": decision.meaning,
        "remedy": decision.remedy,
        "chains": [_chain_value(chain) for chain in decision.chains],
        "awaits": None if decision.awaits is None else decision.awaits.value,
    }


def _chain_value(chain: Chain) -> JsonObject:
    return {"steps": [_step_value(step) for step in chain.steps]}


def _step_value(step: Step) -> JsonObject:
    return {
        "depth": step.depth,
        "location": None if step.location is None else _location_value(step.location),
        "instruction": step.instruction,
        "text": step.text,
    }


def _message(outcome: Outcome) -> str | None:
    match outcome:
        case Fail() | Inconclusive() | Fault():
            return outcome.message
        case NotApplicable():
            return outcome.why
        case Pass():
            return None


def _evidence_value(evidence: Evidence) -> JsonObject:
    return {
        "grade": evidence.grade.value,
        "statement": evidence.statement,
        "locations": _locations_value(evidence.locations),
    }


def _locations_value(locations: Iterable[Location]) -> list[JsonValue]:
    return [_location_value(place) for place in locations]


def _location_value(place: Location) -> JsonObject:
    return {**_point_value(place), "calls": [_point_value(call) for call in place.calls]}


def _point_value(place: Location) -> JsonObject:
    return {"address": place.address, "function": place.function, "line": place.line}


_PROVED_NUMBERS = ("alphabet", "jitter_positions", "minimum_period_ns", "frame_bits", "smoothing")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")


def capacity_value(capacity: Capacity) -> JsonObject:
    """The proved numbers and what follows from them. Rates are decimal texts: readers may round JSON numbers."""
    return {
        "through": "pin",
        "alphabet": capacity.alphabet,
        "jitter_positions": capacity.jitter_positions,
        "minimum_period_ns": capacity.minimum_period_ns,
        "frame_bits": capacity.frame_bits,
        "smoothing": None if capacity.smoothing is None else _smoothing_value(capacity.smoothing),
        "bits_per_period": spell(capacity.bits_per_period),
        "bits_per_second": spell(capacity.bits_per_second),
        "bits_per_day": spell(capacity.bits_per_day),
        "bits_per_year": spell(capacity.bits_per_year),
        "seconds_for_10_bits": capacity.seconds_for(IDENTITY_BITS),
        "seconds_for_256_bits": capacity.seconds_for(TEMPLATE_BITS),
        "seconds_for_one_frame": capacity.seconds_for(capacity.frame_bits),
    }


def _smoothing_value(smoothing: Smoothing) -> JsonObject:
    return {
        "bits_per_period": spell(smoothing.bits_per_period),
        "head_start_bits": spell(smoothing.head_start_bits),
        "periods_between_changes": smoothing.periods_between_changes,
        "changes_per_day": smoothing.changes_per_day,
    }


def _memory_value(memory: Memory) -> JsonObject:
    return {
        "writable_bytes": memory.total_bytes,
        "reachable_bytes": memory.reachable_bytes,
        "budget_bytes": memory.budget_bytes,
        "parts": _parts_value(memory.parts),
        "reachable_parts": _parts_value(memory.reachable or ()),
    }


def _parts_value(parts: tuple[tuple[str, int], ...]) -> list[JsonValue]:
    return [{"name": name, "bytes": size} for name, size in parts]


def assumption_value(assumption: Assumption) -> JsonObject:
    return {
        "id": assumption.id,
        "statement": assumption.statement,
        "owner": assumption.owner.value,
        "discharge": assumption.discharge,
    }


def _proof_value(proof: Proof) -> JsonObject:
    return {
        "gate_bytes": proof.gate_bytes,
        "instructions": proof.instructions,
        "vectors": proof.vectors,
        "handlers": proof.handlers,
        "obstacles": proof.obstacles,
        "invariant_rounds": proof.invariant_rounds,
        "steps": proof.steps,
        "tick_cycles": proof.tick_cycles,
    }


def from_json(data: bytes, name: str) -> Report:
    """The report in `data`. Raises `InputError` on anything unknown, missing, doubled or contradicting itself."""
    fields = Fields(strict_json.read(data, name=name, limit=LARGEST_REPORT, error=InputError), name, InputError)
    fields.constant("schema", SCHEMA)
    try:
        report = _read_report(fields)
    except ValueError as problem:
        raise fields.problem(str(problem)) from None
    fields.constant("verdict", report.verdict.value)
    fields.done()
    return report


def _read_report(fields: Fields) -> Report:
    tool, specification = fields.object("tool"), fields.object("specification")
    tool.constant("name", "pinproof")
    report = Report(
        tool_version=tool.text("version"),
        specification_version=specification.text("version"),
        catalogue_sha256=specification.sha256("catalogue_sha256"),
        module=read_module(fields.object("module")),
        subjects=_read_subjects(fields.object("subjects")),
        level=fields.whole("level", highest=3),
        development=fields.flag("development"),
        decisions=tuple(read_decision(item) for item in fields.objects("requirements")),
        capacity=fields.optional("capacity", read_capacity),
        memory=fields.optional("memory", read_memory),
        assumptions=tuple(read_assumption(item) for item in fields.objects("assumptions")),
        proof=read_proof(fields.object("proof")),
    )
    tool.done()
    specification.done()
    return report


def read_module(fields: Fields) -> Module:
    declaration = fields.object("declaration")
    module = Module(
        vendor=fields.text("vendor"),
        product=fields.text("product"),
        version=fields.text("version"),
        part=fields.text("part"),
        part_status=fields.word("part_status", Status),
        profile=fields.text("profile"),
        declaration_name=declaration.text("name"),
        declaration_sha256=declaration.sha256("sha256"),
    )
    declaration.done()
    fields.done()
    return module


def _read_subjects(fields: Fields) -> Subjects:
    image, flash = fields.object("image"), fields.object("flash")
    subjects = Subjects(
        image_name=image.text("name"),
        image_kind=image.text("kind"),
        image_sha256=image.sha256("sha256"),
        flash_start=flash.whole("start"),
        flash_size=flash.whole("size"),
        flash_sha256=flash.sha256("sha256"),
        model_sha256=fields.optional("model", _read_digest),
    )
    for part in (image, flash, fields):
        part.done()
    return subjects


def _read_digest(fields: Fields) -> str:
    digest = fields.sha256("sha256")
    fields.done()
    return digest


def read_decision(fields: Fields) -> Decision:
    """One requirement as `decision_value` wrote it. A key that has no meaning for the outcome must be null or empty."""
    try:
        decision = Decision(
            id=fields.text("id"),
            area=fields.text("area"),
            sentence=fields.text("sentence"),
            minimum_grade=fields.word("minimum_grade", Grade),
            outcome=_read_outcome(fields),
            meaning=fields.text_or_none("meaning"),
            remedy=fields.text_or_none("remedy"),
            chains=tuple(_read_chain(item) for item in fields.objects("chains")),
            awaits=fields.word_or_none("awaits", Awaits),
        )
    except ValueError as problem:
        raise fields.problem(str(problem)) from None
    if not isinstance(decision.outcome, Fail | Inconclusive) and (decision.meaning or decision.remedy):
        raise fields.problem("'meaning' and 'remedy' do not go with the outcome")
    fields.done()
    return decision


def _read_chain(fields: Fields) -> Chain:
    try:
        chain = Chain(steps=tuple(_read_step(item) for item in fields.objects("steps")))
    except ValueError as problem:
        raise fields.problem(str(problem)) from None
    fields.done()
    return chain


def _read_step(fields: Fields) -> Step:
    step = Step(
        depth=fields.whole("depth", highest=64),
        location=fields.optional("location", _read_location),
        instruction=fields.text_or_none("instruction"),
        text=fields.text("text"),
    )
    fields.done()
    return step


def _read_outcome(fields: Fields) -> Outcome:
    word = fields.text("outcome")
    grade, reason = fields.text_or_none("grade"), fields.text_or_none("reason")
    message, would_help = fields.text_or_none("message"), fields.text_or_none("would_help")
    evidence = tuple(_read_evidence(item) for item in fields.objects("evidence"))
    locations = tuple(_read_location(item) for item in fields.objects("locations"))
    assumptions = fields.texts("assumptions")
    outcome: Outcome | None = None
    if word == "pass" and evidence:
        outcome = Pass(evidence=evidence, assumptions=assumptions)
    elif word == "fail" and reason is not None and message is not None:
        outcome = Fail(reason=reason, message=message, witness=evidence)
    elif word == "inconclusive" and reason is not None and message is not None and would_help is not None:
        outcome = Inconclusive(reason=reason, message=message, would_help=would_help, locations=locations)
    elif word == "not-applicable" and message is not None:
        outcome = NotApplicable(why=message)
    elif word == "fault" and message is not None:
        outcome = Fault(message=message)
    written = {"grade": grade, "reason": reason, "message": message, "would_help": would_help}
    found: tuple[int, ...] = (len(evidence), len(locations), len(assumptions))
    if outcome is None or not _says_only_its_own(outcome, written, found):
        raise fields.problem(f"outcome {word[:40]!r} does not go with the other keys")
    return outcome


def _says_only_its_own(outcome: Outcome, written: dict[str, str | None], found: tuple[int, ...]) -> bool:
    again = decision_value(Decision(id="", area="", sentence="", minimum_grade=Grade.DECLARED, outcome=outcome))
    counts = tuple(len(_as_list(again[key])) for key in ("evidence", "locations", "assumptions"))
    return counts == found and all(again[key] == value for key, value in written.items())


def _as_list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _read_evidence(fields: Fields) -> Evidence:
    evidence = Evidence(
        grade=fields.word("grade", Grade),
        statement=fields.text("statement"),
        locations=tuple(_read_location(item) for item in fields.objects("locations")),
    )
    fields.done()
    return evidence


def _read_location(fields: Fields) -> Location:
    calls = tuple(_read_point(item) for item in fields.objects("calls"))
    return _read_point(fields, calls)


def _read_point(fields: Fields, calls: tuple[Location, ...] = ()) -> Location:
    place = Location(
        address=fields.whole("address", highest=0xFFFFFFFF),
        function=fields.text_or_none("function"),
        line=fields.text_or_none("line"),
        calls=calls,
    )
    fields.done()
    return place


def read_capacity(fields: Fields) -> Capacity:
    """The capacity, refused unless the printed rates and times follow from its proved numbers."""
    capacity = Capacity(
        alphabet=fields.whole("alphabet", lowest=1, highest=2**32),
        jitter_positions=fields.whole("jitter_positions", highest=2**32),
        minimum_period_ns=fields.whole("minimum_period_ns", lowest=1),
        frame_bits=fields.whole("frame_bits", lowest=1),
        smoothing=fields.optional("smoothing", _read_smoothing),
    )
    for key, value in capacity_value(capacity).items():
        if key not in _PROVED_NUMBERS and fields.take(key) != value:
            raise fields.problem(f"{key!r} does not follow from the alphabet, the period and the smoothing")
    fields.done()
    return capacity


def _read_smoothing(fields: Fields) -> Smoothing:
    smoothing = Smoothing(
        bits_per_period=_read_decimal(fields, "bits_per_period"),
        head_start_bits=_read_decimal(fields, "head_start_bits"),
        periods_between_changes=fields.whole("periods_between_changes", lowest=1),
        changes_per_day=fields.whole("changes_per_day"),
    )
    fields.done()
    return smoothing


def _read_decimal(fields: Fields, key: str) -> Decimal:
    text = fields.text(key, longest=64)
    if not _DECIMAL.fullmatch(text):
        raise fields.problem(f"{key!r} is not a decimal number")
    return Decimal(text)


def read_memory(fields: Fields) -> Memory:
    parts, reachable = _read_parts(fields, "parts"), _read_parts(fields, "reachable_parts")
    stated = fields.take("reachable_bytes")
    memory = Memory(
        parts=parts,
        budget_bytes=fields.whole("budget_bytes"),
        reachable=reachable if stated is not None or reachable else None,
    )
    if fields.whole("writable_bytes") != memory.total_bytes:
        raise fields.problem("'writable_bytes' is not the sum of the parts")
    if isinstance(stated, bool) or stated != memory.reachable_bytes:
        raise fields.problem("'reachable_bytes' is not the sum of the reachable parts")
    fields.done()
    return memory


def _read_parts(fields: Fields, key: str) -> tuple[tuple[str, int], ...]:
    parts = []
    for item in fields.objects(key):
        parts.append((item.text("name"), item.whole("bytes")))
        item.done()
    return tuple(parts)


def read_assumption(fields: Fields) -> Assumption:
    assumption = Assumption(
        id=fields.text("id"),
        statement=fields.text("statement"),
        owner=fields.word("owner", Owner),
        discharge=fields.text("discharge"),
    )
    fields.done()
    return assumption


def read_proof(fields: Fields) -> Proof:
    cycles = fields.take("tick_cycles")
    if cycles is not None and (not isinstance(cycles, int) or isinstance(cycles, bool) or cycles < 0):
        raise fields.problem("'tick_cycles' is neither a whole number nor null")
    proof = Proof(
        gate_bytes=fields.whole("gate_bytes"),
        instructions=fields.whole("instructions"),
        vectors=fields.whole("vectors"),
        handlers=fields.whole("handlers"),
        obstacles=fields.whole("obstacles"),
        invariant_rounds=fields.whole("invariant_rounds"),
        steps=fields.whole("steps"),
        tick_cycles=cycles,
    )
    fields.done()
    return proof
