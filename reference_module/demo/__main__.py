"""Plays a video to the emulated module and prints number, score, answer and pin of each frame as it goes."""

from __future__ import annotations

import argparse
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from rich.console import Console

from reference_module.demo.errors import DemoError
from reference_module.demo.screen import Screen
from reference_module.demo.video import WINDOWS, Picture, find, generated, pictures
from reference_module.emulate.errors import EmulationError
from reference_module.emulate.periods import Period, play
from reference_module.products import PERSON

_CACHE = Path("build/packages")
_PRESENT = 1
_INTERRUPTED = 130

_HEAD = """\
Each line: the frame, the network's score for it, its answer in the mailbox, and the pin in the period in which the
answer is read. The pin follows the answers of earlier periods: the gate smooths them, and the timer takes a level over
at its next update event alone. The score is read in the emulator, from the module's own register as it is returned.
"""


@dataclass(slots=True)
class Tally:
    frames: int = 0
    present: int = 0
    high: int = 0
    changes: int = 0
    _last: bool | None = None

    def count(self, period: Period) -> None:
        self.frames += 1
        self.present += period.mailbox == _PRESENT
        self.high += period.level is True
        self.changes += self._last is not None and self._last != period.level
        self._last = period.level

    def __str__(self) -> str:
        return (
            f"{self.frames} frames, a second of the module's time each: {self.present} answered present; "
            f"the pin was high in {self.high} periods and changed {self.changes} times"
        )


def line(picture: Picture, period: Period) -> str:
    """What is printed of a frame, once its answer is read."""
    score = ", ".join(f"{score:+}" for score in period.scores) or "none"
    answer = "present" if period.mailbox == _PRESENT else "absent"
    pin = {True: "high", False: "low", None: "unknown"}[period.level]
    return (
        f"frame {period.number - 1:4}  score {score:>5}  answer {answer:7}  pin {pin:7}  "
        f"picture {picture.number:3} of window {picture.window}"
    )


def run(image: Path, shown: Iterator[Picture], frames: int, screen: Screen, tally: Tally) -> None:
    """Raises EmulationError and DemoError; ends the emulator in any case."""
    given: deque[Picture] = deque()

    def next_frames() -> Iterator[bytes]:
        for picture in islice(shown, frames):
            given.append(picture)
            yield picture.pixels

    with closing(play(image, next_frames())) as periods:
        for period in islice(periods, 1, frames + 1):
            tally.count(period)
            picture = given.popleft()
            screen.show(line(picture, period), picture.pixels)


def _source(video: Path | None, window: int, console: Console) -> Iterator[Picture]:
    """The video, or where none is to be had pictures made up; a video that was asked for is not replaced."""
    try:
        made = pictures(find(_CACHE) if video is None else video, window)
        first = next(made)
    except DemoError as error:
        if video is not None:
            raise
        console.print(f"{error}; showing generated pictures instead, which are no test of the network", soft_wrap=True)
        return generated()
    return chain([first], made)


def main(arguments: Sequence[str], console: Console | None = None) -> int:
    """Exit codes: 0 done, 2 something that is missing or unreadable (one line says what), 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python -m reference_module.demo", description=__doc__)
    parser.add_argument("--frames", type=_positive, default=40, help="how many, a second each (default %(default)s)")
    parser.add_argument("--window", type=int, choices=range(1, len(WINDOWS) + 1), default=2, help="of the picture")
    parser.add_argument("--video", type=Path, help="another video of at least 768 x 576")
    parser.add_argument("--image", type=Path, default=PERSON.image, help="another image, with symbols")
    options = parser.parse_args(arguments)
    console = console or Console(highlight=False)
    signal.signal(signal.SIGTERM, _interrupt)
    tally = Tally()
    try:
        shown = _source(options.video, options.window, console)
        console.print(_HEAD, soft_wrap=True)
        with Screen(console) as screen:
            run(options.image, shown, options.frames, screen, tally)
    except KeyboardInterrupt:
        console.print(f"stopped; {tally}", soft_wrap=True)
        return _INTERRUPTED
    except (DemoError, EmulationError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    console.print(str(tally), soft_wrap=True)
    return 0


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of frames, 1 or more")
    return int(text)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
