"""Deviations that the requirements on inputs, radio, build, papers and life must notice."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal

from pinproof.declaration import Range
from pinproof.facts import Facts
from pinproof.machine.result import Origin
from pinproof.silicon import Capability, MemoryKind

from tests.unit.requirements.builders import DATASHEET, DETECTOR, RAM, known
from tests.unit.requirements.cases import Case, Deviation, fails, undecided
from tests.unit.requirements.deviations import (
    BOOT,
    TICK,
    anything,
    declaration,
    device,
    loaded,
    read,
    region,
    silicon,
    stacked,
    stored,
)
from tests.unit.requirements.imm_cases import SEALING, not_given, with_segment
from tests.unit.requirements.out_cases import hearing, no_drop, open_peripherals, unknown_region


def radio_block(facts: Facts) -> Facts:
    """A part whose second SPI block is a radio."""
    blocks = tuple(
        replace(block, capabilities=frozenset({Capability.RADIO})) if block.name == "SPI2" else block
        for block in facts.silicon.peripherals
    )
    return silicon(facts, radio=True, peripherals=blocks)


def datasheet(data: bytes) -> Deviation:
    def deviation(facts: Facts) -> Facts:
        digest = hashlib.sha256(data).hexdigest()
        return replace(declaration(facts, "datasheet", sha256=digest), datasheet=data)

    return deviation


def rebuilt(facts: Facts) -> Facts:
    return replace(facts, rebuilt=with_segment(0x08060000, b"date")(facts).image)


CASES: list[Case] = [
    *fails(
        "inp-none",
        ("undeclared-input", lambda facts: read(facts, TICK, "GPIOD", "IDR", anything(Origin.DEVICE))),
        ("undeclared-input", lambda facts: read(facts, BOOT, "GPIOA", "IDR", anything(Origin.DEVICE))),
        ("input-pin-open", lambda facts: device(facts, "GPIOC", "MODER", 0xFF000000)),
        ("reset-cause-read", lambda facts: read(facts, BOOT, "RCC", "CSR", anything(Origin.RESET))),
        ("supply-monitor-read", lambda facts: loaded(facts, BOOT, 0x40007004, anything(Origin.DEVICE))),
        ("external-interrupt-used", lambda facts: loaded(facts, TICK, 0x40013C14, anything(Origin.DEVICE))),
        ("external-interrupt-used", lambda facts: stored(facts, BOOT, 0x40013C04, 1)),
        ("input-reachable", lambda facts: region(facts, 3, 0x40020000, 1 << 28 | 2 << 24 | 9 << 1 | 1)),
    ),
    *undecided("inp-none", ("no-drop", no_drop), ("mpu-words-unknown", unknown_region)),
    *fails(
        "sns-declared",
        ("undeclared-sensor", lambda facts: loaded(facts, TICK, 0x4001204C, anything(Origin.DEVICE))),
        ("undeclared-sensor", lambda facts: stored(facts, BOOT, 0x40013000, 1)),
        ("sensor-reachable", open_peripherals),
        ("undeclared-transducer", lambda facts: declaration(facts, "materials", transducers=("HM01B0", "microphone"))),
        ("undeclared-transducer", lambda facts: declaration(facts, "materials", transducers=("OV7670",))),
        ("undeclared-memory", lambda facts: declaration(facts, "materials", memories=("EEPROM",))),
    ),
    *undecided("sns-declared", ("no-drop", no_drop), ("mpu-words-unknown", unknown_region)),
    *fails(
        "rad-none-on-silicon",
        ("radio-on-silicon", lambda facts: silicon(facts, radio=True)),
        ("radio-on-silicon", radio_block),
        ("radio-on-silicon", lambda facts: silicon(radio_block(facts), radio=False)),
    ),
    *fails(
        "rad-no-access",
        ("radio-not-listed", lambda facts: silicon(facts, radio=True)),
        ("radio-used", lambda facts: stored(radio_block(facts), BOOT, 0x40003800, 1)),
        ("radio-reachable", lambda facts: open_peripherals(radio_block(facts))),
    ),
    *undecided(
        "rad-no-access",
        ("no-drop", lambda facts: no_drop(radio_block(facts))),
        ("mpu-words-unknown", lambda facts: unknown_region(radio_block(facts))),
    ),
    *fails(
        "bld-reproducible",
        ("rebuild-differs", rebuilt),
        ("flash-digest", lambda facts: declaration(facts, "build", flash_sha256="0" * 64)),
    ),
    *undecided("bld-reproducible", ("no-rebuild", lambda facts: replace(facts, level=2))),
    *fails(
        "doc-declaration",
        *SEALING,
        ("part-differs", lambda facts: declaration(facts, "module", part="stm32f405xx")),
        ("part-differs", lambda facts: declaration(facts, "module", profile="gesture")),
        ("output-differs", lambda facts: declaration(facts, "output", pins=("PA6",))),
        ("output-differs", lambda facts: declaration(facts, "output", period_seconds=Decimal("1.1"))),
        ("memory-differs", lambda facts: declaration(facts, "memory", confined=Range(start=RAM, size=0x8000))),
        ("entry-differs", lambda facts: declaration(facts, "entry", detector=DETECTOR + 4)),
        ("entry-differs", lambda facts: stacked(facts, TICK, 6, known(0x08001234))),
        ("model-differs", lambda facts: declaration(facts, "model", sha256="0" * 64)),
        ("sample-rate-differs", hearing(lambda facts: declaration(facts, "sensor", samples_per_second=16_200))),
        ("sample-rate-differs", hearing(lambda facts: device(facts, "SPI2", "I2SCFGR", 0xF00))),
    ),
    *undecided(
        "doc-declaration",
        ("sample-rate-unknown", hearing(lambda facts: device(facts, "RCC", "PLLI2SCFGR", anything(Origin.RESET)))),
        ("sample-rate-unknown", hearing(lambda facts: device(facts, "RCC", "PLLI2SCFGR", 256 << 6))),
        ("provisioning-missing", not_given),
        ("no-drop", no_drop),
        ("mpu-words-unknown", unknown_region),
    ),
    *fails(
        "doc-datasheet",
        ("datasheet-digest", lambda facts: replace(facts, datasheet=DATASHEET + b" ")),
        ("datasheet-not-text", datasheet(b"\xff\xfe")),
        ("datasheet-section", datasheet(DATASHEET.replace(b"## Demographic bias\n\nText.\n", b""))),
        ("datasheet-section", datasheet(DATASHEET.replace(b"Demographic bias\n\nText.", b"Demographic bias\n\n"))),
    ),
    *undecided("doc-datasheet", ("datasheet-missing", lambda facts: replace(facts, datasheet=None))),
    *fails(
        "lif-identity",
        ("identity-readable", lambda facts: region(facts, 3, 0x1FFF0000, 6 << 24 | 15 << 1 | 1)),
        ("identity-read", lambda facts: loaded(facts, TICK, 0x1FFF7A10, 0)),
        (
            "identity-not-listed",
            lambda facts: silicon(
                facts,
                memories=tuple(
                    each
                    for each in facts.silicon.memories
                    if each.kind not in (MemoryKind.SYSTEM, MemoryKind.OTP, MemoryKind.OPTION)
                ),
            ),
        ),
    ),
    *undecided("lif-identity", ("no-drop", no_drop), ("mpu-words-unknown", unknown_region)),
    *fails(
        "lif-end-of-life",
        ("statement-missing", lambda facts: declaration(facts, "lifecycle", take_back="TODO")),
        ("statement-missing", lambda facts: declaration(facts, "lifecycle", replacement="  ")),
    ),
]
