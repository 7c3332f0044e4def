"""`make demo-run`: what it prints as it goes, and that nothing is left behind however it ends."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest
from rich.console import Console

from reference_module.demo import __main__ as demo
from reference_module.demo.errors import DemoError
from reference_module.demo.screen import Screen, half_blocks
from reference_module.demo.video import INSTALLED, generated
from reference_module.products import PERSON
from tests.emulation.tools import require

_ROOT = Path(__file__).parents[2]
_LINE = re.compile(
    r"frame +\d+  score +(none|[+-]\d+)  answer (present|absent) +pin (high|low) +picture +\d+ of window \d"
)


@pytest.fixture
def no_video(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(cache: Path) -> Path:
        raise DemoError("the video cannot be had: no network")

    monkeypatch.setattr(demo, "find", missing)


def _run(*arguments: str) -> tuple[int, str]:
    written = io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    try:
        code = demo.main(arguments, Console(file=written, width=200))
    finally:
        signal.signal(signal.SIGTERM, before)
    return code, written.getvalue()


@pytest.mark.emulation
def test_each_frame_is_a_line_and_the_end_a_summary() -> None:
    require("qemu-system-arm", "python:av", str(INSTALLED))
    code, text = _run("--frames", "4")
    lines = [line for line in text.splitlines() if line.startswith("frame")]
    assert code == 0
    assert len(lines) == 4
    assert all(_LINE.match(line) for line in lines)
    assert text.splitlines()[-1].startswith("4 frames")
    assert not _emulators()


@pytest.mark.emulation
def test_without_the_video_pictures_are_made_up_and_that_is_said(no_video: None) -> None:
    require("qemu-system-arm")
    code, text = _run("--frames", "2")
    assert code == 0
    assert "the video cannot be had: no network; showing generated pictures instead" in text
    assert text.splitlines()[-1].startswith("2 frames")


@pytest.mark.emulation
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_stopping_it_leaves_no_emulator(number: signal.Signals) -> None:
    require("qemu-system-arm")
    # A process started in the background of a script would ignore an interrupt, and so would its children.
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import runpy; "
    start += "runpy.run_module('reference_module.demo', run_name='__main__', alter_sys=True)"
    command = [sys.executable, "-c", start, "--frames", "1000"]
    environment = {**os.environ, "PYTHONPATH": f"verifier{os.pathsep}."}
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    while not process.stdout.readline().startswith("frame"):
        assert process.poll() is None
    assert _emulators(process.pid)
    process.send_signal(number)
    rest = process.stdout.read()
    assert process.wait(20) == 130
    assert rest.splitlines()[-1].startswith("stopped; ")
    assert not _emulators(process.pid)


def _emulators(parent: int | None = None) -> list[str]:
    """Command lines of the emulators that a process, by default this one, has started."""
    time.sleep(0.1)
    listed = subprocess.run(["ps", "-e", "-o", "ppid=,comm="], capture_output=True, text=True, check=True).stdout
    rows = [row.split(None, 1) for row in listed.splitlines()]
    return [row[1] for row in rows if row[0] == str(parent or os.getpid()) and row[1].startswith("qemu")]


@pytest.mark.parametrize("frames", ["0", "-1", "many", "1.5", ""])
def test_a_number_of_frames_that_is_none_is_a_usage_error(frames: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        _run(f"--frames={frames}")
    assert caught.value.code == 2
    assert "is not a number of frames" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--image", "nothing.elf"], "nothing.elf: No such file"),
        (["--image", "README.md"], "not a readable ELF image"),
        (["--video", "README.md"], "not a readable video"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(
    arguments: list[str], said: str, no_video: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    require("python:av")
    monkeypatch.chdir(_ROOT)
    code, _ = _run(*arguments)
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("error: ") and said in error
    assert error.count("\n") == 1


def test_a_missing_emulator_is_named(
    no_video: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _run("--image", str(PERSON.image))[0] == 2
    assert "qemu-system-arm cannot be started" in capsys.readouterr().err


@pytest.mark.parametrize(("width", "columns"), [(120, 48), (90, 32), (80, 24)])
def test_a_terminal_shows_the_picture_beside_the_lines(width: int, columns: int) -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=width, height=50, color_system="truecolor", _environ={})
    with Screen(console) as screen:
        screen.show("frame    1", next(generated()).pixels)
    assert written.getvalue().count("▀") in (columns * columns // 2, columns * columns)
    assert "frame    1" in written.getvalue()


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {}], ids=["without colours", "too narrow"])
def test_elsewhere_there_are_only_lines(environment: dict[str, str]) -> None:
    written = io.StringIO()
    width = 200 if environment else 60
    console = Console(file=written, force_terminal=True, width=width, color_system="truecolor", _environ=environment)
    with Screen(console) as screen:
        screen.show("frame    1", next(generated()).pixels)
    assert written.getvalue() == "frame    1\n"


def test_a_picture_in_half_blocks_has_half_as_many_lines_as_columns() -> None:
    lines = half_blocks(next(islice(generated(), 15, None)).pixels, 48).plain.splitlines()
    assert [len(line) for line in lines] == [48] * 24
