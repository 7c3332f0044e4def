"""What an exploration costs beside its instructions, so that no image can make each of them dear.

The step budget bounds how many instructions are executed. An instruction may drag along much more: a branch copies
the state and a join visits each slot of two, a load with an unknown index visits whatever it can reach, a loop
remembers all that was recorded. All of it is counted here, in units of about the time of one instruction, by how many
things are visited and never by a clock, so that one image always ends in one way. Copies count more than they take:
they stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

UNITS = 800_000
"""Of one exploration. With the step budget it keeps the worst image found below a minute and a gigabyte."""
COPIED, KEPT, VISITED, SCANNED, REMEMBERED, LOOKED_UP = 100, 5, 30, 500, 500, 10
"""Things in a unit: slots copied, slots kept to the end, slots joined or changed, keys looked through, records copied,
table entries and words of memory read."""
OBSTACLE = 400
"""Units: each is told in the report, with its reasons."""


class BudgetSpent(Exception):
    """A budget is used up; the whole exploration ends undecided."""


class Effort:
    """The units that are left. Running out ends a run (`bounding`), and nothing else: what comes after it is short."""

    __slots__ = ("_bounding", "left")

    def __init__(self, units: float = float("inf")) -> None:
        self.left = units
        self._bounding = False

    def spend(self, things: int, each: int) -> None:
        """Count `things`, `each` of which make a unit."""
        self.left -= things / each
        if self.left < 0 and self._bounding:
            raise BudgetSpent

    @contextmanager
    def bounding(self, most: float = float("inf")) -> Iterator[None]:
        """`BudgetSpent` may be raised inside, when all is spent or when `most` is."""
        kept = max(0.0, self.left - most)
        self.left -= kept
        self._bounding = True
        try:
            yield
        finally:
            self._bounding = False
            self.left += kept
