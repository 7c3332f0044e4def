"""Two changes of any kinds at once, so that what the first breaks may be mended, or reached, by the second."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from random import Random

from tests.attacks.mutate.image import Base, Mutant

Generator = Callable[[Base, Random], Mutant | None]


def pair_of(kinds: Sequence[Generator]) -> Generator:
    """A generator that makes two of the given ones and joins them where they do not touch."""

    def pair(base: Base, source: Random) -> Mutant | None:
        one, two = source.choice(kinds)(base, source), source.choice(kinds)(base, source)
        if one is None or two is None:
            return None
        spans = sorted((each.address, each.address + len(each.data)) for each in (*one.changes, *two.changes))
        if any(first[1] > second[0] for first, second in itertools.pairwise(spans)):
            return None
        return Mutant(kind="pair", note=f"{one.kind} and {two.kind}", changes=(*one.changes, *two.changes))

    return pair
