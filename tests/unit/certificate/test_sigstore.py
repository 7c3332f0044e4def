"""Our certificates seen by an independent implementation: sigstore-js, unmodified.

Needs node, and the packages @sigstore/bundle, @sigstore/verify and @sigstore/protobuf-specs in the folder that
PINPROOF_SIGSTORE_JS names (its `node_modules`).
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from pinproof.certificate import keys

from tests.unit.certificate import vouchers

MODULES = os.environ.get("PINPROOF_SIGSTORE_JS", "")
SCRIPT = Path(__file__).with_name("sigstore.cjs")

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        not shutil.which("node") or not (Path(MODULES) / "@sigstore" / "verify").is_dir(),
        reason="needs node, and PINPROOF_SIGSTORE_JS naming a node_modules with @sigstore/verify",
    ),
]


def verdict(folder: Path, bundle: bytes, key: keys.PrivateKey) -> str:
    (folder / "bundle.json").write_bytes(bundle)
    (folder / "key.pub").write_bytes(keys.public_pem(key.public_key()))
    command = ["node", str(SCRIPT), MODULES, str(folder / "bundle.json"), str(folder / "key.pub")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


@pytest.mark.parametrize("scheme", list(keys.Scheme))
def test_it_verifies(tmp_path: Path, scheme: keys.Scheme) -> None:
    key = vouchers.KEYS[scheme]
    assert verdict(tmp_path, vouchers.issue(key=key), key) == "VERIFIED"


@pytest.mark.parametrize("scheme", list(keys.Scheme))
def test_a_changed_payload_does_not(tmp_path: Path, scheme: keys.Scheme) -> None:
    key = vouchers.KEYS[scheme]
    value = json.loads(vouchers.issue(key=key))
    payload = base64.b64decode(value["dsseEnvelope"]["payload"]).replace(b'"level":1', b'"level":3')
    value["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    assert verdict(tmp_path, json.dumps(value).encode(), key) == "SIGNATURE_ERROR"


def test_another_key_does_not(tmp_path: Path) -> None:
    assert verdict(tmp_path, vouchers.issue(), vouchers.KEYS[keys.Scheme.ECDSA_P256]) != "VERIFIED"
