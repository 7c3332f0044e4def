"""The report as a person reads it in a terminal: verdict first, then the numbers, then each requirement."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pinproof.exports import _words
from pinproof.outcome import Fail, Fault, Inconclusive, NotApplicable, Outcome, Pass, Verdict
from pinproof.report import Decision, Report, outcome_word

NARROWEST = 60
"""Columns; a narrower terminal gets lines of this length."""
_MOST_PLACES = 4
_DEEPEST_INDENT = 8
_NARROWEST_TEXT = 24

_VERDICT_STYLES = {
    Verdict.CONFORMS: "bold green",
    Verdict.DOES_NOT_CONFORM: "bold red",
    Verdict.UNDECIDED: "bold yellow",
}


def render(report: Report, *, width: int, colour: bool, explain: bool = False) -> str:
    """The report as text for `width` columns, with terminal colours if `colour`; with `explain`, what each rests on."""
    console = Console(
        file=io.StringIO(),
        width=max(width, NARROWEST),
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        soft_wrap=False,
        _environ={},
    )
    with console.capture() as captured:
        _verdict(console, report)
        _pairs(console, _words.facts(report))
        _requirements(console, report)
        for decision in _words.weak_spots(report):
            _weak_spot(console, decision, explain)
        if explain:
            _evidence(console, report)
        _assumptions(console, report)
        _checklist(console, report)
        console.print(Text("What this is about", style="bold"))
        _pairs(console, _words.subjects(report))
        _last_lines(console, report)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _verdict(console: Console, report: Report) -> None:
    console.print(Text(_words.VERDICT_WORDS[report.verdict], style=_VERDICT_STYLES[report.verdict]))
    console.print(Text(_words.verdict_meaning(report)))
    console.print(Text(_words.title(report)))
    console.print()


def _pairs(console: Console, rows: list[tuple[str, str]], *, blank: bool = True) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(Text(label), Text(value))
    console.print(table)
    if blank:
        console.print()


def _requirements(console: Console, report: Report) -> None:
    console.print(Text(f"Requirements: {_words.tally(report)}", style="bold"))
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="none")
    for column in ("requirement", "outcome", "grade", "least grade"):
        table.add_column(column, no_wrap=True)
    for decision in report.decisions:
        outcome = decision.outcome
        table.add_row(
            Text(decision.id),
            Text(outcome_word(outcome), style=_style(outcome)),
            Text(outcome.grade.value if isinstance(outcome, Pass) else "-"),
            Text(decision.minimum_grade.value),
        )
    console.print(table)
    console.print()


def _style(outcome: Outcome) -> str:
    match outcome:
        case Pass():
            return "green"
        case Fail():
            return "bold red"
        case Inconclusive() | Fault():
            return "bold yellow"
        case NotApplicable():
            return "none"


def _weak_spot(console: Console, decision: Decision, explain: bool) -> None:
    outcome = decision.outcome
    code = "" if isinstance(outcome, Fault) else f" ({_words.reason(outcome)})"
    heading = f"{decision.id}: {outcome_word(outcome)}{code}"
    console.print(Text(heading, style=_style(outcome)))
    rows = [("required", _words.clean(decision.sentence))] if explain else []
    rows.append(("found" if explain else "what", _words.clean(_words.message(outcome))))
    rows += [("seen", text) for text in _words.seen(outcome)]
    places = _words.locations(outcome)
    rows += [("where", _words.place(location)) for location in places[:_MOST_PLACES]]
    if len(places) > _MOST_PLACES:
        rows.append(("", f"and {len(places) - _MOST_PLACES} more places"))
    if explain and decision.meaning:
        rows.append(("so", _words.clean(decision.meaning)))
    rows.append(("to do", _words.advice(decision)))
    _pairs(console, [(f"  {label}", value) for label, value in rows], blank=not decision.chains)
    _chains(console, decision)


def _evidence(console: Console, report: Report) -> None:
    """What each requirement that passes rests on: every statement with its grade, then the instructions behind it."""
    console.print(Text("What each pass rests on (an explanation: the proof does not rest on it)", style="bold"))
    console.print()
    for decision in report.by_kind(Pass, NotApplicable):
        outcome = decision.outcome
        console.print(Text(f"{decision.id}: {outcome_word(outcome)}", style=_style(outcome)))
        rows = [(f"  {item.grade}", _words.clean(item.statement)) for item in _words.witnesses(outcome)]
        if isinstance(outcome, NotApplicable):
            rows = [("  because", _words.clean(outcome.why))]
        elif isinstance(outcome, Pass):
            rows += [("  assumes", _words.clean(name)) for name in outcome.assumptions]
        _pairs(console, rows, blank=not decision.chains)
        _chains(console, decision)


def _chains(console: Console, decision: Decision) -> None:
    """Instruction to the left, what it does to the right, and the place wherever it is another one than before."""
    if not decision.chains:
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", min_width=_NARROWEST_TEXT)
    for chain in decision.chains:
        before = ""
        for step in chain.steps:
            place = _words.whereabouts(step.location) if step.location is not None else ""
            if place and place != before:
                table.add_row("", Text(f"{place}:", style="dim"))
            before = place or before
            code = " " * min(step.depth, _DEEPEST_INDENT) + _words.coded(step)
            table.add_row(Text(f"    {code}"), Text(_words.clean(step.text)))
    console.print(table)
    console.print()


def _assumptions(console: Console, report: Report) -> None:
    if not report.assumptions:
        return
    console.print(Text("Rests on what the image cannot show", style="bold"))
    rows = []
    for assumption in report.assumptions:
        rows.append((f"  {_words.clean(assumption.id)}", _words.clean(assumption.statement)))
        rows.append((f"    {assumption.owner}", _words.clean(assumption.discharge)))
    _pairs(console, rows)


def _line(console: Console, label: str, value: str) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(f"    {label}"), Text(value))
    console.print(table)


def _checklist(console: Console, report: Report) -> None:
    """For a module still being developed: what is open, by what it takes."""
    if not report.development:
        return
    console.print(Text(_words.CHECKLIST_TITLE, style="bold"))
    parts = _words.checklist(report)
    for words, decisions in parts:
        console.print(Text(f"  {words}"))
        for decision in decisions:
            _line(console, f"[ ] {decision.id}:", _words.clean(_words.message(decision.outcome)))
    if not parts:
        console.print(Text(f"  {_words.nothing_open(report)}"))
    console.print(Text(f"  {_words.CHECKLIST_NOTE}"))
    console.print()


def _last_lines(console: Console, report: Report) -> None:
    for line in _words.last_lines(report):
        console.print(Text(line, style=_VERDICT_STYLES[report.verdict]))
