"""Whatever the flash holds, an exploration ends within its budget and says what stopped it; it never raises."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from pinproof.image import Image, Segment, read_image
from pinproof.machine.explore import explore

from tests.oracle.isa.sampling import EFFORT, accepted, code_of
from tests.unit.machine.images import image
from tests.unit.machine.support import FLASH, image_of, silicon

pytestmark = pytest.mark.slow
GATE = Path("spec/vectors/run-gate-proved/reference.pass.elf")
BUDGET = 6_000


def vectors(source: random.Random, length: int) -> bytes:
    """Plausible ones: a stack in RAM, every vector odd and inside the image."""
    words = [0x20018000, *(FLASH + 2 * source.randrange(0x110, length // 2) + 1 for _ in range(100))]
    return b"".join(word.to_bytes(4, "little") for word in words)


def noise(source: random.Random) -> bytes:
    length = source.choice((0x400, 0x1000))
    return vectors(source, length) + source.randbytes(length - 404)


def instructions(source: random.Random) -> bytes:
    """Random bytes seldom run far: these all decode."""
    code = bytearray()
    while len(code) < 0x800:
        found = accepted(source, FLASH + len(code))
        code += code_of(found.encoding, found.size)
    return vectors(source, 404 + len(code)) + bytes(code)


def check(candidate: Image, budget: int = BUDGET) -> str:
    found = explore(candidate, silicon(), frozenset(), budget)
    assert found.steps <= budget + 3 * len(found.vectors)
    assert found.obstacles or found.boot.drops or found.boot.endless, "silence"
    return ",".join(sorted({each.code for each in found.obstacles})) or "none"


@pytest.mark.parametrize("make", [noise, instructions])
def test_random_flash(make: object) -> None:
    counts: Counter[str] = Counter()
    for number in range(int(150 * EFFORT)):
        data = make(random.Random(number))  # type: ignore[operator]
        counts[check(image_of((FLASH, data)))] += 1
    print(dict(counts))
    assert len(counts) > 3


def test_flipped_bits_of_a_small_image() -> None:
    whole = image().segments[0].data
    source = random.Random(3)
    counts: Counter[str] = Counter()
    for _ in range(int(150 * EFFORT)):
        data = bytearray(whole)
        for _ in range(source.choice((1, 1, 3))):
            position = source.randrange(404, len(data))
            data[position] ^= 1 << source.randrange(8)
        counts[check(image_of((FLASH, bytes(data))))] += 1
    print(dict(counts))
    assert len(counts) > 3


def test_flipped_bits_of_a_gate() -> None:
    whole = read_image(GATE.read_bytes(), GATE.name)
    source = random.Random(4)
    first = whole.segments[0]
    counts: Counter[str] = Counter()
    for _ in range(int(12 * EFFORT)):
        data = bytearray(first.data)
        position = source.randrange(0x194, min(len(data), 0x900))
        data[position] ^= 1 << source.randrange(8)
        segments = (Segment(address=first.address, data=bytes(data)), *whole.segments[1:])
        flipped = Image(segments=segments, entry=None, sha256="0" * 64, kind="elf")
        counts[check(flipped, 30_000)] += 1
    print(dict(counts))
