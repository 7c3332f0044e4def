"""Deviations that the requirements on the output must notice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pinproof.declaration import Clock, ClockSource, Sensor, SensorKind
from pinproof.facts import Facts
from pinproof.machine.result import AccessKind, Origin, Word
from pinproof.profile import Budget

from tests.unit.requirements.builders import ALWAYS, MAILBOX, RELOAD, known
from tests.unit.requirements.cases import Case, Deviation, fails, undecided
from tests.unit.requirements.deviations import (
    BOOT,
    FAULT,
    TICK,
    anything,
    changed,
    declaration,
    device,
    exploration,
    forgotten,
    held,
    last_answer,
    loaded,
    move,
    options,
    read,
    region,
    run,
    stacked,
    stored,
    unfollowed,
    written,
)

CCR1 = 0x40000034
STATUS = 0x40000010
OPEN_PERIPHERALS = (0x40000000, 3 << 24 | 28 << 1 | 1)


def no_drop(facts: Facts) -> Facts:
    return run(facts, BOOT, drops=())


def open_peripherals(facts: Facts) -> Facts:
    return region(facts, 3, *OPEN_PERIPHERALS)


def unknown_region(facts: Facts) -> Facts:
    return region(facts, 3, known(0x40000000), anything(Origin.RESET))


def unknown_timer(facts: Facts) -> Facts:
    return declaration(facts, "output", timer="TIM9")


def other_handlers_only(facts: Facts) -> Facts:
    return replace(facts, exploration=replace(facts.exploration, handlers=facts.exploration.handlers[1:]))


def busy_idle(facts: Facts) -> Facts:
    """The idle address holds something else than a branch to itself."""
    first, code, *rest = facts.image.segments
    other = replace(code, data=b"\x00\xbf" + code.data[2:])
    return replace(facts, image=replace(facts.image, segments=(first, other, *rest)))


def only_the_tick(facts: Facts) -> Facts:
    return replace(facts, exploration=replace(facts.exploration, handlers=facts.exploration.handlers[:1]))


def internal_clock(facts: Facts) -> Facts:
    clock = Clock(source=ClockSource.HSI, crystal_hz=None, tolerance_ppm=0)
    return replace(facts, declaration=replace(facts.declaration, clock=clock))


def budget(facts: Facts) -> Facts:
    limits = Budget(dwell_seconds=Decimal(10), changes_per_day=None)
    return replace(facts, profile=replace(facts.profile, budget=limits))


def changes_a_day(facts: Facts) -> Facts:
    limits = Budget(dwell_seconds=None, changes_per_day=100)
    return replace(last_answer()(facts), profile=replace(facts.profile, budget=limits))


def limited(deviation: Deviation) -> Deviation:
    return lambda facts: budget(deviation(facts))


def stored_to_timer(name: str, value: int = 0) -> Deviation:
    return lambda facts: written(facts, TICK, "TIM2", name, value)


def compare(**changes: object) -> Deviation:
    return lambda facts: changed(facts, TICK, CCR1, **changes)  # type: ignore[arg-type]


def clocked(bits: int) -> Deviation:
    return lambda facts: device(facts, "RCC", "APB1ENR", 1 | bits)


def hearing(deviation: Deviation | None = None) -> Deviation:
    """A microphone on SPI2 in place of the camera."""
    at_drop = {
        ("RCC", "APB1ENR"): 1 | 1 << 14,
        ("RCC", "APB1LPENR"): 1 | 1 << 14,
        ("GPIOB", "MODER"): 0xBAFFFFFF,
        ("GPIOB", "AFRH"): 0x50550000,
        ("SPI2", "I2SCFGR"): 0xF01,
        ("SPI2", "I2SPR"): 25,
        ("RCC", "PLLI2SCFGR"): 5 << 28 | 256 << 6,
    }

    def heard(facts: Facts) -> Facts:
        for (block, name), value in at_drop.items():
            facts = device(facts, block, name, value)
        facts = forgotten(facts, TICK, 0x40020810, AccessKind.LOAD)
        for name in ("SR", "DR"):
            facts = read(facts, TICK, "SPI2", name, anything(Origin.SENSOR), in_loop=True)
        facts = written(facts, BOOT, "SPI2", "I2SCFGR", 0xF00)
        sensor = Sensor(
            model="HM01B0",
            kind=SensorKind.SOUND,
            samples=4608,
            samples_per_second=16000,
            bits_per_sample=16,
            data_bus="SPI2",
            pins=("PB12", "PB13", "PB15"),
        )
        facts = replace(facts, declaration=replace(facts.declaration, sensor=sensor))
        return facts if deviation is None else deviation(facts)

    return heard


def output_on_sensor_pin(facts: Facts) -> Facts:
    """PA0 is declared for the sensor and given to the output timer's channel as well."""
    facts = device(facts, "GPIOA", "MODER", 0xFFFFFBFE)
    facts = device(facts, "GPIOA", "AFRL", 1 << 20 | 1)
    return declaration(facts, "sensor", pins=("PA0", *facts.declaration.sensor.pins))


UNFOLLOWED = (
    "gate-state-unbounded",
    "gate-state-too-large",
    "gate-state-unfollowed",
    "gate-state-in-loop",
    "gate-state-from-sensor",
)

CASES: list[Case] = [
    *fails(
        "out-declared-pins",
        ("reset-requested", lambda facts: written(facts, FAULT, "SCB", "AIRCR", 0x05FA0004)),
        ("reset-requested", lambda facts: written(facts, BOOT, "SCB", "AIRCR", 0x05FA0004)),
        ("watchdog-used", lambda facts: stored(facts, BOOT, 0x40003000, 0xCCCC)),
        ("undeclared-pin", lambda facts: device(facts, "GPIOB", "MODER", 0xFFFFFF7F & ~0x30)),
        ("undeclared-pin", lambda facts: device(facts, "GPIOC", "MODER", 0xDFC00000 & ~(2 << 30) | 1 << 30)),
        ("undeclared-pin", lambda facts: device(facts, "GPIOD", "MODER", anything(Origin.RESET))),
        ("debug-pin-open", lambda facts: device(facts, "GPIOB", "MODER", 0x00000280)),
        ("eventout", lambda facts: device(device(facts, "GPIOC", "MODER", 0xFFC00002), "GPIOC", "AFRL", 15)),
        (
            "output-copied",
            lambda facts: device(device(facts, "GPIOC", "MODER", 0xFFC00002), "GPIOC", "AFRL", 1),
        ),
        ("clock-output", lambda facts: device(facts, "GPIOC", "MODER", 0xFFC80000)),
        ("output-pin-unknown", lambda facts: declaration(facts, "output", pins=("PA6",))),
        ("output-pin-unknown", lambda facts: declaration(facts, "output", channels=(2,))),
        ("handler-made-edge", lambda facts: device(facts, "GPIOA", "MODER", 0xFFFFF7FF)),
        ("handler-made-edge", lambda facts: device(facts, "GPIOA", "AFRL", 2 << 20)),
        ("pin-written-after-drop", lambda facts: written(facts, TICK, "GPIOA", "BSRR", 1 << 5)),
        ("pin-written-after-drop", lambda facts: written(facts, FAULT, "GPIOD", "MODER", 0)),
        ("pin-written-after-drop", lambda facts: stored(facts, TICK, 0x42400294, 1)),
        ("pin-driven-otherwise", lambda facts: stored(facts, BOOT, 0x40002808, 0x00800000)),
        ("output-copied", output_on_sensor_pin),
    ),
    *fails(
        "out-clocked",
        ("output-timer-unknown", unknown_timer),
        ("handler-made-edge", lambda facts: device(facts, "GPIOA", "MODER", 0xFFFFF7FF)),
        ("timer-mode", lambda facts: device(facts, "TIM2", "CR1", 0x05)),
        ("timer-mode", lambda facts: device(facts, "TIM2", "CR1", 0x8D)),
        ("timer-mode", lambda facts: device(facts, "TIM2", "CR1", 0x95)),
        ("timer-mode", lambda facts: device(facts, "TIM2", "CR2", 0x70)),
        ("timer-not-started", lambda facts: device(facts, "TIM2", "CR1", 0x84)),
        ("compare-mode", lambda facts: device(facts, "TIM2", "CCMR1", 0x38)),
        ("compare-mode", lambda facts: device(facts, "TIM2", "CCMR1", 0x69)),
        ("forced-mode", lambda facts: device(facts, "TIM2", "CCMR1", 0x58)),
        ("preload-off", lambda facts: device(facts, "TIM2", "CCMR1", 0x60)),
        ("external-clear", lambda facts: device(facts, "TIM2", "CCMR1", 0xE8)),
        ("slave-mode", lambda facts: device(facts, "TIM2", "SMCR", 1 << 14)),
        ("polarity", lambda facts: device(facts, "TIM2", "CCER", 3)),
        ("other-channel-set-up", lambda facts: device(facts, "TIM2", "CCMR1", 0x6868)),
        ("other-channel-set-up", lambda facts: device(facts, "TIM2", "CCMR2", 1)),
        ("timer-dma", lambda facts: device(facts, "TIM2", "DIER", 0x101)),
        ("timer-interrupt", lambda facts: device(facts, "TIM2", "DIER", 3)),
        ("no-initial-update", lambda facts: forgotten(facts, BOOT, 0x40000014)),
        ("no-initial-update", lambda facts: changed(facts, BOOT, 0x40000014, order=0)),
        ("no-initial-update", lambda facts: changed(facts, BOOT, 0x40000014, must=False)),
        ("reload-too-large", lambda facts: device(facts, "TIM2", "ARR", 0xFFFFFFFF)),
        ("output-not-idle", lambda facts: device(facts, "TIM2", "CCR1", ALWAYS)),
        ("compare-value", compare(value=Word.exactly(0, 42000000))),
        ("compare-value", compare(value=Word.exactly(0, RELOAD))),
        ("narrow-compare-store", compare(width=1)),
        ("multiple-compare-store", compare(multiple=True)),
        ("update-forced", stored_to_timer("EGR", 1)),
        ("counter-written", stored_to_timer("CNT")),
        ("prescaler-written", stored_to_timer("PSC")),
        ("reload-written", stored_to_timer("ARR", RELOAD)),
        ("reload-written", lambda facts: written(facts, BOOT, "TIM2", "ARR", RELOAD)),
        ("timer-mode-written", stored_to_timer("CR1", 0x85)),
        ("slave-mode-written", stored_to_timer("SMCR")),
        ("compare-mode-written", stored_to_timer("CCMR1", 0x58)),
        ("polarity-written", stored_to_timer("CCER")),
        ("timer-interrupt-written", stored_to_timer("DIER", 0x100)),
        ("timer-dma-window", stored_to_timer("DMAR")),
        ("other-channel-written", stored_to_timer("CCR2")),
        ("timer-register-written", stored_to_timer("OR")),
        ("timer-register-written", lambda facts: stored(facts, TICK, 0x40000010, 0, width=2)),
        ("timer-store-inexact", lambda facts: stored(facts, TICK, Word(low=0x40000010, high=0x40000014), 0)),
        ("timer-register-written", lambda facts: stored(facts, TICK, 0x42000280, 1)),
    ),
    *undecided(
        "out-clocked",
        ("reload-unknown", no_drop),
        ("compare-value-unknown", compare(value=anything(Origin.CONFINED))),
    ),
    *fails(
        "out-clock-steady",
        ("reset-requested", lambda facts: written(facts, FAULT, "SCB", "AIRCR", 0x05FA0001)),
        ("watchdog-used", lambda facts: stored(facts, TICK, 0x40002C00, 0x7F)),
        ("output-timer-unknown", unknown_timer),
        ("deep-sleep", lambda facts: device(facts, "SCB", "SCR", 4)),
        ("timer-clock-off", lambda facts: device(facts, "RCC", "APB1ENR", 0)),
        ("timer-stops-in-sleep", lambda facts: device(facts, "RCC", "APB1LPENR", 0)),
        ("clock-security-on", lambda facts: device(facts, "RCC", "CR", 0x01090083)),
        ("clock-from-outside", lambda facts: device(facts, "RCC", "CR", 0x01050083)),
        ("clock-tree-written", lambda facts: written(facts, TICK, "RCC", "CFGR", 0)),
        ("clock-tree-written", lambda facts: written(facts, BOOT, "RCC", "CFGR", 0)),
        ("power-written", lambda facts: stored(facts, FAULT, 0x40007000, 1)),
        ("power-written", lambda facts: written(facts, BOOT, "PWR", "CR", 1 << 14)),
        ("sleep-control-written", lambda facts: written(facts, TICK, "SCB", "SCR", 0)),
        ("debug-freeze-written", lambda facts: stored(facts, TICK, 0xE0042008, 1)),
        ("clock-reachable", open_peripherals),
    ),
    *undecided("out-clock-steady", ("no-drop", no_drop), ("mpu-words-unknown", unknown_region)),
    *fails(
        "out-period",
        ("output-timer-unknown", unknown_timer),
        ("period-too-short", lambda facts: device(facts, "TIM2", "ARR", RELOAD - 1)),
        ("period-too-short", lambda facts: device(device(facts, "TIM2", "PSC", 0x10000), "TIM2", "ARR", 1281)),
        ("period-below-claim", lambda facts: declaration(facts, "output", period_seconds=Decimal("1.5"))),
        ("clock-source-undeclared", internal_clock),
    ),
    *undecided(
        "out-period",
        ("reload-unknown", no_drop),
        ("clock-unproved", lambda facts: device(facts, "RCC", "PLLCFGR", anything(Origin.DEVICE))),
        ("clock-unproved", lambda facts: device(facts, "RCC", "CFGR", 3)),
        ("pll-out-of-range", lambda facts: device(facts, "RCC", "PLLCFGR", 1 << 22 | 1 << 16 | 500 << 6 | 8)),
    ),
    *fails(
        "out-one-write",
        ("output-timer-unknown", unknown_timer),
        ("two-mailbox-reads", lambda facts: loaded(facts, TICK, MAILBOX, anything(Origin.CONFINED))),
        ("two-mailbox-reads", lambda facts: changed(facts, TICK, MAILBOX, AccessKind.LOAD, in_loop=True)),
        ("mailbox-not-read", lambda facts: forgotten(facts, TICK, MAILBOX, AccessKind.LOAD)),
        ("mailbox-not-read", lambda facts: changed(facts, TICK, MAILBOX, AccessKind.LOAD, must=False)),
        ("mailbox-not-read", lambda facts: changed(facts, TICK, MAILBOX, AccessKind.LOAD, width=1)),
        ("confined-memory-read", lambda facts: loaded(facts, TICK, MAILBOX - 4, 0)),
        ("confined-memory-read", lambda facts: loaded(facts, FAULT, MAILBOX, 0)),
        ("confined-memory-read", lambda facts: loaded(facts, TICK, Word(low=MAILBOX, high=MAILBOX + 8), 0)),
        ("second-output-write", lambda facts: written(facts, FAULT, "TIM2", "CCR1", 0)),
        ("second-output-write", lambda facts: written(facts, TICK, "TIM2", "CCR1", 0)),
        ("output-not-written", compare(must=False)),
        ("output-not-written", lambda facts: forgotten(facts, TICK, CCR1)),
        ("tick-not-acknowledged", lambda facts: forgotten(facts, TICK, STATUS)),
        ("tick-not-acknowledged", lambda facts: changed(facts, TICK, STATUS, value=Word.exactly(0, 1))),
        ("tick-not-acknowledged", lambda facts: changed(facts, TICK, STATUS, must=False)),
        ("output-conditional", compare(control=frozenset({Origin.GATE}))),
        ("output-not-from-mailbox", compare(value=Word.exactly(0, ALWAYS, origins=frozenset({Origin.GATE})))),
        ("alphabet-too-large", compare(value=Word.exactly(0, 0xFFFFFFFE, ALWAYS))),
        ("answer-in-more-ways", last_answer(move(0, 2, idle=False, up=False), move(2, 2, idle=True, up=False))),
        ("gate-state-stored-elsewhere", unfollowed("gate-state-stored-elsewhere")),
    ),
    *undecided("out-one-write", *((code, unfollowed(code)) for code in UNFOLLOWED)),
    *undecided(
        "out-one-write",
        ("reload-unknown", no_drop),
        ("no-tick", other_handlers_only),
        ("mpu-words-unknown", unknown_region),
        ("compare-value-unknown", compare(value=anything(Origin.CONFINED))),
    ),
    *fails(
        "out-no-other-peripheral",
        ("peripheral-reachable", open_peripherals),
        ("peripheral-reachable", lambda facts: region(facts, 3, 0x42000000, 3 << 24 | 19 << 1 | 1)),
        ("undeclared-peripheral", lambda facts: stored(facts, BOOT, 0x40004404, 0x41)),
        ("undeclared-peripheral", lambda facts: stored(facts, TICK, 0xE0000000, 0x41)),
        ("undeclared-peripheral", lambda facts: written(facts, BOOT, "TIM3", "CR1", 1)),
        ("peripheral-clocked", clocked(1 << 17)),
    ),
    *undecided("out-no-other-peripheral", ("no-drop", no_drop), ("mpu-words-unknown", unknown_region)),
    *fails(
        "out-sensor-lines-constant",
        ("data-bus-unknown", hearing(lambda facts: declaration(facts, "sensor", data_bus="USART2"))),
        ("data-bus-pins", hearing(lambda facts: declaration(facts, "sensor", pins=("PB12", "PB13")))),
        ("data-bus-pins", hearing(lambda facts: declaration(facts, "sensor", pins=("PB10", "PB13", "PB15")))),
        ("data-bus-pins", hearing(lambda facts: declaration(facts, "sensor", pins=("PB12", "PB13", "PB14")))),
        ("data-bus-pins", hearing(lambda facts: device(facts, "GPIOB", "AFRH", 0x60550000))),
        ("data-bus-set-up", hearing(lambda facts: device(facts, "SPI2", "I2SCFGR", 0xE00))),
        ("data-bus-set-up", hearing(lambda facts: device(facts, "SPI2", "I2SCFGR", Word.exactly(0xF00, 0xF10)))),
        ("data-bus-set-up", hearing(lambda facts: device(facts, "SPI2", "CR1", 0x40))),
        ("data-bus-set-up", hearing(lambda facts: written(facts, BOOT, "SPI2", "I2SPR", anything(Origin.SENSOR)))),
        ("data-bus-requests", hearing(lambda facts: device(facts, "SPI2", "CR2", 1))),
        ("data-bus-requests", hearing(lambda facts: device(facts, "SPI2", "I2SPR", 0x229))),
        ("data-bus-clock", hearing(lambda facts: device(facts, "RCC", "APB1ENR", 1))),
        ("data-bus-clock", hearing(lambda facts: device(facts, "RCC", "APB1LPENR", 1))),
        ("data-bus-clock", hearing(lambda facts: device(facts, "RCC", "CFGR", 4 << 10 | 2 | 1 << 23))),
        ("data-bus-written-after-drop", hearing(lambda facts: written(facts, TICK, "SPI2", "I2SCFGR", 0xB00))),
        ("data-bus-read-elsewhere", hearing(lambda facts: read(facts, FAULT, "SPI2", "DR"))),
        ("data-bus-read-elsewhere", hearing(lambda facts: read(facts, TICK, "SPI2", "I2SCFGR"))),
        (
            "sensor-line-on-request",
            hearing(lambda facts: written(facts, TICK, "GPIOB", "BSRR", anything(Origin.CONFINED))),
        ),
        ("sensor-bus-unknown", lambda facts: declaration(facts, "sensor", control_bus="GPIOA")),
        ("sensor-bus-unknown", lambda facts: declaration(facts, "sensor", control_bus="I2C9")),
        ("sensor-bytes-vary", lambda facts: written(facts, BOOT, "I2C1", "DR", anything(Origin.RESET))),
        (
            "sensor-bytes-vary",
            lambda facts: written(facts, BOOT, "I2C1", "DR", 1, control=frozenset({Origin.SENSOR})),
        ),
        ("sensor-written-after-drop", lambda facts: written(facts, TICK, "I2C1", "DR", 0x48)),
        ("sensor-bus-on", lambda facts: device(facts, "I2C1", "CR1", 1)),
        ("sensor-bus-on", clocked(1 << 21)),
        ("sensor-line-on-request", lambda facts: written(facts, FAULT, "GPIOC", "BSRR", 1)),
        (
            "sensor-line-on-request",
            lambda facts: written(facts, TICK, "GPIOC", "BSRR", 1, control=frozenset({Origin.CONFINED})),
        ),
        ("sensor-line-on-request", lambda facts: written(facts, TICK, "GPIOC", "BSRR", 1 << 12)),
    ),
    *fails(
        "out-fault-safe",
        ("reset-requested", lambda facts: written(facts, FAULT, "SCB", "AIRCR", 0x05FA0004)),
        ("watchdog-used", lambda facts: stored(facts, FAULT, 0x40003000, 0xAAAA)),
        ("output-timer-unknown", unknown_timer),
        ("watchdog-used", options(wdg_sw=0)),
        ("fault-runs-tick", lambda facts: run(facts, TICK, exceptions=(3, 44))),
        ("fault-moves-output", lambda facts: written(facts, FAULT, "TIM2", "EGR", 1)),
        ("fault-moves-output", lambda facts: written(facts, FAULT, "GPIOA", "MODER", 0)),
        ("fault-leaves-output", lambda facts: held(facts, FAULT, MAILBOX, MAILBOX + 4, anything(Origin.CONFINED))),
        ("fault-leaves-output", lambda facts: held(facts, FAULT, MAILBOX, MAILBOX + 4, known(1))),
        ("fault-returns-to-detector", lambda facts: stacked(facts, FAULT, 6, known(0x08001004))),
        ("idle-not-a-loop", busy_idle),
        ("fault-raises-output", last_answer(move(0, 1, idle=True))),
        ("fault-keeps-output", last_answer(move(1, 1, idle=True))),
        ("gate-state-stored-elsewhere", unfollowed("gate-state-stored-elsewhere")),
        ("output-not-idle", lambda facts: device(facts, "TIM2", "CCR1", ALWAYS)),
        ("idle-word-not-idle", lambda facts: exploration(facts, unanswered=facts.exploration.handlers)),
    ),
    *undecided(
        "out-fault-safe",
        ("reload-unknown", no_drop),
        ("no-fault-handler", only_the_tick),
        ("idle-word-unfollowed", lambda facts: exploration(facts, unanswered=())),
        *((code, unfollowed(code)) for code in UNFOLLOWED),
    ),
    *fails(
        "out-capacity",
        ("output-timer-unknown", unknown_timer),
        ("clock-source-undeclared", internal_clock),
        ("capacity-exceeded", lambda facts: device(facts, "TIM2", "ARR", RELOAD - 1)),
        ("capacity-exceeded", compare(value=Word.exactly(0, 42000000, ALWAYS))),
    ),
    *undecided(
        "out-capacity",
        ("reload-unknown", no_drop),
        ("clock-unproved", lambda facts: device(facts, "RCC", "PLLCFGR", anything(Origin.DEVICE))),
        ("compare-value-unknown", compare(value=anything(Origin.CONFINED))),
        ("pll-out-of-range", lambda facts: device(facts, "RCC", "PLLCFGR", 1 << 22 | 336 << 6 | 63)),
    ),
    *fails(
        "out-budget",
        ("budget-not-enforced", budget),
        ("budget-not-enforced", limited(last_answer())),
        ("budget-not-enforced", changes_a_day),
        ("gate-state-stored-elsewhere", limited(unfollowed("gate-state-stored-elsewhere"))),
        ("output-timer-unknown", unknown_timer),
        ("clock-source-undeclared", internal_clock),
    ),
    *undecided("out-budget", *((code, limited(unfollowed(code))) for code in UNFOLLOWED)),
    *undecided(
        "out-budget",
        ("reload-unknown", no_drop),
        ("clock-unproved", lambda facts: device(facts, "RCC", "PLLCFGR", anything(Origin.DEVICE))),
        ("compare-value-unknown", compare(value=anything(Origin.CONFINED))),
        ("pll-out-of-range", lambda facts: device(facts, "RCC", "PLLCFGR", 1 << 22 | 336 << 6 | 63)),
    ),
    *undecided("out-supply", ("no-measurement", lambda facts: replace(facts, level=3))),
]
