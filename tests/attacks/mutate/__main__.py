"""python -m tests.attacks.mutate --count N --seed S [--workers W] [-o FILE]: a campaign, and its table by kind."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.attacks.mutate.campaign import campaign
from tests.attacks.mutate.tables import table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attacks.mutate", description="mutate the reference image")
    parser.add_argument("--count", type=int, default=530, help="mutants (the kinds take turns)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument(
        "-o", "--output", type=Path, help="results, one JSON object a line; an earlier run is continued"
    )
    options = parser.parse_args()
    found = campaign(options.count, options.seed, options.workers, output=options.output)
    print(table(found.results))
    for finding in found.findings:
        print(finding)
    print(f"{found.mutants} mutants, {found.conforming} conforming, {found.dangerous} dangerous")
    return 1 if found.findings else 0


if __name__ == "__main__":
    sys.exit(main())
