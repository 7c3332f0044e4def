"""The gate's drivers on the host, under sanitizers, against simulated devices: what they send, store and wait for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.emulation.tools import require

HERE = Path(__file__).parent
GATE = HERE.parents[1] / "reference_module" / "gate"

_SOURCES = ("camera.c", "clocks.c", "pins.c", "poll.c", "sensor.c")
_OPTIONS = (
    "-std=c11",
    "-g",
    "-O1",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover",
)
_MOST_POLLS = 1_500_000
"""camera.c promises it."""
_SETTINGS = 60

_RCC_CR, _RCC_CFGR, _RCC_APB1ENR, _FLASH_ACR = 0x40023800, 0x40023808, 0x40023840, 0x40023C00
_I2C_CR1, _I2C_DR = 0x40005400, 0x40005410
_PORTS = (0x40020000, 0x40020400, 0x40020800, 0x40020C00, 0x40021000, 0x40021C00)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("gcc")
    work = tmp_path_factory.mktemp("gate")
    for source in GATE.iterdir():
        if source.name != "access.h":
            shutil.copy(source, work)
    shutil.copy(HERE / "access.h", work)
    shutil.copy(HERE / "host.c", work)
    output = work / "host"
    subprocess.run(["gcc", *_OPTIONS, "-o", str(output), "host.c", *_SOURCES], cwd=work, check=True)
    return output


def _run(program: Path, *words: object) -> list[str]:
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _stores(lines: list[str]) -> list[tuple[int, int]]:
    """Address and value of each store."""
    return [(int(line[:8], 16), int(line[9:], 16)) for line in lines if line[8:9] == " " and len(line) == 17]


def _capture(program: Path, *words: object) -> dict[str, int]:
    lines = _run(program, "camera", *words)
    assert _stores(lines) == [], "the camera is read, never driven"
    words_ = lines[-1].split()
    return {name: int(value) for name, value in zip(words_[::2], words_[1::2], strict=True)}


@pytest.mark.parametrize("half", [2, 3, 6])
@pytest.mark.parametrize("phase", [0, 1, 777, 40_000])
def test_the_middle_of_the_next_frame_is_captured(program: Path, half: int, phase: int) -> None:
    result = _capture(program, half, phase)
    assert (result["captured"], result["wrong"]) == (1, 0)
    assert result["reads"] <= _MOST_POLLS


@pytest.mark.parametrize("line", [1 << 8, 1 << 9, 1 << 10, 7 << 8])
@pytest.mark.parametrize("high", [0, 0x10000])
def test_a_line_that_is_stuck_gives_no_frame_and_an_end(program: Path, line: int, high: int) -> None:
    result = _capture(program, 2, 5, line | high)
    assert result["captured"] == 0
    assert result["reads"] <= _MOST_POLLS


def test_a_pixel_clock_that_is_too_slow_gives_no_frame_and_an_end(program: Path) -> None:
    result = _capture(program, 15, 0)
    assert result["captured"] == 0
    assert result["reads"] <= _MOST_POLLS


def test_a_pixel_clock_at_its_limit_gives_the_frame_or_none(program: Path) -> None:
    result = _capture(program, 1, 0)
    assert (result["captured"], result["wrong"]) == (1, 0) or result["captured"] == 0
    assert result["reads"] <= _MOST_POLLS


def test_the_sensor_is_sent_whole_settings_and_then_left(program: Path) -> None:
    stores = _stores(_run(program, "sensor", 0))
    sent = [value for address, value in stores if address == _I2C_DR]
    settings = [sent[start : start + 4] for start in range(0, len(sent), 4)]
    assert len(settings) == _SETTINGS + 1  # the first one twice: to wake the sensor, and with the others
    assert settings[0] == settings[1]
    assert {setting[0] for setting in settings} == {0x48}
    assert all(byte <= 0xFF for byte in sent)
    assert settings[0][1:] == [0x01, 0x00, 0x00]  # standby first
    assert settings[-1][1:] == [0x01, 0x00, 0x01]  # streaming last
    control = [value for address, value in stores if address == _I2C_CR1]
    assert control == [0, 1] + [0x101, 0x201] * (_SETTINGS + 1) + [0]
    assert stores[-1] == (_RCC_APB1ENR, 0)


@pytest.mark.parametrize("answers", [1, 2, 3, 4, 5, 6, 100])
def test_a_bus_that_dies_is_switched_off_all_the_same(program: Path, answers: int) -> None:
    stores = _stores(_run(program, "sensor", answers))
    assert len([address for address, _ in stores if address == _I2C_DR]) <= answers
    assert stores[-2:] == [(_I2C_CR1, 0), (_RCC_APB1ENR, 0)]


@pytest.mark.parametrize("ready", range(16))
def test_the_fast_clock_is_used_only_when_all_is_ready(program: Path, ready: int) -> None:
    lines = _run(program, "clocks", ready)
    stores = _stores(lines)
    switched = (_RCC_CFGR, 0x1002) in stores
    assert switched == (ready & 7 == 7)
    assert all(not value & (1 << 19 | 1 << 18) for address, value in stores if address == _RCC_CR)  # no CSS, no bypass
    assert int(lines[-1].split()[1]) <= 300_003
    if switched:
        addresses = [address for address, _ in stores]
        assert addresses.index(_FLASH_ACR) < stores.index((_RCC_CFGR, 0x1002))


def test_every_pin_but_the_declared_ends_analogue_and_every_port_locked(program: Path) -> None:
    stores = _stores(_run(program, "pins"))
    last = dict(stores)
    assert [last[port] for port in _PORTS] == [0xFFFFFBFF, 0xFFFFFFFF, 0xFFC00000, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF]
    for port in _PORTS:
        lock = [value for address, value in stores if address == port + 0x1C]
        assert lock == [0x1FFFF, 0x0FFFF, 0x1FFFF]
