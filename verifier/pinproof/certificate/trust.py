"""The trust file: whose signatures count, up to which level and when (schema `pinproof trust 0.1`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pinproof import strict_json
from pinproof.certificate import _times, keys
from pinproof.errors import CertificateError, KeyFileError
from pinproof.strict_json import Fields, JsonObject

SCHEMA = "pinproof trust 0.1"
LARGEST = 1024 * 1024
"""Bytes of a trust file that are read."""


class Role(StrEnum):
    VENDOR = "vendor"
    LAB = "lab"


HIGHEST_LEVEL: dict[Role, int] = {Role.VENDOR: 1, Role.LAB: 3}
"""The highest level that a key of this role can be trusted for: levels 2 and 3 are what a lab saw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    id: str
    """As securesystemslib derives it from scheme and key, so that an entry cannot name another key's id."""
    scheme: keys.Scheme
    public_pem: str
    owner: str
    role: Role
    maximum_level: int
    valid_from: datetime
    valid_until: datetime
    """First moment at which the key no longer counts."""

    def counts_at(self, moment: datetime) -> bool:
        return self.valid_from <= moment < self.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    keys: tuple[TrustedKey, ...]

    def find(self, key_id: str) -> TrustedKey | None:
        return next((key for key in self.keys if key.id == key_id), None)


def trust_key(
    key: keys.PublicKey, *, owner: str, role: Role, maximum_level: int, valid_from: datetime, valid_until: datetime
) -> TrustedKey:
    """An entry for `key`, with the id and scheme that follow from it."""
    known = keys.verification_key(key)
    return TrustedKey(
        id=known.keyid,
        scheme=keys.Scheme(known.scheme),
        public_pem=keys.public_pem(key).decode("ascii"),
        owner=owner,
        role=role,
        maximum_level=maximum_level,
        valid_from=valid_from,
        valid_until=valid_until,
    )


def read_trust(data: bytes, name: str) -> Trust:
    """Raises `CertificateError`, one line, for anything malformed or impossible."""
    fields = Fields(strict_json.read(data, name=name, limit=LARGEST, error=CertificateError), name, CertificateError)
    fields.constant("schema", SCHEMA)
    trusted = tuple(_read_key(item) for item in fields.objects("keys"))
    fields.done()
    if len({key.id for key in trusted}) != len(trusted):
        raise fields.problem("a key appears twice")
    return Trust(keys=trusted)


def _read_key(fields: Fields) -> TrustedKey:
    role = fields.word("role", Role)
    given_id, scheme = fields.sha256("id"), fields.word("scheme", keys.Scheme)
    try:
        public = keys.read_public(fields.text("public_pem").encode(), f"{fields.where}.public_pem")
    except KeyFileError as problem:
        raise CertificateError(str(problem)) from None
    key = trust_key(
        public,
        owner=fields.text("owner", longest=200),
        role=role,
        maximum_level=fields.whole("maximum_level", lowest=1, highest=HIGHEST_LEVEL[role]),
        valid_from=_times.take(fields, "valid_from"),
        valid_until=_times.take(fields, "valid_until"),
    )
    fields.done()
    if (key.id, key.scheme) != (given_id, scheme):
        raise fields.problem("'id' or 'scheme' is not that of the key")
    if key.valid_from >= key.valid_until:
        raise fields.problem("'valid_until' is not after 'valid_from'")
    return key


def write_trust(trust: Trust) -> str:
    return strict_json.write({"schema": SCHEMA, "keys": [_key_value(key) for key in trust.keys]})


def _key_value(key: TrustedKey) -> JsonObject:
    return {
        "id": key.id,
        "scheme": key.scheme.value,
        "public_pem": key.public_pem,
        "owner": key.owner,
        "role": key.role.value,
        "maximum_level": key.maximum_level,
        "valid_from": _times.spell(key.valid_from),
        "valid_until": _times.spell(key.valid_until),
    }
