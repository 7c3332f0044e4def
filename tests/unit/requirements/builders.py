"""A small module that conforms, as facts, and the ways to make it deviate in one point.

The exploration is written by hand, as the machine would give it: what the machine itself does is tested elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from types import MappingProxyType

from pinproof.declaration import (
    Build,
    Clock,
    ClockSource,
    Declaration,
    DeclaredFile,
    Entry,
    Flash,
    Lifecycle,
    Materials,
    Memory,
    Model,
    Module,
    Output,
    Range,
    Sensor,
    SensorKind,
)
from pinproof.facts import Facts
from pinproof.image import Image, Segment
from pinproof.machine.result import (
    Access,
    AccessKind,
    Content,
    Drop,
    Exploration,
    HandlerExit,
    MachineState,
    MemoryRange,
    Origin,
    Run,
    Site,
    Word,
)
from pinproof.profile import load_profile
from pinproof.provisioning import OptionBytes, Provisioning, Step
from pinproof.silicon import Silicon, load_silicon

GATE, CONFINED_CODE, MODEL = 0x08000000, 0x08001000, 0x08020000
DETECTOR, IDLE = 0x08001004, 0x08001000
RAM, CONFINED_END, RAM_END = 0x20000000, 0x20010000, 0x20018000
MAILBOX, FRAME, FRAME_SIZE = 0x2000FF00, 0x20000000, 9216
STACK_TOP = 0x20010400
PSP = CONFINED_END - 32
RESET_CODE, TICK_CODE, FAULT_CODE = 0x080001A0, 0x08000300, 0x08000400
CODE_END = 0x08000440
RELOAD = 84008399
ALWAYS = 0xFFFFFFFF
MODEL_BYTES = b"weights!" * 16
DATASHEET = "\n".join(
    f"## {title}\n\nText.\n"
    for title in (
        "Description",
        "Use cases",
        "Communication",
        "Hardware",
        "Bill of materials",
        "Training data",
        "Privacy",
        "Model",
        "Performance",
        "Environmental sensitivity",
        "Demographic bias",
        "Environmental impact",
        "Compliance",
    )
).encode()
EXPOSED = frozenset({Origin.CONFINED})
SENSED = frozenset({Origin.SENSOR})


def known(value: int) -> Word:
    return Word.exactly(value)


@cache
def conforming_facts() -> Facts:
    """A module that every requirement passes at level 1."""
    silicon = load_silicon("stm32f401xe")
    provisioning = Provisioning(
        specification="0.1",
        part="stm32f401xe",
        steps=(Step.MASS_ERASE, Step.PROGRAM, Step.READ_BACK, Step.SEAL, Step.SHOW_CLOSED),
        option_bytes=OptionBytes(rdp=0xCC, nwrp=0, sprmod=0, bor_lev=0, wdg_sw=1, nrst_stop=1, nrst_stdby=1),
        sha256="1" * 64,
    )
    return Facts(
        image=_image(),
        declaration=_declaration(),
        profile=load_profile("person-detector"),
        silicon=silicon,
        exploration=_exploration(silicon),
        level=1,
        provisioning=provisioning,
        datasheet=DATASHEET,
    )


def _image() -> Image:
    vectors = b"".join(vector.to_bytes(4, "little") for vector in _vectors())
    gate = vectors.ljust(CODE_END - GATE, b"\x08")
    confined = bytes((0xFE, 0xE7, 0x00, 0xBF, 0xFE, 0xE7))
    return Image(
        segments=(
            Segment(address=GATE, data=gate),
            Segment(address=CONFINED_CODE, data=confined),
            Segment(address=MODEL, data=MODEL_BYTES),
        ),
        entry=RESET_CODE | 1,
        sha256="0" * 64,
        kind="elf",
    )


def _vectors() -> tuple[int, ...]:
    entries = [FAULT_CODE | 1] * 101
    entries[0], entries[1], entries[44] = STACK_TOP, RESET_CODE | 1, TICK_CODE | 1
    return tuple(entries)


def _declaration() -> Declaration:
    return Declaration(
        specification="0.1",
        module=Module(
            vendor="Vendor",
            product="Product",
            version="1",
            part="stm32f401xe",
            revisions=("Z",),
            profile="person-detector",
        ),
        output=Output(pins=("PA5",), timer="TIM2", channels=(1,), period_seconds=Decimal("1.0")),
        sensor=Sensor(
            model="HM01B0",
            kind=SensorKind.IMAGE,
            samples=96 * 96,
            width=96,
            height=96,
            bits_per_sample=8,
            control_bus="I2C1",
            pins=("PB8", "PB9", *(f"PC{number}" for number in range(11))),
        ),
        memory=Memory(
            confined=Range(start=RAM, size=CONFINED_END - RAM),
            mailbox=MAILBOX,
            frame=Range(start=FRAME, size=FRAME_SIZE),
        ),
        flash=Flash(gate=Range(start=GATE, size=0x1000), confined=Range(start=CONFINED_CODE, size=0x1F000)),
        entry=Entry(detector=DETECTOR, idle=IDLE),
        model=Model(range=Range(start=MODEL, size=len(MODEL_BYTES)), sha256=hashlib.sha256(MODEL_BYTES).hexdigest()),
        clock=Clock(source=ClockSource.HSE, crystal_hz=8_000_000, tolerance_ppm=100),
        provisioning=DeclaredFile(file="provisioning.toml", sha256="1" * 64),
        build=Build(toolchain="gcc 12.2", recipe="make", flash_sha256=None),
        datasheet=DeclaredFile(file="datasheet.md", sha256=hashlib.sha256(DATASHEET).hexdigest()),
        materials=Materials(transducers=("HM01B0",), memories=()),
        lifecycle=Lifecycle(
            immutability_rationale="A module that can be updated can be turned into a recorder.",
            support_period="10 years",
            replacement="It unplugs.",
            battery="none",
            hazardous_substances="none above the limits",
            take_back="The vendor takes it back.",
        ),
        sha256="2" * 64,
    )


_AT_DROP: dict[tuple[str, str], int] = {
    ("RCC", "CR"): 0x01010083,
    ("RCC", "PLLCFGR"): 1 << 29 | 7 << 24 | 1 << 22 | 1 << 16 | 336 << 6 | 8,
    ("RCC", "CFGR"): 4 << 10 | 2,
    ("RCC", "AHB1ENR"): 0x9F,
    ("RCC", "APB1ENR"): 1,
    ("RCC", "APB1LPENR"): 1,
    ("GPIOA", "MODER"): 0xFFFFFBFF,
    ("GPIOA", "AFRL"): 1 << 20,
    ("GPIOB", "MODER"): 0xFFFFFFFF,
    ("GPIOC", "MODER"): 0xFFC00000,
    ("GPIOD", "MODER"): 0xFFFFFFFF,
    ("GPIOE", "MODER"): 0xFFFFFFFF,
    ("GPIOH", "MODER"): 0xFFFFFFFF,
    ("TIM2", "CR1"): 0x85,
    ("TIM2", "CCMR1"): 0x68,
    ("TIM2", "CCER"): 1,
    ("TIM2", "DIER"): 1,
    ("TIM2", "ARR"): RELOAD,
    ("SCB", "VTOR"): GATE,
    ("SCB", "SHCSR"): 0x70000,
    ("SCB", "SHPR1"): 0x00404040,
    ("SCB", "SHPR2"): 0x40000000,
    ("SCB", "SHPR3"): 0x40400040,
    ("NVIC", "ISER0"): 1 << 28,
    ("NVIC", "IPR7"): 0x40404040,
}

_BOOT_STORES: tuple[tuple[str, str, int], ...] = (
    ("RCC", "AHB1ENR", 0x9F),
    ("RCC", "CFGR", 4 << 10),
    ("RCC", "PLLCFGR", _AT_DROP["RCC", "PLLCFGR"]),
    ("FLASH", "ACR", 0x102),
    ("RCC", "CFGR", 4 << 10 | 2),
    ("RCC", "APB1ENR", 1 << 21),
    ("I2C1", "CR1", 1),
    ("I2C1", "DR", 0x48),
    ("I2C1", "CR1", 0),
    ("RCC", "APB1ENR", 1),
    ("RCC", "APB1LPENR", 1),
    ("TIM2", "CCR1", 0),
    ("TIM2", "PSC", 0),
    ("TIM2", "ARR", RELOAD),
    ("TIM2", "CCMR1", 0x68),
    ("TIM2", "CR1", 0x84),
    ("TIM2", "EGR", 1),
    ("TIM2", "CCER", 1),
    ("TIM2", "DIER", 1),
    ("NVIC", "ISER0", 1 << 28),
    ("TIM2", "CR1", 0x85),
)


def address_of(silicon: Silicon, block: str, name: str) -> int:
    return silicon.peripheral(block).register(name).address


def access(
    kind: AccessKind,
    address: int | Word,
    value: int | Word,
    order: int,
    *,
    site: int = 0x080001C0,
    width: int = 4,
    in_loop: bool = False,
    must: bool = True,
    multiple: bool = False,
    control: frozenset[Origin] = frozenset(),
) -> Access:
    return Access(
        kind=kind,
        site=Site(address=site),
        address=known(address) if isinstance(address, int) else address,
        width=width,
        value=known(value) if isinstance(value, int) else value,
        order=order,
        in_loop=in_loop,
        must=must,
        multiple=multiple,
        control=control,
    )


def _boot_accesses(silicon: Silicon) -> tuple[Access, ...]:
    found: list[Access] = []
    for block, name, value in _BOOT_STORES:
        address = address_of(silicon, block, name)
        site = RESET_CODE + 4 * len(found)
        found.append(access(AccessKind.STORE, address, value, len(found), site=site))
        if name.endswith("ENR"):
            found.append(access(AccessKind.LOAD, address, value, len(found), site=site + 2))
    return tuple(found)


def _tick_accesses(silicon: Silicon, level: Word) -> tuple[Access, ...]:
    plan = (
        (AccessKind.STORE, address_of(silicon, "TIM2", "SR"), known(0), False),
        (AccessKind.LOAD, address_of(silicon, "TIM2", "SR"), Word.anything(Origin.DEVICE), False),
        (AccessKind.LOAD, MAILBOX, Word.anything(Origin.CONFINED), False),
        (AccessKind.STORE, address_of(silicon, "TIM2", "CCR1"), level, False),
        (AccessKind.STORE, address_of(silicon, "SCB", "SHCSR"), known(0x70000), False),
        (AccessKind.LOAD, address_of(silicon, "GPIOC", "IDR"), Word.anything(Origin.SENSOR), True),
    )
    return tuple(
        access(kind, address, value, order, site=TICK_CODE + 4 * order, in_loop=loop)
        for order, (kind, address, value, loop) in enumerate(plan)
    )


def _fault_accesses(silicon: Silicon) -> tuple[Access, ...]:
    registers = ("CFSR", "HFSR")
    return tuple(
        access(AccessKind.STORE, address_of(silicon, "SCB", name), 0x030FBFBB, order, site=FAULT_CODE + 4 * order)
        for order, name in enumerate(registers)
    )


def constant_range(start: int, end: int, value: int = 0) -> MemoryRange:
    return MemoryRange(start=start, end=end, content=Content.CONSTANT, value=known(value))


def _memory(frame: Word | None) -> tuple[MemoryRange, ...]:
    first = constant_range(FRAME, FRAME + FRAME_SIZE)
    if frame is not None:
        first = MemoryRange(start=FRAME, end=FRAME + FRAME_SIZE, content=Content.VARIABLE, value=frame)
    return (
        first,
        constant_range(FRAME + FRAME_SIZE, CONFINED_END),
        constant_range(CONFINED_END, RAM_END),
    )


def _regions() -> tuple[tuple[Word, Word], ...]:
    words = [
        (0x08000000, 6 << 24 | 1 << 17 | 18 << 1 | 1),
        (0x20000000, 1 << 28 | 1 << 24 | 3 << 17 | 16 << 1 | 1),
        (0x20000000, 1 << 28 | 3 << 24 | 3 << 17 | 15 << 1 | 1),
        *[(0, 0)] * 5,
    ]
    return tuple((known(base), known(attributes)) for base, attributes in words)


def _devices(silicon: Silicon) -> Mapping[int, Word]:
    words: dict[int, Word] = {}
    for register in silicon.registers.values():
        if register.reset is None:
            words[register.address] = Word.anything(Origin.RESET)
        else:
            unknown = register.reset_unknown
            words[register.address] = Word(
                low=register.reset & ~unknown,
                high=register.reset | unknown,
                zeros=~register.reset & ~unknown & 0xFFFFFFFF,
                ones=register.reset & ~unknown,
            )
    for (block, name), value in _AT_DROP.items():
        words[address_of(silicon, block, name)] = known(value)
    return MappingProxyType(words)


def _state(silicon: Silicon, *, control: int, frame: Word | None, process_stack: int) -> MachineState:
    return MachineState(
        registers=(known(0),) * 13,
        main_stack=known(STACK_TOP),
        process_stack=known(process_stack),
        control=known(control),
        primask=known(0),
        device=_devices(silicon),
        mpu_regions=_regions(),
        mpu_control=known(7),
        memory=_memory(frame),
        barriers=frozenset({"mpu-synchronised", "control-synchronised", "stores-complete"}),
    )


def _exit(silicon: Silicon, site: int, counter: Word, frame: Word | None) -> HandlerExit:
    words = (*(known(0) for _ in range(5)), known(0xFFFFFFFF), counter, known(0x01000000))
    return HandlerExit(
        site=Site(address=site),
        exception_return=known(0xFFFFFFFD),
        frame=words,
        state=_state(silicon, control=1, frame=frame, process_stack=PSP),
    )


def _run(entry: int, exceptions: tuple[int, ...], accesses: tuple[Access, ...], exits: tuple[HandlerExit, ...]) -> Run:
    return Run(
        entry=entry,
        exceptions=exceptions,
        accesses=accesses,
        instructions=20,
        cycles=50_000,
        stack_low=STACK_TOP - 64,
        stack_high=STACK_TOP,
        confined_branches=(),
        system_writes=(
            ("psp", Site(address=entry), known(PSP)),
            ("control", Site(address=entry), known(1)),
        ),
        exits=exits,
        drops=(),
        endless=(),
        ram_stores=((RAM, CONFINED_END), (STACK_TOP - 64, STACK_TOP)),
    )


def _exploration(silicon: Silicon) -> Exploration:
    drop = Drop(
        site=Site(address=RESET_CODE + 0x100),
        target=known(IDLE),
        state=_state(silicon, control=3, frame=None, process_stack=CONFINED_END),
    )
    writes = (
        ("primask", Site(address=RESET_CODE), known(1)),
        ("control", Site(address=RESET_CODE + 0xF0), known(2)),
        ("primask", Site(address=RESET_CODE + 0xF4), known(0)),
        ("control", Site(address=RESET_CODE + 0xF8), known(3)),
    )
    boot = replace(
        _run(RESET_CODE, (1,), _boot_accesses(silicon), ()), system_writes=writes, drops=(drop,), cycles=50_000_000
    )
    counter = Word.exactly(DETECTOR, IDLE)
    level = Word.exactly(0, ALWAYS, origins=EXPOSED)
    sensed = Word(low=0, high=0xFFFFFFFF, origins=SENSED)
    tick = _run(TICK_CODE, (44,), _tick_accesses(silicon, level), (_exit(silicon, TICK_CODE + 0x40, counter, sensed),))
    others = tuple(number for number in range(2, 101) if number != 44)
    fault = _run(FAULT_CODE, others, _fault_accesses(silicon), (_exit(silicon, FAULT_CODE + 0x30, known(IDLE), None),))
    return Exploration(
        boot=boot,
        handlers=(tick, fault),
        unanswered=(replace(tick, accesses=_tick_accesses(silicon, known(0))), fault),
        vectors=_vectors(),
        obstacles=(),
        executed=((GATE + 404, CODE_END),),
        constants=((GATE, GATE + 404),),
        invariant_rounds=2,
        steps=1000,
    )
