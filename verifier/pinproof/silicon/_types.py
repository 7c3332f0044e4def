"""The facts of a silicon file, each with its source in `cite`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What a verdict about this part may be used for."""

    AUDIT = "audit"
    CERTIFIABLE = "certifiable"
    EMULATOR_ONLY = "emulator-only"


class MemoryKind(StrEnum):
    FLASH = "flash"
    RAM = "ram"
    OTP = "otp"
    SYSTEM = "system"
    OPTION = "option"
    ALIAS = "alias"


class Capability(StrEnum):
    """What a peripheral can do that a requirement asks about."""

    RADIO = "radio"
    SERIAL = "serial"
    USB = "usb"
    NETWORK = "network"
    GPIO = "gpio"
    DMA = "dma"
    FLASH_CONTROL = "flash-control"
    TIMER = "timer"
    ANALOG = "analog"
    STORAGE = "storage"
    DEBUG = "debug"
    CLOCK = "clock"
    POWER = "power"
    CORE = "core"


class RegisterAccess(StrEnum):
    READ_WRITE = "rw"
    READ_ONLY = "ro"
    WRITE_ONLY = "wo"
    WRITE_ONE_CLEARS = "w1c"
    WRITE_ZERO_CLEARS = "rc_w0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manual:
    id: str
    title: str
    read: str
    """How much of it was at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    name: str
    start: int
    size: int
    kind: MemoryKind
    cite: str
    sectors: tuple[int, ...] = ()
    """Sizes of the erase sectors of a flash, in order; empty for other kinds."""
    alias_of: str | None = None
    """For an alias, the memory that it shows."""

    @property
    def end(self) -> int:
        """One past the last address."""
        return self.start + self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class BitBand:
    """An alias in which each word is one bit of the target."""

    name: str
    base: int
    size: int
    target: int
    cite: str

    @property
    def end(self) -> int:
        return self.base + self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterBit:
    """One bit of the register at the address `register`."""

    register: int
    bit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    block: str
    """Name of the peripheral."""
    name: str
    address: int
    reset: int | None
    """Value after a system reset, where the bits of `reset_unknown` mean nothing; None where no bit is known."""
    reset_unknown: int
    """Bits that start as anything and then keep what is written; all of them where `reset` is None."""
    volatile: int
    """Bits that read as anything at any time."""
    holds: int
    """Bits that exist, and that nothing but a store or a reset changes: they read as they were last stored."""
    frozen_by: RegisterBit | None
    """While this bit is 1 the register may refuse what is stored to it."""
    access: RegisterAccess
    widths: tuple[int, ...]
    """Widths in bytes of the loads and stores that the part defines."""
    cite: str

    @property
    def full_name(self) -> str:
        """As messages write it: `TIM2.CR1`."""
        return f"{self.block}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peripheral:
    name: str
    base: int
    size: int
    bus: str
    capabilities: frozenset[Capability]
    registers: tuple[Register, ...]
    """Sorted by address; empty where the block is only known as a whole."""
    clock: RegisterBit | None
    """The bit that clocks it; None for one that is always clocked."""
    sleep_clock: RegisterBit | None
    """The bit that clocks it in sleep."""
    reset_line: RegisterBit | None
    cite: str

    @property
    def end(self) -> int:
        return self.base + self.size

    def register(self, name: str) -> Register:
        """The register `name`. Raises `KeyError` where the silicon file has none."""
        for register in self.registers:
            if register.name == name:
                return register
        raise KeyError(f"{self.name}.{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """Bytes of a peripheral that can hold data, outside the memories."""

    name: str
    peripheral: str
    size: int
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BusMaster:
    """Something beside the processor that moves data, and that the MPU does not see."""

    name: str
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MpuModel:
    model: str
    regions: int
    minimum_region: int
    """Bytes."""
    subregions_from: int
    """Bytes of the smallest region that has subregions."""
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    count: int
    """Entries of the vector table, the initial stack pointer included."""
    priority_bits: int
    names: Mapping[int, str]
    """Exception number to name; a number that is not here never becomes pending by hardware."""
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Frequencies in hertz."""

    fmax_hz: int
    hse_crystal_min_hz: int
    hse_crystal_max_hz: int
    hse_bypass_min_hz: int
    hse_bypass_max_hz: int
    hsi_hz: int
    hsi_tolerance_ppm: int
    lsi_max_hz: int
    pll_input_min_hz: int
    pll_input_max_hz: int
    pll_vco_min_hz: int
    pll_vco_max_hz: int
    pll_output_max_hz: int
    flash_wait_states: tuple[tuple[int, int], ...]
    """(highest frequency, wait states), in rising order."""
    cites: Mapping[str, str]
    """Key of the silicon file without `_cite` to its source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerOutput:
    pin: str
    channel: int
    alternate_function: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A timer that can make the output's edges."""

    name: str
    bits: int
    bus: str
    exception: int
    """Exception number (16 + interrupt)."""
    external_trigger_pins: tuple[str, ...]
    outputs: tuple[TimerOutput, ...]
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BusPin:
    pin: str
    signal: str
    """What the line is called on the bus: each signal is needed once."""
    alternate_function: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataBus:
    """A block that can clock a microphone by itself and hands over what it receives."""

    name: str
    external_clock: RegisterBit
    """1 where the block's clock comes from a pin."""
    pins: tuple[BusPin, ...]
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """Upper bounds in processor cycles, without wait states."""

    instruction: int
    load: int
    store: int
    multiple_base: int
    multiple_each: int
    branch: int
    multiply: int
    multiply_long: int
    divide: int
    barrier: int
    system: int
    exception_entry: int
    exception_return: int
    device: int
    """Added to each load and store of a peripheral."""
    wait_states_max: int
    """Added to each fetch and load from flash where the wait states are not known."""
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """An option-byte setting that closes something."""

    id: str
    field: str
    value: int
    mask: int
    """Bits of the field that must be as in `value`; all of them unless the file says otherwise."""
    irreversible: bool
    closes: tuple[str, ...]
    cite: str


class PinRole(StrEnum):
    DEBUG = "debug"
    BACKUP = "backup"
    OSCILLATOR = "oscillator"
    RESET = "reset"
    BOOT = "boot"


class PinReset(StrEnum):
    """What the pin is after reset."""

    INPUT = "input"
    ALTERNATE = "alternate"
    ANALOG = "analog"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDriver:
    """The register bits that let something other than the pin's mode drive it."""

    register: int
    mask: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A pin that leaves reset as something else than a floating input, or that more than its mode register governs."""

    name: str
    role: PinRole
    reset: PinReset
    functions: tuple[str, ...]
    driven_by: PinDriver | None
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """An alternate function that is an output without a peripheral of its own."""

    name: str
    pins: tuple[str, ...]
    """Names of pins, or `any`."""
    alternate_function: int
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erratum:
    id: str
    title: str
    touches: tuple[str, ...]
    avoided_by: str
    check: str
    """How `run-errata` decides that the code avoids it; `ledger` when it cannot."""
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """A fact without a source: an assumption of every certificate that rests on the part."""

    fact: str
    """What the fact is about: `memory flash`, `clocks hsi_tolerance`."""
    why: str
