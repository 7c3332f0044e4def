"""Whatever bytes come in, a reader answers with a value or with exactly one error of its own, soon."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pinproof.declaration import read_declaration
from pinproof.errors import DeclarationError, ImageError, PinproofError, SiliconError
from pinproof.image import Image, Segment, SourceMap, read_image, read_source_map
from pinproof.profile import read_profile
from pinproof.provisioning import read_provisioning
from pinproof.silicon import read_silicon

from tests.unit.declaration.files import GOOD
from tests.unit.image.files import PLAIN, Elf, Load, Section, hex_file
from tests.unit.image.test_sources import TABLES_2, TABLES_5, elf, unit
from tests.unit.provisioning.test_provisioning import GOOD as PROVISIONING

SOON = 2.0
"""Seconds of processor time for files of some kilobytes: a thousand times what they take."""
bounded = partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SPEC = Path(__file__).resolve().parents[2] / "spec"
PROFILE = (SPEC / "profiles" / "person-detector.toml").read_bytes()
SILICON = (SPEC / "silicon" / "stm32f401xe.toml").read_bytes()
GOOD_ELF = PLAIN.build()
ELF_WITH_LINES = elf(unit(4, TABLES_2) + unit(5, TABLES_5))
GOOD_HEX = hex_file([(0x0800FFF0, bytes(range(64))), (0x08020000, b"abcd")], entry=0x08000009)


def outcome(read: Callable[[bytes, str], object], data: bytes, allowed: type[PinproofError]) -> object | None:
    """What `read` answers; None for its one error, which has one line and names the file."""
    began = time.process_time()
    try:
        return read(data, "input")
    except PinproofError as refusal:
        assert type(refusal) is allowed
        assert str(refusal).startswith("input: ")
        assert str(refusal).isprintable()
        assert len(str(refusal)) < 500
        return None
    finally:
        assert time.process_time() - began < SOON


def check_image(data: bytes) -> None:
    image = outcome(read_image, data, ImageError)
    if image is None:
        return
    assert isinstance(image, Image)
    for segment in image.segments:
        assert image.read(segment.address, len(segment.data)) == segment.data
        assert image.read(segment.end, 1) is None
    began = time.process_time()
    sources = read_source_map(data, image)
    assert time.process_time() - began < SOON
    for address in (image.segments[0].address, 0, 0xFFFFFFFF):
        function, line = sources.lookup(address)
        assert all(text is None or text.isprintable() for text in (function, line))


@st.composite
def mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """`original` with a few bytes or words changed, cut, repeated or inserted."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["byte", "word", "cut", "drop", "insert", "repeat"])):
            case "byte" if at < len(data):
                data[at] = draw(st.integers(0, 255))
            case "word" if at + 4 <= len(data):
                edges = [0, 1, 2, 3, 4, 64, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF]
                value = draw(st.one_of(st.sampled_from(edges), st.integers(0, 0xFFFFFFFF)))
                struct.pack_into("<I", data, at, value)
            case "cut":
                del data[at:]
            case "drop":
                del data[at : at + draw(st.integers(1, 40))]
            case "insert":
                data[at:at] = draw(st.binary(max_size=40))
            case "repeat":
                data[at:at] = data[at : at + draw(st.integers(1, 80))]
            case _:
                pass
    return bytes(data)


@given(st.one_of(st.binary(max_size=400), st.binary(max_size=400).map(b"\x7fELF\x01\x01\x01".__add__)))
@bounded(max_examples=300)
@example(b"")
@example(b":")
@example(b"\x7fELF")
def test_arbitrary_bytes_as_image(data: bytes) -> None:
    check_image(data)


@pytest.mark.slow
@given(mutated(GOOD_ELF))
@bounded(max_examples=500)
def test_mutated_elf(data: bytes) -> None:
    check_image(data)


@pytest.mark.slow
@given(mutated(ELF_WITH_LINES))
@bounded(max_examples=500)
def test_mutated_elf_with_lines(data: bytes) -> None:
    check_image(data)


@pytest.mark.slow
@given(st.binary(max_size=300), st.sampled_from([b"", TABLES_2, TABLES_5]), st.integers(1, 6))
@bounded(max_examples=300)
def test_arbitrary_line_tables(noise: bytes, tables: bytes, version: int) -> None:
    for lines in (noise, unit(version, tables, noise), unit(version, tables + noise)):
        data = elf(lines)
        image = read_image(data, "input")
        assert isinstance(read_source_map(data, image), SourceMap)


@given(st.integers(0, 51), st.integers(0, 0xFF))
@bounded(max_examples=300)
def test_every_byte_of_the_elf_header(at: int, value: int) -> None:
    check_image(GOOD_ELF[:at] + bytes([value]) + GOOD_ELF[at + 1 :])


@given(mutated(GOOD_HEX))
@bounded(max_examples=500)
def test_mutated_hex(data: bytes) -> None:
    check_image(data)


@given(st.text(alphabet=":0123456789abcdefABCDEF\r\n \t", max_size=400))
@bounded(max_examples=300)
def test_text_that_looks_like_hex(text: str) -> None:
    check_image((":" + text).encode())


RUNS = st.lists(st.tuples(st.integers(0, 0x400), st.binary(min_size=1, max_size=300)), min_size=1, max_size=6)


def placed(runs: list[tuple[int, bytes]], start: int) -> list[tuple[int, bytes]]:
    """`runs` as (address, data), each after the gap that it names."""
    result = []
    for gap, data in runs:
        start += gap
        result.append((start, data))
        start += len(data)
    return result


@given(RUNS, st.sampled_from([0, 0x0800FF00, 0x08000000, 0xFFFF0000]), st.integers(1, 255))
@bounded(max_examples=200)
def test_hex_round_trip(runs: list[tuple[int, bytes]], start: int, width: int) -> None:
    where = placed(runs, start)
    image = read_image(hex_file(where, width=width), "input")
    for address, data in where:
        assert image.read(address, len(data)) == data
    assert sum(len(segment.data) for segment in image.segments) == sum(len(data) for _, data in where)
    again = hex_file([(segment.address, segment.data) for segment in image.segments])
    assert read_image(again, "input").segments == image.segments


@pytest.mark.slow
@given(RUNS, st.permutations(range(6)))
@bounded(max_examples=200)
def test_every_form_of_a_program_is_the_same_program(runs: list[tuple[int, bytes]], order: list[int]) -> None:
    """With section headers, without, as Intel HEX, and with the program headers in any order."""
    where = placed(runs, 0x08000000)
    loads = [Load(address=address, data=data) for address, data in where]
    shuffled = [loads[index] for index in order if index < len(loads)]
    forms = [
        Elf(loads=loads).build(),
        Elf(loads=loads, sections=()).build(),
        Elf(loads=shuffled).build(),
        Elf(loads=loads, sections=_split(loads)).build(),
        hex_file(where),
    ]
    images = [read_image(form, "input") for form in forms]
    assert len({image.segments for image in images}) == 1
    assert len({image.flash_image(0x08000000, 0x4000) for image in images}) == 1


def _split(loads: list[Load]) -> tuple[Section, ...]:
    """Two sections for the bytes of each program header."""
    halves = []
    for index, load in enumerate(loads):
        middle = len(load.data) // 2
        for at, size in ((0, middle), (middle, len(load.data) - middle)):
            if size:
                halves.append(Section(name=f".{index}.{at}", address=load.address + at, size=size, load=index, at=at))
    return tuple(halves)


@st.composite
def crowded_loads(draw: st.DrawFn) -> list[Load]:
    """A few segments in a small space, so that most of them collide somehow."""
    loads = []
    for _ in range(draw(st.integers(1, 4))):
        data = draw(st.binary(max_size=16))
        address, physical = (0x08000000 + draw(st.integers(0, 64)) for _ in range(2))
        extra = draw(st.integers(0, 8))
        loads.append(Load(address=address, physical=physical, data=data, memory_size=len(data) + extra, flags=6))
    return loads


@given(crowded_loads())
@bounded(max_examples=500)
def test_no_accepted_image_claims_an_address_twice(loads: list[Load]) -> None:
    image = outcome(read_image, Elf(loads=loads, sections=()).build(), ImageError)
    flash = [address for load in loads for address in range(load.physical or 0, (load.physical or 0) + len(load.data))]
    run = [address for load in loads for address in range(load.address, load.address + (load.memory_size or 0))]
    if image is not None:
        assert isinstance(image, Image)
        assert len(set(flash)) == len(flash)
        assert len(set(run)) == len(run)
        assert {address for s in image.segments for address in range(s.address, s.end)} == set(flash)
        assert all(isinstance(segment, Segment) for segment in image.segments)


TOML_READERS = [
    pytest.param(read_declaration, GOOD.encode(), DeclarationError, id="declaration"),
    pytest.param(read_provisioning, PROVISIONING.encode(), DeclarationError, id="provisioning"),
    pytest.param(read_profile, PROFILE, DeclarationError, id="profile"),
    pytest.param(read_silicon, SILICON, SiliconError, id="silicon"),
]


@pytest.mark.parametrize(("read", "good", "error"), TOML_READERS)
@given(data=st.data())
@bounded(max_examples=100)
def test_arbitrary_and_mutated_toml(
    read: Callable[[bytes, str], object], good: bytes, error: type[PinproofError], data: st.DataObject
) -> None:
    outcome(read, data.draw(st.one_of(st.binary(max_size=300), mutated(good))), error)
    outcome(read, data.draw(st.text(max_size=300)).encode("utf-8", "surrogatepass"), error)


@pytest.mark.parametrize(("read", "good", "error"), TOML_READERS)
@pytest.mark.parametrize(
    "data",
    [
        b"a = " + b"[" * 4000,
        b"a = " + b"{b=" * 1000,
        ("\n".join(f"[{'a.' * 2000}b{index}]" for index in range(15))).encode(),
        ("\n".join(f"{'a.' * 2000}b{index} = 1" for index in range(15))).encode(),
        b"a = '''" + b"x\n" * 30000,
        b"\n" * 65000,
        b"a = 0x" + b"f" * 4000,
        b"a = " + b"9" * 4090,
        b"a = 1e999999999",
        b"a = nan\nb = inf\nc = -0.0\nd = 1979-05-27T07:32:00Z",
    ],
    ids=range(10),
)
def test_toml_made_to_cost_much_does_not(
    read: Callable[[bytes, str], object], good: bytes, error: type[PinproofError], data: bytes
) -> None:
    assert outcome(read, data, error) is None
