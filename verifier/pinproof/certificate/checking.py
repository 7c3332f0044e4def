"""Checking a certificate, as numbered steps (spec/certificate.md). Offline: everything comes in as bytes.

Each step raises or says in one line what it established; only when every step has been taken is there a `Checked`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pinproof._text import message
from pinproof.certificate import _times, bundle, statement
from pinproof.certificate.statement import Statement
from pinproof.certificate.trust import Trust, TrustedKey
from pinproof.errors import ExpiredError, ImageError, TrustError
from pinproof.image import read_image
from pinproof.outcome import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """The catalogue that this verifier knows."""

    version: str
    catalogue_sha256: str
    grades: Mapping[str, Mapping[int, Grade]]
    """Minimum grade by requirement and level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A certificate that holds."""

    statement: Statement
    signer: TrustedKey
    subject: str | None
    """Name of the subject that the image matched; None when no image was given."""
    steps: tuple[str, ...]


def check(data: bytes, name: str, *, trust: Trust, standard: Standard, at: datetime, image: bytes | None) -> Checked:
    """Take every step at the time `at`. Raises `CertificateError`, `TrustError` or `ExpiredError`, one line each."""
    envelope = bundle.read_bundle(data, name)
    signer = bundle.verify_signature(envelope, trust)
    signed = statement.read_statement(envelope.payload, f"{name}: statement")
    _check_complete(signed, standard)
    subject = None if image is None else match_image(signed, image)
    _check_scope(signed, signer)
    _check_time(signed, signer, at)
    return Checked(statement=signed, signer=signer, subject=subject, steps=_steps(signed, signer, subject, at))


def _check_complete(signed: Statement, standard: Standard) -> None:
    """Every requirement of the catalogue is there once, judged by the catalogue's own minimum grade."""
    if (signed.specification_version, signed.catalogue_sha256) != (standard.version, standard.catalogue_sha256):
        raise TrustError(
            message(
                f"issued under specification {signed.specification_version}, catalogue {signed.catalogue_sha256[:12]}, "
                f"by pinproof {signed.verifier_version}; this version knows {standard.version}, "
                f"catalogue {standard.catalogue_sha256[:12]}, and cannot tell whether anything is missing"
            )
        )
    if sorted(ruling.id for ruling in signed.rulings) != sorted(standard.grades):
        missing = sorted(set(standard.grades) - {ruling.id for ruling in signed.rulings})
        raise TrustError(
            message(f"not every requirement is certified exactly once: {', '.join(missing) or 'one is doubled'}")
        )
    if all(ruling.grade is None for ruling in signed.rulings):
        raise TrustError("no requirement was passed")
    for ruling in signed.rulings:
        if ruling.minimum_grade is not standard.grades[ruling.id].get(signed.level):
            raise TrustError(
                message(f"{ruling.id} was judged by another minimum grade than level {signed.level} asks for")
            )


def match_image(signed: Statement, image: bytes) -> str:
    """Which subject `image` is: the file, or any form of the same flash contents. Raises `TrustError`."""
    digest = hashlib.sha256(image).hexdigest()
    if digest == signed.image_sha256:
        return statement.IMAGE
    if digest == signed.flash_sha256:
        return statement.FLASH_IMAGE
    try:
        parsed = read_image(image, "image")
    except ImageError as problem:
        raise TrustError(message(f"the image is not the certified one, and cannot be read: {problem}")) from None
    if parsed.outside(signed.flash_start, signed.flash_size):
        raise TrustError("the image is not the certified file, and it holds bytes outside the flash that was certified")
    contents = parsed.flash_image(signed.flash_start, signed.flash_size)
    if hashlib.sha256(contents).hexdigest() == signed.flash_sha256:
        return statement.FLASH_IMAGE
    raise TrustError("the image is not the certified one: neither the file's digest nor the flash image's matches")


def _check_scope(signed: Statement, signer: TrustedKey) -> None:
    if signed.level > signer.maximum_level:
        raise TrustError(
            message(f"level {signed.level}, but {signer.owner}'s key is trusted up to level {signer.maximum_level}")
        )
    if not signer.counts_at(signed.issued):
        raise TrustError(message(f"issued at {_times.spell(signed.issued)}, when {signer.owner}'s key did not count"))


def _check_time(signed: Statement, signer: TrustedKey, at: datetime) -> None:
    """At `at` the certificate and the key must both be valid.

    The key too: without a timestamp by a third party, `issued` is the signer's word, and whoever gets hold of an
    old key could date a certificate back.
    """
    now = _times.spell(at)
    if at < signed.issued:
        raise ExpiredError(message(f"issued at {_times.spell(signed.issued)}, which is after {now}"))
    if at >= signed.expires:
        raise ExpiredError(message(f"expired at {_times.spell(signed.expires)}; it is {now}"))
    if not signer.counts_at(at):
        raise ExpiredError(
            message(f"{signer.owner}'s key counted until {_times.spell(signer.valid_until)}; it is {now}")
        )


def _steps(signed: Statement, signer: TrustedKey, subject: str | None, at: datetime) -> tuple[str, ...]:
    matched = {
        statement.IMAGE: "the image is the certified file, byte for byte",
        statement.FLASH_IMAGE: "the image puts exactly the certified bytes into flash (subject flash-image)",
        None: "no image was given, so none was compared",
    }[subject]
    return (
        "the certificate is well formed",
        f"signed by {signer.owner} ({signer.role}), key {signer.id[:16]}",
        f"statement and predicate are known: {statement.SCHEMA}",
        f"says conforms, for each of {len(signed.rulings)} requirements of the catalogue",
        matched,
        f"level {signed.level} is within the key's scope (up to {signer.maximum_level})",
        f"issued {_times.spell(signed.issued)}, expires {_times.spell(signed.expires)}, checked for {_times.spell(at)}",
    )
