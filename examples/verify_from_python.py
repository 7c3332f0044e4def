"""Verifies an image as a build script would. Exit code 0 only when it conforms.

    python examples/verify_from_python.py IMAGE DECLARATION
"""

from __future__ import annotations

import sys
from pathlib import Path

from pinproof.outcome import Fail, Fault, Inconclusive, Verdict
from pinproof.verify import verify


def main(image: Path, declaration: Path) -> int:
    beside = {path.name: path.read_bytes() for path in declaration.parent.iterdir() if path.suffix in {".toml", ".md"}}
    report = verify(
        image=image.read_bytes(),
        image_name=image.name,
        declaration=declaration.read_bytes(),
        declaration_name=declaration.name,
        files=beside,
        level=1,
        rebuilt=None,
        development=False,
    )
    print(f"{image.name}: {report.verdict}")
    for decision in report.decisions:
        if isinstance(decision.outcome, Fail | Inconclusive | Fault):
            print(f"  {decision.id}: {decision.outcome.message}")
    weakest = sorted({item.id for item in report.assumptions})
    print(f"  rests on {len(weakest)} assumptions")
    return 0 if report.verdict is Verdict.CONFORMS else 1


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
