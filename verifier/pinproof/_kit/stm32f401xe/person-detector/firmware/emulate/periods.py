"""Plays frames to an image, one a period, and says what became of each. Needs QEMU and nothing else.

QEMU has no camera: at the return of the gate's capture function the frame is put where the gate would have put it, and
the function made to say that it arrived. QEMU has no pin either: its level follows from the compare value by which the
timer makes it, in force from the update event after the one in whose tick it was stored.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware.emulate.errors import EmulationError
from firmware.emulate.gdb import Gdb, GdbError
from firmware.emulate.image import read_image
from firmware.emulate.qemu import Qemu

TICK_EXCEPTION = 44
"""Timer 2 is interrupt 28 (RM0368, vector table), so exception 16 + 28."""
_RELOAD, _COMPARE = 0x4000002C, 0x40000034
"""Of timer 2; the compare registers of channels 1 to 4 follow each other (RM0368 13.4)."""
SCORE_FUNCTIONS = ("network_margin", "detector_score")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One tick: what the confined part had answered by then, and what the gate made of it."""

    number: int
    """Of the tick, from 1. The answer is to frame `number` - 1; before the first frame there is none."""
    mailbox: int
    """The word that the confined part had left there."""
    scores: tuple[int, ...]
    """What the network's score function returned for that frame, each time; empty without such a function."""
    compares: tuple[int, ...]
    """What the gate stored in each channel's compare register in this tick."""
    levels: tuple[bool | None, ...]
    """Each output while this period lasts, by the compare value of the tick before; None: an edge within the period."""
    reload: int
    """The timer's last count of a period."""

    @property
    def compare(self) -> int:
        """Of the first channel."""
        return self.compares[0]

    @property
    def level(self) -> bool | None:
        """Of the first channel."""
        return self.levels[0]


def play(
    path: Path,
    frames: Iterable[bytes | None],
    *,
    capture: str = "camera_capture",
    buffer: str = "frame",
    score: Sequence[str] = SCORE_FUNCTIONS,
    channels: Sequence[int] = (1,),
    answers: Sequence[int] = (),
    shift: int = 1,
    seconds: float = 60.0,
) -> Generator[Period]:
    """Runs the image at `path` for two ticks more than there are frames, so that the pin shows the last answer.

    frames: each put in place in one tick; None where the sensor is to give nothing. Taken as they are needed.
    capture, buffer: the image's symbols for the function that captures and for the frame.
    score: names of functions of which the first that the image has is the one whose results are reported.
    channels: of the timer, one an output.
    answers: words put into the mailbox in place of the confined part's, from the first tick on.
    shift: an instruction takes 2^shift ns of virtual time, and a count of the timer 1 ns.
    seconds: of real time without a tick, after which EmulationError is raised.
    """
    image = read_image(path)
    if len(image.vectors) <= TICK_EXCEPTION:
        raise EmulationError(f"{path}: its vector table ends before the tick's")
    places = _Places(
        tick=image.vectors[TICK_EXCEPTION],
        capture=image.address(capture),
        buffer=image.address(buffer),
        mailbox=image.address("mailbox"),
        score=next((image.symbols[name] for name in score if name in image.symbols), None),
    )
    with Qemu(path, shift=shift) as machine:
        try:
            yield from _Player(machine, places, seconds).play(iter(frames), channels, answers)
        except GdbError as error:
            raise EmulationError(f"{path}: the run broke off: {error}; QEMU said: {machine.error_text()}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    tick: int
    capture: int
    buffer: int
    mailbox: int
    score: int | None


class _Player:
    """Breakpoints move along with the run, so that the machine never has to be stepped over one."""

    def __init__(self, machine: Qemu, places: _Places, seconds: float) -> None:
        self._machine = machine
        self._gdb: Gdb = machine.gdb
        self._places = places
        self._seconds = seconds
        self._scores: list[int] = []

    def play(self, frames: Iterator[bytes | None], channels: Sequence[int], answers: Sequence[int]) -> Iterator[Period]:
        registers = [_COMPARE + 4 * (channel - 1) for channel in channels]
        number, left = 0, 2
        before = [0 for _ in channels]
        while left:
            number += 1
            self._until_tick()
            if number <= len(answers):
                self._gdb.write_word(self._places.mailbox, answers[number - 1])
            mailbox, scores = self._word(self._places.mailbox), tuple(self._scores)
            self._after_capture()
            frame = next(frames, _END)
            left -= isinstance(frame, _End)
            if isinstance(frame, bytes):
                self._gdb.write(self._places.buffer, frame)
                self._gdb.set_register("r0", 1)
            compares, reload = [self._word(register) for register in registers], self._word(_RELOAD)
            yield Period(
                number=number,
                mailbox=mailbox,
                scores=scores,
                compares=tuple(compares),
                levels=tuple(_level(value, reload) for value in before),
                reload=reload,
            )
            before = compares

    def _until_tick(self) -> None:
        """Also notes what the score function returns on the way, where there is one."""
        self._scores.clear()
        tick, score = self._places.tick, self._places.score
        awaited = score
        while (reached := self._run_to({tick} if awaited is None else {tick, awaited})) != tick:
            if reached == score:
                awaited = self._gdb.register("lr") & ~1
            else:
                value = self._gdb.register("r0")
                self._scores.append(value - (value >> 31 << 32))
                awaited = score

    def _after_capture(self) -> None:
        self._run_to({self._places.capture})
        self._run_to({self._gdb.register("lr") & ~1})

    def _run_to(self, places: set[int]) -> int:
        for place in places:
            self._gdb.set_breakpoint(place)
        self._gdb.resume()
        deadline = time.monotonic() + self._seconds
        while not self._gdb.stopped(0.25):
            if time.monotonic() > deadline:
                raise EmulationError(f"no tick within {self._seconds:g} s: the image does not start, or has stopped")
        for place in places:
            self._gdb.clear_breakpoint(place)
        return self._gdb.register("pc")

    def _word(self, address: int) -> int:
        return int.from_bytes(self._gdb.read(address, 4), "little")


class _End:
    """No more frames; unlike None, which is a frame that did not come."""


_END = _End()


def _level(compare: int, reload: int) -> bool | None:
    """PWM mode 1 (RM0368 13.3.9): low throughout at 0, high throughout above the reload value."""
    if compare == 0:
        return False
    return True if compare > reload else None
