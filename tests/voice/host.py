"""The confined part on the host: the image's own sources under the sanitizers, window in, mailbox out."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reference_module.build import VOICE as PRODUCT
from reference_module.model.generate import generate
from reference_module.model.reader import read_tflite

ROOT = Path(__file__).parents[2]
VOICE = ROOT / "reference_module/voice"
NETWORK = ROOT / "reference_module/network"
DRIVERS = ROOT / "reference_module/test"
MODEL = VOICE / "tflite_micro_speech.tflite"

FRONTEND = (VOICE / "frontend.c", VOICE / "transform.c", VOICE / "frontend_tables.c")
HOST = ["gcc", "-std=c11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]

FEATURES, OUTPUTS = 49 * 40, 4
NOTHING, YES, NO = 0, 1, 2

Sound = NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    features: NDArray[np.uint8]
    outputs: NDArray[np.uint8]
    """As they are stored: the network's integers plus 128."""
    word: int
    """NOTHING, YES or NO."""


def decision() -> str:
    """What the build tells the generator of the network's decision."""
    return next(option for option in PRODUCT.network if option.startswith("--decision=")).removeprefix("--decision=")


def generated(folder: Path) -> Path:
    """The network's constants in C, as the build makes them; returns the source."""
    made = generate(read_tflite(MODEL.read_bytes(), MODEL.name, decision()), MODEL.name)
    (folder / "model_data.h").write_text(made.header, "utf-8")
    source = folder / "model_data.c"
    source.write_text(made.source, "utf-8")
    return source


def compile_host(output: Path, sources: Sequence[Path], include: Sequence[Path]) -> Path:
    folders = [f"-I{folder}" for folder in include]
    subprocess.run([*HOST, *WARNINGS, *folders, *map(str, sources), "-o", str(output)], check=True)
    return output


def compile_listener(folder: Path) -> Path:
    """The driver run_voice.c."""
    sources = [*FRONTEND, VOICE / "listen.c", *sorted(NETWORK.glob("*.c")), generated(folder), DRIVERS / "run_voice.c"]
    return compile_host(folder / "run_voice", sources, [VOICE, NETWORK, folder])


def hear(program: Path, sounds: Mapping[str, Sound]) -> dict[str, Heard]:
    data = b"".join(np.ascontiguousarray(sound, "<i2").tobytes() for sound in sounds.values())
    output = subprocess.run([program], input=data, stdout=subprocess.PIPE, check=True).stdout
    table = np.frombuffer(output, np.uint8).reshape(len(sounds), FEATURES + OUTPUTS + 1)
    return {
        name: Heard(features=row[:FEATURES], outputs=row[FEATURES:-1], word=int(row[-1]))
        for name, row in zip(sounds, table, strict=True)
    }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
