"""The sealing document says what the provisioning file says, value by value and step by step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pinproof.provisioning import Provisioning, Step, read_provisioning
from pinproof.silicon import load_silicon

FOLDER = Path(__file__).parents[2] / "reference_module"
DOCUMENT = (FOLDER / "sealing.md").read_text("utf-8")
_ROW = re.compile(r"^\| (\w+) \| (0x[0-9A-F]+|\d+) \| (\d+)(?: to (\d+))? \|", re.MULTILINE)

_OTHER_WORDS = {Step.MASS_ERASE: "Mass-erase", Step.PROGRAM: "Program", Step.READ_BACK: "Read back", Step.SEAL: "Seal"}


@pytest.fixture(scope="module", params=["provisioning.toml", "voice/provisioning.toml"])
def provisioning(request: pytest.FixtureRequest) -> Provisioning:
    return read_provisioning((FOLDER / request.param).read_bytes(), request.param)


def test_each_option_byte(provisioning: Provisioning) -> None:
    rows = {name: int(value, 0) for name, value, _, _ in _ROW.findall(DOCUMENT)}
    assert len(rows) == len(_ROW.findall(DOCUMENT))
    assert {name.lower(): value for name, value in rows.items()} == provisioning.option_bytes._fields()


def test_the_whole_word(provisioning: Provisioning) -> None:
    """The fields at their places, without overlap; and the same with the read-out protection of a new part."""
    word, used = 0, 0
    for name, _, low, high in _ROW.findall(DOCUMENT):
        value = provisioning.option_bytes.field(name)
        mask = (1 << int(high or low) - int(low) + 1) - 1
        assert value is not None and value <= mask and not used & mask << int(low)
        used |= mask << int(low)
        word |= value << int(low)
    assert f"Together: 0x{word:08X}, and before RDP is written 0x{word & ~0xFF00 | 0xAA00:08X}." in DOCUMENT


def test_the_places_are_those_of_the_silicon_file() -> None:
    option = load_silicon("stm32f401xe").register_at(0x40023C14)
    assert option is not None and option.name == "OPTCR"


def test_the_steps_come_in_order(provisioning: Provisioning) -> None:
    titles = re.findall(r"^\d\. \*\*(.+?)\.?\*\*", DOCUMENT, re.MULTILINE)
    words = {**_OTHER_WORDS, Step.SHOW_CLOSED: "Show that it is closed"}
    found = [
        next(at for at, title in enumerate(titles) if title.startswith(words[step])) for step in provisioning.steps
    ]
    assert found == sorted(found)
    sealed = [at for at, title in enumerate(titles) if title.startswith("Seal")]
    assert len(sealed) == 2 and "second half" in titles[sealed[-1]] and sealed[-1] == len(titles) - 2


def test_the_command_that_seals_is_not_spelled() -> None:
    """Nobody can paste it: no line has both a program's name and the irreversible value."""
    for line in DOCUMENT.splitlines():
        assert not re.search(r"(?i)(cli|ocd).*0xCC|0xCC.*(cli|ocd)", line)
    assert "RDP=0xCC" not in DOCUMENT
