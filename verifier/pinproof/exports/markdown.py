"""The report as Markdown, for a job summary or a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from pinproof.exports import _words
from pinproof.outcome import Pass, Step
from pinproof.report import Report, outcome_word

_SPECIAL = "\\`*_{}[]<>()#+!|~&@"


def render(report: Report) -> str:
    parts = [
        f"# {_words.VERDICT_WORDS[report.verdict]}",
        f"{_words.verdict_meaning(report)} {_plain(_words.title(report))}.",
        _table(("", ""), _words.facts(report)),
        "## Requirements",
        f"{_words.tally(report)}.",
        _requirements(report),
    ]
    if _words.weak_spots(report):
        parts += ["## What stands in the way", _weak_spots(report)]
    if report.development:
        parts += [f"## {_words.CHECKLIST_TITLE}", *_checklist(report), f"{_words.CHECKLIST_NOTE.capitalize()}."]
    if report.assumptions:
        rows = [(item.id, item.statement, item.owner.value, item.discharge) for item in report.assumptions]
        parts += ["## Assumptions", _table(("id", "statement", "owner", "discharged by"), rows)]
    parts += ["## What this is about", _table(("", ""), _words.subjects(report))]
    return "\n\n".join(parts) + "\n"


def _requirements(report: Report) -> str:
    rows = []
    for decision in report.decisions:
        outcome = decision.outcome
        grade = outcome.grade.value if isinstance(outcome, Pass) else "-"
        least = decision.minimum_grade.value
        rows.append((decision.id, outcome_word(outcome), grade, least, _words.message(outcome)))
    return _table(("requirement", "outcome", "grade", "least grade", "because"), rows)


def _weak_spots(report: Report) -> str:
    lines = []
    for decision in _words.weak_spots(report):
        outcome = decision.outcome
        lines.append(
            f"- **{_plain(decision.id)}** ({_plain(_words.reason(outcome))}): {_plain(_words.message(outcome))}"
        )
        lines += [f"  - seen: {_plain(text)}" for text in _words.seen(outcome)]
        lines += [f"  - where: {_plain(_words.place(location))}" for location in _words.locations(outcome)]
        lines.append(f"  - to do: {_plain(_words.advice(decision))}")
        for chain in decision.chains:
            lines.append("  - how it comes about:")
            lines += [f"    {'  ' * step.depth}- {_step(step)}" for step in chain.steps]
    return "\n".join(lines)


def _checklist(report: Report) -> list[str]:
    """A task list for each kind of work that is open."""
    parts = []
    for words, decisions in _words.checklist(report):
        tasks = [f"- [ ] {_plain(each.id)}: {_plain(_words.message(each.outcome))}" for each in decisions]
        parts += [f"{words}:", "\n".join(tasks)]
    return parts or [f"{_words.nothing_open(report).capitalize()}."]


def _step(step: Step) -> str:
    place = _words.whereabouts(step.location) if step.location is not None else ""
    text = f"{step.text} ({place})" if place else step.text
    return _plain(": ".join(part for part in (_words.coded(step), text) if part))


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_row(heads), _row(("---",) * len(heads))]
    lines += [_row(tuple(_plain(cell) for cell in row)) for row in rows]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """`text` so that Markdown shows it as it is: no link, no image, no mention, no markup."""
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in _words.clean(text))
