"""What a generator without ideas does: bits flipped, bytes spliced."""

from __future__ import annotations

from random import Random

from tests.attacks.mutate.image import Base, Change, Mutant


def flips(base: Base, source: Random) -> Mutant | None:
    """One to three bits of the gate's code, literals and tables."""
    changes = {}
    for _ in range(source.choice((1, 1, 2, 3))):
        at = source.choice(base.code).address + source.randrange(2)
        if source.random() < 0.2:
            at = source.choice(base.literals) + source.randrange(4)
        changes[at] = Change(address=at, data=bytes([base.read(at, 1)[0] ^ 1 << source.randrange(8)]))
    return Mutant(kind="flips", note=f"{len(changes)} bits flipped", changes=tuple(changes.values()))


def splice(base: Base, source: Random) -> Mutant | None:
    """A few bytes of the gate come from elsewhere in it, or are random."""
    size = source.choice((1, 2, 2, 4, 4, 6, 8))
    at = source.choice(base.code).address
    start = source.choice(base.code).address
    data = source.choice((base.read(start, size), source.randbytes(size)))
    return Mutant(kind="splice", note=f"{size} bytes from elsewhere", changes=(Change(address=at, data=data),))


def halfword(base: Base, source: Random) -> Mutant | None:
    """A random halfword in place of one: any short instruction there is, or half of a long one."""
    chosen = source.choice(base.code)
    at = chosen.address + 2 * source.randrange(chosen.size // 2)
    return Mutant(kind="halfword", note="a random halfword", changes=(Change(address=at, data=source.randbytes(2)),))
