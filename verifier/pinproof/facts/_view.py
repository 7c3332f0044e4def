"""What the gate's accesses can touch, by run, block and register; and what registers hold at the drop.

An access whose address is not one number touches everything that its bounds allow. Addresses in a bit-band alias count
as accesses to what the alias shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pinproof.declaration import Declaration
from pinproof.facts._core import Facts
from pinproof.machine.result import Access, AccessKind, Drop, Run, Word
from pinproof.outcome import Location
from pinproof.silicon import Capability, Peripheral, Silicon, Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One access of one run."""

    run: Run
    access: Access

    @property
    def exact(self) -> int | None:
        """The address, where it is one number."""
        return self.access.address.only


def drops(facts: Facts) -> tuple[Drop, ...]:
    return facts.exploration.boot.drops


def handlers(facts: Facts) -> tuple[Run, ...]:
    return facts.exploration.handlers


def boot(facts: Facts) -> tuple[Run, ...]:
    return (facts.exploration.boot,)


def all_runs(facts: Facts) -> tuple[Run, ...]:
    return (facts.exploration.boot, *facts.exploration.handlers)


def output_timer(facts: Facts) -> Timer | None:
    """The declared timer, if the silicon file knows it as one that can make edges."""
    return facts.silicon.timer(facts.declaration.output.timer)


def output_registers(silicon: Silicon, declaration: Declaration) -> tuple[int, ...]:
    """Addresses of the registers that say what the declared pins show; none of a timer that the silicon file lacks."""
    output = declaration.output
    if silicon.timer(output.timer) is None or not silicon.has_peripheral(output.timer):
        return ()
    wanted = [f"CCR{channel}" for channel in sorted(set(output.channels))]
    return tuple(each.address for each in silicon.peripheral(output.timer).registers if each.name in wanted)


def is_tick(facts: Facts, run: Run) -> bool:
    """Whether the declared timer's exception leads to this run."""
    timer = output_timer(facts)
    return timer is not None and timer.exception in run.exceptions


def ticks(facts: Facts) -> tuple[Run, ...]:
    return tuple(run for run in handlers(facts) if is_tick(facts, run))


def can_touch(facts: Facts, access: Access, start: int, end: int) -> bool:
    """Whether the access can reach a byte of `start` up to, not including, `end`."""
    return any(low < end and high > start for low, high in _reach(facts, access))


def touches(facts: Facts, runs: Iterable[Run], start: int, end: int, kind: AccessKind | None = None) -> Iterator[Touch]:
    """The accesses of these runs that can reach the bytes, in the order of each run."""
    for run in runs:
        for access in sorted(run.accesses, key=lambda item: item.order):
            if (kind is None or access.kind is kind) and can_touch(facts, access, start, end):
                yield Touch(run=run, access=access)


def stores(facts: Facts, runs: Iterable[Run], start: int, size: int = 4) -> list[Touch]:
    return list(touches(facts, runs, start, start + size, AccessKind.STORE))


def loads(facts: Facts, runs: Iterable[Run], start: int, size: int = 4) -> list[Touch]:
    return list(touches(facts, runs, start, start + size, AccessKind.LOAD))


def block_stores(facts: Facts, runs: Iterable[Run], block: Peripheral) -> list[Touch]:
    return stores(facts, runs, block.base, block.size)


def blocks_with(facts: Facts, *capabilities: Capability) -> tuple[Peripheral, ...]:
    """The blocks that have at least one of these capabilities."""
    wanted = frozenset(capabilities)
    return tuple(block for block in facts.silicon.peripherals if block.capabilities & wanted)


def register(facts: Facts, block: str, name: str) -> int:
    """The address of a register. Raises `KeyError` where the silicon file has none: the check stays undecided."""
    return facts.silicon.peripheral(block).register(name).address


def device(drop: Drop, address: int) -> Word:
    """What a device register holds at the drop; anything where the machine does not know."""
    return drop.state.device.get(address, Word.anything())


def device_at_drops(facts: Facts, address: int) -> tuple[Word, ...]:
    return tuple(device(drop, address) for drop in drops(facts))


def values_of(word: Word) -> frozenset[int] | None:
    """The values that the word can have, where they are few enough to be listed."""
    if word.values is not None:
        return word.values
    return frozenset((word.low,)) if word.only is not None else None


def may_set(word: Word, mask: int) -> bool:
    """Whether one of the bits can be 1."""
    if word.values is not None:
        return any(value & mask for value in word.values)
    return bool(~word.zeros & mask)


def may_clear(word: Word, mask: int) -> bool:
    """Whether one of the bits can be 0."""
    if word.values is not None:
        return any(value & mask != mask for value in word.values)
    return bool(~word.ones & mask)


def field(word: Word, mask: int) -> frozenset[int] | None:
    """The values, in place, that the masked bits can have; None where they are not few."""
    if word.values is not None:
        return frozenset(value & mask for value in word.values)
    known = word.bits(mask)
    if known is not None:
        return frozenset((known,))
    unknown = mask & ~(word.zeros | word.ones)
    return None if unknown.bit_count() > 6 else _fill(word.ones & mask, unknown)


def places(facts: Facts, found: Iterable[Touch]) -> tuple[Location, ...]:
    """Where the accesses are made, each place once."""
    return tuple(dict.fromkeys(facts.at(item.access.site) for item in found))


def name_of(facts: Facts, address: int) -> str:
    """What messages call an address: the register, the block and offset, or the number."""
    known = facts.silicon.register_at(address & ~3)
    if known is not None:
        return known.full_name
    block = facts.silicon.peripheral_at(address)
    return f"{block.name}+0x{address - block.base:X}" if block is not None else f"0x{address:08X}"


def name_of_access(facts: Facts, access: Access) -> str:
    only = access.address.only
    if only is not None:
        return name_of(facts, only)
    return f"0x{access.address.low:08X} to 0x{access.address.high + access.width - 1:08X}"


def _fill(base: int, unknown: int) -> frozenset[int]:
    values = {base}
    for bit in range(32):
        if unknown >> bit & 1:
            values |= {value | 1 << bit for value in values}
    return frozenset(values)


def _reach(facts: Facts, access: Access) -> Iterator[tuple[int, int]]:
    if access.address.values is not None:
        direct = [(value, value + access.width) for value in access.address.values]
    else:
        direct = [(access.address.low, access.address.high + access.width)]
    yield from direct
    for band in facts.silicon.bit_bands:
        for low, high in direct:
            if low < band.end and high > band.base:
                first = max(low, band.base) - band.base
                last = min(high, band.end) - 1 - band.base
                # 32 bytes of the alias show one byte (DDI 0439, 3.7); whole words are read and written back.
                yield band.target + (first // 32 & ~3), band.target + (last // 32 & ~3) + 4
