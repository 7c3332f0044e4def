"""Instructions dropped, doubled, exchanged with their neighbour, or shifted by a halfword into one another."""

from __future__ import annotations

from random import Random

from tests.attacks.mutate.encodings import NOP, is_store, moves_freely, nothing, original
from tests.attacks.mutate.image import Base, Change, Instruction, Mutant


def dropped_store(base: Base, source: Random) -> Mutant | None:
    chosen = source.choice([each for each in base.code if is_store(each)])
    return Mutant(kind="dropped-store", note="a store is dropped", changes=(nothing(chosen),))


def dropped(base: Base, source: Random) -> Mutant | None:
    chosen = source.choice([each for each in base.code if each.name != "nop"])
    return Mutant(kind="dropped", note="an instruction is dropped", changes=(nothing(chosen),))


def doubled_store(base: Base, source: Random) -> Mutant | None:
    """A store comes twice, in place of the instruction before or behind it."""
    at = source.choice([index for index, each in enumerate(base.code) if is_store(each)])
    store, other = base.code[at], base.code[at + source.choice((-1, 1))]
    if other.size < store.size:
        return None
    data = original(base, store) + NOP.to_bytes(2, "little") * ((other.size - store.size) // 2)
    return Mutant(kind="doubled-store", note="a store comes twice", changes=(Change(address=other.address, data=data),))


def exchanged(base: Base, source: Random) -> Mutant | None:
    """Two neighbours that do the same anywhere are exchanged."""
    pairs = [pair for pair in _neighbours(base) if all(moves_freely(each) for each in pair)]
    return _exchanged(base, "exchanged", source.choice(pairs))


def exchanged_stores(base: Base, source: Random) -> Mutant | None:
    """Of the two neighbours one at least is a store."""
    pairs = [pair for pair in _neighbours(base) if all(map(moves_freely, pair)) and any(map(is_store, pair))]
    return _exchanged(base, "exchanged-stores", source.choice(pairs))


def shifted(base: Base, source: Random) -> Mutant | None:
    """A halfword is taken out of, or put into, a run of code: what follows overlaps what was there."""
    at = source.randrange(len(base.code))
    length = source.randrange(4, 16)
    run = base.code[at : at + length]
    start, end = run[0].address, run[-1].end
    data = base.read(start, end - start)
    if source.random() < 0.5:
        moved = data[2:] + NOP.to_bytes(2, "little")
    else:
        moved = source.choice((data[:2], source.randbytes(2))) + data[:-2]
    return Mutant(kind="shifted", note="code is shifted by a halfword", changes=(Change(address=start, data=moved),))


def copied(base: Base, source: Random) -> Mutant | None:
    """An instruction of the gate is done in place of another of the same length."""
    chosen = source.choice(base.code)
    other = source.choice([each for each in base.code if each.size == chosen.size])
    change = Change(address=chosen.address, data=original(base, other))
    return Mutant(kind="copied", note="another instruction of the gate", changes=(change,))


def _neighbours(base: Base) -> list[tuple[Instruction, Instruction]]:
    return [(one, two) for one, two in zip(base.code, base.code[1:], strict=False) if one.end == two.address]


def _exchanged(base: Base, kind: str, pair: tuple[Instruction, Instruction]) -> Mutant:
    one, two = pair
    change = Change(address=one.address, data=original(base, two) + original(base, one))
    return Mutant(kind=kind, note="two neighbours are exchanged", changes=(change,))
