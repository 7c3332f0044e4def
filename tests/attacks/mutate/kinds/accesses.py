"""Stores and loads of another width, alignment or form."""

from __future__ import annotations

from random import Random

from tests.attacks.mutate.encodings import is_store, recoded
from tests.attacks.mutate.image import Base, Instruction, Mutant

_SHORT_FORMS = (0x60, 0x70, 0x80, 0x68, 0x78, 0x88)
"""First bytes of STR, STRB, STRH, LDR, LDRB, LDRH with a constant offset."""


def width(base: Base, source: Random) -> Mutant | None:
    """A store or load becomes narrower or wider, or the one becomes the other."""
    chosen = source.choice(_accesses(base))
    if chosen.size == 4:
        first = chosen.first & ~0x0070 | source.choice((0x00, 0x10, 0x20, 0x30, 0x40, 0x50))
        return _mutant("access-width", chosen, first, chosen.second)
    form = source.choice(_SHORT_FORMS) >> 3
    return _mutant("access-width", chosen, form << 11 | chosen.first & 0x07FF, 0)


def narrow_store(base: Base, source: Random) -> Mutant | None:
    """STRB or STRH with the same address, or with one inside the word."""
    chosen = source.choice([each for each in _accesses(base) if is_store(each)])
    if chosen.size == 4:
        first = chosen.first & ~0x0070 | source.choice((0x00, 0x20))
        return _mutant("narrow-store", chosen, first, chosen.second ^ source.choice((0, 0, 1, 2, 3)))
    offset = chosen.first >> 6 & 31
    if source.random() < 0.5:
        return _mutant("narrow-store", chosen, 0x7000 | (4 * offset & 31) << 6 | chosen.first & 63, 0)
    return _mutant("narrow-store", chosen, 0x8000 | (2 * offset & 31) << 6 | chosen.first & 63, 0)


def unaligned(base: Base, source: Random) -> Mutant | None:
    """A long access whose offset is no multiple of its width."""
    chosen = source.choice([each for each in _accesses(base) if each.size == 4])
    return _mutant("unaligned", chosen, chosen.first, chosen.second ^ source.choice((1, 2, 3)))


def form(base: Base, source: Random) -> Mutant | None:
    """With write-back, from below, unprivileged, exclusive, doubled, or with a register as offset."""
    chosen = source.choice([each for each in _accesses(base) if each.size == 4])
    base_register, target = chosen.first & 15, chosen.second & 0xF000
    load = chosen.first & 0x10
    offset = source.randrange(256)
    single = 0xF840 | load | base_register
    forms = (
        (single, target | source.choice((0x900, 0xB00, 0xC00, 0xD00, 0xE00, 0xF00)) | offset),
        (single, target | source.randrange(64)),
        (0xE840 | load | base_register, target | source.randrange(16) << 8 | offset),
        (0xE8C0 | load | base_register, target | 0x0F40 | source.randrange(16)),
        (
            source.choice((0xE940, 0xE960, 0xE9C0, 0xE9E0, 0xE860)) | load | base_register,
            target | source.randrange(1 << 12),
        ),
    )
    return _mutant("access-form", chosen, *source.choice(forms))


def _accesses(base: Base) -> list[Instruction]:
    """Loads and stores with a constant offset, but for those from the program counter."""
    return [
        each
        for each in base.code
        if (each.size == 2 and each.first >> 13 in (0b011, 0b100) and each.first >> 12 != 9)
        or (each.size == 4 and each.first >> 9 == 0b1111100 and each.first & 15 != 15)
    ]


def _mutant(kind: str, chosen: Instruction, first: int, second: int) -> Mutant:
    return Mutant(kind=kind, note="an access of another form", changes=(recoded(chosen, first, second),))
