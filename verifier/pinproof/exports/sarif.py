"""The report as SARIF 2.1.0 for code-scanning services. Holds only what fails or could not be decided.

Passes are left out, because services show every result as an alert. Each result has a physical location and a full
region, because a file with one result that lacks them is refused as a whole.
"""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from pinproof import strict_json
from pinproof.exports import _words
from pinproof.outcome import Chain, Fail, Location, Step
from pinproof.report import Decision, Report
from pinproof.strict_json import JsonObject, JsonValue

SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: Report, *, folder: str = "") -> str:
    """SARIF text. `folder` is the declaration's folder, relative to the root that the service shows."""
    weak_spots = _words.weak_spots(report)
    run: JsonObject = {
        "tool": {"driver": _driver(report, weak_spots)},
        "automationDetails": {"id": f"pinproof/{_words.clean(report.module.product)}/"},
        "columnKind": "unicodeCodePoints",
        "artifacts": [
            {
                "location": _artifact(report.subjects.image_name, folder),
                "roles": ["analysisTarget"],
                "hashes": {"sha-256": report.subjects.image_sha256},
            }
        ],
        "results": [_result(report, decision, index, folder) for index, decision in enumerate(weak_spots)],
        "properties": _properties(report),
    }
    return strict_json.write({"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]})


def _properties(report: Report) -> JsonObject:
    properties: JsonObject = {"verdict": report.verdict.value, "level": report.level}
    if report.development:
        properties["development"] = _words.CHECKLIST_NOTE
    return properties


def _driver(report: Report, weak_spots: tuple[Decision, ...]) -> JsonObject:
    return {
        "name": "pinproof",
        "semanticVersion": report.tool_version,
        "rules": [_rule(decision) for decision in weak_spots],
    }


def _rule(decision: Decision) -> JsonObject:
    sentence = _words.clean(decision.sentence)
    return {
        "id": decision.id,
        "name": "".join(part.capitalize() for part in decision.id.split("-")),
        "shortDescription": {"text": sentence},
        "fullDescription": {"text": sentence},
        "help": {
            "text": f"{sentence} Run: pinproof explain {decision.id}",
            "markdown": f"{sentence}\n\nRun `pinproof explain {decision.id}`.",
        },
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["privacy", "security", decision.area], "precision": "high", "security-severity": "8.5"},
    }


def _result(report: Report, decision: Decision, index: int, folder: str) -> JsonObject:
    places = _words.locations(decision.outcome)
    main = next((place for place in places if _words.source(place)), places[0] if places else None)
    result: JsonObject = {
        "ruleId": decision.id,
        "ruleIndex": index,
        "kind": "fail",
        "level": "error" if isinstance(decision.outcome, Fail) else "warning",
        "message": {"text": _message(decision, main)},
        "locations": [_location(report, main, folder)],
        "partialFingerprints": {"primaryLocationLineHash": f"{_fingerprint(decision, main)}:1"},
        "properties": {"reason": _words.reason(decision.outcome)},
    }
    if decision.awaits is not None:
        result["properties"] = {"reason": _words.reason(decision.outcome), "awaits": decision.awaits.value}
    if decision.chains:
        result["codeFlows"] = [_code_flow(report, chain, folder) for chain in decision.chains]
    if places:
        result["relatedLocations"] = [_related(report, place, i, folder) for i, place in enumerate(places, start=1)]
    return result


def _message(decision: Decision, main: Location | None) -> str:
    where = f" At {_words.place(main)}." if main else ""
    text = _words.clean(_words.message(decision.outcome)).rstrip(".")
    return f"{text}.{where} To do: {_words.advice(decision)}."


def _location(report: Report, main: Location | None, folder: str) -> JsonObject:
    """The source line if the image has one, else the start of the declaration, which a reader can open."""
    found = _words.source(main) if main else None
    name, line = found or (report.module.declaration_name, 1)
    region: JsonObject = {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 2}
    location: JsonObject = {"physicalLocation": {"artifactLocation": _artifact(name, folder), "region": region}}
    if main and main.function:
        location["logicalLocations"] = [_function(main.function)]
    return location


def _code_flow(report: Report, chain: Chain, folder: str) -> JsonObject:
    """A chain from its origins to the instruction that it explains: services show flows in the order of execution."""
    return {"threadFlows": [{"locations": [_flow_step(report, step, folder) for step in reversed(chain.steps)]}]}


def _flow_step(report: Report, step: Step, folder: str) -> JsonObject:
    words = ": ".join(part for part in (_words.coded(step), _words.clean(step.text)) if part)
    location = _location(report, step.location, folder)
    location["message"] = {"text": words}
    return {"location": location, "nestingLevel": step.depth}


def _function(name: str) -> JsonValue:
    return {"fullyQualifiedName": _words.clean(name), "kind": "function"}


def _related(report: Report, place: Location, number: int, folder: str) -> JsonObject:
    return {
        "id": number,
        "message": {"text": f"instruction at {_words.place(place)}"},
        "physicalLocation": {
            "artifactLocation": _artifact(report.subjects.image_name, folder),
            "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2},
            "address": {"absoluteAddress": place.address, "kind": "instruction"},
        },
    }


def _fingerprint(decision: Decision, main: Location | None) -> str:
    """The same while the finding is the same: from rule, reason and function, not from addresses, which move."""
    function = main.function if main and main.function else ""
    text = "|".join((decision.id, _words.reason(decision.outcome), _words.clean(function)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _artifact(name: str, folder: str) -> JsonObject:
    path = f"{folder}/{_words.clean(name)}" if folder else _words.clean(name)
    return {"uri": quote(path)}
