"""The forms in which a report can be written. Each is a function of the report alone."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from pinproof import report_json
from pinproof.exports._words import clean
from pinproof.report import Report


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    MD = "md"


def render(
    report: Report,
    form: Format,
    *,
    width: int = 100,
    colour: bool = False,
    folder: str = "",
    explain: bool = False,
) -> str:
    """The report in one of the forms. `width`, `colour` and `explain` matter to text alone, `folder` to SARIF alone.

    The chains of evidence that the report holds are in every form; `explain` asks the text for each requirement's.
    """
    # Each form is loaded when asked for: rich alone is a third of the start-up time.
    match form:
        case Format.TEXT:
            from pinproof.exports import text

            return text.render(report, width=width, colour=colour, explain=explain)
        case Format.JSON:
            return report_json.to_json(report)
        case Format.SARIF:
            from pinproof.exports import sarif

            return sarif.render(report, folder=folder)
        case Format.JUNIT:
            from pinproof.exports import junit

            return junit.render(report)
        case Format.MD:
            from pinproof.exports import markdown

            return markdown.render(report)
        case _:
            assert_never(form)


__all__ = ["Format", "clean", "render"]
