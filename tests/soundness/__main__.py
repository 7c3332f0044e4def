"""`python -m tests.soundness`: run a campaign, or one group of cases again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.attacks import mutate
from tests.soundness import campaign


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 sound, 1 something unsound or dangerous, 2 usage."""
    options = _parser().parse_args(arguments)
    if options.replay is not None:
        return _replay(options.replay)
    plan = campaign.Plan(cases=options.cases, seed=options.seed)
    try:
        tally = campaign.run(plan, options.workers, options.record)
    except ValueError as error:
        print(f"soundness: {error}", file=sys.stderr)
        return 2
    mutants = mutate.campaign(options.mutants, options.seed, options.workers)
    for finding in mutants.findings:
        print(f"mutant: {finding}", file=sys.stderr)
    cases, unsound = sum(tally.cases.values()), len(tally.unsound)
    print(
        f"soundness: {cases} cases, {unsound} unsound; {mutants.mutants} mutants, {mutants.dangerous} dangerous passed"
    )
    return 1 if unsound or mutants.dangerous else 0


def _replay(place: campaign.Place) -> int:
    tally = campaign.run_group(place, campaign.GROUP[place.kind])
    for line in tally.unsound:
        print(f"unsound: {line}", file=sys.stderr)
    print(f"{place}: {sum(tally.cases.values())} cases, {len(tally.unsound)} unsound")
    return 1 if tally.unsound else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soundness", description=__doc__)
    parser.add_argument("--cases", type=_count, default=200_000, help="cases in all (default 200000)")
    parser.add_argument("--seed", type=int, default=1, help="what the cases depend on (default 1)")
    parser.add_argument("--mutants", type=_count, default=0, help="mutated images to judge (default none)")
    parser.add_argument("--workers", type=_positive, default=1, help="processes (default 1)")
    parser.add_argument("--record", type=Path, help="file of finished chunks, to resume from")
    parser.add_argument("--replay", type=campaign.Place.parse, metavar="KIND:SEED:CHUNK:GROUP", help="one group again")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


if __name__ == "__main__":
    sys.exit(main())
