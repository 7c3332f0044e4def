"""Mutants are what their number says; explanations cover what they say and no more."""

from __future__ import annotations

import pytest

from tests.attacks.mutate.behaviour import End, Event, Special, Start, Store
from tests.attacks.mutate.encodings import branch, branch_target, retargeted
from tests.attacks.mutate.explaining import EQUAL, UNEXPLAINED, explained
from tests.attacks.mutate.image import Base, Instruction, described, reference
from tests.attacks.mutate.kinds import GENERATORS, mutant
from tests.emulation.tools import require


@pytest.fixture(scope="module")
def base() -> Base:
    require("qemu-system-arm", "arm-none-eabi-gcc", "gcc")
    return reference()


@pytest.mark.toolchain
def test_mutants_are_what_their_number_says(base: Base) -> None:
    for index in range(2 * len(GENERATORS)):
        first, again = mutant(base, 5, index), mutant(base, 5, index)
        assert first == again
        assert base.changed(first.changes).elf != base.elf
        assert described(base, first.changes)


@pytest.mark.parametrize("target", [0x08000000, 0x08000350, 0x08001F00, 0x08000346, 0x08400000])
def test_branches_are_read_as_they_are_written(target: int) -> None:
    first, second = branch(0x08000340, target)
    found = Instruction(address=0x08000340, size=4, first=first, second=second, name="b.w", text="")
    assert branch_target(found) == target


@pytest.mark.parametrize("first", [0xD1FE, 0xE7FE, 0xB108])
def test_short_branches_too(first: int) -> None:
    found = Instruction(address=0x08000340, size=2, first=first, second=0, name="b", text="")
    change = retargeted(found, 0x08000348)
    moved = Instruction(
        address=0x08000340, size=2, first=int.from_bytes(change.data, "little"), second=0, name="b", text=""
    )
    assert branch_target(moved) == 0x08000348


_ZEROS = (0,) * 17
_TRACE: tuple[Event, ...] = (
    Store(0, 0x4000002C, 4, 84_008_399),
    Special(0, 0xF3808809, 0x20008000),
    Start(0, _ZEROS),
    Store(44, 0x40000010, 4, 0),
    Store(44, 0x40000034, 4, 0xFFFFFFFF),
    Store(44, 0x20000000, 4, 0, 8192),
    Start(44, _ZEROS),
    End("ticks"),
)


def _with(index: int, *events: Event) -> tuple[Event, ...]:
    return (*_TRACE[:index], *events, *_TRACE[index + 1 :])


@pytest.mark.parametrize(
    ("trace", "explanation"),
    [
        (_TRACE, EQUAL),
        (_with(0, Store(0, 0x4000002C, 4, 84_008_400)), "longer-period"),
        (_with(0, Store(0, 0x4000002C, 4, 84_008_398)), UNEXPLAINED),
        (_with(1, Special(0, 0xF3808809, 0x20008002)), "stack-pointers"),
        (_with(1, Special(0, 0xF3808809, 0x20008004)), UNEXPLAINED),
        (_with(3, Store(44, 0x40000010, 4, 0xFE)), "acknowledged"),
        (_with(3, Store(44, 0x40000010, 4, 1)), UNEXPLAINED),
        (_with(3), UNEXPLAINED),
        (_with(4, Store(44, 0x40000034, 4, 0xFFFFFFFE)), "highest-compare"),
        (_with(4, Store(44, 0x40000034, 4, 5)), UNEXPLAINED),
        (_with(4, Store(44, 0x40000034, 4, 0)), UNEXPLAINED),
        (_with(4, _TRACE[4], Store(44, 0x40020018, 4, 32)), UNEXPLAINED),
        (_with(4, _TRACE[4], Store(44, 0x20008500, 4, 1)), "gate-memory"),
        (_with(5, Store(44, 0x20000000, 4, 0, 8188)), UNEXPLAINED),
        (_with(5, Store(44, 0x20000100, 4, 0, 8128), Store(44, 0x20000000, 4, 0, 64)), "wiped"),
        (_with(7, End("abort")), UNEXPLAINED),
    ],
)
def test_explanations_cover_what_they_say_and_no_more(trace: tuple[Event, ...], explanation: str) -> None:
    assert explained([_TRACE], [trace]) == explanation
