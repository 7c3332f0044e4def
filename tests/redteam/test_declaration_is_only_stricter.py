"""Nothing that a declaration or a provisioning file says, or leaves out, makes a verdict better.

Every key is removed and changed, one at a time; digests follow, as they would for a hostile vendor. On a conforming
module only text and claims about the board may change without cost; on a module that leaks nothing may help.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from pinproof import verify as verification
from pinproof.errors import PinproofError
from pinproof.image import Image, SourceMap
from pinproof.machine.explore import explore
from pinproof.machine.result import Exploration
from pinproof.silicon import Silicon

from reference_module.build import HERE
from tests.redteam.images import Edit, beside, built, declared, refusals, verdict

pytestmark = pytest.mark.slow

Document = dict[str, Any]
Path = tuple[str, ...]

TEXT = frozenset(
    {
        ("module", "vendor"),
        ("module", "product"),
        ("module", "version"),
        ("build", "toolchain"),
        ("build", "recipe"),
        ("lifecycle", "immutability_rationale"),
        ("lifecycle", "support_period"),
        ("lifecycle", "replacement"),
        ("lifecycle", "battery"),
        ("lifecycle", "hazardous_substances"),
        ("lifecycle", "take_back"),
    }
)
"""Keys that are printed and decide nothing, but for placeholders in the life cycle."""
CLAIMS: Mapping[Path, str] = {
    ("module", "revisions"): "fewer revisions; one that the silicon file does not know is refused",
    ("output", "period_seconds"): "a shorter period than the derived one claims less",
    ("module", "profile"): "another profile is another claim, printed first; this one asks for no less memory or time",
    ("sensor", "bits_per_sample"): "fewer bits in the same bytes: the time to send a frame is printed as shorter",
    ("clock", "crystal_hz"): "a slower crystal: a fact of the board, which the ledger prints beside the number",
    ("clock", "tolerance_ppm"): "a better crystal: as above",
    ("build", "flash_sha256"): "a digest that nobody needs to state",
    ("sensor", "pins"): "more pins: routing is a fact of the board, which the ledger prints",
    ("flash", "confined"): "a larger range: what is not loaded there is erased",
    ("flash", "gate"): "a smaller or larger range around the same code",
}
"""Keys whose value is a fact of the board, or whose change can leave as much proved as before."""
SETTINGS = frozenset({("option_bytes", "nrst_stop"), ("option_bytes", "nrst_stdby"), ("steps",)})
"""What locks nothing: resets on entering modes that are unreachable, and showing at last that a unit is closed."""
LEAKS: Mapping[str, tuple[Edit, ...]] = {
    "caches": (("clocks.c", "kFlashPrefetch = 1u << 8", "kFlashPrefetch = 7u << 8"),),
    "a-word-survives": (
        (
            "restart.c",
            "word = (uint32_t)layout_confined_start; word",
            "word = (uint32_t)layout_confined_start + 4u; word",
        ),
    ),
    "all-memory-open": (
        ("protection.c", "(3u << 24) | (3u << 17) | (kConfinedSize << 1)", "(3u << 24) | (3u << 17) | (15u << 1)"),
    ),
    "edge-in-mid-period": (
        ("timer.c", "word_write(kTim2Ccr1, 0u - present);", "word_write(kTim2Ccr1, present << 20);"),
    ),
}


WORDS = ("other", "", "0.5", "2.0", "TIM5", "USART2", "HSI", "gesture", "voice-command")


@dataclass(frozen=True, slots=True)
class Mutation:
    path: Path
    what: str
    document: Document


def values_for(value: object) -> Iterator[tuple[str, object]]:
    """Other values of the same type, and some that a hostile author might like."""
    if isinstance(value, int):
        for other in {0, 1, 2, value + 1, value - 1, value * 2, value // 2, value + 4, value + 0x1000, 0xAA, 0xFF}:
            if other != value and other >= 0:
                yield f"{other:#x}", other
    elif isinstance(value, str):
        digest = len(value) == 64
        words = (
            ("0" * 64,) if digest else ("other", "", "0.5", "2.0", "PA0", "TIM5", "SPI1", "USART2", "HSI", "gesture")
        )
        for word in (*words, "voice-command", "stm32f401xc", "0.2"):
            yield word[:12], word
    elif isinstance(value, list):
        for index in range(len(value)):
            yield f"without {index}", value[:index] + value[index + 1 :]
        for extra in ("PA0", "PA5", "PA9", "PC13", "EEPROM", "seal", "program"):
            yield f"with {extra}", [*value, extra]
        if len(value) > 1:
            yield "reversed", value[::-1]


def mutations(document: Document, path: Path = ()) -> Iterator[Mutation]:
    """Each key of a document without it, and with other values."""
    node: Document = document
    for key in path:
        node = node[key]
    for key, value in node.items():
        yield Mutation((*path, key), "removed", changed(document, (*path, key), None))
        if isinstance(value, dict):
            yield from mutations(document, (*path, key))
        else:
            for what, other in values_for(value):
                yield Mutation((*path, key), what, changed(document, (*path, key), other))


def changed(document: Document, path: Path, value: object) -> Document:
    """A copy with another value at the path; None removes the key."""
    copy = dict(document)
    if len(path) > 1:
        copy[path[0]] = changed(document[path[0]], path[1:], value)
    elif value is None:
        del copy[path[0]]
    else:
        copy[path[0]] = value
    return copy


def written(document: Document) -> bytes:
    """The document as TOML, its tables inline."""
    return "".join(f"{key} = {shown(value)}\n" for key, value in document.items()).encode()


def shown(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {shown(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)


@pytest.fixture(autouse=True)
def explored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exploration depends on image, sensor pins, mailbox and output channels alone; locations are for messages."""
    monkeypatch.setattr(verification, "explore", remembering())
    monkeypatch.setattr(verification, "read_image", cache(verification.read_image))
    monkeypatch.setattr(verification, "read_source_map", lambda data, image: SourceMap())


@cache
def remembering() -> Callable[..., Exploration]:
    known: dict[tuple[str, frozenset[int], int, tuple[int, ...]], Exploration] = {}

    def exploring(
        image: Image,
        silicon: Silicon,
        registers: frozenset[int],
        *,
        mailbox: int,
        watch: None,
        outputs: tuple[int, ...],
    ) -> Exploration:
        key = image.sha256, registers, mailbox, outputs
        if key not in known:
            known[key] = explore(image, silicon, registers, mailbox=mailbox, outputs=outputs)
        return known[key]

    return exploring


def conforms(image: bytes, declaration: bytes, files: Mapping[str, bytes]) -> bool:
    try:
        return not refusals(verdict(image, declaration, files))
    except PinproofError:
        return False


def declared_with(image: bytes, provisioning: bytes) -> bytes:
    """The declaration for the image, naming this provisioning file."""
    document = tomllib.loads(declared(image).decode())
    digest = hashlib.sha256(provisioning).hexdigest()
    return written(changed(document, ("provisioning", "sha256"), digest))


def better(image: bytes) -> set[tuple[Path, str]]:
    """The mutations of either file under which the image conforms."""
    found = set()
    document = tomllib.loads(declared(image).decode())
    for mutation in mutations(document):
        if conforms(image, written(mutation.document), beside()):
            found.add((mutation.path, mutation.what))
    for mutation in mutations(tomllib.loads(beside()["provisioning.toml"].decode())):
        data = written(mutation.document)
        if conforms(image, declared_with(image, data), {**beside(), "provisioning.toml": data}):
            found.add((mutation.path, mutation.what))
    return found


def test_the_reference_loses_by_every_change_but_text_and_claims() -> None:
    image = (HERE / "person_detector.elf").read_bytes()
    assert conforms(image, written(tomllib.loads(declared(image).decode())), beside())
    assert conforms(image, declared_with(image, beside()["provisioning.toml"]), beside())
    free = {path for path, _ in better(image)}
    allowed = TEXT | SETTINGS | CLAIMS.keys()
    assert {path for path in free if path not in allowed and path[:2] not in allowed} == set()
    assert free >= TEXT


@pytest.mark.toolchain
@pytest.mark.parametrize("name", LEAKS)
def test_no_change_lets_a_leaking_module_pass(name: str) -> None:
    image = built(LEAKS[name])
    assert better(image) == set()
