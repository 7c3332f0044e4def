"""The bounds that spec/declaration.md states are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pinproof import _cli, _files
from pinproof._tables import MAX_TOML_LINE, MAX_TOML_SIZE
from pinproof._text import LONGEST_MESSAGE
from pinproof.certificate import bundle, trust
from pinproof.image import MAX_FILE_SIZE, _headers, _lines, _symbols
from pinproof.machine.effort import UNITS
from pinproof.machine.explore import STEP_BUDGET
from pinproof.strict_json import MAX_DEPTH

from tests.fuzz import test_bounds

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "reference_module" / "module.toml"
BOUNDS = (ROOT / "spec" / "declaration.md").read_text(encoding="utf-8").partition("## Bounds of what is read")[2]
LISTS = 4096


def numbers(row: str) -> list[int]:
    (line,) = [line for line in BOUNDS.splitlines() if line.startswith(f"| {row} |")]
    return [int(number.replace(",", "")) for number in re.findall(r"[0-9][0-9,]*", line.split("|")[2])]


def test_the_table_is_that_of_the_code() -> None:
    assert numbers("image") == [MAX_FILE_SIZE] == [_files.LARGEST_IMAGE]
    assert numbers("ELF program headers") == [_headers.MAX_SEGMENTS]
    assert numbers("ELF section headers") == [_headers.MAX_SECTIONS]
    assert numbers("ELF symbols") == [_symbols.MAX_SYMBOLS, _symbols.MAX_NAME]
    assert numbers("ELF `.debug_line`") == [_lines.MAX_LINE_SECTION, _lines.MAX_ROWS]
    assert numbers("declaration, provisioning file") == [MAX_TOML_SIZE, MAX_TOML_LINE]
    assert numbers("certificate") == [bundle.LARGEST, MAX_DEPTH, LISTS]
    assert numbers("trust file") == [trust.LARGEST, MAX_DEPTH, LISTS]


def test_the_text_is_that_of_the_code() -> None:
    text = " ".join(BOUNDS.split())
    for number in (LONGEST_MESSAGE, STEP_BUDGET, UNITS):
        assert f"{number:,} " in text
    assert f"{test_bounds.MOST_SECONDS:.0f} seconds" in text and f"{test_bounds.MOST_MEGABYTES:.0f} MB" in text


@pytest.mark.parametrize("place", ["image", "declaration", "certificate", "trust file"])
def test_an_endless_device_is_refused(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    endless, good = "/dev/zero", str(MODULE)
    arguments = {
        "image": ["verify", endless, "--module", good],
        "declaration": ["verify", good, "--module", endless],
        "certificate": ["check", endless],
        "trust file": ["check", good, "--trust", endless],
    }[place]
    assert _cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "larger than" in said


def test_a_folder_and_a_file_of_a_terabyte_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    huge = tmp_path / "huge.elf"
    with huge.open("wb") as stream:
        stream.truncate(1 << 40)
    for image in (huge, tmp_path):
        assert _cli.main(["verify", str(image), "--module", str(MODULE)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
