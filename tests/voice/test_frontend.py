"""The front-end's C computes what the published one computes, to the last bit of every feature."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from reference_module.model.fetch import WHEEL
from tests.emulation.tools import require
from tests.packages import fetched
from tests.voice.host import DRIVERS, FRONTEND, VOICE, compile_host
from tests.voice.oracle import CHANNELS, SLICES, Features, Original, features
from tests.voice.sounds import Sound, artificial, recordings, spoken

pytestmark = pytest.mark.toolchain


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("gcc", "python:numpy", "python:micro_features_cpp")
    output = tmp_path_factory.mktemp("frontend") / "run_frontend"
    return compile_host(output, [*FRONTEND, DRIVERS / "run_frontend.c"], [VOICE])


def run(program: Path, sounds: Mapping[str, Sound]) -> dict[str, Features]:
    data = b"".join(sound.astype("<i2").tobytes() for sound in sounds.values())
    output = subprocess.run([program], input=data, stdout=subprocess.PIPE, check=True).stdout
    made = np.frombuffer(output, np.uint8).reshape(len(sounds), SLICES, CHANNELS)
    return dict(zip(sounds, made, strict=True))


def differing(program: Path, sounds: Mapping[str, Sound]) -> dict[str, int]:
    """How many features differ, by name, where any do."""
    ours = run(program, sounds)
    counts = {name: int((ours[name] != features(sound)).sum()) for name, sound in sounds.items()}
    return {name: count for name, count in counts.items() if count}


def test_artificial_sounds(program: Path) -> None:
    sounds = artificial()
    assert differing(program, sounds) == {}
    # Not vacuous: the features say more than nothing and something.
    assert len(np.unique(np.stack(list(run(program, sounds).values())))) > 140


def test_recordings_of_people(program: Path) -> None:
    assert differing(program, recordings()) == {}


@pytest.mark.parametrize("word", ["yes", "no", "stop", "house"])
def test_synthesised_speech(program: Path, word: str) -> None:
    require("espeak-ng", "flite")
    assert differing(program, spoken(word)) == {}


def test_random_sounds_of_every_size(program: Path) -> None:
    random = np.random.default_rng(5)
    sizes = 2.0 ** random.uniform(0, 15, 40)
    shapes = random.uniform(-1, 1, (40, 16_000)) * np.repeat(random.uniform(0, 1, (40, 50)), 320, axis=1)
    sounds = {f"{number}": (shapes[number] * sizes[number]).astype(np.int16) for number in range(40)}
    assert differing(program, sounds) == {}


def test_the_package_that_the_network_came_with(program: Path, tmp_path: Path) -> None:
    """All sounds again, compared with the very code with which the network was trained."""
    require("espeak-ng", "flite", "python:numpy")
    if sys.version_info[:2] != (3, 11) or platform.machine() != "x86_64":
        pytest.skip("the package's code is for CPython 3.11 on x86-64")
    original = Original(fetched(WHEEL), tmp_path)
    sounds = {**artificial(), **recordings(), **spoken("yes"), **spoken("no")}
    ours = run(program, sounds)
    assert {name for name, sound in sounds.items() if not np.array_equal(ours[name], original.features(sound))} == set()


def test_the_tables_are_fresh() -> None:
    require("python:numpy")
    from reference_module.voice import tables

    assert tables.TARGET.read_text(encoding="utf-8") == tables.text()
