"""Which smoothing suits the network: what a few settings make of its answers on a video, as the gate would.

    python -m reference_module.model.smoothing VIDEO

Each window of `demo/video.py`, looked at once a second from each of ten starting points, is one run of the module.
Somebody is there where the picture differs from the median of the whole video, which no network is asked. Prints a
table: wrong changes of the pin, seconds late, and bits that the setting leaves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reference_module.demo.video import SIDE, WINDOWS
from reference_module.model.interpreter import Model

MODEL = Path(__file__).with_name("person_detector_grey.tflite")
PICTURES_A_SECOND = 10
_DIFFERENT = 28
"""Grey levels from the background above which a pixel belongs to someone."""
_SOMEBODY, _NOBODY = 0.05, 0.004
"""Shares of such pixels above which someone is there, and below which nobody is. Between them it is not said."""
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothing:
    """The gate's smoothing (gate/smoothing.c), described."""

    needed: int
    of: int
    dwell: int

    def levels(self, answers: Sequence[bool]) -> list[bool]:
        """What the pin says after each answer."""
        shown, changed, levels = False, -self.dwell, []
        for at, answer in enumerate(answers):
            enough = sum(answers[max(0, at + 1 - self.of) : at + 1]) >= self.needed
            wanted = enough and (answer or shown)
            if wanted != shown and at - changed >= self.dwell:
                shown, changed = wanted, at
            levels.append(shown)
        return levels


SETTINGS = tuple(
    Smoothing(needed=needed, of=of, dwell=dwell)
    for needed, of, dwell in (
        (1, 1, 1), (1, 1, 3), (1, 2, 1), (2, 2, 1), (2, 3, 1), (2, 3, 3), (2, 3, 5), (3, 5, 1), (3, 5, 3), (2, 3, 10),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One window, once a second."""

    answers: list[bool]
    truth: list[bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    hours: float
    changes: int
    truth_changes: int
    wrong: int
    """Seconds in which the pin says something else than is there."""
    said: int
    """Seconds in which it is known what is there."""
    late: list[int]
    """Seconds from when somebody is there to when the pin says so, of each time that somebody comes; -1 for never."""


def measure(runs: Sequence[Run], smoothing: Smoothing) -> Result:
    changes = truth_changes = wrong = said = seconds = 0
    late: list[int] = []
    for run in runs:
        levels = smoothing.levels(run.answers)
        seconds += len(levels)
        changes += sum(a != b for a, b in zip([False, *levels], levels, strict=False))
        known = [value for value in run.truth if value is not None]
        truth_changes += sum(a != b for a, b in zip([False, *known], known, strict=False))
        for level, there in zip(levels, run.truth, strict=True):
            said += there is not None
            wrong += there is not None and level != there
        late += _late(levels, run.truth)
    return Result(hours=seconds / 3600, changes=changes, truth_changes=truth_changes, wrong=wrong, said=said, late=late)


def _late(levels: list[bool], truth: list[bool | None]) -> Iterator[int]:
    """Of each stretch in which somebody is surely there, behind one in which nobody was."""
    before: bool | None = False
    for at, there in enumerate(truth):
        if there and before is False:
            end = next((place for place in range(at, len(truth)) if truth[place] is False), len(truth))
            yield next((place - at for place in range(at, end) if levels[place]), -1)
        before = there if there is not None else before


def read_runs(video: Path) -> list[Run]:
    pictures = _decode(video)
    model = Model(MODEL)
    runs = []
    for left, top, side in WINDOWS:
        cut = pictures[:, top : top + side, left : left + side]
        background = np.median(cut, axis=0)
        shares = [float((np.abs(pixels - background) > _DIFFERENT).mean()) for pixels in cut]
        truth = [True if share > _SOMEBODY else False if share < _NOBODY else None for share in shares]
        small = [Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX).convert("RGB") for pixels in cut]
        scored = model.score(small)
        answers = [bool(score >= scored.threshold) for score in scored.scores]
        for start in range(PICTURES_A_SECOND):
            runs.append(Run(answers=answers[start::PICTURES_A_SECOND], truth=truth[start::PICTURES_A_SECOND]))
    return runs


def _decode(video: Path) -> Pixels:
    import av

    with av.open(str(video)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def table(runs: Sequence[Run]) -> Iterator[str]:
    yield "| setting | changes an hour | wrong seconds | seen at all | seconds late, mean |"
    yield "|---|---|---|---|---|"
    for setting in SETTINGS:
        found = measure(runs, setting)
        seen = [each for each in found.late if each >= 0]
        yield (
            f"| {setting.needed} of {setting.of}, dwell {setting.dwell} s | {found.changes / found.hours:.0f} "
            f"| {100 * found.wrong / found.said:.1f} % | {len(seen)} of {len(found.late)} "
            f"| {sum(seen) / max(len(seen), 1):.1f} |"
        )
    people = measure(runs, SETTINGS[0])
    yield ""
    often = people.truth_changes / people.hours
    yield f"{people.hours:.2f} hours of windows; people come or go {often:.0f} times an hour."


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m reference_module.model.smoothing VIDEO", file=sys.stderr)
        return 2
    print("\n".join(table(read_runs(Path(arguments[0])))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
