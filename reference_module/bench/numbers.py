"""Each number with its unit, by where it comes from: the image, the proof, or the emulator."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from reference_module.bench.errors import BenchError
from reference_module.emulate.measure import Measured, measure, ramp
from reference_module.products import PERSON, Product, verified

NOT_MEASURED = "nan"
"""In place of a value: a number that is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    name: str
    value: str
    unit: str

    def __str__(self) -> str:
        return f"{self.name}: {self.value} {self.unit}"

    @property
    def measured(self) -> bool:
        return self.value != NOT_MEASURED


def named(product: Product, name: str, value: int | float | str, unit: str) -> Number:
    """The person detector's numbers have plain names, another module's begin with its own."""
    prefix = "" if product is PERSON else f"{product.name}_"
    return Number(name=f"{prefix}{name}", value=f"{value:.4g}" if isinstance(value, float) else str(value), unit=unit)


def read(line: str) -> Number:
    """A line as it is printed. Raises BenchError."""
    name, colon, rest = line.partition(": ")
    value, _, unit = rest.partition(" ")
    try:
        float(value)
    except ValueError:
        colon = ""
    if not colon or not unit or not name.replace("_", "").isalnum():
        raise BenchError(f"not a line of `name: value unit`: {line!r}")
    return Number(name=name, value=value, unit=unit)


def of_image(product: Product) -> Iterator[Number]:
    """Sizes, from the image's sections and the declaration. Raises BenchError."""
    try:
        sections, vectors = _sections(product.image)
        declared = tomllib.loads(product.declaration.read_text(encoding="utf-8"))
        confined = int(declared["memory"]["confined"]["size"])
        gate, model = sections[".gate"], sections[".model"]
    except (OSError, ELFError, ValueError, KeyError) as error:
        where = f"{product.image.name}, {product.declaration.name}"
        raise BenchError(f"{where}: {type(error).__name__}: {error}") from error
    yield named(product, "flash", sum(sections[name] for name in sections if name in _IN_FLASH), "bytes")
    yield named(product, "gate_code", gate - vectors, "bytes")
    yield named(product, "gate_vectors", vectors, "bytes")
    yield named(product, "confined_code", sections.get(".confined", 0), "bytes")
    yield named(product, "model", model, "bytes")
    yield named(product, "confined_memory", confined, "bytes")
    yield named(product, "arena", sections.get(".arena", 0), "bytes")


_IN_FLASH = (".gate", ".confined", ".model", ".data")


def _sections(path: Path) -> tuple[dict[str, int], int]:
    """Sizes of the image's sections, and of its vector table."""
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        sizes = {section.name: int(section["sh_size"]) for section in elf.iter_sections()}
        table = elf.get_section_by_name(".symtab")
        if not isinstance(table, SymbolTableSection):
            raise ValueError("the image has no symbols")
        vectors = table.get_symbol_by_name("vectors")
        return sizes, int(vectors[0]["st_size"]) if vectors else 0


def of_proof(product: Product) -> Iterator[Number]:
    """What the verifier says, and nothing if it does not conform. Raises BenchError and PinproofError."""
    report = verified(product)
    if report.verdict.value != "conforms" or report.memory is None or report.capacity is None:
        raise BenchError(f"{product.image.name} does not conform: run pinproof verify")
    memory, capacity = report.memory, report.capacity
    part, reachable = memory.total_bytes, memory.reachable_bytes
    yield named(product, "writable_memory", part if reachable is None else reachable, "bytes")
    yield named(product, "writable_memory_of_part", part, "bytes")
    yield named(product, "period", capacity.minimum_period_ns / 1e9, "s")
    yield named(product, "capacity", math.ceil(capacity.bits_per_second * 10_000) / 10_000, "bit/s")
    smoothing = capacity.smoothing
    if smoothing is not None:
        yield named(product, "changes_per_day", smoothing.changes_per_day, "changes")
    if report.proof.tick_cycles is not None:
        yield named(product, "tick_bound", report.proof.tick_cycles, "cycles")


def of_run(product: Product) -> Iterator[Number]:
    """Instructions, counted one by one in QEMU by a plugin. Raises EmulationError."""
    declared = tomllib.loads(product.declaration.read_text(encoding="utf-8"))
    yield from counted(product, measure(product.image, product.capture, ramp(declared["memory"]["frame"]["size"])))


def counted(product: Product, measured: Measured) -> Iterator[Number]:
    """The numbers of one run."""
    tick, period = measured.tick, measured.start.period
    yield named(product, "instructions_per_inference", tick.inference, "instructions")
    yield named(product, "inference_share_of_period", 100 * tick.inference / period, "%")
    yield named(product, "wipe_instructions", tick.capture - tick.wipe, "instructions")
    yield named(product, "restart_instructions", tick.entry - tick.restart, "instructions")
    yield named(product, "wipe_share_of_period", 100 * tick.wipe_and_restart / period, "%")
    yield named(product, "preload_instructions", tick.preloaded, "instructions")
    yield named(product, "start_instructions", measured.start.instructions, "instructions")
