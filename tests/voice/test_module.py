"""The voice module: its image is reproduced, conforms, and in the emulator raises the pin of the word spoken."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from pinproof.image import read_image
from pinproof.outcome import Grade, Pass
from pinproof.report import Report

from reference_module.build import Recipe, build, comparable
from reference_module.declare import refreshed
from reference_module.emulate.periods import Period, play
from reference_module.products import VOICE as MODULE
from reference_module.products import verified
from tests.emulation.tools import require
from tests.voice.host import ROOT, VOICE
from tests.voice.sounds import Sound, artificial, recordings

_HIGH = 0xFFFFFFFF
_SMALL_GATE = 2048


@pytest.fixture(scope="module")
def report() -> Report:
    return verified(MODULE)


def test_it_conforms(report: Report) -> None:
    assert report.verdict.value == "conforms"
    outcomes = {decision.id: decision.outcome for decision in report.decisions}
    assert all(isinstance(outcome, Pass) for outcome in outcomes.values())
    clocked = outcomes["out-clocked"]
    assert isinstance(clocked, Pass) and clocked.grade is Grade.HARDWARE


def test_the_declaration_is_fresh_and_names_the_layout() -> None:
    text = MODULE.declaration.read_text(encoding="utf-8")
    image = read_image(MODULE.image.read_bytes(), MODULE.image.name)
    assert refreshed(text, image, VOICE) == text
    declared = tomllib.loads(text)
    with MODULE.image.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        symbols = {symbol.name: symbol["st_value"] & ~1 for symbol in table.iter_symbols()}
    assert declared["memory"]["mailbox"] == symbols["mailbox"]
    assert declared["memory"]["frame"] == {"start": symbols["frame"], "size": 32_000}
    assert declared["memory"]["confined"]["start"] == symbols["layout_confined_start"]
    assert sum(declared["memory"]["confined"].values()) == symbols["layout_confined_end"]
    assert declared["entry"] == {"detector": symbols["confined_entry"], "idle": symbols["confined_idle"]}


def test_both_modules_are_sealed_alike() -> None:
    ours, theirs = VOICE / "provisioning.toml", ROOT / "reference_module/provisioning.toml"
    assert ours.read_bytes() == theirs.read_bytes()


def test_the_gate_holds_no_camera_and_is_small() -> None:
    with MODULE.image.open("rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        names = {symbol.name for symbol in table.iter_symbols()}
        assert elf.get_section_by_name(".gate")["sh_size"] <= _SMALL_GATE
    assert "microphone_capture" in names
    assert not {name for name in names if name.startswith(("camera_", "sensor_"))}


@pytest.mark.toolchain
def test_the_checked_in_image_is_reproduced(tmp_path: Path) -> None:
    require("arm-none-eabi-gcc")
    if not comparable():
        pytest.skip("not comparable: another toolchain than the recorded one")
    require("python:numpy", "python:tflite", "python:flatbuffers")
    built = build(tmp_path / "elsewhere" / "voice.elf", Recipe(confined="voice"))
    assert built.read_bytes() == MODULE.image.read_bytes()


def periods(sounds: Sequence[Sound | None]) -> list[Period]:
    """The run with these windows, one a period; None: the microphone is silent, as QEMU's is."""
    require("qemu-system-arm")
    frames = [None if sound is None else np.ascontiguousarray(sound, "<i2").tobytes() for sound in sounds]
    return list(play(MODULE.image, frames, capture=MODULE.capture, channels=(1, 2), shift=3))


@pytest.mark.emulation
def test_each_word_raises_its_pin_for_one_period_and_nothing_else_does() -> None:
    said, made = recordings(), artificial()
    sounds = [said["yes"], made["silence"], said["no"], made["white noise, 1000"], None, said["yes"], said["no"], None]
    expected = [1, 0, 2, 0, 0, 1, 2, 0]
    run = periods(sounds)
    assert [period.mailbox for period in run[1 : 1 + len(expected)]] == expected
    compares = [(_HIGH * (word == 1), _HIGH * (word == 2)) for word in expected]
    assert [period.compares for period in run[1 : 1 + len(expected)]] == compares
    # The pins show an answer from the update event after the one in whose tick it was handed over.
    levels = [(word == 1, word == 2) for word in expected]
    assert [period.levels for period in run[2 : 2 + len(expected)]] == levels


@pytest.mark.emulation
def test_a_microphone_that_is_stuck_gives_idle_and_no_hang() -> None:
    """QEMU's receiver never has a word: every window is refused, and the ticks go on."""
    run = periods([None] * 6)
    assert len(run) == 8
    assert {period.mailbox for period in run} == {0}
    assert {level for period in run for level in period.levels} == {False}


@pytest.mark.emulation
def test_other_messages_are_idle() -> None:
    require("qemu-system-arm")
    answers = (1, 2, 3, 0, 0xFFFFFFFF, 0x100, 0x10001, 1)
    frames: list[bytes | None] = [None] * len(answers)
    run = list(play(MODULE.image, frames, capture=MODULE.capture, channels=(1, 2), answers=answers, shift=3))
    expected = [(_HIGH * (answer == 1), _HIGH * (answer == 2)) for answer in answers]
    assert [period.compares for period in run[: len(answers)]] == expected
