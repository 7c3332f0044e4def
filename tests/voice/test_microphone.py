"""The gate's microphone on the host, under sanitizers: a window is whole, or it is refused; and it always ends."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.emulation.tools import require
from tests.voice.host import HOST, ROOT

pytestmark = pytest.mark.toolchain

HERE = Path(__file__).parent
_GATE = ROOT / "reference_module/gate"
_MOST_READS = 32 * (2 * 16_000 + 641)
"""Polls of the status: 32 for each word, of the window and of those before it."""

_STOPS, _LOSES, _SKIPS, _SLOW = 1, 2, 3, 4


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("gcc")
    work = tmp_path_factory.mktemp("microphone")
    for source in _GATE.iterdir():
        if source.suffix == ".h" and source.name != "access.h":
            shutil.copy(source, work)
    for source in (_GATE / "microphone.c", _GATE / "poll.c", HERE.parent / "gate" / "access.h"):
        shutil.copy(source, work)
    shutil.copy(HERE / "microphone.c", work / "host.c")
    command = [*HOST, "-Wall", "-Wextra", "-Werror", "host.c", "microphone.c", "poll.c", "-o", "host"]
    subprocess.run(command, cwd=work, check=True)
    return work / "host"


def _run(program: Path, *words: object) -> list[str]:
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _capture(program: Path, phase: int, kind: int = 0, after: int = 0) -> dict[str, int]:
    lines = _run(program, "capture", phase, kind, after)
    assert len(lines) == 1, "the microphone is read, never driven"
    words = lines[0].split()
    return {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}


@pytest.mark.parametrize("phase", [0, 1, 7, 23])
def test_a_whole_window_of_the_left_slot(program: Path, phase: int) -> None:
    result = _capture(program, phase)
    assert (result["captured"], result["wrong"]) == (1, 0)
    assert result["reads"] <= _MOST_READS


@pytest.mark.parametrize("after", [0, 1, 639, 640, 641, 20_000, 32_600])
@pytest.mark.parametrize("kind", [_STOPS, _SLOW])
def test_words_that_stop_or_come_too_slowly_give_no_window(program: Path, kind: int, after: int) -> None:
    result = _capture(program, 3, kind, after)
    assert result["captured"] == 0
    assert result["reads"] <= _MOST_READS


@pytest.mark.parametrize("after", [700, 701, 20_000, 32_000])
@pytest.mark.parametrize("kind", [_LOSES, _SKIPS])
def test_a_gap_gives_no_window(program: Path, kind: int, after: int) -> None:
    assert _capture(program, 3, kind, after)["captured"] == 0


@pytest.mark.parametrize("kind", [_LOSES, _SKIPS])
def test_a_gap_before_the_window_does_not_matter(program: Path, kind: int) -> None:
    result = _capture(program, 3, kind, 100)
    assert (result["captured"], result["wrong"]) == (1, 0)


def test_the_receiver_is_set_up_by_constants(program: Path) -> None:
    """Clock of SPI 2; 64 bit clocks a sample from 51.2 MHz; master that receives, Philips, 16 of 32 bits, then on."""
    stores = [tuple(int(word, 16) for word in line.split()) for line in _run(program, "configure")]
    assert stores == [(0x40023840, 1 << 14), (0x40003820, 25), (0x4000381C, 0xB01), (0x4000381C, 0xF01)]


def test_the_sample_rate_is_16_khz_exactly() -> None:
    """RM0368 6.3.20, 20.4.4: PLLI2SCFGR of product.h, I2SPR of the test above, 32 bits a slot."""
    text = (ROOT / "reference_module/voice/gate/product.h").read_text(encoding="utf-8")
    assert "kSecondPll = (5u << 28) | (256u << 6);" in text
    assert 8_000_000 // 8 * 256 / 5 / (64 * 2 * 25) == 16_000
