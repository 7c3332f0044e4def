"""Sounds of one second at 16 kHz: artificial ones, the two recordings, and words that speech synthesisers say."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.int16]

RATE = 16_000
SAMPLES = Path(__file__).parent / "samples"
LOUD = 12_000
"""The largest sample of a synthesised word."""

ESPEAK = ("en-us", "en-gb", "en-us+f3", "en-gb+m3")
FLITE = ("kal16", "awb", "rms", "slt")


def artificial() -> Mapping[str, Sound]:
    """Silence, steps, tones, noise and squares, quiet ones and full-scale ones."""
    time = np.arange(RATE) / RATE
    random = np.random.default_rng(1)
    sounds: dict[str, NDArray[np.float64]] = {
        "silence": np.zeros(RATE),
        "one": np.ones(RATE),
        "constant": np.full(RATE, 12_345.0),
        "most negative": np.full(RATE, -32_768.0),
        "clicks": np.where(np.arange(RATE) % 2_000 == 0, 32_767.0, 0.0),
        "sweep": 20_000 * np.sin(2 * np.pi * (100 + 3_500 * time) * time),
    }
    for frequency in (50.0, 440.0, 1_000.0, 3_999.5, 7_900.0):
        for size in (3, 300, 30_000):
            sounds[f"tone of {frequency} Hz, {size}"] = size * np.sin(2 * np.pi * frequency * time)
    for size in (1, 10, 1_000, 32_767):
        sounds[f"white noise, {size}"] = random.uniform(-size, size, RATE)
    for low in (-32_767, -32_768):
        sounds[f"square, {low}"] = np.where(np.sin(2 * np.pi * 440 * time) >= 0, 32_767.0, float(low))
    return {name: values.astype(np.int16) for name, values in sounds.items()}


def recordings() -> Mapping[str, Sound]:
    return {name: _read((SAMPLES / f"{name}.wav").read_bytes()) for name in ("yes", "no")}


def spoken(word: str) -> Mapping[str, Sound]:
    """The word in the middle of a second of faint noise, by each voice of espeak-ng and flite."""
    made = {}
    for voice in ESPEAK:
        made[f"espeak-ng {voice}"] = placed(synthesised(["espeak-ng", "-v", voice, "--stdout", word]))
    for voice in FLITE:
        made[f"flite {voice}"] = placed(synthesised(["flite", "-voice", voice, "-t", word, "-o", "/dev/stdout"]))
    return made


def placed(sound: Sound, size: int = LOUD) -> Sound:
    """Without the quiet before and after, at most a second of it, as loud as `size`."""
    heard = np.flatnonzero(np.abs(sound.astype(np.int32)) > 0.02 * np.abs(sound.astype(np.int32)).max())
    word = sound[heard[0] : heard[-1] + 1][:RATE].astype(np.float64)
    second = np.random.default_rng(0).normal(0, 8, RATE)
    start = (RATE - len(word)) // 2
    second[start : start + len(word)] += word * size / np.abs(word).max()
    return np.clip(second, -32_768, 32_767).astype(np.int16)


def synthesised(command: list[str]) -> Sound:
    """What the command writes to its standard output, a WAV file, at 16 kHz."""
    return _read(subprocess.run(command, capture_output=True, check=True).stdout)


def _read(data: bytes) -> Sound:
    """A WAV file, brought to 16 kHz by straight lines between samples. Its header's length may be a pipe's."""
    with wave.open(BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        rate, sound = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")
    if rate == RATE:
        return sound.astype(np.int16)
    places = np.arange(0, len(sound) - 1, rate / RATE)
    return np.interp(places, np.arange(len(sound)), sound).astype(np.int16)
