"""Every byte of flash MUST be gate code, confined code, model, constants or erased.

*How it is decided.* Every loaded byte lies in the declared gate flash, confined flash or model, inside the part's
flash. What the gate executed or read as constants lies in the gate flash, apart from the idle loop. Every other byte of
the gate flash is code that the executed code leads to and no path reaches, or one of that code's literals, or erased or
padding: erased bytes, no-operations, zeros; where some path could not be followed, that is undecided. What is not
loaded is erased: the canonical flash image has 0xFF there.

*False accepts.* Confined code is accounted for as a whole; nothing in it is looked at. Code of the gate that no path
reaches runs if somebody glitches the part, as confined code does (A-glitching).

*False rejects.* Constants that the gate never reads, and functions that nothing calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    MACHINE_REASONS,
    Facts,
    Problem,
    Range,
    Refusal,
    conclude,
    merged,
    proved,
    span,
    static_code,
    without,
)
from pinproof.outcome import Outcome
from pinproof.silicon import MemoryKind

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    "bytes-outside-flash": "the image holds bytes outside the part's flash",
    "undeclared-bytes": "the image holds bytes outside the declared ranges of flash",
    "range-outside-flash": "a declared range lies outside the part's flash",
    "gate-code-outside-gate": "the gate executes or reads bytes outside the declared gate flash",
    "hidden-bytes": "bytes in the gate flash are neither executed nor read as constants",
}

_ALIGNMENT = 3
_NO_OPERATION, _WIDE_NO_OPERATION = bytes((0x00, 0xBF)), bytes((0xAF, 0xF3, 0x00, 0x80))
"""NOP in 16 and in 32 bits (DDI 0403, A7.7.88)."""
_IDLE_LOOP = 2


def check(facts: Facts) -> Outcome:
    flash = tuple((memory.start, memory.end) for memory in facts.silicon.memories_of(MemoryKind.FLASH))
    loaded = tuple((segment.address, segment.end) for segment in facts.image.segments)
    total = sum(end - start for start, end in loaded)
    evidence = [
        proved(f"{total} loaded bytes are gate, confined code or model; all other flash is erased"),
        proved(
            f"{_size(facts.exploration.executed)} bytes of gate code, {_size(facts.exploration.constants)} of constants"
        ),
    ]
    return conclude(facts, [*_places(facts, flash, loaded), *_gate(facts, loaded)], evidence)


def _size(ranges: tuple[Range, ...]) -> int:
    return sum(end - start for start, end in ranges)


def _places(facts: Facts, flash: tuple[Range, ...], loaded: tuple[Range, ...]) -> Iterator[Problem]:
    declared = facts.declaration
    ranges = [(each.start, each.end) for each in (declared.flash.gate, declared.flash.confined, declared.model.range)]
    for extra in without(loaded, flash):
        yield Refusal(reason="bytes-outside-flash", message=f"the image holds {span(*extra)}")
    for extra in without(loaded, tuple(ranges)):
        yield Refusal(reason="undeclared-bytes", message=f"no declared range holds {span(*extra)}")
    for extra in without(tuple(ranges), flash):
        yield Refusal(reason="range-outside-flash", message=f"a declared range reaches {span(*extra)}")


def _gate(facts: Facts, loaded: tuple[Range, ...]) -> Iterator[Problem]:
    gate, idle = facts.declaration.flash.gate, facts.declaration.entry.idle
    used = merged(sorted((*facts.exploration.executed, *facts.exploration.constants)))
    led_to = merged(sorted((*used, *static_code(facts))))
    home: tuple[Range, ...] = ((gate.start, gate.end), (idle, idle + _IDLE_LOOP))
    for extra in without(used, home):
        yield Refusal(
            reason="gate-code-outside-gate",
            message=f"the gate executes or reads {span(*extra)}",
            places=(facts.at(extra[0]),),
        )
    if facts.exploration.obstacles:
        return  # a path that could not be followed may lead there: undecided, by those obstacles
    held = without(loaded, without(((0, 1 << 32),), ((gate.start, gate.end),)))
    for hidden in without(held, led_to):
        if not _is_filler(facts.image.read(hidden[0], hidden[1] - hidden[0])):
            yield Refusal(
                reason="hidden-bytes",
                message=f"{span(*hidden)} is neither executed nor read, and no code of the gate leads there",
                places=(facts.at(hidden[0]),),
            )


def _is_filler(data: bytes | None) -> bool:
    """Erased bytes, zeros or no-operations of any length, or those with up to three zeros: nothing that says anything.

    Zeros are fields of a table that its reader passes over, as well as alignment.
    """
    if data is None:
        return False
    if not data.strip(b"\xff") or not data.strip(b"\x00"):
        return True
    rest = data.replace(_WIDE_NO_OPERATION, b"").replace(_NO_OPERATION, b"")
    return len(rest) <= _ALIGNMENT and not rest.strip(b"\x00")
