"""Deviations that the requirements on memory must notice."""

from __future__ import annotations

from dataclasses import replace

from pinproof.declaration import Range, SensorKind
from pinproof.facts import Facts
from pinproof.machine.result import Origin, Site, Word
from pinproof.silicon import Buffer

from tests.unit.requirements.builders import (
    CONFINED_END,
    DETECTOR,
    FRAME,
    FRAME_SIZE,
    PSP,
    RAM,
    RAM_END,
    SENSED,
    STACK_TOP,
    constant_range,
    known,
)
from tests.unit.requirements.cases import Case, Deviation, fails, undecided
from tests.unit.requirements.deviations import (
    BOOT,
    FAULT,
    STATE_WORD,
    TICK,
    anything,
    declaration,
    device,
    drop,
    drop_state,
    exit_of,
    forgotten,
    held,
    last_answer,
    leaving_state,
    loaded,
    obstacle,
    read,
    region,
    run,
    silicon,
    stacked,
    stored,
    unfollowed,
    written,
)
from tests.unit.requirements.out_cases import (
    UNFOLLOWED,
    no_drop,
    open_peripherals,
    other_handlers_only,
    unknown_region,
)

SENSOR_DATA = Word(low=0, high=0xFFFFFFFF, origins=SENSED)


def wider_frame(facts: Facts) -> Facts:
    return declaration(facts, "sensor", samples=97 * 96)


VOICE_BUDGET = 96_000
ALL_RAM = (0x20000000, 1 << 28 | 3 << 24 | 3 << 17 | 16 << 1 | 1)
SMALL_BUDGET = CONFINED_END - RAM + 500
"""Room for the gate's stacks, and not for the one-time memory."""


def by_protection(deviation: Deviation | None = None, *, budget: int = VOICE_BUDGET) -> Deviation:
    """Judged by a budget that the whole part does not keep."""

    def judged(facts: Facts) -> Facts:
        limits = replace(facts.profile.memory_budget, bytes=budget)
        facts = replace(facts, profile=replace(facts.profile, memory_budget=limits))
        return facts if deviation is None else deviation(facts)

    return judged


def buffer(facts: Facts, peripheral: str, size: int = 40_000) -> Facts:
    """A buffer that would break the budget if it counted."""
    more = Buffer(name="a buffer", peripheral=peripheral, size=size, cite="none")
    return silicon(facts, buffers=(*facts.silicon.buffers, more))


def saved_register(facts: Facts, word: Word) -> Facts:
    registers = list(exit_of(facts, TICK).state.registers)
    registers[4] = word
    return leaving_state(facts, TICK, registers=tuple(registers))


def starts_at_entry(facts: Facts) -> Facts:
    """The drop itself starts the entry, with a register that nobody cleared."""
    registers = (anything(Origin.RESET), *(known(0),) * 12)
    return drop_state(drop(facts, target=known(DETECTOR)), registers=registers)


def hole(which: str) -> Deviation:
    def deviation(facts: Facts) -> Facts:
        memory = (constant_range(FRAME, CONFINED_END - 4), constant_range(CONFINED_END, RAM_END))
        if which == BOOT:
            return drop_state(facts, memory=memory)
        return leaving_state(facts, which, memory=memory)

    return deviation


def no_confined_memory(facts: Facts) -> Facts:
    return region(facts, 2, 0, 0)


CASES: list[Case] = [
    *fails(
        "mem-forgetful",
        ("wipe-incomplete", lambda facts: held(facts, TICK, PSP - 4, PSP, anything(Origin.CONFINED))),
        ("wipe-incomplete", lambda facts: held(facts, TICK, PSP - 4, PSP, anything(Origin.DEVICE))),
        ("wipe-incomplete", lambda facts: held(facts, TICK, PSP - 4, PSP, anything(Origin.GATE))),
        ("wipe-incomplete", lambda facts: held(facts, TICK, PSP - 4, PSP, Word.exactly(0, 1))),
        ("wipe-incomplete", lambda facts: held(facts, TICK, FRAME + FRAME_SIZE, FRAME + FRAME_SIZE + 4, SENSOR_DATA)),
        ("frame-holds-more", lambda facts: held(facts, TICK, FRAME, FRAME + 4, anything(Origin.DEVICE))),
        ("frame-holds-more", lambda facts: held(facts, TICK, FRAME, FRAME + 4, anything(Origin.SENSOR, Origin.GATE))),
        ("frame-holds-more", lambda facts: held(facts, TICK, FRAME, FRAME + 4, Word.exactly(0, 1))),
        ("registers-not-cleared", lambda facts: saved_register(facts, anything(Origin.CONFINED))),
        ("registers-not-cleared", lambda facts: saved_register(facts, Word.exactly(0, 1))),
        ("registers-not-cleared", lambda facts: stacked(facts, TICK, 0, anything(Origin.CONFINED))),
        ("registers-not-cleared", lambda facts: stacked(facts, TICK, 4, anything(Origin.DEVICE))),
        ("registers-not-cleared", starts_at_entry),
        ("flags-not-cleared", lambda facts: stacked(facts, TICK, 7, known(0x09000000))),
        ("flags-not-cleared", lambda facts: stacked(facts, TICK, 7, known(0x01000200))),
        ("fpu-on", lambda facts: device(facts, "SCB", "CPACR", 0xF << 20)),
        ("fpu-on", lambda facts: written(facts, TICK, "SCB", "CPACR", 0)),
        ("fpu-on", lambda facts: written(facts, FAULT, "FPU", "FPCCR", 0)),
        ("gate-remembers", lambda facts: held(facts, TICK, RAM_END - 4, RAM_END, anything(Origin.CONFINED))),
        ("gate-remembers", lambda facts: held(facts, FAULT, RAM_END - 4, RAM_END, anything(Origin.CONFINED))),
        ("gate-remembers", lambda facts: held(facts, TICK, RAM_END - 4, RAM_END, anything(Origin.SENSOR))),
        ("branch-on-confined", lambda facts: run(facts, TICK, confined_branches=(Site(address=0x08000310),))),
        ("branch-on-confined", lambda facts: run(facts, FAULT, confined_branches=(Site(address=0x08000410),))),
        ("pending-fault-kept", lambda facts: forgotten(facts, TICK, 0xE000ED24)),
        ("device-read", lambda facts: read(facts, TICK, "TIM2", "CNT", anything(Origin.DEVICE))),
        ("device-read", lambda facts: read(facts, TICK, "SCB", "CFSR", anything(Origin.DEVICE))),
        ("device-read", lambda facts: loaded(facts, TICK, 0x40002850, anything(Origin.DEVICE))),
        ("device-written", lambda facts: written(facts, TICK, "TIM2", "PSC", 1)),
        ("device-written", lambda facts: written(facts, TICK, "TIM2", "SR", anything(Origin.DEVICE, Origin.CONFINED))),
        ("device-written", lambda facts: written(facts, TICK, "TIM2", "SR", anything(Origin.SENSOR))),
        ("device-written", lambda facts: written(facts, FAULT, "SCB", "CFSR", anything(Origin.DEVICE))),
        (
            "device-written",
            lambda facts: written(facts, TICK, "GPIOC", "BSRR", 1, control=frozenset({Origin.SENSOR})),
        ),
        ("cache-on", lambda facts: device(facts, "FLASH", "ACR", 0x302)),
        ("cache-on", lambda facts: device(facts, "FLASH", "ACR", anything(Origin.DEVICE))),
        (
            "output-read-back",
            lambda facts: declaration(read(facts, TICK, "GPIOA", "IDR"), "sensor", pins=("PA6", "PC0")),
        ),
        ("gate-remembers", lambda facts: held(facts, FAULT, RAM_END - 4, RAM_END, known(1))),
        ("gate-remembers", lambda facts: held(facts, TICK, RAM_END - 4, RAM_END, anything(Origin.DEVICE))),
        ("no-confined-memory", no_confined_memory),
    ),
    *fails(
        "mem-forgetful",
        ("gate-state-stored-elsewhere", unfollowed("gate-state-stored-elsewhere")),
        ("gate-state-reachable", lambda facts: region(last_answer()(facts), 2, *ALL_RAM)),
        ("gate-remembers", lambda facts: held(last_answer()(facts), TICK, STATE_WORD, STATE_WORD + 4, SENSOR_DATA)),
    ),
    *undecided("mem-forgetful", *((code, unfollowed(code)) for code in UNFOLLOWED)),
    *undecided(
        "mem-forgetful",
        ("no-tick", other_handlers_only),
        ("no-drop", no_drop),
        ("mpu-words-unknown", unknown_region),
        ("memory-not-described", hole(TICK)),
        ("tick-without-exit", lambda facts: run(facts, TICK, exits=())),
    ),
    *fails(
        "mem-writable-budget",
        ("budget-exceeded", by_protection(lambda facts: run(facts, TICK, ram_stores=((CONFINED_END, RAM_END),)))),
        ("budget-exceeded", by_protection(lambda facts: run(facts, FAULT, ram_stores=None))),
        ("budget-exceeded", by_protection(lambda facts: region(facts, 2, *ALL_RAM))),
        ("budget-exceeded", by_protection(open_peripherals)),
        ("budget-exceeded", by_protection(lambda facts: device(facts, "RCC", "AHB1ENR", 0x9F | 1 << 21))),
        ("budget-exceeded", by_protection(lambda facts: stored(facts, BOOT, 0x40026410, 1))),
        ("budget-exceeded", by_protection(lambda facts: written(facts, TICK, "RCC", "AHB1ENR", 0x0040009F))),
        ("budget-exceeded", by_protection(lambda facts: run(facts, FAULT, stack_low=STACK_TOP - 0x8000))),
        (
            "budget-exceeded",
            by_protection(lambda facts: device(buffer(facts, "OTG_FS"), "RCC", "AHB2ENR", 1 << 7)),
        ),
        ("budget-exceeded", by_protection(lambda facts: stored(buffer(facts, "RTC_BKP"), TICK, 0x40002850, 1))),
        ("budget-exceeded", by_protection(lambda facts: loaded(buffer(facts, "RTC_BKP"), BOOT, 0x40002850, 1))),
        ("budget-exceeded", by_protection(lambda facts: buffer(facts, "NOBODY"))),
        (
            "budget-exceeded",
            by_protection(lambda facts: stored(facts, TICK, 0x1FFF7800, 1), budget=SMALL_BUDGET),
        ),
        (
            "no-memory-listed",
            lambda facts: silicon(facts, memories=tuple(each for each in facts.silicon.memories if each.kind != "ram")),
        ),
    ),
    *undecided(
        "mem-writable-budget",
        ("nothing-explored", by_protection(no_drop)),
        ("gate-not-proved", by_protection(obstacle)),
        ("mpu-words-unknown", by_protection(unknown_region)),
        ("stack-unbounded", by_protection(lambda facts: run(facts, TICK, stack_low=None))),
        (
            "stack-pointer-unknown",
            by_protection(lambda facts: drop_state(facts, main_stack=anything(Origin.RESET))),
        ),
    ),
    *fails(
        "mem-frame-bounded",
        ("capture-in-boot", lambda facts: read(facts, BOOT, "GPIOC", "IDR", anything(Origin.SENSOR))),
        ("capture-in-boot", lambda facts: read(facts, BOOT, "I2C1", "DR", anything(Origin.DEVICE))),
        ("frame-overrun", lambda facts: held(facts, TICK, FRAME + FRAME_SIZE, FRAME + FRAME_SIZE + 4, SENSOR_DATA)),
        ("frame-overrun", lambda facts: held(facts, TICK, STACK_TOP, STACK_TOP + 4, SENSOR_DATA)),
        ("frame-kind", lambda facts: declaration(facts, "sensor", kind=SensorKind.SOUND)),
        ("frame-size", wider_frame),
        (
            "frame-too-large",
            lambda facts: replace(
                facts,
                profile=replace(facts.profile, frame=replace(facts.profile.frame, maximum_bits_per_sample=4)),
            ),
        ),
        (
            "frame-too-large",
            lambda facts: replace(
                facts, profile=replace(facts.profile, frame=replace(facts.profile.frame, maximum_samples=9215))
            ),
        ),
        (
            "frame-not-confined",
            lambda facts: declaration(facts, "memory", frame=Range(start=CONFINED_END, size=FRAME_SIZE)),
        ),
    ),
    *undecided(
        "mem-frame-bounded",
        ("no-capture", lambda facts: held(facts, TICK, FRAME, FRAME + FRAME_SIZE, known(0))),
        ("no-drop", no_drop),
        ("mpu-words-unknown", unknown_region),
    ),
    *fails(
        "mem-no-other-store",
        ("storage-used", lambda facts: stored(facts, TICK, 0x40002850, 1)),
        ("storage-used", lambda facts: loaded(facts, BOOT, 0x40002850, 1)),
        ("storage-used", lambda facts: stored(facts, BOOT, 0x1FFF7800, 1)),
        ("storage-used", lambda facts: stored(facts, TICK, 0x42050A00, 1)),
        ("storage-reachable", open_peripherals),
        ("storage-reachable", lambda facts: region(facts, 3, 0x1FFF0000, 6 << 24 | 15 << 1 | 1)),
    ),
    *undecided("mem-no-other-store", ("no-drop", no_drop), ("mpu-words-unknown", unknown_region)),
    *fails(
        "mem-cleared",
        ("not-cleared", lambda facts: held(facts, BOOT, PSP, PSP + 4, anything(Origin.RESET))),
        ("not-cleared", lambda facts: held(facts, BOOT, RAM_END - 4, RAM_END, anything(Origin.RESET))),
        ("boot-depends-on-memory", lambda facts: written(facts, BOOT, "GPIOA", "ODR", anything(Origin.RESET))),
        (
            "boot-depends-on-memory",
            lambda facts: written(facts, BOOT, "GPIOA", "ODR", 1, control=frozenset({Origin.RESET})),
        ),
        ("confined-memory-not-constant", lambda facts: held(facts, BOOT, PSP, PSP + 4, anything(Origin.DEVICE))),
        ("boot-depends-on-memory", lambda facts: written(facts, BOOT, "GPIOA", "ODR", anything(Origin.RESET))),
        (
            "boot-depends-on-memory",
            lambda facts: written(facts, BOOT, "GPIOA", "ODR", 1, control=frozenset({Origin.RESET})),
        ),
    ),
    *undecided("mem-cleared", ("memory-not-described", hole(BOOT)), ("mpu-words-unknown", unknown_region)),
    *fails(
        "mem-stack-bounded",
        ("stack-outside-gate-memory", lambda facts: run(facts, TICK, stack_low=STACK_TOP - 1024)),
        ("stack-outside-gate-memory", lambda facts: run(facts, BOOT, stack_low=CONFINED_END - 4)),
        ("stack-outside-gate-memory", lambda facts: drop_state(facts, main_stack=known(CONFINED_END))),
        ("confined-stack-outside", lambda facts: drop_state(facts, process_stack=known(STACK_TOP))),
        ("confined-stack-outside", lambda facts: leaving_state(facts, TICK, process_stack=known(CONFINED_END))),
        ("confined-stack-outside", lambda facts: leaving_state(facts, FAULT, process_stack=anything(Origin.CONFINED))),
    ),
    *undecided(
        "mem-stack-bounded",
        ("stack-unbounded", lambda facts: run(facts, TICK, stack_low=None)),
        ("stack-unbounded", lambda facts: run(facts, BOOT, stack_high=None)),
        ("stack-pointer-unknown", lambda facts: drop_state(facts, main_stack=anything())),
        ("no-drop", no_drop),
        ("mpu-words-unknown", unknown_region),
    ),
]
