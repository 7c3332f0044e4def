"""Thumb encodings that the generators write themselves (DDI 0403 A7.7), and changes made of halfwords."""

from __future__ import annotations

from collections.abc import Iterable

from tests.attacks.mutate.image import Base, Change, Instruction

NOP, NOP_WIDE = 0xBF00, (0xF3AF, 0x8000)
EVERY_CONDITION = range(14)


def halves(address: int, *values: int) -> Change:
    """Halfwords from an address on."""
    return Change(address=address, data=b"".join(value.to_bytes(2, "little") for value in values))


def word(address: int, value: int) -> Change:
    return Change(address=address, data=(value & 0xFFFFFFFF).to_bytes(4, "little"))


def recoded(instruction: Instruction, first: int, second: int = 0) -> Change:
    """Other halfwords in an instruction's place."""
    return halves(instruction.address, *((first, second) if instruction.size == 4 else (first,)))


def nothing(instruction: Instruction) -> Change:
    """A no-operation of the same length."""
    return recoded(instruction, *(NOP_WIDE if instruction.size == 4 else (NOP,)))


def original(base: Base, instruction: Instruction) -> bytes:
    return base.read(instruction.address, instruction.size)


def spread(base: Base, address: int, size: int, values: Iterable[int]) -> Change:
    """Halfwords in `size` bytes, filled up with no-operations; raises ValueError where they do not fit."""
    given = list(values)
    if 2 * len(given) > size:
        raise ValueError("too long for its place")
    return halves(address, *given, *(NOP for _ in range(size // 2 - len(given))))


def branch(source: int, target: int, *, link: bool = False) -> tuple[int, int]:
    """B.W (T4) or BL, A7.7.12 and A7.7.18."""
    offset = (target - source - 4) >> 1
    sign = offset >> 23 & 1
    return (
        0xF000 | sign << 10 | offset >> 11 & 0x3FF,
        0x9000
        | (0x4000 if link else 0)
        | (1 ^ (offset >> 22 & 1) ^ sign) << 13
        | (1 ^ (offset >> 21 & 1) ^ sign) << 11
        | offset & 0x7FF,
    )


def branch_target(instruction: Instruction) -> int | None:
    """Where a direct branch leads, None for anything else."""
    first, second, after = instruction.first, instruction.second, instruction.address + 4
    if instruction.size == 2:
        if first & 0xF000 == 0xD000 and first >> 8 & 15 < 14:
            return after + 2 * _signed(first & 0xFF, 8)
        if first & 0xF800 == 0xE000:
            return after + 2 * _signed(first & 0x7FF, 11)
        if first & 0xF500 == 0xB100:
            return after + (first >> 3 & 31) * 2 + (first >> 9 & 1) * 64
        return None
    if first & 0xF800 == 0xF000 and second & 0x9000 == 0x9000:
        sign = first >> 10 & 1
        high = (1 ^ (second >> 13 & 1) ^ sign) << 22 | (1 ^ (second >> 11 & 1) ^ sign) << 21
        return after + 2 * _signed(sign << 23 | high | (first & 0x3FF) << 11 | second & 0x7FF, 24)
    return None


def retargeted(instruction: Instruction, target: int) -> Change:
    """The same branch to another place; raises ValueError where its encoding does not reach."""
    first, offset = instruction.first, (target - instruction.address - 4) >> 1
    if instruction.size == 4:
        return recoded(instruction, *branch(instruction.address, target, link=bool(instruction.second & 0x4000)))
    if first & 0xF500 == 0xB100:
        if not 0 <= offset < 64:
            raise ValueError("out of reach")
        return recoded(instruction, first & ~0x02F8 | (offset & 31) << 3 | (offset >> 5) << 9)
    bits = 8 if first & 0xF000 == 0xD000 else 11
    if not -(1 << bits - 1) <= offset < 1 << bits - 1:
        raise ValueError("out of reach")
    return recoded(instruction, first & ~((1 << bits) - 1) | offset & (1 << bits) - 1)


def is_literal_load(instruction: Instruction) -> bool:
    """LDR from the program counter, short or long."""
    return instruction.first & 0xF800 == 0x4800 or (instruction.size == 4 and instruction.first & 0xFF7F == 0xF85F)


def is_store(instruction: Instruction) -> bool:
    return instruction.name.startswith("str")


def moves_freely(instruction: Instruction) -> bool:
    """Whether it does the same at another address: no direct branch, nothing relative to the program counter, no IT."""
    text = instruction.text
    return not (
        branch_target(instruction) is not None
        or is_literal_load(instruction)
        or "pc" in text
        or instruction.name.startswith(("it", "adr", "b", "tb", "cb"))
    ) or instruction.name.startswith("bic")


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value
