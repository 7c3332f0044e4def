"""Branches moved, turned round, made conditional or unconditional; IT blocks made, and instructions moved into them."""

from __future__ import annotations

import itertools
from random import Random

from tests.attacks.mutate.encodings import branch_target, recoded, retargeted
from tests.attacks.mutate.image import CONFINED_CAVE, CONFINED_FLASH, Base, Instruction, Mutant


def target(base: Base, source: Random) -> Mutant | None:
    """A branch leads elsewhere: next to its target, into an instruction, a literal, any gate or confined code."""
    chosen = source.choice(_branches(base))
    old = branch_target(chosen)
    assert old is not None
    new = source.choice((old + 2, old - 2, old + 4, old - 4, *_elsewhere(base, source, chosen)))
    return Mutant(kind="branch-target", note=f"leads to {new:#x}", changes=(retargeted(chosen, new),))


def middle(base: Base, source: Random) -> Mutant | None:
    """A branch leads to the second half of a long instruction."""
    chosen = source.choice(_branches(base))
    new = source.choice([each for each in base.code if each.size == 4]).address + 2
    return Mutant(kind="branch-into-middle", note=f"leads to {new:#x}", changes=(retargeted(chosen, new),))


def into_literals(base: Base, source: Random) -> Mutant | None:
    """A branch leads to a literal word, which is executed as code."""
    chosen = source.choice(_branches(base))
    new = source.choice(base.literals) + source.choice((0, 2))
    return Mutant(kind="branch-into-literals", note=f"leads to {new:#x}", changes=(retargeted(chosen, new),))


def condition(base: Base, source: Random) -> Mutant | None:
    """The opposite condition, another, none; CBZ becomes CBNZ."""
    chosen = source.choice([each for each in _branches(base) if each.size == 2])
    first = chosen.first
    if first & 0xF500 == 0xB100:
        return Mutant(kind="condition", note="CBZ and CBNZ", changes=(recoded(chosen, first ^ 0x0800),))
    if first & 0xF000 == 0xD000:
        new = source.choice((first ^ 0x0100, first ^ 0x0100, first & 0xF0FF | source.randrange(14) << 8))
        return Mutant(kind="condition", note="another condition", changes=(recoded(chosen, new),))
    new = 0xD000 | source.randrange(14) << 8 | first & 0xFF
    return Mutant(kind="condition", note="now conditional", changes=(recoded(chosen, new),))


def unconditional(base: Base, source: Random) -> Mutant | None:
    """A conditional branch is always taken, or a call is a jump, or a jump a call."""
    chosen = source.choice(_branches(base))
    old = branch_target(chosen)
    assert old is not None
    if chosen.size == 4:
        change = recoded(chosen, chosen.first, chosen.second ^ 0x4000)
        return Mutant(kind="unconditional", note="call and jump", changes=(change,))
    change = recoded(chosen, 0xE000 | (old - chosen.address - 4) >> 1 & 0x7FF)
    return Mutant(kind="unconditional", note="always taken", changes=(change,))


def it_block(base: Base, source: Random) -> Mutant | None:
    """A short instruction becomes IT, so that up to four behind it are conditional; often one that mattered."""
    chosen = source.choice([each for each in base.code if each.size == 2])
    first = 0xBF00 | source.randrange(15) << 4 | source.randrange(1, 16)
    return Mutant(kind="it-block", note="an IT block begins", changes=(recoded(chosen, first),))


def it_over_store(base: Base, source: Random) -> Mutant | None:
    """A store is made conditional by IT in place of the short instruction before it."""
    code = base.code
    sites = [one for one, two in itertools.pairwise(code) if one.size == 2 and two.name.startswith("str")]
    chosen = source.choice(sites)
    first = 0xBF00 | source.choice((0, 1, 2, 3, 8, 10, 14)) << 4 | source.choice((8, 4, 12, 1, 15))
    return Mutant(kind="it-over-store", note="a store becomes conditional", changes=(recoded(chosen, first),))


def _branches(base: Base) -> list[Instruction]:
    return [each for each in base.code if branch_target(each) is not None]


def _elsewhere(base: Base, source: Random, chosen: Instruction) -> tuple[int, ...]:
    near = [each.address for each in base.code if abs(each.address - chosen.address) < 200]
    if chosen.size == 2:
        return (source.choice(near),)
    gate = source.choice(base.code).address
    return (source.choice(near), gate, source.choice(CONFINED_FLASH) & ~1, CONFINED_CAVE, source.randrange(1 << 22) * 2)
