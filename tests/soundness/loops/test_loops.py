"""A piece of the campaign on every `make test`; `make soundness` runs as much of it as one likes."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.soundness.loops import check, examine
from tests.soundness.loops.assembling import _size, assemble
from tests.soundness.loops.crafted import CRAFTED
from tests.soundness.loops.programs import program
from tests.unit.machine.support import CODE, has_toolchain
from tests.unit.machine.support import assemble as assemble_by_gnu

EFFORT = float(os.environ.get("CASES", "1"))
CASES = int(250 * EFFORT)
NARROW = ("nop", "it", "cbz", "cbnz", "bx", "movw", "movt", "dsb", "isb", ".word")


@pytest.mark.slow
def test_no_run_of_a_loop_leaves_what_the_machine_says() -> None:
    counts: Counter[str] = Counter()
    for seed in range(CASES):
        found = examine(program(seed), seed)
        assert found is None or not found.startswith("seed"), found
        counts[found or "decided"] += 1
    print(dict(counts))
    assert counts["decided"] > 0.6 * CASES


def test_a_case_depends_on_its_seed_alone() -> None:
    assert [program(seed) for seed in range(5)] == [program(seed) for seed in range(5)]
    assert check(0) is None and examine(program(0), 0) == examine(program(0), 0)


def test_the_campaign_sees_a_wrong_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """A harness that finds nothing in a broken engine tests nothing."""
    from pinproof.machine import loops

    monkeypatch.setattr(loops, "reproduced", lambda head, back, bound: True)
    assert any(check(seed) is not None for seed in range(60))


@pytest.mark.toolchain
@pytest.mark.skipif(not has_toolchain(), reason="needs arm-none-eabi-gcc")
def test_the_little_assembler_agrees_with_gnu_as() -> None:
    for seed in range(40):
        lines = program(seed).lines
        mine, labels = assemble(lines, CODE)
        theirs, theirs_labels = assemble_by_gnu("\n".join(_wide(line) for line in lines))
        if mine != theirs:
            address = CODE
            for line in lines:
                if not line.endswith(":"):
                    at, end = address - CODE, address - CODE + _size(line)
                    assert mine[at:end] == theirs[at:end], line
                    address += _size(line)
        assert all(labels[name] == address for name, address in theirs_labels.items() if name in labels)


def _wide(line: str) -> str:
    if line.endswith(":") or line.startswith(NARROW):
        return line
    name, _, rest = line.partition(" ")
    return f"{name}.w {rest}"


@pytest.mark.parametrize("name", CRAFTED)
def test_no_run_of_a_crafted_loop_leaves_what_the_machine_says(name: str) -> None:
    for seed in range(5):
        assert examine(CRAFTED[name], seed) is None
