"""Adversarial loops against the loop engine: random programs, explored by the machine and run on integers."""

from __future__ import annotations

import random
from dataclasses import replace

from pinproof.machine.result import Origin

from tests.soundness.loops.judging import faults, first, leaks
from tests.soundness.loops.programs import ORIGINS, Program, program
from tests.soundness.loops.running import Concrete, draw, drawn_again, image_for, run_abstractly

RUNS = 4
"""Concrete runs of each program, and as many pairs of runs that differ in the values of one origin."""


def check(seed: int) -> str | None:
    """Generate, explore and run one program. None, or what is unsound about it, in one line."""
    found = examine(program(seed), seed)
    return found if found is None or found.startswith("seed") else None


def examine(subject: Program, seed: int) -> str | None:
    """As `check`, of one program; what the machine refuses is told as the obstacles' codes."""
    image = image_for(subject)
    try:
        abstract = run_abstractly(subject, image)
    except Exception as error:  # whatever it is, it is the finding
        return f"seed {seed}: the machine raises {error!r}"
    if abstract.obstacles:
        return " ".join(abstract.obstacles)
    source = random.Random(seed ^ 0x5EED)
    concrete = Concrete(subject, image)
    for number in range(RUNS):
        inputs = draw(subject, source)
        outcome = concrete.run(inputs)
        found = first(faults(abstract, outcome))
        if found is None:
            origin = (*ORIGINS, Origin.DEVICE)[number % 4]
            if origin is not Origin.DEVICE:
                # A device that answers otherwise each time tells how often it was asked, and that is its own origin.
                inputs = replace(inputs, answers=inputs.answers[:1])
                outcome = concrete.run(inputs)
            other = concrete.run(drawn_again(subject, source, inputs, origin))
            found = first(faults(abstract, other)) or first(leaks(abstract, origin, outcome, other))
        if found is not None:
            return f"seed {seed}: {found}"
    return None
