"""What a run of cases counted and found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    cases: Counter[str] = field(default_factory=Counter)
    """Cases by kind."""
    operations: Counter[str] = field(default_factory=Counter)
    """Comparisons of the model with Unicorn, by operation."""
    contained: Counter[str] = field(default_factory=Counter)
    """Of these, the ones that the abstract machine decided, so that containment was looked at."""
    pcode: Counter[str] = field(default_factory=Counter)
    """Comparisons of the model with p-code, by operation."""
    remarks: Counter[str] = field(default_factory=Counter)
    """Cases that something else than a comparison ended, by reason."""
    unsound: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def add(self, other: Tally) -> None:
        for mine, theirs in zip(self._counters(), other._counters(), strict=True):
            mine.update(theirs)
        self.unsound += other.unsound
        self.cpu_seconds += other.cpu_seconds

    def _counters(self) -> tuple[Counter[str], ...]:
        return self.cases, self.operations, self.contained, self.pcode, self.remarks

    def to_json(self) -> dict[str, object]:
        named = zip(_NAMES, self._counters(), strict=True)
        return {
            **{name: dict(sorted(counter.items())) for name, counter in named},
            "unsound": self.unsound,
            "cpu_seconds": round(self.cpu_seconds, 1),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Tally:
        tally = cls()
        for name, counter in zip(_NAMES, tally._counters(), strict=True):
            counts = data[name]
            assert isinstance(counts, dict)
            counter.update(counts)
        found, seconds = data["unsound"], data["cpu_seconds"]
        assert isinstance(found, list) and isinstance(seconds, int | float)
        tally.unsound, tally.cpu_seconds = [str(line) for line in found], float(seconds)
        return tally


_NAMES = ("cases", "operations", "contained", "pcode", "remarks")
