"""How often the voice module is right on synthesised speech: the figures of its datasheet. Not a test.

    python -m tests.voice.accuracy

The confined part's own sources run on the host. Needs gcc, espeak-ng and flite.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.voice.host import NO, NOTHING, YES, compile_listener, hear
from tests.voice.sounds import RATE, Sound, placed, recordings, synthesised

_WORDS = {"yes": YES, "no": NO}
_OTHERS = (
    "go", "left", "right", "up", "down", "on", "off", "stop", "cat", "house", "seven", "hello", "computer", "water",
    "music", "light", "yesterday", "know", "nose", "guess", "open", "one", "three", "please", "okay", "dog",
    "happy", "table",
)  # fmt: skip
_SOUND_ALIKE = {"know": NO}
"""The same sound as a word that is meant to be heard."""
_VARIANTS = ("", "+m1", "+m3", "+m5", "+m7", "+f1", "+f3", "+f4")
_ESPEAK = tuple(f"{accent}{variant}" for accent in ("en-us", "en-gb", "en-gb-scotland") for variant in _VARIANTS)
_FLITE = ("kal16", "awb", "rms", "slt")
_SIZES = (12_000, 4_000, 1_000, 300)
_CYCLE = 2 * RATE
"""Of which the first half is listened to."""


def utterances(word: str) -> list[Sound]:
    made = [synthesised(["espeak-ng", "-v", voice, "--stdout", word]) for voice in _ESPEAK]
    return made + [synthesised(["flite", "-voice", voice, "-t", word, "-o", "/dev/stdout"]) for voice in _FLITE]


def answers(program: Path, sounds: Sequence[Sound]) -> list[int]:
    return [heard.word for heard in hear(program, {str(number): sound for number, sound in enumerate(sounds)}).values()]


def at_any_time(sound: Sound, random: np.random.Generator) -> Sound:
    """What the window holds of a word that begins at any moment of the module's cycle."""
    second = placed(sound).astype(np.float64)
    heard = np.flatnonzero(np.abs(second) > 100)
    word = second[heard[0] : heard[-1] + 1]
    time = random.normal(0, 8, 2 * _CYCLE)
    start = int(random.integers(0, _CYCLE))
    time[start : start + len(word)] += word
    time[:_CYCLE] += time[_CYCLE:]
    return np.clip(time[:RATE], -32_768, 32_767).astype(np.int16)


def _table(program: Path, spoken: Mapping[str, Sequence[Sound]]) -> None:
    print("largest sample  yes heard  no heard  yes taken for no, or no for yes  other words taken for yes, for no")
    for size in _SIZES:
        said = {word: answers(program, [placed(sound, size) for sound in sounds]) for word, sounds in spoken.items()}
        others = [answer for word in _OTHERS if word not in _SOUND_ALIKE for answer in said[word]]
        swapped = said["yes"].count(NO) + said["no"].count(YES)
        found = [f"{said[word].count(number)}/{len(said[word])}" for word, number in _WORDS.items()]
        print(f"{size:14}  {'  '.join(found)}  {swapped}  {others.count(YES)}, {others.count(NO)} of {len(others)}")
        if size == _SIZES[0]:
            wrong = {word: (said[word].count(YES), said[word].count(NO)) for word in _OTHERS}
            print("  " + "; ".join(f"{word}: yes {y}, no {n}" for word, (y, n) in wrong.items() if y or n))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = compile_listener(Path(folder))
        people = {name: heard.word for name, heard in hear(program, recordings()).items()}
        print(f"recordings of people: {people}")
        spoken = {word: utterances(word) for word in (*_WORDS, *_OTHERS)}
        print(f"{len(spoken['yes'])} voices a word, {len(_OTHERS)} other words")
        _table(program, spoken)
        random = np.random.default_rng(0)
        for word, number in _WORDS.items():
            windows = [at_any_time(sound, random) for sound in spoken[word] for _ in range(20)]
            said = answers(program, windows)
            rates = [said.count(answer) / len(said) for answer in (number, NOTHING)]
            print(f"{word} at any moment: heard {rates[0]:.2f}, nothing said {rates[1]:.2f}, of {len(said)}")
        noise = [random.normal(0, size, RATE).astype(np.int16) for size in (10, 100, 1_000, 5_000) for _ in range(250)]
        print(f"white noise: a word in {sum(answer != NOTHING for answer in answers(program, noise))} of {len(noise)}")


if __name__ == "__main__":
    main()
