"""One verification of a case, and what each requirement came to, in two words."""

from __future__ import annotations

from collections.abc import Mapping

from pinproof.outcome import Fail, Fault, Inconclusive, NotApplicable, Outcome, Pass
from pinproof.verify import verify

from tests.attacks.building import DECLARATION, Case


def judge(case: Case, *, level: int = 1) -> Mapping[str, str]:
    """By requirement: `pass`, `fail REASON`, `inconclusive REASON`, or what else it is."""
    report = verify(
        image=case.image,
        image_name="image.elf",
        declaration=case.declaration,
        declaration_name=DECLARATION,
        files=case.files,
        level=level,
        rebuilt=None,
        development=False,
    )
    return {decision.id: spelt(decision.outcome) for decision in report.decisions}


def spelt(outcome: Outcome) -> str:
    match outcome:
        case Pass():
            return "pass"
        case Fail(reason=reason):
            return f"fail {reason}"
        case Inconclusive(reason=reason):
            return f"inconclusive {reason}"
        case NotApplicable():
            return "not-applicable"
        case Fault(message=message):
            return f"fault: {message}"
