"""`pinproof explain`: what a requirement asks, why, how it is decided, and what fails and what conforms."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import re
import textwrap

from pinproof import _files
from pinproof._commands import _shared
from pinproof.catalogue import Catalogue, Example, Requirement, load_catalogue
from pinproof.errors import InputError
from pinproof.remedies import remedy_of

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
"""A Markdown link of the standard's text; a terminal shows its words alone."""


def add(commands: _shared.Commands[argparse.ArgumentParser]) -> None:
    command = _shared.add_command(commands, "explain", "explain a requirement, or list them all")
    command.add_argument("requirement", metavar="REQUIREMENT", nargs="?", help="such as out-clocked; none lists all")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    catalogue = load_catalogue()
    if arguments.requirement is None:
        _files.emit(_list(catalogue), None)
        return 0
    found = catalogue.find(arguments.requirement)
    if found is None:
        raise InputError(_unknown(arguments.requirement, catalogue))
    _files.emit(_explanation(found), None)
    return 0


def _unknown(name: str, catalogue: Catalogue) -> str:
    close = difflib.get_close_matches(name, [requirement.id for requirement in catalogue.requirements], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "'pinproof explain' lists all"
    return f"no requirement is called {name[:60]!r}; {hint}"


def _list(catalogue: Catalogue) -> str:
    width = max(len(requirement.id) for requirement in catalogue.requirements)
    return "".join(f"{requirement.id:<{width}}  {requirement.title}\n" for requirement in catalogue.requirements)


def _explanation(requirement: Requirement) -> str:
    grades = ", ".join(f"level {level}: {grade}" for level, grade in sorted(requirement.grades.items()))
    parts = [
        f"{requirement.id}: {requirement.title}",
        _paragraphs(requirement.sentence, *requirement.obligations),
        f"Why\n{_paragraphs(requirement.rationale)}",
        f"How it is decided\n{_paragraphs(requirement.decided_how)}",
        f"Weakest grade of evidence that suffices\n  {grades}",
        *_reasons(requirement),
        f"Fails\n{_example(requirement.bad)}",
        f"Conforms\n{_example(requirement.good)}",
        "Where it shows in an image, instruction by instruction\n  pinproof verify IMAGE --module FILE --explain",
        f"Text of the standard: spec/{requirement.file}#{requirement.id}",
    ]
    return "\n\n".join(parts) + "\n"


def _reasons(requirement: Requirement) -> list[str]:
    """The reason codes that the check names; none while there is no check."""
    name = f"pinproof.requirements.{requirement.id.replace('-', '_')}"
    if importlib.util.find_spec(name) is None:
        return []
    reasons: dict[str, str] = importlib.import_module(name).REASONS
    lines = []
    for code, text in reasons.items():
        lines.append(_paragraphs(f"{code}: {text}"))
        remedy = remedy_of(requirement.id, code)
        lines += [textwrap.indent(_paragraphs(f"to do: {remedy}"), "  ")] if remedy else []
    return ["Reason codes\n" + "\n".join(lines)]


def _paragraphs(*texts: str) -> str:
    wrapper = textwrap.TextWrapper(width=96, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(wrapper.fill(_LINK.sub(r"\1", text)) for text in texts)


def _example(example: Example) -> str:
    caption = f"{_paragraphs(example.caption)}\n" if example.caption else ""
    return caption + textwrap.indent(example.text.rstrip("\n"), "    ")
