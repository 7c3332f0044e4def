"""Silicon files: each fact has a source, addresses do not collide, and what a block can do is said in known words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

SPEC = Path(__file__).resolve().parents[2] / "spec"
FILES = sorted((SPEC / "silicon").glob("*.toml"))
CAPABILITIES = {
    "radio",
    "serial",
    "usb",
    "network",
    "gpio",
    "dma",
    "flash-control",
    "timer",
    "analog",
    "storage",
    "debug",
    "clock",
    "power",
    "core",
}
Table = dict[str, object]


def _load(path: Path) -> Table:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _tables(document: Table, key: str) -> list[Table]:
    return cast("list[Table]", document[key])


def _number(table: Table, key: str) -> int:
    value = table[key]
    assert isinstance(value, int), (key, value)
    return value


def _registers(document: Table) -> Iterator[tuple[Table, Table]]:
    for peripheral in _tables(document, "peripheral"):
        for register in cast("list[Table]", peripheral.get("register", [])):
            yield peripheral, register


def test_there_is_a_silicon_file() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestSiliconFile:
    def test_is_named_for_its_part(self, path: Path) -> None:
        document = _load(path)
        assert document["part"] == path.stem
        assert document["status"] in {"audit", "certifiable", "emulator-only"}

    def test_every_fact_has_a_cite(self, path: Path) -> None:
        document = _load(path)
        manuals = {str(manual["id"]) for manual in _tables(document, "manual")}
        listed = ("memory", "alias", "buffer", "master", "peripheral", "timer", "lock", "pin", "signal", "erratum")
        facts = [table for key in listed for table in _tables(document, key)]
        facts += [register for _, register in _registers(document)]
        facts += [cast("Table", document[key]) for key in ("mpu", "exceptions", "cycles")]
        cites = [str(fact["cite"]) for fact in facts]
        cites += [str(value) for key, value in cast("Table", document["clocks"]).items() if key.endswith("_cite")]
        cites += [str(document["revisions_cite"]), str(document["radio_cite"])]
        assert len(cites) > 100
        for cite in cites:
            named = re.match(r"(\w+)", cite)
            assert named is not None
            known = named.group(1) in manuals or cite.startswith(("unconfirmed: ", "Arm Cortex-M4 software developers"))
            assert known, cite

    def test_every_clock_number_has_a_cite(self, path: Path) -> None:
        clocks = cast("Table", _load(path)["clocks"])
        prefixes = tuple(key.removesuffix("_cite") for key in clocks if key.endswith("_cite"))
        assert prefixes
        assert all(key.startswith(prefixes) for key in clocks)

    def test_blocks_and_memories_do_not_overlap(self, path: Path) -> None:
        document = _load(path)
        ranges = [(_number(p, "base"), _number(p, "size"), str(p["name"])) for p in _tables(document, "peripheral")]
        ranges += [(_number(m, "start"), _number(m, "size"), str(m["name"])) for m in _tables(document, "memory")]
        ranges += [(_number(a, "base"), _number(a, "size"), str(a["name"])) for a in _tables(document, "alias")]
        ranges.sort()
        for (start, size, name), (following, _, other) in pairwise(ranges):
            assert start + size <= following, f"{name} overlaps {other}"

    def test_registers_are_words_inside_their_block(self, path: Path) -> None:
        seen: set[int] = set()
        for peripheral, register in _registers(_load(path)):
            offset = _number(register, "offset")
            address = _number(peripheral, "base") + offset
            assert offset % 4 == 0 and offset + 4 <= _number(peripheral, "size"), register
            assert address not in seen, register
            seen.add(address)
            assert register["access"] in {"rw", "ro", "wo", "w1c", "rc_w0"}, register
            assert register["widths"] in ([4], [1, 2, 4]), register
            assert register["reset"] == "unknown" or 0 <= _number(register, "reset") < 1 << 32

    def test_what_a_block_can_do_is_said_in_known_words(self, path: Path) -> None:
        for peripheral in _tables(_load(path), "peripheral"):
            words = cast("list[str]", peripheral["capabilities"])
            assert words and set(words) <= CAPABILITIES, peripheral["name"]

    def test_a_radio_is_said_once(self, path: Path) -> None:
        document = _load(path)
        blocks = [p for p in _tables(document, "peripheral") if "radio" in cast("list[str]", p["capabilities"])]
        assert bool(blocks) == document["radio"]

    def test_names_refer_to_what_exists(self, path: Path) -> None:
        document = _load(path)
        blocks = {str(peripheral["name"]) for peripheral in _tables(document, "peripheral")}
        memories = {str(memory["name"]) for memory in _tables(document, "memory")}
        assert {str(buffer["peripheral"]) for buffer in _tables(document, "buffer")} <= blocks
        assert {str(master["name"]) for master in _tables(document, "master")} <= blocks
        assert {str(timer["name"]) for timer in _tables(document, "timer")} <= blocks
        assert {str(m["alias_of"]) for m in _tables(document, "memory") if "alias_of" in m} <= memories

    def test_flash_sectors_add_up(self, path: Path) -> None:
        for memory in _tables(_load(path), "memory"):
            if memory["kind"] == "flash":
                assert sum(cast("list[int]", memory["sectors"])) == memory["size"]

    def test_a_clock_enable_is_a_bit_of_the_clock_block(self, path: Path) -> None:
        document = _load(path)
        known = {_number(p, "base") + _number(r, "offset") for p, r in _registers(document)}
        for peripheral in _tables(document, "peripheral"):
            for key in ("clock", "sleep_clock", "reset_line"):
                line = cast("Table | None", peripheral.get(key))
                if line is not None:
                    assert line["register"] in known and 0 <= _number(line, "bit") < 32


def test_a_frame_of_the_person_detector_does_not_fit_the_reference_part() -> None:
    """96 KB and everything else that can be written is less than one picture of 320 by 320 pixels."""
    document = _load(SPEC / "silicon" / "stm32f401xe.toml")
    writable = sum(_number(m, "size") for m in _tables(document, "memory") if m["kind"] in {"ram", "otp"})
    writable += sum(_number(buffer, "size") for buffer in _tables(document, "buffer"))
    assert writable == 100_576
    assert writable < 102_400
    assert "100,576 of 102,400 bytes" in (SPEC / "mem.md").read_text(encoding="utf-8")
