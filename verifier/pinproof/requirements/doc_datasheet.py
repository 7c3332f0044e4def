"""The module's datasheet MUST hold what the ML-sensor datasheet template asks for.

*How it is decided.* The file that the declaration names is text with the declared digest, and has a heading and at
least one line below it for each section of the template.

*False accepts.* Sections whose text is empty talk: that they are true is for readers.

*False rejects.* Headings in other words than the template's or than the other words that are known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pinproof.facts import Facts, Problem, Refusal, Unknown, conclude_without_machine, declared
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    "datasheet-missing": "the datasheet that the declaration names was not given",
    "datasheet-digest": "the datasheet does not have the declared digest",
    "datasheet-not-text": "the datasheet is not UTF-8 text",
    "datasheet-section": "a section of the template is missing or empty",
}

_SECTIONS: tuple[tuple[str, ...], ...] = (
    ("description",),
    ("use case",),
    ("communication",),
    ("hardware",),
    ("bill of materials", "materials"),
    ("training", "data used"),
    ("privacy",),
    ("model",),
    ("performance",),
    ("environmental sensitivity", "sensitivity"),
    ("demographic", "bias"),
    ("environmental impact", "impact"),
    ("compliance",),
)
"""Each section of the ML-sensor datasheet template, by words one of which its heading holds."""


def check(facts: Facts) -> Outcome:
    name = facts.declaration.datasheet.file
    evidence = [declared(f"{name} has the declared digest and all {len(_SECTIONS)} sections of the template")]
    return conclude_without_machine(_problems(facts, name), evidence)


def _problems(facts: Facts, name: str) -> Iterator[Problem]:
    data = facts.datasheet
    if data is None:
        yield Unknown(
            reason="datasheet-missing",
            message=f"{name} was not given",
            would_help="put the datasheet where the declaration says",
        )
        return
    if hashlib.sha256(data).hexdigest() != facts.declaration.datasheet.sha256:
        yield Refusal(reason="datasheet-digest", message=f"{name} does not have the declared SHA-256")
        return
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        yield Refusal(reason="datasheet-not-text", message=f"{name} is not UTF-8 text")
        return
    headings = _filled_headings(text)
    for words in _SECTIONS:
        if not any(word in heading for heading in headings for word in words):
            yield Refusal(reason="datasheet-section", message=f"{name} has no filled section on {words[0]}")


def _filled_headings(text: str) -> list[str]:
    """Headings in lower case that have text below them, directly or in a section of their own."""
    found: list[tuple[int, str]] = []
    filled: list[str] = []
    for line in text.splitlines():
        if line.startswith("#"):
            depth = len(line) - len(line.lstrip("#"))
            found = [(level, heading) for level, heading in found if level < depth]
            found.append((depth, line.lstrip("#").strip().lower()))
        elif line.strip():
            filled += [heading for _, heading in found]
    return filled
