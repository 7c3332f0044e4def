"""Trust files and key files: good and bad ones."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from pinproof.certificate import Trust, keys, read_trust, write_trust
from pinproof.errors import CertificateError, KeyFileError

from tests.unit.certificate import vouchers

Change = Callable[[dict], object]
BOTH = Trust(keys=tuple(vouchers.trusted(key) for key in vouchers.KEYS.values()))


def test_a_trust_file_reads_back() -> None:
    assert read_trust(write_trust(BOTH).encode(), "t") == BOTH


CHANGES: dict[str, tuple[Change, str]] = {
    "schema": (lambda v: v.update(schema="other"), "'schema'"),
    "no keys": (lambda v: v.pop("keys"), "missing"),
    "key twice": (lambda v: v["keys"].append(v["keys"][0]), "twice"),
    "id of another key": (lambda v: v["keys"][0].update(id=v["keys"][1]["id"]), "not that of the key"),
    "scheme of another key": (lambda v: v["keys"][0].update(scheme=v["keys"][1]["scheme"]), "not that of the key"),
    "unknown scheme": (lambda v: v["keys"][0].update(scheme="none"), "must be one of"),
    "no key": (lambda v: v["keys"][0].update(public_pem="x"), "not a public key"),
    "vendor trusted like a lab": (lambda v: v["keys"][0].update(maximum_level=2), "from 1 to 1"),
    "unknown role": (lambda v: v["keys"][0].update(role="friend"), "must be one of"),
    "window without end": (lambda v: v["keys"][0].update(valid_until=None), "not a text"),
    "window ends first": (lambda v: v["keys"][0].update(valid_until="2000-01-01T00:00:00Z"), "not after"),
    "unknown key": (lambda v: v["keys"][0].update(extra=1), "unknown key"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_a_bad_trust_file_is_refused(change: Change, message: str) -> None:
    value = json.loads(write_trust(BOTH))
    change(value)
    with pytest.raises(CertificateError, match=message):
        read_trust(json.dumps(value).encode(), "t.json")


@given(st.binary(max_size=200))
def test_random_trust_files_are_refused(data: bytes) -> None:
    with pytest.raises(CertificateError):
        read_trust(data, "t.json")


def no_passphrase() -> bytes | None:
    raise AssertionError("asked for a passphrase that nothing needs")


@pytest.mark.parametrize("key", vouchers.KEYS.values(), ids=vouchers.KEYS)
@pytest.mark.parametrize("secret", [None, b"correct horse"])
def test_a_private_key_reads_back(key: keys.PrivateKey, secret: bytes | None) -> None:
    ask = (lambda: secret) if secret else no_passphrase
    read = keys.read_private(keys.private_pem(key, secret), "k", ask)
    assert keys.public_pem(read.public_key()) == keys.public_pem(key.public_key())


@pytest.mark.parametrize(
    ("secret", "message"), [(None, "is encrypted"), (b"", "is encrypted"), (b"no", "does not open")]
)
def test_an_encrypted_key_needs_its_passphrase(secret: bytes | None, message: str) -> None:
    data = keys.private_pem(vouchers.KEY, b"correct horse")
    with pytest.raises(KeyFileError, match=message):
        keys.read_private(data, "k.pem", lambda: secret)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not a private key"),
        (keys.public_pem(vouchers.KEY.public_key()), "not a private key"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "neither an Ed25519"),
        (pem(rsa.generate_private_key(65537, 2048)), "neither an Ed25519"),
    ],
)
def test_other_keys_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(KeyFileError, match=message):
        keys.read_private(data, "k.pem", no_passphrase)


@given(st.binary(max_size=200))
def test_random_key_files_are_refused(data: bytes) -> None:
    with pytest.raises(KeyFileError):
        keys.read_private(data, "k.pem", lambda: None)
    with pytest.raises(KeyFileError):
        keys.read_public(data, "k.pub")
