"""Keys: Ed25519 and ECDSA P-256, as PEM files."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from pinproof.errors import KeyFileError

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey


class Scheme(StrEnum):
    """Signature schemes, by the names that securesystemslib gives them."""

    ED25519 = "ed25519"
    ECDSA_P256 = "ecdsa-sha2-nistp256"


def generate(scheme: Scheme) -> PrivateKey:
    match scheme:
        case Scheme.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        case Scheme.ECDSA_P256:
            return ec.generate_private_key(ec.SECP256R1())


def read_private(data: bytes, name: str, passphrase: Callable[[], bytes | None]) -> PrivateKey:
    """The private key in a PEM file. `passphrase` is asked for only if the key is encrypted. Raises `KeyFileError`."""
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except TypeError:
        key = _read_encrypted(data, name, passphrase())
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{name}: not a private key in PEM form") from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise KeyFileError(f"{name}: neither an Ed25519 nor an ECDSA P-256 key")


def _read_encrypted(data: bytes, name: str, passphrase: bytes | None) -> PrivateKeyTypes:
    if not passphrase:
        raise KeyFileError(
            f"{name}: the key is encrypted; give its passphrase in PINPROOF_KEY_PASSPHRASE or at a terminal"
        )
    try:
        return serialization.load_pem_private_key(data, password=passphrase)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{name}: the passphrase does not open the key") from None


def read_public(data: bytes, name: str) -> PublicKey:
    """The public key in a PEM file. Raises `KeyFileError`."""
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{name}: not a public key in PEM form") from None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise KeyFileError(f"{name}: neither an Ed25519 nor an ECDSA P-256 key")


def private_pem(key: PrivateKey, passphrase: bytes | None) -> bytes:
    """PKCS #8, encrypted where there is a passphrase."""
    protection = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def public_pem(key: PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def signer(key: PrivateKey) -> CryptoSigner:
    return CryptoSigner(key)


def verification_key(key: PublicKey) -> SSlibKey:
    """The key as securesystemslib verifies with it; its `keyid` is a digest of scheme and key."""
    return SSlibKey.from_crypto(key)
