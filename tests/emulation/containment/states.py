"""A concrete state against an abstract one: registers, stacks, protection, devices, memory."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from pinproof.machine.result import HandlerExit, MachineState, MemoryRange, Word
from pinproof.silicon import RegisterAccess, Silicon

from tests.emulation.containment.findings import Findings, Kind

MASK = 0xFFFFFFFF
MEMORY_START = 0x20000000
_ANYTHING = Word.anything()


def holds(word: Word, value: int, known: int = MASK) -> bool:
    """Whether some value of `word` agrees with `value` in the bits `known`."""
    if known != MASK:
        if word.values is not None:
            return any(not (each ^ value) & known for each in word.values)
        return not (value & word.zeros & known or ~value & word.ones & known)
    if word.values is not None and value not in word.values:
        return False
    return word.low <= value <= word.high and not value & word.zeros and value & word.ones == word.ones


def spelt(word: Word) -> str:
    if word.values is not None and len(word.values) <= 6:
        return "{" + ", ".join(f"{value:#x}" for value in sorted(word.values)) + "}"
    return f"{word.low:#x} to {word.high:#x}, zeros {word.zeros:#x}, ones {word.ones:#x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concrete:
    """Everything known of the machine at one boundary; what is None was not seen there."""

    general: tuple[int, ...]
    """r0-r12."""
    main_stack: int | None = None
    process_stack: int | None = None
    control: int | None = None
    primask: int | None = None
    regions: tuple[tuple[int, int], ...] | None = None
    """RBAR and RASR of each, as read."""
    read: Mapping[int, int] | None = None
    """Device registers as they read, by address."""
    stored: Mapping[int, int]
    """What was last stored to each device register; interrupt enables as they add up."""
    memory: bytes | None = None
    """All of it, from MEMORY_START."""


def compare(state: MachineState, concrete: Concrete, silicon: Silicon, findings: Findings, where: str) -> None:
    for number, (word, value) in enumerate(zip(state.registers, concrete.general, strict=True)):
        text = f"{where}: r{number} is {value:#x}, not in {spelt(word)}"
        findings.check(Kind.REGISTERS, holds(word, value), number, text)
    _stacks(state, concrete, findings, where)
    _protection(state, concrete, findings, where)
    _stored(state, concrete, silicon, findings, where)
    _read(state, concrete, silicon, findings, where)
    if concrete.memory is not None:
        for piece in state.memory:
            _memory(piece, concrete.memory, findings, where)


def _stacks(state: MachineState, concrete: Concrete, findings: Findings, where: str) -> None:
    pairs = (
        ("MSP", state.main_stack, concrete.main_stack),
        ("PSP", state.process_stack, concrete.process_stack),
        ("CONTROL", state.control, concrete.control),
        ("PRIMASK", state.primask, concrete.primask),
    )
    for name, word, value in pairs:
        if value is not None:
            findings.check(Kind.STACKS, holds(word, value), 0, f"{where}: {name} is {value:#x}, not in {spelt(word)}")


def _protection(state: MachineState, concrete: Concrete, findings: Findings, where: str) -> None:
    """RBAR reads with the region's number in its low bits, which the state leaves out."""
    if concrete.regions is None:
        return
    for number, ((base, attributes), read) in enumerate(zip(state.mpu_regions, concrete.regions, strict=True)):
        values = (("RBAR", base, read[0] & ~0x1F), ("RASR", attributes, read[1]))
        for name, word, value in values:
            text = f"{where}: {name} of region {number} is {value:#x}, not in {spelt(word)}"
            findings.check(Kind.PROTECTION, holds(word, value), 0xE000ED9C, text)


def _stored(state: MachineState, concrete: Concrete, silicon: Silicon, findings: Findings, where: str) -> None:
    for address, value in concrete.stored.items():
        register = silicon.registers.get(address)
        if register is None or register.access in (RegisterAccess.WRITE_ONLY, RegisterAccess.READ_ONLY):
            continue
        word = state.device.get(address, _ANYTHING)
        text = f"{where}: {register.full_name} was last given {value:#x}, not in {spelt(word)}"
        findings.check(Kind.STORED, holds(word, value), address, text)


# After a store only the bits that the register holds need be as stored: others may not exist.
def _read(state: MachineState, concrete: Concrete, silicon: Silicon, findings: Findings, where: str) -> None:
    for address, value in (concrete.read or {}).items():
        register = silicon.registers[address]
        word = state.device.get(address, _ANYTHING)
        if word.low == 0 and word.high == MASK:
            continue
        text = f"{where}: {register.full_name} reads {value:#x}, not in {spelt(word)}"
        known = register.holds if address in concrete.stored else MASK & ~register.volatile
        findings.check(Kind.READ_BACK, holds(word, value, known), address, text)


def _memory(piece: MemoryRange, memory: bytes, findings: Findings, where: str) -> None:
    word = piece.value
    content = memory[piece.start - MEMORY_START : piece.end - MEMORY_START]
    if word.values is None and word.low == 0 and word.high == MASK and not word.zeros | word.ones:
        return
    count = len(content) // 4
    if word.only is not None and content == struct.pack("<I", word.only) * count:
        findings.check(Kind.MEMORY, True, piece.start, "", facts=count)
        return
    for index, (value,) in enumerate(struct.iter_unpack("<I", content)):
        address = piece.start + 4 * index
        text = f"{where}: the word at {address:#x} is {value:#x}, not in {spelt(word)}"
        if not findings.check(Kind.MEMORY, holds(word, value), address, text):
            return


def compare_frame(exit_: HandlerExit, concrete: Concrete, findings: Findings, where: str) -> None:
    if concrete.process_stack is None or concrete.memory is None:
        return
    at = concrete.process_stack - MEMORY_START
    for index, word in enumerate(exit_.frame):
        value = int.from_bytes(concrete.memory[at + 4 * index : at + 4 * index + 4], "little")
        text = f"{where}: word {index} of the frame is {value:#x}, not in {spelt(word)}"
        findings.check(Kind.FRAME, holds(word, value), exit_.site.address, text)
