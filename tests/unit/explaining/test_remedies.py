"""Every reason has a remedy, in the words of the gate's author, and no remedy only repeats what is required."""

from __future__ import annotations

import importlib

import pytest
from pinproof.catalogue import load_catalogue
from pinproof.remedies import REMEDIES, remedy_of

CATALOGUE = {str(requirement.id): requirement for requirement in load_catalogue().requirements}
RUNNER = {"grade-too-low"}
"""Reasons that the runner gives, whatever the requirement."""


def reasons(requirement: str) -> dict[str, str]:
    found: dict[str, str] = importlib.import_module(f"pinproof.requirements.{requirement.replace('-', '_')}").REASONS
    return found


PAIRS = [(requirement, code, text) for requirement in CATALOGUE for code, text in reasons(requirement).items()]


def test_there_are_reasons() -> None:
    assert len(PAIRS) > 300 and len({code for _, code, _ in PAIRS}) > 150


@pytest.mark.parametrize(("requirement", "code", "text"), PAIRS, ids=[f"{name}/{code}" for name, code, _ in PAIRS])
def test_a_reason_has_a_remedy_of_its_own(requirement: str, code: str, text: str) -> None:
    remedy = remedy_of(requirement, code)
    assert remedy is not None and len(remedy.split()) >= 4, "say what to change"
    asked = CATALOGUE[requirement]
    for other in (text, asked.sentence, *asked.obligations):
        assert remedy.rstrip(".").lower() not in other.lower() and other.rstrip(".").lower() not in remedy.lower()
    assert "MUST" not in remedy and not remedy.startswith("make this hold")


def test_no_remedy_is_left_over() -> None:
    known = {code for _, code, _ in PAIRS} | RUNNER | {f"{name}/{code}" for name, code, _ in PAIRS}
    assert set(REMEDIES) <= known


def test_one_remedy_is_not_for_everything() -> None:
    """Reasons may share a remedy only where they are one thing: memory that the protection opens, say."""
    texts = [text for key, text in REMEDIES.items() if not key.endswith("reachable") and "MPU" not in text]
    assert len(set(texts)) > 0.95 * len(texts)
