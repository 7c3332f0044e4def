"""Compares images given as files.

    python -m tests.emulation.containment IMAGE...

Exit code 0 where each image does only what the verifier says it can and something was compared, else 1. The images
need not conform; their confined part is replaced where privilege is dropped.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.emulation.containment.departures import unexplained
from tests.emulation.containment.images import Subject, compared, explored, recorded
from tests.emulation.puppet import START


def main(paths: Sequence[str]) -> int:
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    outside = [path for path in paths if not _contained(Path(path))]
    return 1 if outside else 0


def _contained(path: Path) -> bool:
    image = path.read_bytes()
    exploration = explored(image)
    targets = [drop.target.only for drop in exploration.boot.drops]
    code = targets[0] if targets and targets[0] is not None else START
    result = compared(Subject(name=path.name, data=image, conforms=False), recorded(image, code=code), exploration)
    wrong = unexplained(result.findings.violations)
    facts = sum(result.findings.facts.values())
    print(f"{path}: {facts} facts, {len(wrong)} outside{', as far as ' * bool(result.boundary)}{result.boundary}")
    for line in wrong:
        print(f"  {line}")
    return facts > 0 and not wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
