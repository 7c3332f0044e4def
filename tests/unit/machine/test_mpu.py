"""The decoder of the memory protection unit: each rule of PMSAv7 alone, and random set-ups against a point oracle."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pinproof.machine.mpu import (
    MpuProblem,
    Protection,
    Rights,
    Use,
    decode,
    default_map,
    privileged_rights,
    unprivileged_writable,
)

FLASH = (0x08000000, 6 << 24 | 18 << 1 | 1)
RAM = (0x20000000, 1 << 28 | 1 << 24 | 16 << 1 | 1)
CONFINED = (0x20000000, 1 << 28 | 3 << 24 | 15 << 1 | 1)
OFF = (0, 0)


def good(regions: list[tuple[int, int]], control: int = 7) -> Protection:
    protection = decode(regions, control)
    assert isinstance(protection, Protection), protection
    return protection


def code_of(regions: list[tuple[int, int]], control: int = 7) -> str:
    problem = decode(regions, control)
    assert isinstance(problem, MpuProblem), problem
    return problem.code


def region(base: int, size_field: int, permission: int = 3, *, xn: bool = True, srd: int = 0) -> tuple[int, int]:
    return base, int(xn) << 28 | permission << 24 | srd << 8 | size_field << 1 | 1


def test_the_reference_set_up() -> None:
    protection = good([FLASH, RAM, CONFINED, OFF, OFF, OFF, OFF, OFF])
    assert unprivileged_writable(protection) == ((0x20000000, 0x20010000),)
    assert protection.unprivileged(Use.READ) == ((0x08000000, 0x08080000), (0x20000000, 0x20010000))
    assert protection.unprivileged(Use.EXECUTE) == ((0x08000000, 0x08080000),)
    assert privileged_rights(protection, 0x08000000) == Rights.READ | Rights.EXECUTE
    assert privileged_rights(protection, 0x20010000) == Rights.READ | Rights.WRITE
    assert privileged_rights(protection, 0x40000000) == Rights.READ | Rights.WRITE
    assert protection.covers_fault_handlers


@pytest.mark.parametrize(
    ("permission", "privileged", "unprivileged"),
    [
        (0, Rights.NONE, Rights.NONE),
        (1, Rights.READ | Rights.WRITE, Rights.NONE),
        (2, Rights.READ | Rights.WRITE, Rights.READ),
        (3, Rights.READ | Rights.WRITE, Rights.READ | Rights.WRITE),
        (5, Rights.READ, Rights.NONE),
        (6, Rights.READ, Rights.READ),
        (7, Rights.READ, Rights.READ),
    ],
)
def test_access_permissions(permission: int, privileged: Rights, unprivileged: Rights) -> None:
    never = good([region(0x40000000, 11, permission)]).at(0x40000010)
    assert (never.privileged, never.unprivileged) == (privileged, unprivileged)
    runs = good([region(0x40000000, 11, permission, xn=False)]).at(0x40000010)
    assert bool(runs.unprivileged & Rights.EXECUTE) == bool(unprivileged & Rights.READ)
    assert bool(runs.privileged & Rights.EXECUTE) == bool(privileged & Rights.READ)


@pytest.mark.parametrize("size_field", range(4, 32))
def test_sizes(size_field: int) -> None:
    protection = good([region(0, size_field)])
    expected = 1 << (size_field + 1)
    writable = sum(end - start for start, end in unprivileged_writable(protection))
    bus = 0x100000 if size_field == 31 else 0
    assert writable == expected - bus


@pytest.mark.parametrize(
    ("regions", "control", "code"),
    [
        ([region(0x20000000, 3)], 7, "mpu-region-too-small"),
        ([region(0x20000000, 0)], 7, "mpu-region-too-small"),
        ([region(0x20000020, 5)], 7, "mpu-region-misaligned"),
        ([region(0x20010000, 16)], 7, "mpu-region-misaligned"),
        ([region(0x20000000, 31)], 7, "mpu-region-misaligned"),
        ([region(0x20000000, 6, srd=1)], 7, "mpu-subregion-small"),
        ([region(0x20000000, 15, permission=4)], 7, "mpu-permission-reserved"),
        ([(0x20000000, 0x1301001F | 1 << 31)], 7, "mpu-attribute-reserved"),
        ([(0x20000000, 0x1300001F | 1 << 19 | 1 << 16)], 7, "mpu-memory-type-reserved"),
        ([(0x20000000, 0x1300001F | 1 << 19 | 1 << 17)], 7, "mpu-memory-type-reserved"),
        ([OFF], 2, "mpu-control-unpredictable"),
        ([OFF], 8, "mpu-control-reserved"),
    ],
)
def test_refusals(regions: list[tuple[int, int]], control: int, code: str) -> None:
    assert code_of(regions, control) == code


def test_a_disabled_region_is_not_judged() -> None:
    assert unprivileged_writable(good([(0x20000021, 4 << 24)])) == ()


def test_valid_and_region_bits_of_the_base_are_no_part_of_it() -> None:
    base, attributes = CONFINED
    assert good([(base | 0x1F, attributes)]) == good([CONFINED])


def test_the_highest_region_decides() -> None:
    inside = region(0x20000000, 14, permission=5)
    assert unprivileged_writable(good([CONFINED, inside])) == ((0x20008000, 0x20010000),)
    assert unprivileged_writable(good([inside, CONFINED])) == ((0x20000000, 0x20010000),)


def test_a_disabled_subregion_falls_to_the_region_below() -> None:
    holed = region(0x20000000, 15, srd=0b10000001)
    assert unprivileged_writable(good([holed])) == ((0x20002000, 0x2000E000),)
    below = region(0x20000000, 15, permission=2)
    assert good([below, holed]).at(0x20000000).unprivileged == Rights.READ
    assert unprivileged_writable(good([region(0x20000000, 15, srd=0xFF)])) == ()


def test_the_private_peripheral_bus_is_not_governed() -> None:
    protection = good([region(0, 31, xn=False)])
    for address in (0xE0000000, 0xE000ED94, 0xE00FFFFF):
        interval = protection.at(address)
        assert interval.privileged == Rights.READ | Rights.WRITE
        assert interval.unprivileged == Rights.NONE
    assert protection.at(0xE0100000).unprivileged & Rights.WRITE


def test_background_only_for_the_privileged() -> None:
    assert good([], 5).at(0x40000000).privileged == Rights.READ | Rights.WRITE
    assert good([], 5).at(0x40000000).unprivileged == Rights.NONE
    assert good([], 1).at(0x40000000).privileged == Rights.NONE
    assert not good([], 5).covers_fault_handlers


def test_a_disabled_unit_lets_everybody_do_everything() -> None:
    protection = good([FLASH, RAM, CONFINED], 0)
    assert protection.intervals() == default_map()
    assert protection.at(0x40000000).unprivileged == Rights.READ | Rights.WRITE
    assert protection.at(0x20000000).unprivileged & Rights.EXECUTE
    assert protection.at(0xE000ED94).unprivileged == Rights.NONE


def test_at_refuses_what_is_no_address() -> None:
    with pytest.raises(ValueError, match="32-bit"):
        good([]).at(1 << 32)


# The oracle: one address at a time, straight from the pseudo-code ValidateAddress (B3.5.3), sharing nothing.
def point(regions: list[tuple[int, int]], control: int, address: int) -> tuple[str, str]:
    def text(allow: bool, write: bool, run: bool) -> str:
        return ("r" if allow else "-") + ("w" if write else "-") + ("x" if run else "-")

    default_run = not (0x40000000 <= address <= 0x5FFFFFFF or address >= 0xA0000000)
    if 0xE0000000 <= address <= 0xE00FFFFF:
        return "rw-", "---"
    if control & 1 == 0:
        return text(True, True, default_run), text(True, True, default_run)
    hit: int | None = None
    for _base, rasr in regions:
        if rasr & 1 == 0:
            continue
        log = (rasr >> 1 & 31) + 1
        if address >> log != _base >> log:
            continue
        if log >= 8 and rasr >> 8 >> (address >> (log - 3) & 7) & 1:
            continue
        hit = rasr
    if hit is None:
        return (text(True, True, default_run), "---") if control & 4 else ("---", "---")
    ap, run = hit >> 24 & 7, not hit >> 28 & 1
    read_p, write_p = ap != 0, ap in (1, 2, 3)
    read_u, write_u = ap in (2, 3, 6, 7), ap == 3
    return text(read_p, write_p, run and read_p), text(read_u, write_u, run and read_u)


def letters(rights: Rights) -> str:
    return "".join(
        letter if rights & right else "-"
        for letter, right in (("r", Rights.READ), ("w", Rights.WRITE), ("x", Rights.EXECUTE))
    )


@st.composite
def setups(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int]:
    regions = []
    for _ in range(draw(st.integers(1, 8))):
        size_field = draw(st.integers(4, 31))
        base = draw(st.sampled_from([0, 0x08000000, 0x20000000, 0x20008000, 0x40000000, 0xE0000000, 0xFFFFFFE0]))
        base = base >> (size_field + 1) << (size_field + 1)
        srd = draw(st.integers(0, 255)) if size_field >= 7 else 0
        permission = draw(st.sampled_from([0, 1, 2, 3, 5, 6, 7]))
        enabled = draw(st.integers(0, 9)) > 0
        word = draw(st.integers(0, 1)) << 28 | permission << 24 | srd << 8 | size_field << 1 | int(enabled)
        regions.append((base, word))
    return regions, draw(st.sampled_from([0, 1, 3, 4, 5, 7]))


@settings(max_examples=100, deadline=None)
@given(setups(), st.lists(st.integers(0, 0xFFFFFFFF), max_size=20))
def test_against_the_point_oracle(setup: tuple[list[tuple[int, int]], int], extra: list[int]) -> None:
    regions, control = setup
    protection = good(regions, control)
    intervals = protection.intervals()
    assert intervals[0].start == 0
    assert intervals[-1].end == 1 << 32
    assert all(before.end == after.start for before, after in pairwise(intervals))
    probes = set(extra)
    for interval in intervals:
        probes |= {interval.start, interval.end - 1, (interval.start + interval.end) // 2}
    for base, rasr in regions:
        eighth = (2 << (rasr >> 1 & 31)) // 8
        probes |= {(base + index * eighth + shift) & 0xFFFFFFFF for index in range(9) for shift in (-1, 0)}
    for address in probes:
        interval = protection.at(address)
        assert (letters(interval.privileged), letters(interval.unprivileged)) == point(regions, control, address)


@pytest.mark.parametrize(
    ("memory_type", "normal"), [(0x00, False), (0x01, False), (0x10, False), (0x02, True), (0x03, True), (0x08, True)]
)
def test_memory_types(memory_type: int, normal: bool) -> None:
    """TEX from bit 3 on, C in bit 1, B in bit 0 (DDI 0403, B3.5.9, table B3-13)."""
    attributes = 0x06000025 | (memory_type >> 3) << 19 | (memory_type & 3) << 16
    (found,) = good([(0x08000000, attributes)]).regions
    assert found.normal is normal
