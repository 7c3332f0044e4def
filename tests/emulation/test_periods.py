"""Playing frames without log and plugin: what each period says, and one line for each thing that can be wrong."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from reference_module.emulate.errors import EmulationError
from reference_module.emulate.periods import play
from tests.emulation.observation import BRIGHT, DARK

_ROOT = Path(__file__).parents[2]
_IMAGE = _ROOT / "reference_module/person_detector.elf"


@pytest.mark.emulation
@pytest.mark.toolchain
def test_a_period_tells_the_answer_to_the_frame_before(stub: Path) -> None:
    periods = list(play(stub, [BRIGHT, DARK, None, BRIGHT]))
    assert [period.number for period in periods] == [1, 2, 3, 4, 5, 6]
    assert [period.mailbox for period in periods] == [0, 1, 0, 0, 1, 0]
    assert all(period.scores == () for period in periods), "the stub has no score"


@pytest.mark.emulation
@pytest.mark.toolchain
def test_the_pin_follows_the_compare_value_one_period_later(stub: Path) -> None:
    periods = list(play(stub, [BRIGHT] * 3))
    levels = {0: False, 0xFFFFFFFF: True}
    assert [period.level for period in periods[1:]] == [levels[period.compare] for period in periods[:-1]]
    assert periods[0].level is False


@pytest.mark.emulation
def test_whoever_stops_looking_ends_the_emulator() -> None:
    before = _machines()
    run = play(_IMAGE, iter(lambda: DARK, None))
    next(run)
    assert _machines() - before
    run.close()
    assert _machines() <= before


def _machines() -> set[str]:
    """Of QEMU's processes, those that this test's process has started."""
    started = subprocess.run(["ps", "-o", "pid=,ppid=,comm=", "-e"], capture_output=True, text=True, check=True)
    own = str(os.getpid())
    rows = [line.split() for line in started.stdout.splitlines()]
    return {row[0] for row in rows if row[1] == own and row[2].startswith("qemu")}


def _refused(path: Path, **options: str) -> str:
    with pytest.raises(EmulationError) as caught:
        next(play(path, [], **options))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_image_that_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in _refused(tmp_path / "nothing.elf")


def test_a_file_that_is_no_image(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.elf"
    for data in (b"", b"\x7fELF", b"not an image" * 20, _IMAGE.read_bytes()[:100]):
        wrong.write_bytes(data)
        assert "not a readable ELF image" in _refused(wrong)


def test_an_image_without_symbols() -> None:
    vector = next((_ROOT / "spec/vectors/out-clocked").glob("*.pass.elf"))
    assert "has no symbols" in _refused(vector)


def test_an_image_without_the_function_that_captures() -> None:
    assert _refused(_IMAGE, capture="camera_takes_off").endswith("has no symbol camera_takes_off")


def test_an_image_that_loads_nothing_where_the_vectors_must_be(tmp_path: Path) -> None:
    data = bytearray(_IMAGE.read_bytes())
    table = struct.unpack_from("<I", data, 28)[0]
    assert struct.unpack_from("<I", data, table + 12)[0] == 0x08000000
    struct.pack_into("<I", data, table + 12, 0x08100000)
    moved = tmp_path / "moved.elf"
    moved.write_bytes(data)
    assert "where the vectors must be" in _refused(moved)


def test_no_emulator_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("qemu-system-arm") is None
    message = _refused(_IMAGE)
    assert message.startswith("qemu-system-arm cannot be started")
    assert "make toolchain" in message
