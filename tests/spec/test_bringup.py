"""The numbers of the bring-up list are the source's."""

from __future__ import annotations

import re
from pathlib import Path

from reference_module.build import gate_text

_LIST = (Path(__file__).parents[2] / "reference_module" / "bringup.md").read_text(encoding="utf-8")


def _setting(register: int) -> int:
    found = re.search(rf"SENSOR_SET\(0x{register:04X}, 0x([0-9A-F]{{2}})\)", gate_text("sensor.c"))
    assert found is not None
    return int(found[1], 16)


def test_sizes_and_timing() -> None:
    camera = gate_text("camera.c")
    width, height = (re.search(rf"kSensor{name} = (\d+)", camera) for name in ("Width", "Height"))
    assert width is not None and height is not None
    lines = _setting(0x0340) << 8 | _setting(0x0341)
    clocks = _setting(0x0342) << 8 | _setting(0x0343)
    longest = _setting(0x2105) << 8 | _setting(0x2106)
    assert f"pulse | {width[1]} |" in _LIST
    assert f"pulse | {height[1]} |" in _LIST
    assert f"exactly {height[1]} lines of exactly {width[1]} pixels" in _LIST
    assert f"| {clocks}, {lines} |" in _LIST
    assert f"at most {longest} of\n{lines} lines" in _LIST
    assert longest <= lines - 2


def test_messages_and_tries() -> None:
    sensor = gate_text("sensor.c")
    settings = len(re.findall(r"^    SENSOR_SET\(", sensor, re.MULTILINE))
    tries = re.search(r"kSensorTries = (\d+)u", sensor)
    assert tries is not None
    assert f"{settings + 1} messages of 4 bytes to 0x48" in _LIST
    assert f"within {tries[1]} tries" in _LIST


def test_it_says_that_no_silicon_was_tried() -> None:
    assert "**Untested on silicon.**" in _LIST
