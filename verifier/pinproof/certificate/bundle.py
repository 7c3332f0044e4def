"""The envelope: DSSE over the exact bytes of the statement, in a Sigstore bundle v0.3.

Signing and verifying are securesystemslib's; this module reads and writes the JSON around them, in one spelling only.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error
from securesystemslib.signer import Signature  # type: ignore[attr-defined]

from pinproof import strict_json
from pinproof._text import message
from pinproof.certificate import keys
from pinproof.certificate.trust import Trust, TrustedKey
from pinproof.errors import CertificateError, TrustError
from pinproof.strict_json import Fields, JsonObject

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
LARGEST = 4 * 1024 * 1024
"""Bytes of a bundle that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a certificate file holds. Nothing in it has been verified."""

    payload: bytes
    signature: bytes
    hint: str
    key_id: str


def sign(payload: bytes, key: keys.PrivateKey) -> Bundle:
    signature = Envelope(payload, PAYLOAD_TYPE, {}).sign(keys.signer(key))
    key_id = str(signature.keyid)
    return Bundle(payload=payload, signature=bytes.fromhex(signature.signature), hint=key_id, key_id=key_id)


def write_bundle(bundle: Bundle) -> str:
    value: JsonObject = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": bundle.hint}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(bundle.payload).decode("ascii"),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(bundle.signature).decode("ascii"), "keyid": bundle.key_id}],
        },
    }
    return strict_json.write(value)


def read_bundle(data: bytes, name: str) -> Bundle:
    """Raises `CertificateError`, one line, for anything but the form that `write_bundle` gives."""
    fields = Fields(strict_json.read(data, name=name, limit=LARGEST, error=CertificateError), name, CertificateError)
    fields.constant("mediaType", MEDIA_TYPE)
    material, envelope = fields.object("verificationMaterial"), fields.object("dsseEnvelope")
    if material.objects("tlogEntries"):
        raise material.problem("'tlogEntries' holds entries, which this version does not check")
    public_key = material.object("publicKey")
    envelope.constant("payloadType", PAYLOAD_TYPE)
    signatures = envelope.objects("signatures")
    if len(signatures) != 1:
        raise envelope.problem(f"{len(signatures)} signatures, but a bundle holds exactly one")
    bundle = Bundle(
        payload=_base64(envelope, "payload"),
        signature=_base64(signatures[0], "sig"),
        hint=public_key.text("hint", longest=200),
        key_id=signatures[0].text("keyid", longest=200),
    )
    for part in (public_key, material, signatures[0], envelope, fields):
        part.done()
    return bundle


def _base64(fields: Fields, key: str) -> bytes:
    """Standard base64 with padding, in the only spelling of its bytes."""
    text = fields.text(key, longest=LARGEST)
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeError, binascii.Error):
        raise fields.problem(f"{key!r} is not base64") from None
    if base64.b64encode(data).decode("ascii") != text or not data:
        raise fields.problem(f"{key!r} is empty or not in the one spelling of base64")
    return data


def verify_signature(bundle: Bundle, trust: Trust) -> TrustedKey:
    """The trusted key that signed exactly `bundle.payload`. Raises `TrustError`.

    securesystemslib considers only the key that the signature names, so the key is looked up by that name; the id of a
    trusted key follows from the key itself, so the name cannot lead to another one.
    """
    if bundle.hint != bundle.key_id:
        raise TrustError("the certificate names two different keys")
    trusted = trust.find(bundle.key_id)
    if trusted is None:
        raise TrustError(message(f"no trusted key has the id {bundle.key_id}"))
    public = keys.verification_key(keys.read_public(trusted.public_pem.encode(), "trust file"))
    signature = Signature(bundle.key_id, bundle.signature.hex())
    try:
        accepted = Envelope(bundle.payload, PAYLOAD_TYPE, {bundle.key_id: signature}).verify([public], 1)
    except (Error, ValueError):
        raise TrustError(message(f"the signature is not by {trusted.owner}'s key over these bytes")) from None
    if trusted.id not in accepted:
        raise TrustError(message(f"the signature is not by {trusted.owner}'s key"))
    return trusted
