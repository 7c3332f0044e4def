"""Profiles: the compiled ones load, and a name from a declaration never becomes a path."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pinproof.errors import DeclarationError
from pinproof.profile import Every, FrameKind, Senses, load_profile, profile_names, read_profile

SPEC = Path(__file__).resolve().parents[3] / "spec" / "profiles"
PERSON = (SPEC / "person-detector.toml").read_text(encoding="utf-8")


def test_every_profile_of_the_standard_loads() -> None:
    assert profile_names() == tuple(sorted(path.stem for path in SPEC.glob("*.toml")))
    assert [load_profile(name).name for name in profile_names()] == list(profile_names())


def test_values() -> None:
    profile = load_profile("person-detector")
    assert profile.senses is Senses.IMAGES
    assert (profile.minimum_period_seconds, profile.capacity_limit_bits_per_second) == (Decimal(1), Decimal(1))
    assert profile.alphabet == ("nobody", "person")
    assert (profile.memory_budget.bytes, profile.memory_budget.width, profile.memory_budget.seconds) == (
        102400,
        320,
        None,
    )
    assert (profile.forgetful.window_periods, profile.forgetful.every) == (1, Every.FRAME)
    assert (profile.frame.kind, profile.frame.maximum_samples) == (FrameKind.IMAGE, 102399)
    assert (profile.budget.dwell_seconds, profile.budget.changes_per_day) == (None, None)
    assert load_profile("voice-command").frame.kind is FrameKind.SOUND


def test_a_budget_is_read() -> None:
    text = PERSON + '\n[budget]\ndwell_seconds = "10"\nchanges_per_day = 100\n'
    budget = read_profile(text.encode(), "p.toml").budget
    assert (budget.dwell_seconds, budget.changes_per_day) == (Decimal(10), 100)


@pytest.mark.parametrize("name", ["", "nobody", "../profiles/gesture", "gesture.toml", "person-detector\x00"])
def test_an_unknown_name_is_refused(name: str) -> None:
    shown = name.replace("\x00", "?")
    with pytest.raises(DeclarationError) as caught:
        load_profile(name)
    assert str(caught.value) == (f"module.profile: there is no profile '{shown}'; known: {', '.join(profile_names())}")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('minimum_period_seconds = "1.0"', "minimum_period_seconds = 1.0", "must be a string, is a float"),
        ('["nobody", "person"]', '["person"]', "must be two or more different words"),
        ('["nobody", "person"]', '["person", "person"]', "must be two or more different words"),
        ('senses = "images"', 'senses = "thoughts"', "'thoughts' is not one of: images, sound"),
        ("window_periods = 1", "window_periods = 0", "0 is not from 1 to 4294967296"),
        ("[frame]", "[frame]\ncolour = true", "unknown key"),
    ],
)
def test_refused(old: str, new: str, message: str) -> None:
    assert PERSON.count(old) == 1
    with pytest.raises(DeclarationError, match=message):
        read_profile(PERSON.replace(old, new).encode(), "p.toml")
