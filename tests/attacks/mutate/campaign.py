"""Makes mutants, has each judged, compares what conforms with the original, and says what that came to."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from tests.attacks.mutate.behaviour import behaviours, behaviours_of_original, differences
from tests.attacks.mutate.explaining import UNEXPLAINED, explained
from tests.attacks.mutate.image import Base, described, reference
from tests.attacks.mutate.judging import Said, verdict
from tests.attacks.mutate.kinds import mutant

SLOW = 60.0
"""Seconds of processor time that no verification may take."""
_SHOWN = 12
"""Differences that are written down; the others of a mutant are alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one mutant."""

    seed: int
    index: int
    kind: str
    note: str
    change: str
    said: str
    """A word of Said."""
    reasons: Mapping[str, str]
    """By requirement, what it said other than pass."""
    seconds: float
    explanation: str = ""
    """Of a mutant that conforms: `equal`, the name of an explanation, or UNEXPLAINED."""
    differences: tuple[str, ...] = ()

    @property
    def conforming(self) -> bool:
        return self.said == Said.CONFORMS

    @property
    def dangerous(self) -> bool:
        """It conforms, does otherwise than the original, and nothing says why that is harmless."""
        return self.conforming and self.explanation == UNEXPLAINED

    @property
    def broken(self) -> bool:
        """The verifier raised, or took too long."""
        return self.said == Said.CRASHED or self.seconds > SLOW

    def __str__(self) -> str:
        seen = "; ".join(self.differences) if self.dangerous else ", ".join(map(" ".join, self.reasons.items()))
        return f"mutant {self.seed}/{self.index} ({self.kind}: {self.note}) {self.said}: {self.change}: {seen}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    results: tuple[Result, ...] = field(repr=False)

    @property
    def mutants(self) -> int:
        return len(self.results)

    @property
    def conforming(self) -> int:
        return sum(result.conforming for result in self.results)

    @property
    def dangerous(self) -> int:
        return sum(result.dangerous for result in self.results)

    @property
    def findings(self) -> tuple[str, ...]:
        """One line for each that is dangerous, or at which the verifier broke."""
        return tuple(str(result) for result in self.results if result.dangerous or result.broken)


def campaign(count: int, seed: int, workers: int = 1, *, output: Path | None = None) -> Campaign:
    """Mutants 0 to `count` - 1 of `seed`.

    `output`: a file of results, from which an earlier run is continued; what was dangerous or broken is made again.
    """
    done = {result.index: result for result in read(output, seed)} if output is not None else {}
    done = {index: result for index, result in done.items() if not result.dangerous and not result.broken}
    wanted = [index for index in range(count) if index not in done]
    for result in _results(seed, wanted, workers):
        done[result.index] = result
        if output is not None:
            with output.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(asdict(result)) + "\n")
        _progress(done.values(), count)
    return Campaign(results=tuple(done[index] for index in range(count)))


def read(output: Path, seed: int) -> Iterator[Result]:
    """The results of this seed in a file; of an index that stands there twice, the later one comes later."""
    return (result for result in read_all(output) if result.seed == seed)


def read_all(output: Path) -> Iterator[Result]:
    if output.exists():
        for line in output.read_text(encoding="utf-8").splitlines():
            fields = json.loads(line)
            yield Result(**{**fields, "differences": tuple(fields["differences"])})


def one(seed: int, index: int) -> Result:
    """Makes, judges and compares one mutant."""
    base = reference()
    made = mutant(base, seed, index)
    judged = verdict(base.changed(made.changes))
    explanation: str = ""
    seen: tuple[str, ...] = ()
    if judged.said is Said.CONFORMS:
        explanation, seen = compared(base, judged.image)
    return Result(
        seed=seed,
        index=index,
        kind=made.kind,
        note=made.note,
        change=described(base, made.changes),
        said=judged.said,
        reasons=judged.reasons,
        seconds=round(judged.seconds, 2),
        explanation=explanation,
        differences=seen,
    )


def compared(original: Base, mutant: Base) -> tuple[str, tuple[str, ...]]:
    """The explanation, and the first differences."""
    before, after = behaviours_of_original(original.elf), behaviours(mutant)
    seen = islice(differences(before, after), _SHOWN)
    return explained(before, after), tuple(str(each)[:400] for each in seen)


def _results(seed: int, wanted: list[int], workers: int) -> Iterator[Result]:
    if workers == 1:
        yield from (one(seed, index) for index in wanted)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(one, [seed] * len(wanted), wanted, chunksize=4)


def _progress(results: Iterable[Result], count: int) -> None:
    done = list(results)
    if len(done) % 20 == 0 or len(done) == count:
        conforming = sum(result.conforming for result in done)
        dangerous = sum(result.dangerous for result in done)
        print(
            f"{len(done)} of {count} mutants, {conforming} conform, {dangerous} unexplained",
            file=sys.stderr,
            flush=True,
        )
