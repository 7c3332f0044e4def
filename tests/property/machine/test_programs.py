"""Random programs: every concrete run lies inside the abstract one, and what is not called confined tells nothing.

The second is tested by pairs of runs that differ only in confined values. Which programs are made depends on their
number alone; the environment variable CASES multiplies how many.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pinproof.machine import ranges
from pinproof.machine.ranges import Range

from tests.property.machine.checking import faults, leaks
from tests.property.machine.programs import INPUT, program
from tests.unit.machine.support import (
    CODE,
    CONFINED,
    RAM_SIZE,
    RESET,
    Image,
    Machine,
    Outcome,
    assemble,
    has_toolchain,
    image_of,
    random_memory,
    run_concretely,
)

EFFORT = float(os.environ.get("CASES", "1"))
PROGRAMS = int(120 * EFFORT)
RUNS_EACH = 4
BATCH = 40

pytestmark = [pytest.mark.toolchain, pytest.mark.skipif(not has_toolchain(), reason="needs arm-none-eabi-gcc")]


@dataclass
class Case:
    """One program with what its inputs may be."""

    image: Image
    entry: int
    source: random.Random
    confined: frozenset[int]
    inputs: dict[int, Range | int]

    def draw(self) -> list[int]:
        return [self.pick(number) for number in range(13)]

    def drawn_again(self, registers: list[int]) -> list[int]:
        """Others of the confined values, and the same of everything else."""
        return [self.pick(number) if number in self.confined else registers[number] for number in range(13)]

    def pick(self, number: int) -> int:
        known, source = self.inputs[number], self.source
        if isinstance(known, int):
            return known
        if known.values is not None:
            return source.choice(sorted(known.values))
        near, anywhere = (
            source.randint(known.low, min(known.high, known.low + 20)),
            source.randint(known.low, known.high),
        )
        return source.choice((known.low, known.high, anywhere, near))

    def run(self, registers: list[int], memory: bytes, answers: list[int]) -> Outcome:
        return run_concretely(self.image, self.entry, registers, memory, {INPUT: answers})


def inputs(source: random.Random, confined: frozenset[int]) -> dict[int, Range | int]:
    chosen: dict[int, Range | int] = {}
    for number in range(13):
        origins = CONFINED if number in confined else RESET
        bounded = ranges.between(0, source.choice((3, 15, 100, 1000)), 0, 0, origins)
        assert bounded is not None
        few = ranges.of_values([source.getrandbits(32) for _ in range(3)], origins)
        chosen[number] = source.choice((ranges.anything(origins), bounded, few))
        if number not in confined and source.randrange(4) == 0:
            chosen[number] = source.randrange(100)
    return chosen


def cases(first: int, count: int) -> Iterator[tuple[int, Case]]:
    for start in range(first, first + count, BATCH):
        numbers = range(start, min(start + BATCH, first + count))
        texts = [program(random.Random(n), f"p{n}").replace("table", f"table{n}") for n in numbers]
        code, labels = assemble("    .balign 4\n".join(texts))
        for number in numbers:
            source = random.Random(number + 1_000_003)
            confined = frozenset(source.sample(range(6), source.choice((1, 1, 2, 4))))
            yield number, Case(image_of((CODE, code)), labels[f"p{number}"], source, confined, inputs(source, confined))


def test_every_run_lies_inside_and_nothing_leaks() -> None:
    counts: Counter[str] = Counter()
    for number, case in cases(0, PROGRAMS):
        machine = Machine(case.image)
        cleared = case.source.randrange(2) == 0
        run = machine.run(case.entry, machine.state(case.inputs, ranges.exactly(0) if cleared else None))
        if run.obstacles:
            counts.update(["undecided", *run.codes])
            continue
        counts["decided"] += 1
        for _ in range(RUNS_EACH):
            registers, memory = case.draw(), bytes(RAM_SIZE) if cleared else random_memory(case.source)
            few = case.source.choice((1, 1, 30))
            answers = [case.source.choice((0, 1, case.source.getrandbits(32), 4)) for _ in range(few)]
            outcome = case.run(registers, memory, answers)
            if not outcome.finished:
                counts["did not end in time"] += 1
                continue
            counts["runs"] += 1
            assert not list(faults(run, outcome)), (number, next(iter(faults(run, outcome))))
            one, other = (case.run(each, memory, answers[:1]) for each in (registers, case.drawn_again(registers)))
            if one.finished and other.finished:
                counts["pairs"] += 1
                assert not list(leaks(run, one, other)), (number, next(iter(leaks(run, one, other))))
    print(dict(counts))
    assert counts["undecided"] <= PROGRAMS // 20
    assert counts["runs"] > 3 * PROGRAMS and counts["pairs"] > 3 * PROGRAMS
