"""The report as JUnit XML: one test case a requirement."""

from __future__ import annotations

from xml.etree import ElementTree

from pinproof.exports import _words
from pinproof.outcome import Fail, Fault, Inconclusive, NotApplicable, Pass
from pinproof.report import Decision, Report


def render(report: Report) -> str:
    undecided = len(report.by_kind(Inconclusive, Fault))
    counts = {
        "tests": str(len(report.decisions)),
        "failures": str(len(report.by_kind(Fail))),
        "errors": str(undecided),
        "skipped": str(len(report.by_kind(NotApplicable))),
    }
    root = ElementTree.Element("testsuites", {"name": "pinproof", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _words.title(report), **counts})
    if report.development:
        properties = ElementTree.SubElement(suite, "properties")
        ElementTree.SubElement(properties, "property", {"name": "development", "value": _words.CHECKLIST_NOTE})
    for decision in report.decisions:
        _case(suite, decision)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, decision: Decision) -> None:
    case = ElementTree.SubElement(suite, "testcase", {"classname": f"pinproof.{decision.area}", "name": decision.id})
    outcome = decision.outcome
    text = _words.clean(_words.message(outcome))
    match outcome:
        case Pass():
            return
        case Fail():
            child = ElementTree.SubElement(case, "failure", {"type": outcome.reason, "message": text})
        case Inconclusive():
            child = ElementTree.SubElement(case, "error", {"type": "inconclusive", "message": text})
        case Fault():
            child = ElementTree.SubElement(case, "error", {"type": "fault", "message": text})
        case NotApplicable():
            ElementTree.SubElement(case, "skipped", {"message": text})
            return
    child.text = _details(decision)


def _details(decision: Decision) -> str:
    outcome = decision.outcome
    lines = [f"reason: {_words.reason(outcome)}"]
    lines += [f"seen: {text}" for text in _words.seen(outcome)]
    lines += [f"where: {_words.place(location)}" for location in _words.locations(outcome)]
    lines.append(f"to do: {_words.advice(decision)}")
    if decision.awaits is not None:
        lines.append(f"awaits: {decision.awaits}")
    for chain in decision.chains:
        lines += ["", *_words.chain_lines(chain)]
    return "\n".join(lines)
