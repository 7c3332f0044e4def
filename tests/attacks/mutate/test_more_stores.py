"""One more store in boot, with a value that no register may have at the drop, is refused wherever it goes."""

from __future__ import annotations

import pytest

from tests.attacks.mutate.assembler import assembled
from tests.attacks.mutate.encodings import branch, branch_target, halves
from tests.attacks.mutate.image import Base, Change, reference
from tests.attacks.mutate.judging import Said, verdict
from tests.attacks.mutate.kinds.caves import functions
from tests.emulation.tools import require

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

_STORES = {
    "a port in reset": ("pins_lock", 0x40023810, 2),
    "the timer in reset": ("timer_start", 0x40023820, 1),
    "the timer's clock doubled": ("clocks_start", 0x40023808, 0x1082),
    "no wait states": ("clocks_start", 0x40023C00, 0),
    "caches on": ("clocks_start", 0x40023C00, 0x702),
    "flash not normal memory": ("protection_enable", 0xE000EDA0, 0x06000025),
    "protection off in faults": ("protection_enable", 0xE000ED94, 5),
    "an exception marked active": ("exceptions_configure", 0xE000ED24, 0x70001),
    "the tick before faults": ("exceptions_configure", 0xE000E41C, 0x40404000),
    "returns from nested exceptions": ("exceptions_configure", 0xE000ED14, 0x201),
    "software triggers": ("exceptions_configure", 0xE000ED14, 2),
    "a reset": ("exceptions_configure", 0xE000ED0C, 0x05FA0004),
    "shorter after the update": ("timer_start", 0x4000002C, 1000),
    "another update": ("timer_start", 0x40000014, 1),
    "high at once": ("timer_start", 0x40000034, 0xFFFFFFFF),
    "slave mode": ("timer_start", 0x40000008, 7),
    "one pulse": ("timer_start", 0x40000000, 0x8D),
    "another channel": ("timer_start", 0x40000020, 0x11),
    "an interrupt at compare": ("timer_start", 0x4000000C, 5),
    "another function": ("timer_start", 0x40020020, 0x00F00000),
    "a second output": ("timer_start", 0x40020800, 0xF7C00000),
    "direct memory access clocked": ("timer_start", 0x40023830, 0x0060009F),
    "an external interrupt": ("timer_start", 0x40013C00, 1),
    "flash unlocked": ("timer_start", 0x40023C04, 0x45670123),
}
"""By name: behind which call of reset_set_up the store comes, its address and value."""


@pytest.mark.parametrize("name", _STORES)
def test_is_refused(name: str) -> None:
    require("arm-none-eabi-gcc")
    base = reference()
    judged = verdict(_with_store(base, *_STORES[name]))
    assert judged.said in (Said.REFUSED, Said.UNDECIDED), judged.reasons


def test_the_way_there_alone_is_not_refused() -> None:
    """What FLASH_ACR holds already is stored again."""
    require("arm-none-eabi-gcc")
    assert verdict(_with_store(reference(), "pins_lock", 0x40023C00, 0x102)).said is Said.CONFORMS


def _with_store(base: Base, called: str, address: int, value: int) -> Base:
    """With the call of a function in reset_set_up led to erased flash, where the store follows the same call."""
    call = next(each for each in functions(base, ("reset_set_up",)) if branch_target(each) == base.symbols[called])
    text = (
        f" push {{r12, lr}}\n bl {base.symbols[called]:#x}\n"
        f" movw r0, #{address & 0xFFFF:#x}\n movt r0, #{address >> 16:#x}\n"
        f" movw r1, #{value & 0xFFFF:#x}\n movt r1, #{value >> 16:#x}\n str r1, [r0]\n dsb\n isb\n pop {{r12, pc}}"
    )
    cave = Change(address=base.end, data=assembled(text, base.end))
    return base.changed([halves(call.address, *branch(call.address, base.end, link=True)), cave])
