"""The lab's modulator does its worst, and none of it moves the pin's edges or the ticks."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from pinproof._cli import main
from pinproof.image import read_image

from reference_module.build import Recipe, build
from reference_module.declare import HERE as REFERENCE
from reference_module.declare import refreshed
from tests.emulation.answers import unsmoothed
from tests.emulation.observation import DARK, Observation, run_variant
from tests.emulation.oracle import judge

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_CCR1 = 0x40000034
_RECIPE = Recipe(confined="modulator", gate_files=unsmoothed())
"""Each answer shows at once, so that what each fault makes of its period can be seen."""
_PLAYED = [(0, 0), (1, 0), (2, 0), (2, 9), (3, 2), (4, 3), (4, 12), (5, 4), (7, 1), *((6, kind) for kind in range(16))]


def _card(pattern: int, rate: int) -> bytes:
    """What the camera sees of a card of eight cells."""
    bits = [number >> 3 - column & 1 for number in (pattern, rate) for column in range(4)]
    return bytes(200 if bits[4 * (row // 48) + column // 24] else 20 for row in range(96) for column in range(96))


@pytest.fixture(scope="module")
def observation(emulation_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Observation:
    image: Path = build(tmp_path_factory.mktemp("modulator") / "modulator.elf", _RECIPE)
    return run_variant(image, [_card(*each) for each in _PLAYED])


def test_one_store_of_the_compare_register_a_tick(observation: Observation) -> None:
    assert [store.tick for store in observation.written(_CCR1)] == list(range(1, observation.ticks + 1))


def test_ticks_come_as_evenly_as_with_the_stub(observation: Observation, stub: Path) -> None:
    plain = run_variant(stub, [DARK] * len(_PLAYED))
    assert observation.tick_times == plain.tick_times
    assert len({after - before for before, after in pairwise(observation.tick_times)}) <= 2


def test_the_pin_moves_at_update_events_alone(observation: Observation) -> None:
    judgement = judge(observation)
    assert judgement.findings == ()
    assert judgement.moved_outside_updates == ()


def test_every_fault_makes_its_period_idle(observation: Observation) -> None:
    for number, (pattern, _) in enumerate(_PLAYED, 1):
        if pattern != 7:
            assert observation.bits[number] == int(pattern != 6)


def test_the_image_conforms_as_with_any_confined_part(observation: Observation, tmp_path: Path) -> None:
    image = build(tmp_path / "modulator.elf", _RECIPE)
    text = (REFERENCE / "module.toml").read_text(encoding="utf-8")
    (tmp_path / "module.toml").write_text(refreshed(text, read_image(image.read_bytes(), image.name), REFERENCE))
    for name in ("provisioning.toml", "datasheet.md"):
        shutil.copy(REFERENCE / name, tmp_path)
    assert main(["verify", str(image), "--module", str(tmp_path / "module.toml"), "-o", str(tmp_path / "report")]) == 0
