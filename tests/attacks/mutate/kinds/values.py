"""Constants changed: immediates of short and long instructions, literal words, addresses of aliases."""

from __future__ import annotations

from random import Random

from tests.attacks.mutate.encodings import recoded, word
from tests.attacks.mutate.image import Base, Change, Instruction, Mutant

INTERESTING = (
    0, 1, 2, 3, 4, 5, 7, 8, 0x80, 0xFF, 0xFFFF, 0x10000, 0x1000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF,
)  # fmt: skip
"""Values at which something often changes."""


def short_immediate(base: Base, source: Random) -> Mutant | None:
    """MOVS, CMP, ADDS, SUBS and literal offsets (8 bits); shifts, loads and stores (5 bits)."""
    chosen = source.choice([each for each in base.code if _short_field(each) is not None])
    field = _short_field(chosen)
    assert field is not None
    at, bits = field
    old = chosen.first >> at & (1 << bits) - 1
    new = _near(source, old, bits)
    return _mutant("short-immediate", recoded(chosen, chosen.first & ~((1 << bits) - 1 << at) | new << at))


def long_immediate(base: Base, source: Random) -> Mutant | None:
    """Twelve bits of a data instruction's constant, 16 of MOVW and MOVT, offsets of long loads and stores."""
    chosen = source.choice([each for each in base.code if _long_immediate(each)])
    masks = _long_masks(chosen)
    bit = source.choice(masks)
    first, second = chosen.first ^ bit[0], chosen.second ^ bit[1]
    if source.random() < 0.3:
        other = source.choice(masks)
        first, second = first ^ other[0], second ^ other[1]
    return _mutant("long-immediate", recoded(chosen, first, second))


def literal(base: Base, source: Random) -> Mutant | None:
    """A literal word: one bit, a step, another literal, or a value at which something often changes."""
    at = source.choice(base.literals)
    old = base.word(at)
    new = source.choice(
        (
            old ^ 1 << source.randrange(32),
            old + source.choice((-0x400, -4, -1, 1, 4, 0x400)),
            base.word(source.choice(base.literals)),
            source.choice(INTERESTING),
            source.getrandbits(32),
        )
    )
    return _mutant("literal", word(at, new))


def alias(base: Base, source: Random) -> Mutant | None:
    """An address literal or a constant made by MOV leads to the same place by another name, or to its bits."""
    sites = [at for at in base.literals if base.word(at) >> 28 in (2, 4, 14) or base.word(at) >> 24 == 8]
    at = source.choice(sites)
    old = base.word(at)
    return _mutant("alias", word(at, source.choice(_aliases(old))))


def region_base(base: Base, source: Random) -> Mutant | None:
    """MOV.W of an address with only a few bits, such as the devices' or the system space's first."""
    sites = [each for each in base.code if each.first & 0xFFEF == 0xF04F and each.second & 0xF000 and each.size == 4]
    chosen = source.choice(sites)
    new = source.randrange(1 << 12)
    first = chosen.first & ~0x0400 | new >> 11 << 10
    return _mutant("constant-move", recoded(chosen, first, chosen.second & ~0x70FF | (new >> 8 & 7) << 12 | new & 0xFF))


def _aliases(address: int) -> tuple[int, ...]:
    low = address & 0xFFFFF
    bit_band = (address & 0xF0000000) + 0x02000000 + low * 32
    return (
        bit_band,
        bit_band + 4,
        address + 0x02000000,
        address ^ 0x08000000,
        address + 1,
        address + 2,
        address ^ 0x20000,
    )


def _short_field(instruction: Instruction) -> tuple[int, int] | None:
    """Where an immediate lies in a short instruction: lowest bit and width."""
    first = instruction.first
    if instruction.size == 4:
        return None
    if first >> 13 == 1 or first >> 11 in (0b01001, 0b10010, 0b10011, 0b10100, 0b10101):
        return 0, 8
    if first >> 13 in (0b011, 0b100) or (first >> 13 == 0 and first >> 11 != 3):
        return 6, 5
    return (6, 3) if first >> 10 == 0b000111 else None


def _near(source: Random, old: int, bits: int) -> int:
    """Another value of as many bits: one bit off, one step off, or any."""
    top = (1 << bits) - 1
    new = source.choice((old ^ 1 << source.randrange(bits), old + 1 & top, old - 1 & top, source.randrange(top + 1)))
    return new if new != old else old ^ 1


def _long_immediate(instruction: Instruction) -> bool:
    return instruction.size == 4 and (
        (instruction.first >> 11 == 0b11110 and not instruction.second & 0x8000) or instruction.first >> 9 == 0b1111100
    )


def _long_masks(instruction: Instruction) -> list[tuple[int, int]]:
    """Single bits of the immediate, in the first and the second halfword."""
    low = 12 if instruction.first >> 9 == 0b1111100 else 8
    masks = [(0, 1 << bit) for bit in range(low)]
    if low == 8:
        masks += [(0x0400, 0), (0, 0x1000), (0, 0x2000), (0, 0x4000)]
        masks += [(1 << bit, 0) for bit in range(4)] if instruction.first & 0x0240 == 0x0240 else []
    return masks


def _mutant(kind: str, change: Change) -> Mutant:
    return Mutant(kind=kind, note="a constant is another", changes=(change,))
