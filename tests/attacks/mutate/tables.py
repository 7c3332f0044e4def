"""Results by kind: how many were refused, undecided or accepted, and the commonest reason to refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.attacks.mutate.campaign import Result
from tests.attacks.mutate.explaining import EQUAL, UNEXPLAINED

_COLUMNS = ("kind", "made", "refused", "undecided", "equal", "explained", "unexplained", "commonest reason")


def table(results: Iterable[Result]) -> str:
    kinds: dict[str, list[Result]] = {}
    for result in results:
        kinds.setdefault(result.kind, []).append(result)
    rows = [_COLUMNS, *(_row(kind, kinds[kind]) for kind in sorted(kinds))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(kind: str, results: Sequence[Result]) -> tuple[str, ...]:
    said = Counter(result.said for result in results)
    why = Counter(result.explanation for result in results if result.conforming)
    reasons = Counter(each for result in results for each in map(" ".join, result.reasons.items()))
    numbers = (
        len(results),
        said["refused"],
        said["undecided"],
        why[EQUAL],
        said["conforms"] - why[EQUAL] - why[UNEXPLAINED],
        why[UNEXPLAINED],
    )
    commonest = reasons.most_common(1)
    return (kind, *map(str, numbers), f"{commonest[0][0]} ({commonest[0][1]})" if commonest else "")
