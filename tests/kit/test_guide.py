"""The guide does what it says: its commands run one after the other, from the wheel, in an empty folder elsewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulation.tools import require
from tests.kit.conftest import ROOT, Vendor

GUIDE = ROOT / "reference_module/README.md"
TFLITE = ROOT / "reference_module/model/person_detector_grey.tflite"
_FENCE = re.compile(r"(?P<mark><!-- [^\n]* -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_IN_REPOSITORY = "<!-- run from the repository's root -->\n"
_CUT = "=== next commands ==="


def steps() -> Iterator[tuple[str, list[str]]]:
    """Each block of commands for the vendor, and the lines that the guide shows of what they print."""
    commands: str | None = None
    for fence in _FENCE.finditer(GUIDE.read_text("utf-8")):
        if fence["language"] == "sh":
            if commands is not None:
                yield commands, []
            commands = None if fence["mark"] == _IN_REPOSITORY else fence["text"]
        elif fence["language"] == "text" and commands is not None:
            yield commands, fence["text"].splitlines()
            commands = None
    if commands is not None:
        yield commands, []


def test_every_block_is_run_or_marked() -> None:
    languages = [fence["language"] for fence in _FENCE.finditer(GUIDE.read_text("utf-8"))]
    assert set(languages) <= {"sh", "text"}
    words = [line.split()[0] for commands, _ in steps() for line in commands.splitlines()]
    assert {"pinproof", "make", "cd"} <= set(words) and len(words) >= 12


def test_its_numbers_are_those_of_the_layout() -> None:
    guide, script = GUIDE.read_text("utf-8"), (GUIDE.parent / "ld/stm32f401re.ld").read_text("utf-8")

    def stated(pattern: str) -> int:
        found = re.search(pattern, script, re.MULTILINE)
        assert found is not None, pattern
        return int(found[1], 0)

    arena, stack = stated(r"^layout_arena_size = (\d+);"), stated(r"^layout_confined_stack_size = (\d+)K;")
    memory = stated(r"CONFINED_RAM \(rw\) *: ORIGIN = \w+, LENGTH = (\d+)K")
    model = stated(r"MODEL_FLASH \(r\) *: ORIGIN = (\w+),")
    assert f"| `.arena` | {arena:,} bytes;" in guide
    assert f"| stack | {stack} KB at the top of the {memory} KB |" in guide
    assert f"| `.model` | constants in flash from 0x{model:08X}," in guide


@pytest.mark.toolchain
@pytest.mark.emulation
def test_the_guide(vendor: Vendor, tmp_path: Path) -> None:
    require("arm-none-eabi-gcc", "qemu-system-arm", "python:numpy", "python:tflite", "python:flatbuffers")
    shutil.copy(TFLITE, tmp_path / "yours.tflite")
    script = f"\necho '{_CUT}'\n".join(commands for commands, _ in steps())
    (tmp_path / "guide.sh").write_text(f"set -eu\n{script}")
    ended = vendor.run("sh", "guide.sh", folder=tmp_path)
    assert ended.returncode == 0, f"{ended.stdout[-3000:]}{ended.stderr}"
    assert "Traceback" not in ended.stderr
    said = ended.stdout.split(f"{_CUT}\n")
    assert len(said) == len(list(steps()))
    for (commands, shown), text in zip(steps(), said, strict=True):
        lines = iter(text.splitlines())
        for line in shown:
            assert any(found.startswith(line) for found in lines), f"after\n{commands}not printed in order: {line!r}"
