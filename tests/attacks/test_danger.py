"""Attacks are dangerous: QEMU shows each of them doing what the reference, with the same confined part, does not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from reference_module.build import build
from reference_module.emulate import emulator
from tests.attacks.building import recipe_for
from tests.attacks.catalogue import ATTACKS
from tests.attacks.danger import confined_text
from tests.attacks.variant import Edit, Shown, Storms, Variant
from tests.emulation.answers import unsmoothed
from tests.emulation.observation import FRAME_SIZE, Observation, run_variant

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_SHOWN = [variant for variant in ATTACKS if isinstance(variant.danger, Shown)]
_STORMS = [variant for variant in ATTACKS if isinstance(variant.danger, Storms)]
_QUIET = 200
"""Virtual milliseconds without a tick after which a run ends; a period has 84."""


@pytest.fixture(scope="session")
def references() -> dict[str, Observation]:
    """Runs of the reference, by confined part and frames: several attacks share one."""
    return {}


@pytest.mark.parametrize("variant", _SHOWN, ids=lambda variant: variant.name)
def test_shown(variant: Variant, references: dict[str, Observation], emulation_tools: None, tmp_path: Path) -> None:
    danger = variant.danger
    assert isinstance(danger, Shown)
    assert danger.seen(_run(tmp_path / "variant.elf", variant.edits, danger)), f"the variant never {danger.what}"
    key = hashlib.sha256(repr((danger.confined, danger.frames)).encode()).hexdigest()
    if key not in references:
        references[key] = _run(tmp_path / "reference.elf", (), danger)
    assert not danger.seen(references[key]), f"the reference {danger.what} too: nothing is shown"


@pytest.mark.parametrize("variant", _STORMS, ids=lambda variant: variant.name)
def test_storms(variant: Variant, emulation_tools: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log ends at a few megabytes, of which the reference writes some kilobytes."""
    danger = variant.danger
    assert isinstance(danger, Storms)
    monkeypatch.setattr(emulator, "_LOG_LIMIT", 4 << 20)
    with pytest.raises(emulator.EmulationError, match="bytes of log"):
        _run(tmp_path / "variant.elf", variant.edits, danger)
    assert _run(tmp_path / "reference.elf", (), danger).end is emulator.Stop.TICKS


def _run(image: Path, edits: tuple[Edit, ...], danger: Shown | Storms) -> Observation:
    confined = None if danger.confined is None else confined_text(danger.confined)
    recipe = recipe_for(edits, small=False, confined=confined)
    build(image, replace(recipe, gate_files=unsmoothed(recipe.gate_files)))
    frames = [None if grey is None else bytes([grey]) * FRAME_SIZE for grey in danger.frames]
    return run_variant(image, frames, quiet=_QUIET)
