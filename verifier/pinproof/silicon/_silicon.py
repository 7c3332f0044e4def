"""What the verifier believes about a part.

A `cite` that begins with "unconfirmed:" is no source; `Silicon.unconfirmed` lists those facts for the ledger.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from types import MappingProxyType

from pinproof.silicon._types import (
    BitBand,
    Buffer,
    BusMaster,
    Clocks,
    Cycles,
    DataBus,
    Erratum,
    Exceptions,
    Lock,
    Manual,
    Memory,
    MemoryKind,
    MpuModel,
    Peripheral,
    Pin,
    Register,
    Signal,
    Status,
    Timer,
    Unconfirmed,
)

UNCONFIRMED = "unconfirmed:"
_base = attrgetter("base")


@dataclass(frozen=True, slots=True, kw_only=True)
class Silicon:
    part: str
    title: str
    status: Status
    architecture: str
    core: str
    revisions: tuple[str, ...]
    """Known silicon revisions."""
    revisions_cite: str
    radio: bool
    """Whether there is a transceiver on the die."""
    radio_cite: str
    manuals: tuple[Manual, ...]
    memories: tuple[Memory, ...]
    bit_bands: tuple[BitBand, ...]
    buffers: tuple[Buffer, ...]
    masters: tuple[BusMaster, ...]
    peripherals: tuple[Peripheral, ...]
    """Sorted by base address, without overlap."""
    mpu: MpuModel
    exceptions: Exceptions
    clocks: Clocks
    timers: tuple[Timer, ...]
    data_buses: tuple[DataBus, ...]
    cycles: Cycles
    locks: tuple[Lock, ...]
    pins: tuple[Pin, ...]
    signals: tuple[Signal, ...]
    errata: tuple[Erratum, ...]
    sha256: str
    """Digest of the silicon file."""
    registers: Mapping[int, Register] = field(init=False, repr=False, compare=False)
    """Every register by its address."""

    def __post_init__(self) -> None:
        registers = {register.address: register for block in self.peripherals for register in block.registers}
        object.__setattr__(self, "registers", MappingProxyType(registers))

    def register_at(self, address: int) -> Register | None:
        """The register whose first byte is at `address`."""
        return self.registers.get(address)

    def peripheral_at(self, address: int) -> Peripheral | None:
        """The block that contains `address`."""
        index = bisect_right(self.peripherals, address, key=_base) - 1
        if index < 0 or address >= self.peripherals[index].end:
            return None
        return self.peripherals[index]

    def peripheral(self, name: str) -> Peripheral:
        """The block `name`. Raises `KeyError` where the part has none."""
        for block in self.peripherals:
            if block.name == name:
                return block
        raise KeyError(name)

    def has_peripheral(self, name: str) -> bool:
        return any(block.name == name for block in self.peripherals)

    def memory_at(self, address: int) -> Memory | None:
        """The memory that contains `address`; an alias is a memory of its own."""
        return next((memory for memory in self.memories if memory.start <= address < memory.end), None)

    def memories_of(self, kind: MemoryKind) -> tuple[Memory, ...]:
        return tuple(memory for memory in self.memories if memory.kind == kind)

    def bit_band_at(self, address: int) -> BitBand | None:
        return next((band for band in self.bit_bands if band.base <= address < band.end), None)

    def timer(self, name: str) -> Timer | None:
        return next((timer for timer in self.timers if timer.name == name), None)

    def data_bus(self, name: str) -> DataBus | None:
        return next((bus for bus in self.data_buses if bus.name == name), None)

    @property
    def unconfirmed(self) -> tuple[Unconfirmed, ...]:
        """Every fact whose `cite` is no source, for the ledger."""
        return tuple(
            Unconfirmed(fact=fact, why=cite.removeprefix(UNCONFIRMED).strip())
            for fact, cite in self._cites()
            if cite.startswith(UNCONFIRMED)
        )

    def _cites(self) -> Iterator[tuple[str, str]]:
        """What each fact is about, and its source."""
        yield "revisions", self.revisions_cite
        yield "radio", self.radio_cite
        yield from ((f"memory {item.name}", item.cite) for item in self.memories)
        yield from ((f"alias {item.name}", item.cite) for item in self.bit_bands)
        yield from ((f"buffer {item.name}", item.cite) for item in self.buffers)
        yield from ((f"bus master {item.name}", item.cite) for item in self.masters)
        for block in self.peripherals:
            yield f"peripheral {block.name}", block.cite
            yield from ((f"register {item.full_name}", item.cite) for item in block.registers)
        yield "mpu", self.mpu.cite
        yield "exceptions", self.exceptions.cite
        yield from ((f"clocks {key}", cite) for key, cite in self.clocks.cites.items())
        yield from ((f"timer {item.name}", item.cite) for item in self.timers)
        yield from ((f"data-bus {item.name}", item.cite) for item in self.data_buses)
        yield "cycles", self.cycles.cite
        yield from ((f"lock {item.id}", item.cite) for item in self.locks)
        yield from ((f"pin {item.name}", item.cite) for item in self.pins)
        yield from ((f"signal {item.name}", item.cite) for item in self.signals)
        yield from ((f"erratum {item.id}", item.cite) for item in self.errata)
