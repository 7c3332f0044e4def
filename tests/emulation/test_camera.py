"""The shipped capture, instruction by instruction, against a camera that sends what the sensor should, or does not.

What an instruction takes is bounded by several tables of cycles (stepping.py); the range of pixel clocks that
gate/camera.c claims holds with a flash of no wait states and with the part's own. No silicon was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.emulation.camera_model import FRAME_VALID, HEIGHT, LINE_VALID, PIXEL_CLOCK, Camera, Stuck, middle
from tests.emulation.stepping import FAST, LINES, SLOW, Costs, Stepper

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_PORT_C_IDR = 0x40020810
_MOST_CYCLES = 42_000_000
"""Half a period: what the slowest of the tables may make of all polls together."""
_MARK = 0xA5
_SYNCHRONOUS = 0.0
"""Line valid and the clock rise together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    captured: bool
    frame: bytes
    cycles: int


def _capture(stub: Path, camera: Camera, costs: Costs = LINES) -> _Taken:
    machine = Stepper(
        stub, costs, lambda address, time: camera.levels(time) if address == _PORT_C_IDR else 0, lambda *store: None
    )
    place = machine.symbols["frame"]
    machine.fill(place, bytes([_MARK]) * 9216)
    result = machine.call("camera_capture", limit=_MOST_CYCLES)
    assert result in (0, 1)
    return _Taken(captured=result == 1, frame=machine.memory(place, 9216), cycles=machine.cycles)


@pytest.mark.parametrize(
    ("costs", "hertz", "early"),
    [
        (FAST, 0.5e6, 0.5),
        (FAST, 1.5e6, _SYNCHRONOUS),
        (LINES, 0.5e6, _SYNCHRONOUS),
        (LINES, 1.0e6, 0.5),
        (LINES, 1.5e6, 0.5),
        (LINES, 1.5e6, _SYNCHRONOUS),
        (SLOW, 1.0e6, 0.5),
    ],
    ids=lambda each: each.name if isinstance(each, Costs) else str(each),
)
def test_the_frame_is_the_middle_of_the_next_picture(stub: Path, costs: Costs, hertz: float, early: float) -> None:
    taken = _capture(stub, Camera(hertz=hertz, early=early, column=0.37), costs)
    assert taken.captured
    assert taken.frame == middle(1)


def test_a_capture_that_comes_in_the_pause_takes_the_next_picture(stub: Path) -> None:
    taken = _capture(stub, Camera(hertz=1.5e6, line=HEIGHT + 3))
    assert taken.captured
    assert taken.frame == middle(1)


_FAULTS = {
    "no sensor": Camera(hertz=1e6, stuck=(Stuck(mask=0x7FF, level=0),)),
    "all lines high": Camera(hertz=1e6, stuck=(Stuck(mask=0x7FF, level=0x7FF),)),
    "frame valid stays high": Camera(hertz=1e6, stuck=(Stuck(mask=FRAME_VALID, level=FRAME_VALID),)),
    "frame valid stays low": Camera(hertz=1e6, stuck=(Stuck(mask=FRAME_VALID, level=0),)),
    "frame valid falls in the middle": Camera(hertz=1e6, heights={1: 60}),
    "one line less": Camera(hertz=1e6, heights={1: HEIGHT - 1}),
    "one line more": Camera(hertz=1e6, heights={1: HEIGHT + 1}),
    "line valid stays high": Camera(hertz=1e6, stuck=(Stuck(mask=LINE_VALID, level=LINE_VALID, frame=1, line=70),)),
    "line valid stays low": Camera(hertz=1e6, stuck=(Stuck(mask=LINE_VALID, level=0, frame=1, line=70),)),
    "first line short": Camera(hertz=1e6, widths={(1, 0): 161}),
    "line of the middle short": Camera(hertz=1e6, widths={(1, 50): 161}),
    "line of the middle cut within": Camera(hertz=1e6, widths={(1, 50): 80}),
    "line of the middle long": Camera(hertz=1e6, widths={(1, 50): 163}),
    "line below the middle long": Camera(hertz=1e6, widths={(1, 120): 163}),
    "clock stops low": Camera(hertz=1e6, stuck=(Stuck(mask=PIXEL_CLOCK, level=0, frame=1, line=60),)),
    "clock stops high": Camera(hertz=1e6, stuck=(Stuck(mask=PIXEL_CLOCK, level=PIXEL_CLOCK, frame=1, line=60),)),
    "clock runs between lines": Camera(hertz=1e6, stuck=(Stuck(mask=PIXEL_CLOCK, level=PIXEL_CLOCK),)),
    "clock twice too fast": Camera(hertz=3e6),
    "clock far too fast": Camera(hertz=24e6),
    "clock too slow": Camera(hertz=0.15e6),
    "clock far too slow": Camera(hertz=20e3),
}


@pytest.mark.parametrize("camera", _FAULTS.values(), ids=_FAULTS)
def test_a_frame_that_is_not_whole_is_none(stub: Path, camera: Camera) -> None:
    """And the end comes in time; `call` has a bound."""
    assert not _capture(stub, camera).captured


def test_with_no_sensor_the_slowest_processor_is_in_time(stub: Path) -> None:
    silent = Camera(hertz=1e6, stuck=(Stuck(mask=0x7FF, level=FRAME_VALID),))
    assert _capture(stub, silent, SLOW).cycles < _MOST_CYCLES


def test_what_was_cut_short_lies_in_the_frame_and_is_none(stub: Path) -> None:
    """So that the tests above mean something: rows were stored, and the capture says that they are no frame."""
    taken = _capture(stub, Camera(hertz=1e6, heights={1: 60}))
    rows = 60 - 13
    assert taken.frame[: 96 * rows] == middle(1)[: 96 * rows]
    assert taken.frame[96 * rows :] == bytes([_MARK]) * (9216 - 96 * rows)
    assert not taken.captured
