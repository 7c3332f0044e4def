"""Facts that several requirements share: reach of accesses, clock bounds, the period, capacity, the ledger."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from pinproof import facts as facts_of
from pinproof.declaration import Clock, ClockSource
from pinproof.facts import Facts, Known, Unknown
from pinproof.machine.result import AccessKind, Origin, Word
from pinproof.outcome import Fail, Grade, Pass

from tests.unit.requirements import deviations
from tests.unit.requirements.builders import RELOAD, access, conforming_facts
from tests.unit.requirements.cases import decide
from tests.unit.requirements.mem_cases import by_protection
from tests.unit.requirements.out_cases import hearing


def reaches(address: int | Word, start: int, end: int, width: int = 4) -> bool:
    return facts_of.can_touch(conforming_facts(), access(AccessKind.STORE, address, 0, 0, width=width), start, end)


def test_an_access_reaches_the_bytes_of_its_width() -> None:
    assert reaches(0x40000034, 0x40000034, 0x40000038)
    assert reaches(0x40000037, 0x40000034, 0x40000038, width=1)
    assert reaches(0x40000032, 0x40000034, 0x40000038)
    assert not reaches(0x40000033, 0x40000034, 0x40000038, width=1)
    assert not reaches(0x40000038, 0x40000034, 0x40000038)


def test_an_access_without_an_exact_address_reaches_all_that_its_bounds_allow() -> None:
    assert reaches(Word.anything(), 0x40000034, 0x40000038)
    assert reaches(Word(low=0x40000000, high=0x40000400), 0x40000034, 0x40000038)
    assert not reaches(Word.exactly(0x40000000, 0x40000400), 0x40000034, 0x40000038)


@pytest.mark.parametrize(
    ("alias", "target"), [(0x42000680, 0x40000034), (0x42400294, 0x40020014), (0x22000000, 0x20000000)]
)
def test_an_access_to_a_bit_band_alias_reaches_its_target(alias: int, target: int) -> None:
    assert reaches(alias, target, target + 4)
    assert not reaches(alias, target + 4, target + 8)


def clock(facts: Facts) -> Fraction:
    found = facts_of.timer_clock(facts)
    assert isinstance(found, Known), found
    return found.value.fastest


def test_flags_put_back_into_the_status_register_leave_no_trace() -> None:
    facts = deviations.written(conforming_facts(), deviations.TICK, "TIM2", "SR", deviations.anything(Origin.DEVICE))
    assert list(facts_of.device_problems(facts)) == []


def with_a_halfway_pll(order: int, *, in_loop: bool = False) -> Facts:
    """Boot stores a setting out of range to PLLCFGR, and turns the PLL on at order 0."""
    facts = conforming_facts()
    halfway = access(AccessKind.STORE, 0x40023804, 0x24003008, order=order, in_loop=in_loop)
    switch = access(AccessKind.STORE, 0x40023800, 0x01010083, order=0)
    boot = replace(facts.exploration.boot, accesses=(halfway, switch, *facts.exploration.boot.accesses))
    return replace(facts, exploration=replace(facts.exploration, boot=boot))


def test_a_pll_setting_that_is_replaced_before_the_pll_is_on_does_not_count() -> None:
    assert clock(with_a_halfway_pll(-1)) == clock(conforming_facts())


def test_a_pll_setting_with_the_pll_on_or_in_a_loop_counts() -> None:
    assert isinstance(facts_of.timer_clock(with_a_halfway_pll(1)), Unknown)
    assert isinstance(facts_of.timer_clock(with_a_halfway_pll(-1, in_loop=True)), Unknown)


def test_the_reference_clock() -> None:
    facts = conforming_facts()
    assert clock(facts) == Fraction(84_000_000) * Fraction(1_000_100, 1_000_000)
    period = facts_of.minimum_period(facts)
    assert isinstance(period, Known)
    assert period.value == Fraction(RELOAD + 1, 84_008_400) == 1


@pytest.mark.parametrize(
    ("configuration", "hertz"),
    [
        (2, 84_008_400),
        (2 | 4 << 10, 84_008_400),
        (2 | 5 << 10, 42_004_200),
        (2 | 7 << 10, 10_501_050),
        (2 | 8 << 4, 42_004_200),
        (2 | 15 << 4, Fraction(84_008_400, 512)),
    ],
)
def test_prescalers(configuration: int, hertz: int) -> None:
    """The timer runs at its bus's clock, or at twice that where the bus is divided (RM0368 6.2)."""
    facts = deviations.changed(conforming_facts(), "boot", 0x40023808, value=Word.exactly(configuration))
    assert clock(deviations.device(facts, "RCC", "CFGR", configuration)) == hertz


def test_a_timer_may_run_at_four_times_its_bus() -> None:
    facts = deviations.changed(conforming_facts(), "boot", 0x40023808, value=Word.exactly(2 | 5 << 10))
    slow = deviations.device(facts, "RCC", "CFGR", 2 | 5 << 10)
    assert clock(deviations.device(slow, "RCC", "DCKCFGR", 1 << 24)) == 84_008_400
    assert clock(slow) == 42_004_200


def test_any_source_that_boot_may_select_counts() -> None:
    """A store that was overwritten later may have switched the clock all the same."""
    facts = deviations.device(conforming_facts(), "RCC", "CFGR", 0)
    assert clock(facts) == 84_008_400


def test_the_internal_oscillator_counts_with_its_tolerance() -> None:
    facts = conforming_facts()
    internal = Clock(source=ClockSource.HSI, crystal_hz=None, tolerance_ppm=0)
    facts = replace(facts, declaration=replace(facts.declaration, clock=internal))
    facts = deviations.changed(facts, "boot", 0x40023808, value=Word.exactly(0))
    assert clock(deviations.device(facts, "RCC", "CFGR", 0)) == 17_600_000


@pytest.mark.parametrize("hertz", [25_000_000, 50_000_000, 1_000_000])
def test_a_crystal_that_the_loop_cannot_take_leaves_the_clock_unknown(hertz: int) -> None:
    facts = deviations.declaration(conforming_facts(), "clock", crystal_hz=hertz)
    found = facts_of.timer_clock(facts)
    assert isinstance(found, Unknown)
    assert found.reason == "pll-out-of-range"


def test_the_capacity_of_the_reference() -> None:
    found = facts_of.pin_capacity(conforming_facts())
    assert isinstance(found, Known)
    assert found.value.bits_per_second == 1
    assert found.value.bits_per_day == 86_400
    assert found.value.seconds_for(10) == 10
    assert found.value.seconds_for(256) == 256
    assert found.value.seconds_for(found.value.frame_bits) == 73_728


def test_the_sum_of_the_writable_memory() -> None:
    parts = dict(facts_of.writable_parts(conforming_facts()))
    assert parts["sram"] == 98_304
    assert sum(parts.values()) == 100_576


def test_what_can_still_be_written_is_summed_over_what_is_in_reach() -> None:
    found = facts_of.writable_memory(conforming_facts())
    assert isinstance(found, Known)
    # The deepest handler of each of three levels, with a frame; none of the reference's own is deeper than 64 bytes.
    assert dict(found.value) == {"confined memory": 65_536, "gate memory": 3 * (36 + 64)}
    assert {each.grade for each in found.evidence} == {Grade.HARDWARE, Grade.PROVED}


def test_a_part_with_too_much_memory_conforms_by_protection_alone() -> None:
    outcome = decide("mem-writable-budget", by_protection()(conforming_facts()))
    assert isinstance(outcome, Pass)
    assert outcome.grade is Grade.PROVED
    last = outcome.evidence[-1].statement
    assert last.startswith("confined memory 65536 + gate memory 300 = 65836 bytes can be written after the drop")
    assert last.endswith("of 100576 on the part; the budget is 96000")
    exactly = by_protection(budget=65_836)(conforming_facts())
    assert isinstance(decide("mem-writable-budget", exactly), Fail)
    assert isinstance(decide("mem-writable-budget", by_protection(budget=65_837)(conforming_facts())), Pass)


def test_a_part_with_little_memory_needs_no_proof_of_what_is_in_reach() -> None:
    outcome = decide("mem-writable-budget", deviations.obstacle(conforming_facts()))
    assert isinstance(outcome, Pass) and outcome.grade is Grade.SILICON


MICROPHONE_RULES = ("out-sensor-lines-constant", "inp-none", "mem-forgetful", "out-declared-pins", "doc-declaration")


@pytest.mark.parametrize("requirement", MICROPHONE_RULES)
def test_a_microphone_on_a_receiver_of_the_part(requirement: str) -> None:
    facts = hearing()(conforming_facts())
    assert isinstance(decide(requirement, facts), Pass), decide(requirement, facts)
    found = facts_of.pin_capacity(facts)
    assert isinstance(found, Known) and found.value.frame_bits == 4608 * 16
    reachable = facts_of.writable_memory(facts)
    assert isinstance(reachable, Known) and dict(reachable.value)["SPI2 receiver"] == 4
    rates = facts_of.sample_rates(facts)
    assert isinstance(rates, Known) and rates.value == {16_000}


def test_the_ledger_grows_with_what_is_not_confirmed() -> None:
    facts = conforming_facts()
    pin = replace(facts.silicon.pins[0], cite="unconfirmed: no datasheet at hand")
    more = deviations.silicon(facts, pins=(pin, *facts.silicon.pins[1:]))
    added = {item.id for item in facts_of.assumptions(more)} - {item.id for item in facts_of.assumptions(facts)}
    assert added == {"A-silicon-pin"}
    assert {"A-crystal", "A-silicon-clocks", "A-silicon-cycles", "A-rebuild"} <= {
        item.id for item in facts_of.assumptions(facts)
    }


def test_a_rebuild_replaces_its_assumption() -> None:
    facts = conforming_facts()
    ids = {item.id for item in facts_of.assumptions(replace(facts, rebuilt=facts.image))}
    assert "A-rebuild" not in ids


def test_ranges() -> None:
    assert facts_of.without(((0, 10), (20, 30)), ((5, 25),)) == ((0, 5), (25, 30))
    assert facts_of.without(((0, 10),), ((3, 4), (6, 7))) == ((0, 3), (4, 6), (7, 10))
    assert facts_of.without(((0, 10),), ()) == ((0, 10),)
    assert facts_of.merged([(0, 5), (5, 7), (9, 10)]) == ((0, 7), (9, 10))


def test_seconds_are_shown_rounded_down() -> None:
    assert facts_of.show_seconds(Fraction(1)) == "1"
    assert facts_of.show_seconds(Fraction(84_008_399, 84_008_400)) == "0.999999988"


def test_boot_may_use_the_timer_of_the_core() -> None:
    """It has no line to the outside; in a handler it would be a device that is stored to."""
    in_boot = deviations.stored(conforming_facts(), deviations.BOOT, 0xE000E010, 5)
    assert isinstance(decide("out-no-other-peripheral", in_boot), Pass)
    in_tick = deviations.stored(conforming_facts(), deviations.TICK, 0xE000E010, 5)
    assert isinstance(decide("mem-forgetful", in_tick), Fail)
