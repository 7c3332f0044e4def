"""Campaigns: chunks of cases that depend on (seed, chunk) alone, over processes, with a record to resume from."""

from __future__ import annotations

import json
import multiprocessing
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tests.soundness import loops, single, straight
from tests.soundness.bench import Bench
from tests.soundness.emulated import PROGRAM, PROGRAM_SIZE, SINGLE, SINGLE_SIZE
from tests.soundness.single import LIFTED, PREDICATED
from tests.soundness.tally import Tally

CHUNK, LOOP_CHUNK = 20_000, 100
"""Cases of one chunk; loops, a few hundred times as slow, have chunks of their own."""
GROUP = {"instruction": 32, "straight": 8, "loop": 1}
"""Concrete states drawn from each abstract one, by kind."""
STRAIGHT, LOOPS = 0.05, 0.001
"""Shares of the cases; the rest are single instructions."""
ORACLES = ("unicorn", "pypcode", "capstone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    cases: int
    seed: int

    def work(self) -> list[Work]:
        """The chunks, in the order in which they are numbered."""
        loops = round(self.cases * LOOPS)
        sizes = [("fast", size) for size in _pieces(self.cases - loops, CHUNK)]
        sizes += [("loop", size) for size in _pieces(loops, LOOP_CHUNK)]
        return [Work(self.seed, chunk, _split(kind, size)) for chunk, (kind, size) in enumerate(sizes)]

    def missing(self, done: Set[int]) -> list[Work]:
        """The chunks that are not done, those of loops spread among the others: a part of a run has of each kind."""
        left = [work for work in self.work() if work.chunk not in done]
        kinds = [[work for work in left if ("loop" in work.cases) == loop] for loop in (False, True)]
        placed = [(place / len(kind), work.chunk, work) for kind in kinds for place, work in enumerate(kind)]
        return [work for _, _, work in sorted(placed, key=lambda each: each[:2])]


@dataclass(frozen=True, slots=True)
class Work:
    """One chunk: how many cases of each kind."""

    seed: int
    chunk: int
    cases: Mapping[str, int]


def _pieces(total: int, most: int) -> list[int]:
    return [min(most, total - start) for start in range(0, total, most)]


def _split(kind: str, size: int) -> dict[str, int]:
    if kind == "loop":
        return {"loop": size}
    straight = round(size * STRAIGHT)
    return {"instruction": size - straight, "straight": straight}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One group of cases: enough to run it again."""

    kind: str
    seed: int
    chunk: int
    group: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.seed}:{self.chunk}:{self.group}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Raises ValueError."""
        kind, seed, chunk, group = text.split(":")
        if kind not in GROUP:
            raise ValueError(f"no such kind of case: {kind}")
        return cls(kind=kind, seed=int(seed), chunk=int(chunk), group=int(group))


@cache
def _bench(kind: str, odd: bool) -> Bench:
    """`odd`: instructions end at an odd multiple of 2."""
    return Bench(SINGLE + 2 * odd, SINGLE_SIZE) if kind == "instruction" else Bench(PROGRAM, PROGRAM_SIZE)


def run_group(place: Place, count: int) -> Tally:
    """Up to `count` cases of one group."""
    tally = Tally()
    source = random.Random(str(place))
    if place.kind == "loop":
        tally.cases["loop"] += 1
        found = loops.check(source.getrandbits(64))
        tally.unsound += [found] if found is not None else []
    else:
        group = single.Group if place.kind == "instruction" else straight.Group
        odd = place.kind == "instruction" and place.group % 2 == 1
        try:
            group(_bench(place.kind, odd), source).run(count, tally)
        except AssertionError as error:
            # The verifier makes a fault of it, which decides nothing: a defect, but not an unsound one.
            tally.remarks[f"the machine gives up: {error}"] += 1
    tally.unsound = [f"{place} {line}" for line in tally.unsound]
    return tally


def run_chunk(work: Work) -> tuple[int, Tally]:
    """The cases are counted as they come, so a chunk has exactly as many as it should."""
    started = time.process_time()
    total = Tally()
    for kind, wanted in work.cases.items():
        group = 0
        while (missing := wanted - total.cases[kind]) > 0:
            place = Place(kind=kind, seed=work.seed, chunk=work.chunk, group=group)
            total.add(run_group(place, min(GROUP[kind], missing)))
            group += 1
    if "loop" not in work.cases:
        total.unsound += _strays(work)
    total.cpu_seconds = time.process_time() - started
    return work.chunk, total


def _strays(work: Work) -> list[str]:
    benches = [_bench(kind, odd) for kind, odd in (("instruction", False), ("instruction", True), ("straight", False))]
    found = any(bench.stray_stores() for bench in benches)
    return [f"chunk {work.chunk} of seed {work.seed}: the emulator stored where the model did not"] if found else []


@dataclass(slots=True)
class Record:
    """The finished chunks of one plan and what they counted."""

    plan: Plan
    commits: list[str] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)

    @classmethod
    def load(cls, path: Path, plan: Plan) -> Record:
        """The record to go on with; a new one where there is none. Raises ValueError where it is another plan's."""
        if not path.exists():
            return cls(plan)
        data = json.loads(path.read_text())
        if (data["cases_planned"], data["seed"]) != (plan.cases, plan.seed):
            raise ValueError(f"{path.name} is the record of {data['cases_planned']} cases with seed {data['seed']}")
        done = {chunk for first, last in data["chunks"] for chunk in range(first, last + 1)}
        return cls(plan, data["commits"], done, Tally.from_json(data["tally"]))

    def add(self, chunk: int, tally: Tally, commit: str) -> None:
        self.done.add(chunk)
        self.tally.add(tally)
        if commit not in self.commits:
            self.commits.append(commit)

    def save(self, path: Path) -> None:
        data = {
            "cases_planned": self.plan.cases,
            "cases_run": sum(self.tally.cases.values()),
            "seed": self.plan.seed,
            "commits": self.commits,
            "oracles": {name: version(name) for name in ORACLES},
            "states_per_group": GROUP,
            "shares": {"straight": STRAIGHT, "loop": LOOPS, "in an IT block": PREDICATED, "against p-code": LIFTED},
            "chunks": _runs(self.done),
            "tally": self.tally.to_json(),
        }
        written = path.with_suffix(".new")
        written.write_text(json.dumps(data, indent=1) + "\n")
        written.replace(path)


def _runs(numbers: Iterable[int]) -> list[list[int]]:
    """First and last of each run of consecutive numbers."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def commit() -> str:
    """The version of the code, for the record."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    ran = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return ran.stdout.strip() or "unknown"


def run(plan: Plan, workers: int, path: Path | None) -> Tally:
    """Run what is missing of the plan. Progress and unsound cases go to stderr. Raises ValueError as `Record.load`."""
    record = Record.load(path, plan) if path is not None else Record(plan)
    version_of_code = commit()
    for chunk, tally in _results(plan.missing(record.done), workers):
        record.add(chunk, tally, version_of_code)
        if path is not None:
            record.save(path)
        for line in tally.unsound:
            print(f"unsound: {line}", file=sys.stderr)
        done = sum(record.tally.cases.values())
        rate = done / record.tally.cpu_seconds if record.tally.cpu_seconds else 0
        print(f"{done} of {plan.cases} cases, {rate:.0f} a CPU second", file=sys.stderr, flush=True)
    return record.tally


def _results(work: list[Work], workers: int) -> Iterator[tuple[int, Tally]]:
    if workers == 1:
        yield from map(run_chunk, work)
        return
    with multiprocessing.Pool(workers) as pool:
        yield from pool.imap_unordered(run_chunk, work)
