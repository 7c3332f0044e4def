"""The record of a campaign that was run once: counts by kind, and what became of each of the first mutants.

python -m tests.attacks.mutate.record RESULTS...      writes record.json from files of results
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.attacks.mutate.campaign import Result, read_all
from tests.attacks.mutate.explaining import UNEXPLAINED
from tests.attacks.mutate.kinds import GENERATORS

RECORD = Path(__file__).with_name("record.json")
SAMPLE_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One mutant of the record, to be made again."""

    index: int
    kind: str
    said: str
    explanation: str


def made(results: Iterable[Result]) -> dict[str, Any]:
    """The record as JSON. The sample is each generator's first mutant of SAMPLE_SEED."""
    results = sorted(results, key=lambda each: (each.seed, each.index))
    seeds = Counter(result.seed for result in results)
    sample = [each for each in results if each.seed == SAMPLE_SEED and each.index < len(GENERATORS)]
    return {
        "mutants": len(results),
        "seeds": {str(seed): seeds[seed] for seed in sorted(seeds)},
        "conforming": sum(result.conforming for result in results),
        "dangerous": sum(result.dangerous for result in results),
        "broken": sum(result.broken for result in results),
        "longest_seconds": max((result.seconds for result in results), default=0.0),
        "kinds": {kind: _counts(kind, results) for kind in sorted({result.kind for result in results})},
        "explanations": _sorted(Counter(each.explanation for each in results if each.conforming)),
        "reasons": _sorted(Counter(pair for each in results for pair in map(" ".join, each.reasons.items()))),
        "sample": [
            {"index": each.index, "kind": each.kind, "said": each.said, "explanation": each.explanation}
            for each in sample
        ],
    }


def sampled() -> tuple[Sampled, ...]:
    return tuple(Sampled(**each) for each in json.loads(RECORD.read_text(encoding="utf-8"))["sample"])


def _counts(kind: str, results: list[Result]) -> dict[str, int]:
    of_kind = [result for result in results if result.kind == kind]
    counts = Counter(result.said if not result.conforming else _explanation(result) for result in of_kind)
    return {"made": len(of_kind), **_sorted(counts)}


def _explanation(result: Result) -> str:
    return "equal" if result.explanation == "equal" else UNEXPLAINED if result.dangerous else "explained"


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts)}


def main() -> None:
    results = {(each.seed, each.index): each for name in sys.argv[1:] for each in read_all(Path(name))}
    RECORD.write_text(json.dumps(made(results.values()), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
