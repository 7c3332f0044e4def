"""The gate with its stub, as shipped, in QEMU without a camera: it boots, drops privilege, ticks, no more.

QEMU has no output-compare pin, and its clock and port registers read 0, so the crystal never starts and no frame ever
comes. What is seen here is the sequence of the gate's device stores and exceptions, no more.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from reference_module.build import Recipe, build
from tests.emulation.tools import require

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_TIM2_CR1, _TIM2_SR, _TIM2_CCR1 = 0x40000000, 0x40000010, 0x40000034
_SHCSR, _MPU_CTRL = 0xE000ED24, 0xE000ED94
_IDLE, _DETECTOR = 0x08001000, 0x08001004
_WANTED_TICKS = 8
_LINE = re.compile(
    r"NVIC external irq 44 level set to (?P<level>1)"
    r"|memory_region_ops_write .* addr (?P<address>0x[0-9a-f]+) value (?P<value>0x[0-9a-f]+) size (?P<size>\d)"
    r"|Taking exception \d+ \[(?P<exception>[^\]]+)\]"
    r"|Exception return: magic PC (?P<returned>[0-9a-f]+)"
    r"|^(?P<translated>0x[0-9a-f]{8}):"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    tick: int
    """0 until the first tick."""
    address: int
    value: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    ticks: int
    stores: tuple[Store, ...]
    exceptions: frozenset[str]
    returns: frozenset[int]
    executed: frozenset[int]
    """Addresses of instructions that were translated, which here is: reached."""


def _run(image: Path, log: Path) -> Trace:
    """Two seconds of QEMU, some twenty ticks: its timer counts nanoseconds, so that a period of 84,008,400 is 84 ms."""
    command = ["qemu-system-arm", "-M", "netduinoplus2", "-kernel", str(image), "-nographic", "-nodefaults"]
    command += ["-icount", "shift=3,sleep=off", "-d", "int,guest_errors,in_asm", "-D", str(log)]
    command += ["-trace", "memory_region_ops_write", "-trace", "nvic_set_irq_level"]
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=2.0, check=False)
    return _parse(log.read_text(encoding="utf-8", errors="replace"))


def _parse(text: str) -> Trace:
    ticks, stores, exceptions, returns, executed = 0, [], set(), set(), set()
    for match in map(_LINE.search, text.splitlines()):
        if match is None:
            continue
        if match["level"]:
            ticks += 1
            if ticks > _WANTED_TICKS:
                break
        elif match["address"]:
            address, value = int(match["address"], 16), int(match["value"], 16)
            stores.append(Store(tick=ticks, address=address, value=value, size=int(match["size"])))
        elif match["exception"]:
            exceptions.add(match["exception"])
        elif match["returned"]:
            returns.add(int(match["returned"], 16))
        else:
            executed.add(int(match["translated"], 16))
    return Trace(
        ticks=ticks,
        stores=tuple(stores),
        exceptions=frozenset(exceptions),
        returns=frozenset(returns),
        executed=frozenset(executed),
    )


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    require("arm-none-eabi-gcc", "qemu-system-arm")
    directory = tmp_path_factory.mktemp("gate")
    return _run(build(directory / "stub.elf", Recipe()), directory / "qemu.log")


def test_it_ticks(trace: Trace) -> None:
    assert trace.ticks > _WANTED_TICKS


def test_each_tick_hands_over_one_level_as_a_word(trace: Trace) -> None:
    levels = [(store.tick, store.value, store.size) for store in trace.stores if store.address == _TIM2_CCR1]
    assert levels == [(tick, 0, 4) for tick in range(_WANTED_TICKS + 1)]  # tick 0: set low before the timer starts


def test_nothing_else_is_stored_after_the_drop(trace: Trace) -> None:
    after = {store.address for store in trace.stores if store.tick}
    assert after == {_TIM2_SR, _TIM2_CCR1, _SHCSR}


def test_every_device_store_is_a_word(trace: Trace) -> None:
    assert trace.stores
    assert {store.size for store in trace.stores} == {4}


def test_protection_is_on_before_the_timer_runs(trace: Trace) -> None:
    boot = [(store.address, store.value) for store in trace.stores if store.tick == 0]
    assert boot.index((_MPU_CTRL, 7)) < boot.index((_TIM2_CR1, 0x85))
    assert boot[-1] == (_TIM2_CR1, 0x85)


def test_only_the_tick_interrupts_and_returns_to_unprivileged_thread_mode(trace: Trace) -> None:
    assert trace.exceptions == {"IRQ", "QEMU v7M exception exit"}
    assert trace.returns == {0xFFFFFFFD}


def test_without_a_frame_the_confined_part_stays_idle(trace: Trace) -> None:
    assert _IDLE in trace.executed
    assert _DETECTOR not in trace.executed
