"""What must hold for any bytes, reader by reader: a result that is consistent, or one error of the reader's own, soon.

Each judge takes bytes and returns nothing; what does not hold is an assertion. The fuzzer, the replay of the corpus and
the tests of hostile files all call these.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeVar

from pinproof import certificate
from pinproof.certificate import Checked, Trust, bundle
from pinproof.certificate.statement import read_statement
from pinproof.declaration import Declaration, read_declaration
from pinproof.errors import CertificateError, DeclarationError, ExpiredError, ImageError, PinproofError, TrustError
from pinproof.image import Image, read_image, read_source_map
from pinproof.provisioning import read_provisioning

from tests.fuzz import readers, vouched

SOON = 5.0
"""Seconds of processor time for one file, under the fuzzer's instrumentation."""
LONGEST_MESSAGE = 500
SPACE = 1 << 32

Result = TypeVar("Result")


@contextmanager
def soon(limit: float = SOON) -> Iterator[None]:
    """What happens inside must end within `limit` seconds of processor time."""
    began = time.process_time()
    yield
    assert time.process_time() - began < limit, "takes too long"


def outcome(read: Callable[[], Result], *allowed: type[PinproofError]) -> Result | None:
    """What `read` answers; None for one of the errors it may raise, which says one printable line."""
    try:
        with soon():
            return read()
    except PinproofError as refusal:
        assert type(refusal) in allowed, f"raises {type(refusal).__name__}"
        shown = str(refusal)
        assert shown.isprintable(), f"not one printable line: {shown!r}"
        assert shown and len(shown) < LONGEST_MESSAGE, f"a message of {len(shown)} characters"
        return None


def elf(data: bytes) -> None:
    """An ELF file with its symbols and source lines."""
    image = outcome(lambda: read_image(data, "input"), ImageError)
    if image is None:
        return
    consistent(image)
    assert read_image(data, "input") == image
    with soon():
        sources = read_source_map(data, image)
    assert read_source_map(data, image) == sources
    for row in sources.rows:
        assert 0 <= row.address < row.end <= SPACE and row.line.isprintable() and len(row.line) < LONGEST_MESSAGE
    for address in (image.segments[0].address, 0, SPACE - 1):
        function, line = sources.lookup(address)
        assert all(text is None or text.isprintable() for text in (function, line))
    if image.kind == "elf":
        seen = readers.with_lief(data)
        assert seen is None or seen == readers.loaded(image), "lief reads other bytes"


def hex_file(data: bytes) -> None:
    """An Intel HEX file."""
    image = outcome(lambda: read_image(data, "input"), ImageError)
    if image is None:
        return
    consistent(image)
    assert read_image(data, "input") == image
    if image.kind == "intel-hex":
        for read in (readers.with_intelhex, readers.with_bincopy):
            seen = read(data)
            assert seen is None or seen == readers.loaded(image), f"{read.__name__}: reads other bytes"


def consistent(image: Image) -> None:
    """What every user of an `Image` takes for granted."""
    assert image.segments
    for segment in image.segments:
        assert segment.data and segment.address >= 0 and segment.end <= SPACE
        assert image.read(segment.address, len(segment.data)) == segment.data
        assert image.read(segment.end, 1) is None
    assert all(left.end < right.address for left, right in pairwise(image.segments))
    assert image.entry is None or 0 <= image.entry < SPACE
    assert all(0 <= low < high <= SPACE for low, high in image.uninitialised)
    assert all(move.size > 0 and move.run + move.size <= SPACE for move in image.moved)
    assert all(image.read(move.load, move.size) is not None for move in image.moved)
    for symbol in image.symbols:
        assert symbol.name.isprintable() and 0 < len(symbol.name) <= 200
        assert 0 <= symbol.address < SPACE and 0 <= symbol.size < SPACE
    start = image.segments[0].address
    assert len(image.flash_image(start, 64)) == 64


def declaration(data: bytes) -> None:
    """A declaration, and a provisioning file: any bytes may be given as either."""
    declared = outcome(lambda: read_declaration(data, "input"), DeclarationError)
    if declared is not None:
        assert read_declaration(data, "input") == declared
        agrees_with_itself(declared)
    provisioned = outcome(lambda: read_provisioning(data, "input"), DeclarationError)
    if provisioned is not None:
        assert len(set(provisioned.steps)) == len(provisioned.steps)
        assert all(0 <= value <= 0xFF for value in provisioned.option_bytes._fields().values())


def agrees_with_itself(declared: Declaration) -> None:
    """What the requirements take for granted of a declaration that was read."""
    memory, flash, output, sensor = declared.memory, declared.flash, declared.output, declared.sensor
    for span in (memory.confined, memory.frame, flash.gate, flash.confined, declared.model.range):
        assert 0 <= span.start < span.end <= SPACE
    assert memory.confined.contains(memory.mailbox, 4) and memory.mailbox % 4 == 0
    assert memory.confined.contains(memory.frame.start, memory.frame.size)
    assert not flash.gate.overlaps(flash.confined)
    assert flash.confined.contains(declared.entry.detector) and flash.confined.contains(declared.entry.idle)
    assert output.period_seconds > 0 and output.period_seconds.is_finite()
    assert output.pins and not set(output.pins) & set(sensor.pins)
    assert memory.frame.size == sensor.frame_size
    for file in (declared.provisioning.file, declared.datasheet.file):
        assert ".." not in file.split("/") and not file.startswith("/") and "\\" not in file and ":" not in file


def certified(data: bytes) -> None:
    """The first byte says which part of a certificate the rest is: bundle, signed statement or trust file."""
    part, rest = data[:1], data[1:]
    if part == b"t":
        _trust_file(rest)
    elif part == b"s":
        _statement(rest)
    else:
        _bundle(rest)


def _check(data: bytes, trust: Trust) -> Checked | None:
    return outcome(
        lambda: certificate.check(
            data, "input", trust=trust, standard=vouched.STANDARD, at=vouched.AT, image=vouched.IMAGE
        ),
        CertificateError,
        TrustError,
        ExpiredError,
    )


def _bundle(data: bytes) -> None:
    """The key signed one statement alone: whatever file holds, it is that statement which holds."""
    checked = _check(data, vouched.TRUST)
    if checked is not None:
        assert checked.statement == vouched.CHECKED.statement and checked.signer == vouched.TRUST.keys[0]
        assert bundle.read_bundle(data, "input").payload == vouched.PAYLOAD


def _statement(payload: bytes) -> None:
    """A trusted signer may sign anything: a statement that holds must say so to any reader of JSON, too."""
    read = outcome(lambda: read_statement(payload, "input"), CertificateError)
    if not payload:
        return
    checked = _check(vouched.signed(payload), vouched.TRUST)
    if checked is None:
        return
    assert read == checked.statement
    says_yes(json.loads(payload), checked)


def says_yes(statement: dict[str, Any], checked: Checked) -> None:
    """The decoded JSON, read without any of Pinproof's code, means what was accepted."""
    predicate = statement["predicate"]
    assert statement["predicateType"] == "urn:pinproof:certificate:0.1" and predicate["verdict"] == "conforms"
    outcomes = {item["id"]: item for item in predicate["requirements"]}
    assert set(outcomes) == set(vouched.STANDARD.grades) and len(outcomes) == len(predicate["requirements"])
    assert {item["outcome"] for item in outcomes.values()} <= {"pass", "not-applicable"}
    assert any(item["outcome"] == "pass" for item in outcomes.values())
    stated = {item["id"] for item in predicate["assumptions"]}
    assert all(set(item["assumptions"]) <= stated for item in outcomes.values())
    assert 1 <= predicate["level"] <= vouched.TRUST.keys[0].maximum_level
    issued, expires = (datetime.fromisoformat(predicate[key]) for key in ("issued", "expires"))
    assert issued <= vouched.AT < expires
    assert (checked.statement.level, checked.statement.issued) == (predicate["level"], issued)
    digests = {item["name"]: item["digest"]["sha256"] for item in statement["subject"]}
    place = statement["subject"][1]["annotations"]
    assert checked.subject in ("image", "flash-image")
    flash = vouched.IMAGE_SHA256 if digests["image"] == vouched.IMAGE_SHA256 else _flash_sha256(place)
    assert flash in digests.values()


def _flash_sha256(place: dict[str, int]) -> str:
    """Of the flash that the image would leave, by another reader."""
    start, size = place["start"], place["size"]
    flash = bytearray(b"\xff" * size)
    for address, data in readers.with_lief(vouched.IMAGE) or ():
        assert start <= address and address + len(data) <= start + size
        flash[address - start : address - start + len(data)] = data
    return hashlib.sha256(flash).hexdigest()


def _trust_file(data: bytes) -> None:
    """A trust file that lets the certificate hold names its key, at its level and time."""
    trust = outcome(lambda: certificate.read_trust(data, "input"), CertificateError)
    if trust is None:
        return
    assert certificate.read_trust(certificate.write_trust(trust).encode(), "input") == trust
    checked = _check(vouched.CERTIFICATE, trust)
    if checked is not None:
        signer = checked.signer
        assert signer.id == vouched.TRUST.keys[0].id and signer in trust.keys
        assert signer.maximum_level >= checked.statement.level
        assert signer.valid_from <= vouched.AT < signer.valid_until


JUDGES: dict[str, Callable[[bytes], None]] = {
    "elf": elf,
    "hex": hex_file,
    "declaration": declaration,
    "certificate": certified,
}
