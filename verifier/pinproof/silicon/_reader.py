"""Reads a silicon file into its types. What two keys of it say must agree, or no machine is built on it."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from types import MappingProxyType

from pinproof._tables import WORD, Table, read_toml
from pinproof.errors import SiliconError
from pinproof.silicon._silicon import Silicon
from pinproof.silicon._types import (
    BitBand,
    Buffer,
    BusMaster,
    BusPin,
    Capability,
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
    PinDriver,
    PinReset,
    PinRole,
    Register,
    RegisterAccess,
    RegisterBit,
    Signal,
    Status,
    Timer,
    TimerOutput,
)

MAX_FILE_SIZE = 1024 * 1024
"""Bytes."""
_WORD_MAX = 0xFFFFFFFF
_EXCEPTIONS_MAX = 16 + 496
"""Armv7-M has at most 496 external interrupts (DDI0403 B3.4)."""


def read_silicon(data: bytes, name: str) -> Silicon:
    """Read a silicon file; messages call the file `name`. Raises `SiliconError`, one line."""
    with read_toml(data, name, SiliconError, limit=MAX_FILE_SIZE) as document:
        blocks = map(_peripheral, document.tables("peripheral"))
        silicon = Silicon(
            part=document.matching("part", WORD, "the name of a part (lower-case words)"),
            title=document.text("title"),
            status=document.choice("status", Status),
            architecture=document.text("architecture"),
            core=document.text("core"),
            revisions=document.texts("revisions"),
            revisions_cite=document.text("revisions_cite"),
            radio=document.boolean("radio"),
            radio_cite=document.text("radio_cite"),
            manuals=tuple(map(_manual, document.tables("manual"))),
            memories=tuple(map(_memory, document.tables("memory"))),
            bit_bands=tuple(map(_bit_band, document.tables("alias"))),
            buffers=tuple(map(_buffer, document.tables("buffer"))),
            masters=tuple(map(_master, document.tables("master"))),
            peripherals=tuple(sorted(blocks, key=lambda block: block.base)),
            mpu=_mpu(document.table("mpu")),
            exceptions=_exceptions(document.table("exceptions")),
            clocks=_clocks(document.table("clocks")),
            timers=tuple(map(_timer, document.tables("timer"))),
            data_buses=tuple(map(_data_bus, document.tables("data_bus"))),
            cycles=_cycles(document.table("cycles")),
            locks=tuple(map(_lock, document.tables("lock"))),
            pins=tuple(map(_pin, document.tables("pin"))),
            signals=tuple(map(_signal, document.tables("signal"))),
            errata=tuple(map(_erratum, document.tables("erratum"))),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        _refuse_contradictions(silicon, document)
        return silicon


def _refuse_contradictions(silicon: Silicon, document: Table) -> None:
    for left, right in pairwise(silicon.peripherals):
        if left.end > right.base:
            document.refuse("peripheral", f"{left.name} and {right.name} overlap")
    for first, second in pairwise(sorted(silicon.memories, key=lambda memory: memory.start)):
        if first.end > second.start:
            document.refuse("memory", f"{first.name} and {second.name} overlap")
    names = {memory.name for memory in silicon.memories}
    blocks = {block.name for block in silicon.peripherals}
    if len(names) != len(silicon.memories) or len(blocks) != len(silicon.peripherals):
        document.refuse("memory" if len(names) != len(silicon.memories) else "peripheral", "a name is used twice")
    for memory in silicon.memories:
        if memory.alias_of is not None and memory.alias_of not in names:
            document.refuse("memory", f"{memory.name} is an alias of '{memory.alias_of}', which is no memory")
    users = [(buffer.peripheral, "buffer") for buffer in silicon.buffers]
    users += [(master.name, "master") for master in silicon.masters]
    users += [(timer.name, "timer") for timer in silicon.timers]
    users += [(bus.name, "data_bus") for bus in silicon.data_buses]
    for block, key in users:
        if block not in blocks:
            document.refuse(key, f"'{block}' is no peripheral of this file")


def _manual(table: Table) -> Manual:
    with table:
        return Manual(id=table.text("id"), title=table.text("title"), read=table.text("read"))


def _memory(table: Table) -> Memory:
    with table:
        kind = table.choice("kind", MemoryKind)
        memory = Memory(
            name=table.text("name"),
            start=table.integer("start", 0, _WORD_MAX),
            size=table.integer("size", 1, _WORD_MAX),
            kind=kind,
            cite=table.text("cite"),
            sectors=table.integers("sectors", 1, _WORD_MAX) if table.has("sectors") else (),
            alias_of=table.text("alias_of") if kind == MemoryKind.ALIAS else None,
        )
        if memory.end > _WORD_MAX + 1:
            table.refuse("size", "runs past the end of the address space")
        if (memory.kind == MemoryKind.FLASH or memory.sectors) and sum(memory.sectors) != memory.size:
            table.refuse("sectors", f"{sum(memory.sectors)} bytes in all, the memory has {memory.size}")
        return memory


def _bit_band(table: Table) -> BitBand:
    with table:
        return BitBand(
            name=table.text("name"),
            base=table.integer("base", 0, _WORD_MAX),
            size=table.integer("size", 1, _WORD_MAX),
            target=table.integer("target", 0, _WORD_MAX),
            cite=table.text("cite"),
        )


def _buffer(table: Table) -> Buffer:
    with table:
        return Buffer(
            name=table.text("name"),
            peripheral=table.text("peripheral"),
            size=table.integer("size", 1, _WORD_MAX),
            cite=table.text("cite"),
        )


def _master(table: Table) -> BusMaster:
    with table:
        return BusMaster(name=table.text("name"), cite=table.text("cite"))


def _peripheral(table: Table) -> Peripheral:
    with table:
        name = table.text("name")
        base = table.integer("base", 0, _WORD_MAX)
        size = table.integer("size", 1, _WORD_MAX)
        if base + size > _WORD_MAX + 1:
            table.refuse("size", "runs past the end of the address space")
        rows = table.tables("register") if table.has("register") else ()
        registers = tuple(sorted((_register(row, name, base, size) for row in rows), key=lambda row: row.address))
        for left, right in pairwise(registers):
            if left.address == right.address:
                table.refuse("register", f"{left.name} and {right.name} have one offset")
        return Peripheral(
            name=name,
            base=base,
            size=size,
            bus=table.text("bus"),
            capabilities=frozenset(table.choices("capabilities", Capability)),
            registers=registers,
            clock=_optional_bit(table, "clock"),
            sleep_clock=_optional_bit(table, "sleep_clock"),
            reset_line=_optional_bit(table, "reset_line"),
            cite=table.text("cite"),
        )


def _register(table: Table, block: str, base: int, size: int) -> Register:
    with table:
        unknown = table.has("reset") and not table.is_integer("reset")
        if unknown and table.text("reset") != "unknown":
            table.refuse("reset", 'must be an integer or "unknown"')
        widths = table.integers("widths", 1, 4)
        if not widths or not {1, 2, 4}.issuperset(widths):
            table.refuse("widths", "must be one or more of 1, 2 and 4")
        return Register(
            block=block,
            name=table.text("name"),
            address=base + table.integer("offset", 0, size - max(widths)),
            reset=None if unknown else table.integer("reset", 0, _WORD_MAX),
            reset_unknown=_WORD_MAX if unknown else _optional_mask(table, "reset_unknown"),
            volatile=_optional_mask(table, "volatile"),
            holds=_optional_mask(table, "holds"),
            frozen_by=_optional_bit(table, "frozen_by"),
            access=table.choice("access", RegisterAccess),
            widths=widths,
            cite=table.text("cite"),
        )


def _optional_mask(table: Table, key: str) -> int:
    return table.integer(key, 0, _WORD_MAX) if table.has(key) else 0


def _optional_bit(table: Table, key: str) -> RegisterBit | None:
    return _bit(table, key) if table.has(key) else None


def _bit(table: Table, key: str) -> RegisterBit:
    with table.table(key) as inner:
        return RegisterBit(register=inner.integer("register", 0, _WORD_MAX), bit=inner.integer("bit", 0, 31))


def _mpu(table: Table) -> MpuModel:
    with table:
        return MpuModel(
            model=table.text("model"),
            regions=table.integer("regions", 1, 256),
            minimum_region=table.integer("minimum_region", 32, _WORD_MAX),
            subregions_from=table.integer("subregions_from", 256, _WORD_MAX),
            cite=table.text("cite"),
        )


def _exceptions(table: Table) -> Exceptions:
    with table:
        count = table.integer("count", 16, _EXCEPTIONS_MAX)
        names: dict[int, str] = {}
        with table.table("names") as inner:
            for key in inner.all_keys():
                if not key.isascii() or not key.isdigit() or not 0 < int(key[:6]) < count or key.startswith("0"):
                    inner.refuse(key, f"is not an exception number from 1 to {count - 1}")
                names[int(key)] = inner.text(key)
        return Exceptions(
            count=count,
            priority_bits=table.integer("priority_bits", 1, 8),
            names=MappingProxyType(names),
            cite=table.text("cite"),
        )


def _clocks(table: Table) -> Clocks:
    with table:
        cites = {key.removesuffix("_cite"): table.text(key) for key in table.all_keys() if key.endswith("_cite")}

        def hertz(key: str) -> int:
            # Every number has a source: its own, or that of a group that its name begins with.
            if not any(key.startswith(known) for known in cites):
                table.refuse(key, "has no cite")
            return table.integer(key, 1, 10_000_000_000)

        wait_states = table.pairs("flash_wait_states")
        if not wait_states or list(wait_states) != sorted(wait_states) or "flash_wait_states" not in cites:
            table.refuse("flash_wait_states", "must be pairs of frequency and wait states in rising order, with a cite")
        return Clocks(
            fmax_hz=hertz("fmax_hz"),
            hse_crystal_min_hz=hertz("hse_crystal_min_hz"),
            hse_crystal_max_hz=hertz("hse_crystal_max_hz"),
            hse_bypass_min_hz=hertz("hse_bypass_min_hz"),
            hse_bypass_max_hz=hertz("hse_bypass_max_hz"),
            hsi_hz=hertz("hsi_hz"),
            hsi_tolerance_ppm=hertz("hsi_tolerance_ppm"),
            lsi_max_hz=hertz("lsi_max_hz"),
            pll_input_min_hz=hertz("pll_input_min_hz"),
            pll_input_max_hz=hertz("pll_input_max_hz"),
            pll_vco_min_hz=hertz("pll_vco_min_hz"),
            pll_vco_max_hz=hertz("pll_vco_max_hz"),
            pll_output_max_hz=hertz("pll_output_max_hz"),
            flash_wait_states=wait_states,
            cites=MappingProxyType(cites),
        )


def _timer(table: Table) -> Timer:
    with table:
        outputs = []
        for row in table.tables("outputs"):
            with row:
                outputs.append(
                    TimerOutput(
                        pin=row.text("pin"),
                        channel=row.integer("channel", 1, 4),
                        alternate_function=row.integer("alternate_function", 0, 15),
                    )
                )
        return Timer(
            name=table.text("name"),
            bits=table.integer("bits", 16, 32),
            bus=table.text("bus"),
            exception=table.integer("exception", 16, _EXCEPTIONS_MAX - 1),
            external_trigger_pins=table.texts("external_trigger_pins"),
            outputs=tuple(outputs),
            cite=table.text("cite"),
        )


def _data_bus(table: Table) -> DataBus:
    with table:
        pins = []
        for row in table.tables("pins"):
            with row:
                pins.append(
                    BusPin(
                        pin=row.text("pin"),
                        signal=row.text("signal"),
                        alternate_function=row.integer("alternate_function", 0, 15),
                    )
                )
        return DataBus(
            name=table.text("name"),
            external_clock=_bit(table, "external_clock"),
            pins=tuple(pins),
            cite=table.text("cite"),
        )


def _cycles(table: Table) -> Cycles:
    with table:

        def cost(key: str) -> int:
            return table.integer(key, 1, 0xFFFF)

        return Cycles(
            instruction=cost("instruction"),
            load=cost("load"),
            store=cost("store"),
            multiple_base=cost("multiple_base"),
            multiple_each=cost("multiple_each"),
            branch=cost("branch"),
            multiply=cost("multiply"),
            multiply_long=cost("multiply_long"),
            divide=cost("divide"),
            barrier=cost("barrier"),
            system=cost("system"),
            exception_entry=cost("exception_entry"),
            exception_return=cost("exception_return"),
            device=cost("device"),
            wait_states_max=table.integer("wait_states_max", 0, 0xFF),
            cite=table.text("cite"),
        )


def _lock(table: Table) -> Lock:
    with table:
        return Lock(
            id=table.text("id"),
            field=table.text("field"),
            value=table.integer("value", 0, _WORD_MAX),
            mask=table.integer("mask", 0, _WORD_MAX) if table.has("mask") else _WORD_MAX,
            irreversible=table.boolean("irreversible"),
            closes=table.texts("closes"),
            cite=table.text("cite"),
        )


def _pin(table: Table) -> Pin:
    with table:
        driven_by = None
        if table.has("driven_by"):
            with table.table("driven_by") as inner:
                driven_by = PinDriver(
                    register=inner.integer("register", 0, _WORD_MAX),
                    mask=inner.integer("mask", 1, _WORD_MAX),
                    note=inner.text("note"),
                )
        return Pin(
            name=table.text("name"),
            role=table.choice("role", PinRole),
            reset=table.choice("reset", PinReset),
            functions=table.texts("functions"),
            driven_by=driven_by,
            cite=table.text("cite"),
        )


def _signal(table: Table) -> Signal:
    with table:
        return Signal(
            name=table.text("name"),
            pins=table.texts("pins"),
            alternate_function=table.integer("alternate_function", 0, 15),
            cite=table.text("cite"),
        )


def _erratum(table: Table) -> Erratum:
    with table:
        return Erratum(
            id=table.text("id"),
            title=table.text("title"),
            touches=table.texts("touches"),
            avoided_by=table.text("avoided_by"),
            check=table.text("check"),
            cite=table.text("cite"),
        )
