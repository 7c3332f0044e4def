"""The mutants of the record: made again, judged again, compared again, they come to the same.

Whether an image is refused or undecided may change with what the verifier follows; whether it is accepted may not.
"""

from __future__ import annotations

import json

import pytest

from tests.attacks.mutate.campaign import one
from tests.attacks.mutate.judging import Said
from tests.attacks.mutate.kinds import GENERATORS
from tests.attacks.mutate.record import RECORD, SAMPLE_SEED, Sampled, sampled
from tests.emulation.tools import require

_EVERY = 3
"""Of the sample, every third mutant is made again: the rest is left to `python -m tests.attacks.mutate`."""
_SAMPLE = sampled()[::_EVERY]


def test_the_record_is_of_every_kind_and_without_danger() -> None:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    assert record["mutants"] >= 500
    assert len(record["sample"]) == len(GENERATORS)
    assert len(record["kinds"]) == len({each.__qualname__ + each.__module__ for each in GENERATORS})
    assert record["dangerous"] == 0
    assert record["broken"] == 0
    assert record["mutants"] == sum(kind["made"] for kind in record["kinds"].values())


@pytest.mark.toolchain
@pytest.mark.emulation
@pytest.mark.slow
@pytest.mark.parametrize("recorded", _SAMPLE, ids=lambda each: f"{each.index}-{each.kind}")
def test_comes_to_the_same(recorded: Sampled) -> None:
    require("qemu-system-arm", "arm-none-eabi-gcc", "gcc")
    result = one(SAMPLE_SEED, recorded.index)
    accepted = recorded.said == Said.CONFORMS
    assert (result.kind, result.conforming, result.explanation) == (recorded.kind, accepted, recorded.explanation), (
        result
    )
    assert not result.broken
