"""Keys, trust files and certificates made by hand, for the tests of certificates."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pinproof import certificate
from pinproof.certificate import Role, Standard, Trust, TrustedKey, bundle, keys
from pinproof.outcome import Grade
from pinproof.report import Report

from tests.unit.report import samples

ISSUED = datetime(2026, 1, 1, tzinfo=UTC)
EXPIRES = ISSUED + timedelta(days=365)
AT = ISSUED + timedelta(days=30)

KEYS = {scheme: keys.generate(scheme) for scheme in keys.Scheme}
KEY = KEYS[keys.Scheme.ED25519]

STANDARD = Standard(
    version="0.1",
    catalogue_sha256="c" * 64,
    grades={name: {1: Grade.PROVED, 2: Grade.PROVED, 3: Grade.PROVED} for name in ("out-declared-pins", "out-clocked")},
)


def trusted(key: keys.PrivateKey = KEY, *, role: Role = Role.VENDOR, level: int = 1) -> TrustedKey:
    return certificate.trust_key(
        key.public_key(),
        owner="Example Works",
        role=role,
        maximum_level=level,
        valid_from=ISSUED - timedelta(days=1),
        valid_until=ISSUED + timedelta(days=300),
    )


TRUST = Trust(keys=(trusted(),))


def issue(report: Report | None = None, key: keys.PrivateKey = KEY) -> bytes:
    return certificate.issue(report or samples.report(), key, issued=ISSUED, expires=EXPIRES).encode()


def resigned(change: Callable[[dict], object]) -> bytes:
    """A certificate whose statement was changed before it was signed: what a dishonest signer could make."""
    value = json.loads(issue())
    statement = json.loads(base64.b64decode(value["dsseEnvelope"]["payload"]))
    change(statement)
    return bundle.write_bundle(bundle.sign(json.dumps(statement).encode(), KEY)).encode()


def check(data: bytes, *, trust: Trust = TRUST, at: datetime = AT, image: bytes | None = None) -> certificate.Checked:
    return certificate.check(data, "c.json", trust=trust, standard=STANDARD, at=at, image=image)
