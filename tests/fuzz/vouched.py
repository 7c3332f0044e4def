"""One certificate by a key that is no secret, so that every run of the fuzzer tries to forge the same thing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pinproof import certificate
from pinproof.certificate import Role, Standard, Trust, bundle
from pinproof.certificate.statement import write_statement
from pinproof.image import read_image
from pinproof.outcome import Grade

from tests.unit.image.files import PLAIN
from tests.unit.report import samples

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
"""Signs one statement in all its life: the corpus holds certificates by it, and none of them may hold for another."""
ISSUED = datetime(2026, 1, 1, tzinfo=UTC)
AT = ISSUED + timedelta(days=30)
STANDARD = Standard(
    version="0.1",
    catalogue_sha256="c" * 64,
    grades={name: {1: Grade.PROVED, 2: Grade.PROVED, 3: Grade.PROVED} for name in ("out-declared-pins", "out-clocked")},
)
TRUST = Trust(
    keys=(
        certificate.trust_key(
            KEY.public_key(),
            owner="Example Works",
            role=Role.VENDOR,
            maximum_level=1,
            valid_from=ISSUED - timedelta(days=1),
            valid_until=ISSUED + timedelta(days=300),
        ),
    )
)
IMAGE = PLAIN.build()
IMAGE_SHA256 = hashlib.sha256(IMAGE).hexdigest()


def _payload() -> bytes:
    report = samples.report()
    flash = read_image(IMAGE, "image").flash_image(report.subjects.flash_start, report.subjects.flash_size)
    subjects = replace(report.subjects, image_sha256=IMAGE_SHA256, flash_sha256=hashlib.sha256(flash).hexdigest())
    written = write_statement(replace(report, subjects=subjects), issued=ISSUED, expires=ISSUED + timedelta(days=365))
    # The digest of the report changes with every word of a report; a certificate's form does not.
    statement = json.loads(written)
    statement["predicate"]["report_sha256"] = "0" * 64
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def signed(payload: bytes) -> bytes:
    """What a dishonest signer whose key is trusted could make of any bytes."""
    return bundle.write_bundle(bundle.sign(payload, KEY)).encode()


PAYLOAD = _payload()
CERTIFICATE = signed(PAYLOAD)
CHECKED = certificate.check(CERTIFICATE, "input", trust=TRUST, standard=STANDARD, at=AT, image=IMAGE)
