"""What the fuzzer found worth keeping, replayed: every file of the corpus and every seed, judged as the fuzzer does."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.campaign import checked_in
from tests.fuzz.judges import JUDGES
from tests.fuzz.mutators import MUTATORS
from tests.fuzz.seeds import CORPUS, SEEDS

MOST_FILES, MOST_BYTES = 260, 300_000
READERS = sorted(JUDGES)


@pytest.mark.parametrize("reader", READERS)
def test_every_file_is_judged_well(reader: str) -> None:
    for data in [*SEEDS[reader], *checked_in(reader)]:
        JUDGES[reader](data)


@pytest.mark.parametrize("reader", READERS)
def test_the_corpus_stays_small(reader: str) -> None:
    files = [file for file in Path(CORPUS / reader).iterdir() if file.is_file()]
    assert 0 < len(files) <= MOST_FILES
    assert sum(file.stat().st_size for file in files) <= MOST_BYTES


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("seed", range(30))
def test_changed_seeds_are_judged_well(reader: str, seed: int) -> None:
    """The fuzzer's own changes, without the fuzzer: a few of them at every run of the tests."""
    chance = Random(seed)

    def noise(data: bytes, most: int) -> bytes:
        return bytes(byte ^ (chance.random() < 0.05) << chance.randrange(8) for byte in data)[: max(most, 1)]

    for data in SEEDS[reader]:
        JUDGES[reader](MUTATORS[reader](data, 4096, chance, noise))
