"""What the confined part may do with each address once it runs, decoded from the words that the gate wrote."""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts._core import Facts, Known, Problem, Refusal, Unknown, hardware, span
from pinproof.facts._view import drops
from pinproof.machine import mpu
from pinproof.machine.mpu import Interval, MpuProblem, Protection, Rights, Use
from pinproof.machine.result import Drop
from pinproof.silicon import MemoryKind, Peripheral

PROTECTION_REASONS: dict[str, str] = {
    "mpu-words-unknown": "a region register or MPU_CTRL is not one known number at the drop",
    "no-drop": "no path from reset reaches the drop",
}
"""Reason codes of every requirement that asks what the confined part can reach."""

DECODING_REASONS: dict[str, str] = {
    "mpu-control-reserved": "MPU_CTRL sets reserved bits",
    "mpu-control-unpredictable": "MPU_CTRL sets HFNMIENA without ENABLE",
    "mpu-attribute-reserved": "a region's attributes set reserved bits",
    "mpu-region-too-small": "a region is smaller than 32 bytes, which is reserved",
    "mpu-region-misaligned": "a region's base is not a multiple of its size",
    "mpu-subregion-small": "a region below 256 bytes disables subregions, which is unpredictable",
    "mpu-permission-reserved": "a region has the reserved access permission",
    "mpu-memory-type-reserved": "a region has a reserved memory type",
}
"""What the decoder refuses, as reason codes."""

Range = tuple[int, int]


def protection_of(facts: Facts, drop: Drop) -> Known[Protection] | Problem:
    """The decoded protection at one drop; a refusal where the architecture does not define the set-up."""
    state = drop.state
    words: list[tuple[int, int]] = []
    for number, (base, attributes) in enumerate(state.mpu_regions):
        disabled = attributes.bits(1) == 0
        if disabled:
            words.append((0, 0))
        elif base.only is None or attributes.only is None:
            return _unknown(facts, drop, f"MPU region {number}")
        else:
            words.append((base.only, attributes.only))
    control = state.mpu_control.only
    if control is None:
        return _unknown(facts, drop, "MPU_CTRL")
    decoded = mpu.decode(words, control)
    if isinstance(decoded, MpuProblem):
        return Refusal(reason=decoded.code, message=decoded.message, places=(facts.at(drop.site),))
    where = facts.at(drop.site)
    return Known(value=decoded, evidence=(hardware(f"{len(decoded.regions)} MPU regions decoded at the drop", where),))


def protections(facts: Facts) -> Known[tuple[Protection, ...]] | Unknown:
    """The decoded protection at every drop, at least one.

    A set-up that the architecture does not define is refused by run-confined; here it means that nothing is known.
    """
    found: list[Protection] = []
    for drop in drops(facts):
        known = protection_of(facts, drop)
        if isinstance(known, Refusal):
            return _undecodable(known)
        if isinstance(known, Unknown):
            return known
        found.append(known.value)
    if not found:
        return Unknown(
            reason="no-drop",
            message="no path from reset reaches the drop",
            would_help="start-up code that drops privilege",
        )
    return Known(value=tuple(found))


def reach_problems(facts: Facts, places: tuple[Range, ...], reason: str, what: str) -> Iterator[Problem]:
    """A refusal where the confined part can read, write or run a byte of `places`."""
    known = protections(facts)
    if not isinstance(known, Known):
        yield known
        return
    for protection in known.value:
        for interval in protection.intervals():
            if not interval.unprivileged:
                continue
            hit = _first_overlap(interval, places)
            if hit is not None:
                yield Refusal(
                    reason=reason,
                    message=f"the confined part can {_verbs(interval.unprivileged)} {what} at {span(*hit)}",
                    places=tuple(facts.at(drop.site) for drop in drops(facts)),
                )
                return


def block_reach_problems(facts: Facts, blocks: tuple[Peripheral, ...], reason: str) -> Iterator[Problem]:
    """A refusal for the first of these blocks that the confined part can reach, its bit-band alias included."""
    for block in blocks:
        found = list(reach_problems(facts, block_ranges(facts, block), reason, block.name))
        if found:
            yield from found
            return


def block_ranges(facts: Facts, block: Peripheral) -> tuple[Range, ...]:
    """The addresses of a block: its own, and those of its bits in a bit-band alias."""
    ranges: list[Range] = [(block.base, block.end)]
    for band in facts.silicon.bit_bands:
        covered = band.size // 32
        low, high = max(block.base, band.target), min(block.end, band.target + covered)
        if low < high:
            ranges.append((band.base + (low - band.target) * 32, band.base + (high - band.target) * 32))
    return tuple(ranges)


def unprivileged(facts: Facts, use: Use) -> Known[tuple[Range, ...]] | Unknown:
    """Where the confined part may use memory so at any drop, as joined ranges."""
    known = protections(facts)
    if not isinstance(known, Known):
        return known
    ranges = sorted(item for protection in known.value for item in protection.unprivileged(use))
    return Known(value=merged(ranges))


def merged(ranges: list[Range]) -> tuple[Range, ...]:
    """The same bytes as fewer ranges; the input is sorted."""
    result: list[Range] = []
    for start, end in ranges:
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return tuple(result)


def without(ranges: tuple[Range, ...], removed: tuple[Range, ...]) -> tuple[Range, ...]:
    """The bytes of `ranges` that are in none of `removed`."""
    left = list(ranges)
    for low, high in removed:
        left = [
            part
            for start, end in left
            for part in ((start, min(end, low)), (max(start, high), end))
            if part[0] < part[1]
        ]
    return tuple(sorted(left))


def gate_ram(facts: Facts) -> Known[tuple[Range, ...]] | Unknown:
    """The RAM that the confined part cannot write."""
    writable = unprivileged(facts, Use.WRITE)
    if not isinstance(writable, Known):
        return writable
    rams = tuple((memory.start, memory.end) for memory in facts.silicon.memories_of(MemoryKind.RAM))
    return Known(value=without(rams, writable.value))


def peripheral_blocks(facts: Facts) -> tuple[Peripheral, ...]:
    """Every block except those on the private bus, which no region opens (DDI 0403, B3.5.1)."""
    low, high = mpu.PRIVATE_PERIPHERAL_BUS
    return tuple(block for block in facts.silicon.peripherals if not low <= block.base < high)


def _unknown(facts: Facts, drop: Drop, what: str) -> Unknown:
    return Unknown(
        reason="mpu-words-unknown",
        message=f"{what} is not one known number at the drop",
        would_help="write every region register and MPU_CTRL with constants on every path",
        places=(facts.at(drop.site),),
    )


def _undecodable(problem: Refusal) -> Unknown:
    return Unknown(
        reason="mpu-words-unknown",
        message=f"the protection cannot be decoded: {problem.message}",
        would_help="a region set-up that the architecture defines",
        places=problem.places,
    )


def _first_overlap(interval: Interval, places: tuple[Range, ...]) -> Range | None:
    for start, end in places:
        low, high = max(start, interval.start), min(end, interval.end)
        if low < high:
            return low, high
    return None


def _verbs(rights: Rights) -> str:
    names = [
        word
        for word, right in (("read", Rights.READ), ("write", Rights.WRITE), ("run", Rights.EXECUTE))
        if rights & right
    ]
    return " and ".join(names)
