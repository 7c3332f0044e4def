"""The catalogue of attacks itself: that it covers what it must, and says what each attack is refused for."""

from __future__ import annotations

import importlib
from collections import Counter

import pytest
from pinproof.catalogue import load_catalogue

from tests.attacks.catalogue import ATTACKS, FAMILIES
from tests.attacks.variant import Kind, NotShown, Shown, Storms, Variant

_LEAST = 50
"""Attacks that the standard's tests promise at the least."""
_ONLY_A_SILICON_FILE = {"rad-none-on-silicon", "rad-no-access"}
_ONLY_A_PROFILE = {"out-budget"}


def test_there_are_enough() -> None:
    assert len(ATTACKS) >= 2 * _LEAST
    assert all(len(variants) >= 15 for variants in FAMILIES.values())


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(variant.name for variant in ATTACKS).items() if count > 1] == []


def test_no_two_are_the_same_edit() -> None:
    counted = Counter((variant.edits, variant.level) for variant in ATTACKS)
    assert [edits for edits, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("variant", ATTACKS, ids=lambda variant: variant.name)
def test_the_expected_reason_is_one_that_the_check_can_give(variant: Variant) -> None:
    module = importlib.import_module(f"pinproof.requirements.{variant.requirement.replace('-', '_')}")
    assert variant.reason in module.REASONS


def test_every_requirement_is_attacked_that_an_image_or_its_papers_can_miss() -> None:
    attacked = {variant.requirement for variant in ATTACKS}
    every = {requirement.id for requirement in load_catalogue().requirements}
    assert every - attacked == _ONLY_A_SILICON_FILE | _ONLY_A_PROFILE


def test_every_danger_is_either_shown_or_explained() -> None:
    """Both kinds are counted, so that neither grows at the other's cost unseen."""
    shown = [variant for variant in ATTACKS if isinstance(variant.danger, Shown | Storms)]
    explained = [variant for variant in ATTACKS if isinstance(variant.danger, NotShown)]
    assert len(shown) + len(explained) == len(ATTACKS)
    assert len(shown) >= 140
    assert len(explained) <= 100
    firmware = [variant for variant in explained if variant.changes_firmware]
    assert len(firmware) <= 75


def test_both_ways_to_refuse_occur() -> None:
    assert {variant.kind for variant in ATTACKS} == set(Kind)
