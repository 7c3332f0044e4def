"""Programs run on the concrete processor with every write remembered, and explanations held against what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pinproof.isa.concrete import ConcreteExecutor, ConcreteFault, ConcreteProcessor
from pinproof.isa.flow import Call, JumpRegister
from pinproof.isa.words import SpecialRegister
from pinproof.machine import ranges
from pinproof.machine.effects import NZ, Flag, Loaded, Register, Special
from pinproof.machine.provenance import Bytes, Memory, Tracer, Watched
from pinproof.machine.ranges import Range
from pinproof.machine.result import Site

FLAGS = (NZ, Flag("C"), Flag("V"))
Key = Register | Flag | int
"""A register, a flag, or the address of one byte."""


@dataclass(slots=True, kw_only=True)
class TracedProcessor(ConcreteProcessor):
    """Notes who wrote what last. The process stack pointer is a register of its own."""

    site: Site = field(default_factory=lambda: Site(address=0))
    last: dict[Key, Site] = field(default_factory=dict)
    process_stack: int = 0
    device: Callable[[int], int] | None = None
    """What a load outside all memory gives; stores there change nothing."""

    def write_register(self, number: int, value: int, /) -> None:
        self.last[Register(number)] = self.site
        ConcreteProcessor.write_register(self, number, value)

    def _find(self, address: int, width: int, multiple: bool) -> tuple[bytearray, int]:
        try:
            return ConcreteProcessor._find(self, address, width, multiple)
        except ConcreteFault:
            if self.device is None:
                raise
            return bytearray(self.device(address).to_bytes(4, "little")), 0

    def store(
        self, address: int, value: int, width: int, /, *, unprivileged: bool = False, multiple: bool = False
    ) -> None:
        ConcreteProcessor.store(self, address, value, width, unprivileged=unprivileged, multiple=multiple)
        for byte in range(address, address + width):
            self.last[byte] = self.site

    def _sum(self, a: int, b: int, carry: int) -> None:
        ConcreteProcessor._sum(self, a, b, carry)
        self.last.update(dict.fromkeys(FLAGS, self.site))

    def flags_logical(self, result: int, carry: int | None, /) -> None:
        ConcreteProcessor.flags_logical(self, result, carry)
        self.last[NZ] = self.site
        if carry is not None:
            self.last[Flag("C")] = self.site

    def read_special(self, special: SpecialRegister, /) -> int:
        if special is SpecialRegister.PSP:
            return self.process_stack
        return ConcreteProcessor.read_special(self, special)

    def write_special(self, special: SpecialRegister, mask: int, value: int, /) -> None:
        if special is SpecialRegister.PSP:
            self.process_stack = value & ~3
        else:
            ConcreteProcessor.write_special(self, special, mask, value)


@dataclass(frozen=True, slots=True)
class Moment:
    """One executed instruction, with who had written what when it began."""

    site: Site
    last: dict[Key, Site]
    registers: tuple[int, ...]


def run(processor: TracedProcessor, entry: int, steps: int, stop: int | None = None, every: int = 1) -> list[Moment]:
    """Execute, and keep every `every`-th moment; ends at `stop`, after `steps`, or where there is no code."""
    executor = ConcreteExecutor(processor=processor, pc=entry)
    calls: tuple[int, ...] = ()
    returns: list[int] = []
    moments = []
    for count in range(steps):
        if executor.pc == stop or not any(
            start <= executor.pc < start + len(block) for start, block in processor.memory.items()
        ):
            break
        processor.site = Site(address=executor.pc, calls=calls)
        if count % every == 0:
            moments.append(Moment(processor.site, dict(processor.last), tuple(processor.registers)))
        flow = executor.run_one()
        if isinstance(flow, Call) or (isinstance(flow, JumpRegister) and flow.return_address is not None):
            calls = (*calls, processor.site.address)
            returns.append(flow.return_address or 0)
        elif returns and executor.pc == returns[-1]:
            calls = calls[:-1]
            returns.pop()
    return moments


def watched(entry: int, moments: list[Moment]) -> Watched:
    """What a machine would have seen that executed just this."""
    seen: dict[Site, tuple[Range, ...]] = {}
    for moment in moments:
        now = tuple(ranges.exactly(value) for value in moment.registers)
        before = seen.get(moment.site, now)
        seen[moment.site] = tuple(ranges.hull(a, b) for a, b in zip(before, now, strict=True))
    return Watched(runs={entry: seen})


def wrong(tracer: Tracer, moment: Moment) -> list[str]:
    """Claims about this moment that are not so: a last writer that is not named, or a certain one that is another."""
    effects = tracer.effects(moment.site)
    instruction, condition = tracer.instruction(moment.site)
    sources = set(effects.decides | effects.asks)
    for derived in (*effects.writes.values(), *(store.value for store in effects.stores), *effects.loads):
        if derived is not None:
            sources |= derived.sources if not hasattr(derived, "address") else derived.address.sources
    problems = []
    for source in sources:
        if isinstance(source, Register | Flag):
            problems += _wrong_writer(tracer, moment, source, {moment.last.get(source)})
        elif isinstance(source, Loaded):
            load = effects.loads[source.index]
            start = load.address.known.only
            if start is not None and tracer.memory_at(start) is Memory.RAM:
                writers = {moment.last.get(byte) for byte in range(start, start + load.width)}
                problems += _wrong_writer(tracer, moment, Bytes(start, start + load.width), writers)
    return [f"{instruction} ({condition}): {problem}" for problem in problems]


def _wrong_writer(
    tracer: Tracer, moment: Moment, thing: Register | Flag | Special | Bytes, actual: set[Site | None]
) -> list[str]:
    found = tracer.writers(moment.site, thing)
    if found.lost:
        return []
    named: set[Site | None] = {site for site, _ in found.writers}
    if found.from_entry:
        named.add(None)
    problems = [f"{thing} was written at {site}, named {named}" for site in actual - named]
    certain = [site for site, sure in found.writers if sure]
    if len(named) == 1 and certain and actual != set(certain):
        problems.append(f"{thing} is said to be from {certain}, and was from {actual}")
    return problems
