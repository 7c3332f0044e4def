"""The declaration of a module (`module.toml`): what its vendor says it is (spec/declaration.md).

A declaration says where things are and what is claimed. Nothing in it is believed: the verifier proves each statement
from the image, or refuses it, or carries it as an assumption. A `Declaration` in hand is complete, and agrees with
itself.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from pinproof._tables import SHA256, WORD, Table, read_toml
from pinproof.errors import DeclarationError

SPECIFICATION = "0.1"
"""The version of the standard that this reader reads."""

_ADDRESS_SPACE = 1 << 32
_PIN = re.compile(r"P[A-K]([0-9]|1[0-5])")
_TIMER = re.compile(r"TIM[1-9][0-9]?")
_BLOCK = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_MAX_NAME = 200
_MAX_CHANNEL = 4
_MAX_SAMPLES = 1 << 24


class SensorKind(StrEnum):
    IMAGE = "image"
    """A camera, read through input pins; its settings go over a control bus before the drop."""
    SOUND = "sound"
    """A microphone without settings, which a receiver of the part clocks and reads all the time."""


class ClockSource(StrEnum):
    HSE = "HSE"
    """An external crystal or clock: its frequency is a fact of the board."""
    HSI = "HSI"
    """The oscillator inside the part: its frequency is a fact of the silicon file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """`size` bytes from `start`; never empty, never past the address space."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """One past the last address."""
        return self.start + self.size

    def contains(self, start: int, size: int = 1) -> bool:
        return self.start <= start and start + size <= self.end

    def overlaps(self, other: Range) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    vendor: str
    product: str
    version: str
    part: str
    """Name of the silicon file."""
    revisions: tuple[str, ...]
    """Silicon revisions that are built in."""
    profile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    pins: tuple[str, ...]
    timer: str
    channels: tuple[int, ...]
    """Of each pin, the timer's channel that it carries, 1 to 4."""
    period_seconds: Decimal
    """The shortest time between two changes that the vendor claims. Exact: use `Fraction` to calculate with it."""

    def channel_of(self, pin: str) -> int:
        """The channel that a declared pin carries."""
        return self.channels[self.pins.index(pin)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    model: str
    kind: SensorKind
    samples: int
    """In one frame: of a picture its width times its height."""
    bits_per_sample: int
    pins: tuple[str, ...]
    width: int | None = None
    height: int | None = None
    """Of a picture."""
    samples_per_second: int | None = None
    """Of sound."""
    control_bus: str | None = None
    """Of a camera, name of the peripheral in the silicon file."""
    data_bus: str | None = None
    """Of a microphone, name of the peripheral in the silicon file."""

    @property
    def bus(self) -> str:
        """The one bus that leads to the sensor."""
        bus = self.data_bus or self.control_bus
        assert bus is not None
        return bus

    @property
    def frame_size(self) -> int:
        """Bytes of one frame; each sample takes whole bytes."""
        return self.samples * ((self.bits_per_sample + 7) // 8)

    @property
    def frame_bits(self) -> int:
        """What a frame tells."""
        return self.samples * self.bits_per_sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    confined: Range
    """The memory that the confined part may write."""
    mailbox: int
    """Address of the word in which the confined part leaves its bit."""
    frame: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Flash:
    gate: Range
    confined: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Addresses without the Thumb bit."""

    detector: int
    idle: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    range: Range
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    source: ClockSource
    crystal_hz: int | None
    """None exactly when the source is inside the part."""
    tolerance_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredFile:
    """A file beside the declaration, by path relative to it, without `..`."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    toolchain: str
    recipe: str
    flash_sha256: str | None
    """Digest of the whole flash, erased bytes as 0xFF, where the vendor states it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    transducers: tuple[str, ...]
    memories: tuple[str, ...]
    """Memories on the board beside the part's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    immutability_rationale: str
    support_period: str
    replacement: str
    battery: str
    hazardous_substances: str
    take_back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    specification: str
    module: Module
    output: Output
    sensor: Sensor
    memory: Memory
    flash: Flash
    entry: Entry
    model: Model
    clock: Clock
    provisioning: DeclaredFile
    build: Build
    datasheet: DeclaredFile
    materials: Materials
    lifecycle: Lifecycle
    sha256: str
    """Digest of the bytes that were read."""


def read_declaration(data: bytes, name: str) -> Declaration:
    """Read a declaration; messages call the file `name`. Raises `DeclarationError`, one line, and nothing else."""
    with read_toml(data, name, DeclarationError) as document:
        specification = document.text("specification")
        if specification != SPECIFICATION:
            document.refuse("specification", f'must be "{SPECIFICATION}", the version that this verifier knows')
        declaration = Declaration(
            specification=specification,
            module=_module(document.table("module")),
            output=_output(document.table("output")),
            sensor=_sensor(document.table("sensor")),
            memory=_memory(document.table("memory")),
            flash=_flash(document.table("flash")),
            entry=_entry(document.table("entry")),
            model=_model(document.table("model")),
            clock=_clock(document.table("clock")),
            provisioning=_file(document.table("provisioning")),
            build=_build(document.table("build")),
            datasheet=_file(document.table("datasheet")),
            materials=_materials(document.table("materials")),
            lifecycle=_lifecycle(document.table("lifecycle")),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        _refuse_contradictions(declaration, document)
        return declaration


def _module(table: Table) -> Module:
    with table:
        revisions = table.texts("revisions")
        if not revisions:
            table.refuse("revisions", "must name at least one silicon revision")
        table.refuse_repeats("revisions", revisions)
        return Module(
            vendor=table.text("vendor", limit=_MAX_NAME),
            product=table.text("product", limit=_MAX_NAME),
            version=table.text("version", limit=_MAX_NAME),
            part=table.matching("part", WORD, "the name of a part (lower-case words)", limit=64),
            revisions=revisions,
            profile=table.matching("profile", WORD, "the name of a profile (lower-case words)", limit=64),
        )


def _output(table: Table) -> Output:
    with table:
        pins = _pins(table)
        return Output(
            pins=pins,
            timer=table.matching("timer", _TIMER, "a timer such as TIM2"),
            channels=_channels(table, len(pins)),
            period_seconds=table.decimal("period_seconds"),
        )


def _channels(table: Table, pins: int) -> tuple[int, ...]:
    """`channel`, which every pin carries, or `channels`, a different one for each pin."""
    if not table.has("channels"):
        return (table.integer("channel", 1, _MAX_CHANNEL),) * pins
    if table.has("channel"):
        table.refuse("channel", "stands beside output.channels; give one of the two")
    channels = table.integers("channels", 1, _MAX_CHANNEL)
    if len(channels) != pins:
        table.refuse("channels", f"has {len(channels)} channels for {pins} pins; give one a pin, in the same order")
    if len(set(channels)) != len(channels):
        table.refuse("channels", "names a channel twice; pins that show the same are declared with output.channel")
    return channels


def _sensor(table: Table) -> Sensor:
    with table:
        kind = table.choice("kind", SensorKind)
        return _camera(table) if kind == SensorKind.IMAGE else _microphone(table)


def _camera(table: Table) -> Sensor:
    width, height = table.integer("width", 1, 0xFFFF), table.integer("height", 1, 0xFFFF)
    return Sensor(
        model=table.text("model", limit=_MAX_NAME),
        kind=SensorKind.IMAGE,
        samples=width * height,
        width=width,
        height=height,
        bits_per_sample=table.integer("bits_per_sample", 1, 32),
        control_bus=table.matching("control_bus", _BLOCK, "the name of a peripheral such as I2C1"),
        pins=_pins(table),
    )


def _microphone(table: Table) -> Sensor:
    return Sensor(
        model=table.text("model", limit=_MAX_NAME),
        kind=SensorKind.SOUND,
        samples=table.integer("samples", 1, _MAX_SAMPLES),
        samples_per_second=table.integer("samples_per_second", 1, 1_000_000),
        bits_per_sample=table.integer("bits_per_sample", 1, 32),
        data_bus=table.matching("data_bus", _BLOCK, "the name of a peripheral such as SPI2"),
        pins=_pins(table),
    )


def _memory(table: Table) -> Memory:
    with table:
        memory = Memory(
            confined=_range(table, "confined"), mailbox=_address(table, "mailbox"), frame=_range(table, "frame")
        )
        if memory.mailbox % 4:
            table.refuse("mailbox", f"0x{memory.mailbox:08X} is not the address of a word")
        if not memory.confined.contains(memory.mailbox, 4):
            table.refuse("mailbox", f"0x{memory.mailbox:08X} lies outside memory.confined")
        if not memory.confined.contains(memory.frame.start, memory.frame.size):
            table.refuse("frame", "lies outside memory.confined")
        if memory.frame.overlaps(Range(start=memory.mailbox, size=4)):
            table.refuse("mailbox", f"0x{memory.mailbox:08X} lies inside memory.frame")
        return memory


def _flash(table: Table) -> Flash:
    with table:
        flash = Flash(gate=_range(table, "gate"), confined=_range(table, "confined"))
        if flash.gate.overlaps(flash.confined):
            table.refuse("confined", "overlaps flash.gate")
        return flash


def _entry(table: Table) -> Entry:
    with table:
        entry = Entry(detector=_address(table, "detector"), idle=_address(table, "idle"))
        for key, address in (("detector", entry.detector), ("idle", entry.idle)):
            if address % 2:
                table.refuse(key, f"0x{address:08X} is odd; write the address without the Thumb bit")
        return entry


def _model(table: Table) -> Model:
    with table:
        return Model(range=_span(table), sha256=_digest(table, "sha256"))


def _clock(table: Table) -> Clock:
    with table:
        source = table.choice("source", ClockSource)
        if source == ClockSource.HSI and table.has("crystal_hz"):
            table.refuse("crystal_hz", "has no meaning where clock.source is HSI")
        return Clock(
            source=source,
            crystal_hz=table.integer("crystal_hz", 1, 1_000_000_000) if source == ClockSource.HSE else None,
            tolerance_ppm=table.integer("tolerance_ppm", 0, 500_000),
        )


def _file(table: Table) -> DeclaredFile:
    with table:
        file = table.matching("file", _FILE, "a path relative to the declaration, of plain names without '..'")
        return DeclaredFile(file=file, sha256=_digest(table, "sha256"))


def _build(table: Table) -> Build:
    with table:
        return Build(
            toolchain=table.text("toolchain"),
            recipe=table.text("recipe", lines=True),
            flash_sha256=_digest(table, "flash_sha256") if table.has("flash_sha256") else None,
        )


def _materials(table: Table) -> Materials:
    with table:
        transducers = table.texts("transducers")
        if not transducers:
            table.refuse("transducers", "must name the sensor at least")
        return Materials(transducers=transducers, memories=table.texts("memories"))


def _lifecycle(table: Table) -> Lifecycle:
    with table:
        return Lifecycle(
            immutability_rationale=table.text("immutability_rationale", lines=True),
            support_period=table.text("support_period", lines=True),
            replacement=table.text("replacement", lines=True),
            battery=table.text("battery", lines=True),
            hazardous_substances=table.text("hazardous_substances", lines=True),
            take_back=table.text("take_back", lines=True),
        )


def _refuse_contradictions(declaration: Declaration, document: Table) -> None:
    """What each table allows on its own and two of them together do not."""
    sensor, memory, flash = declaration.sensor, declaration.memory, declaration.flash
    for index, pin in enumerate(declaration.output.pins):
        if pin in sensor.pins:
            document.refuse(f"output.pins[{index}]", f"{pin} is also in sensor.pins")
    if memory.frame.size != sensor.frame_size:
        document.refuse(
            "memory.frame.size", f"{memory.frame.size} bytes, but the sensor's frame has {sensor.frame_size}"
        )
    for key, address in (("entry.detector", declaration.entry.detector), ("entry.idle", declaration.entry.idle)):
        if not flash.confined.contains(address, 2):
            document.refuse(key, f"0x{address:08X} lies outside flash.confined")
    if declaration.model.range.overlaps(flash.gate):
        document.refuse("model", "overlaps flash.gate")


def _pins(table: Table) -> tuple[str, ...]:
    pins = table.texts("pins")
    if not pins:
        table.refuse("pins", "must name at least one pin")
    for index, pin in enumerate(pins):
        if not _PIN.fullmatch(pin):
            table.refuse(f"pins[{index}]", f"'{pin[:20]}' is not a pin (PA0 to PK15)")
    table.refuse_repeats("pins", pins)
    return pins


def _address(table: Table, key: str) -> int:
    return table.integer(key, 0, _ADDRESS_SPACE - 1)


def _range(table: Table, key: str) -> Range:
    with table.table(key) as inner:
        return _span(inner)


def _span(table: Table) -> Range:
    """The keys `start` and `size` of `table`."""
    span = Range(start=_address(table, "start"), size=table.integer("size", 1, _ADDRESS_SPACE - 1))
    if span.end > _ADDRESS_SPACE:
        table.refuse("size", "runs past the end of the address space")
    return span


def _digest(table: Table, key: str) -> str:
    return table.matching(key, SHA256, "a SHA-256 (64 lower-case hex digits)")
