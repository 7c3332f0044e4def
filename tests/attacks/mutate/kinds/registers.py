"""One register in place of another, and other lists of registers."""

from __future__ import annotations

from random import Random

from tests.attacks.mutate.encodings import recoded
from tests.attacks.mutate.image import Base, Instruction, Mutant

_LISTS = ("push", "pop", "ldm", "stm", "stmdb", "ldmia")


def register(base: Base, source: Random) -> Mutant | None:
    """A register field becomes another register."""
    chosen = source.choice([each for each in base.code if _fields(each)])
    half, at, bits = source.choice(_fields(chosen))
    values = [chosen.first, chosen.second]
    values[half] ^= source.randrange(1, 1 << bits) << at
    return Mutant(kind="register", note="another register", changes=(recoded(chosen, *values),))


def register_list(base: Base, source: Random) -> Mutant | None:
    """PUSH, POP, LDM, STM: one or two registers more or fewer."""
    chosen = source.choice([each for each in base.code if each.name.split(".")[0] in _LISTS])
    long = chosen.size == 4
    flipped = 0
    for _ in range(source.choice((1, 1, 2))):
        flipped ^= 1 << source.randrange(16 if long else 9)
    first, second = (chosen.first, chosen.second ^ flipped) if long else (chosen.first ^ flipped, 0)
    return Mutant(kind="register-list", note="another list of registers", changes=(recoded(chosen, first, second),))


def list_instruction(base: Base, source: Random) -> Mutant | None:
    """A load or store of many registers where a store of one was."""
    stores = [each for each in base.code if each.name.startswith("str")]
    chosen = source.choice(stores)
    pointer, registers = source.randrange(8), source.randrange(1, 256)
    if chosen.size == 2:
        first = source.choice((0xC000, 0xC800)) | pointer << 8 | registers
        return Mutant(kind="list-instruction", note="LDM or STM for a store", changes=(recoded(chosen, first),))
    first = source.choice((0xE880, 0xE8A0, 0xE900, 0xE920, 0xE890, 0xE8B0)) | chosen.first & 15
    return Mutant(kind="list-instruction", note="LDM or STM for a store", changes=(recoded(chosen, first, registers),))


def _fields(instruction: Instruction) -> list[tuple[int, int, int]]:
    """Halfword, lowest bit and width of each register field, by the large classes of encodings (DDI 0403 A5)."""
    first = instruction.first
    if instruction.size == 4:
        if instruction.first >> 11 == 0b11110:  # data with a constant: Rn, Rd
            return [] if instruction.second & 0x8000 else [(0, 0, 4), (1, 8, 4)]
        return [(0, 0, 4), (1, 12, 4)]
    if first >> 13 == 1 or first >> 11 in (0b01001, 0b10010, 0b10011):
        return [(0, 8, 3)]
    if first >> 13 in (0b000, 0b011, 0b100) or first >> 10 == 0b010000 or first >> 12 == 5:
        return [(0, 0, 3), (0, 3, 3)]
    return [(0, 3, 4), (0, 0, 3)] if first >> 10 == 0b010001 else []
