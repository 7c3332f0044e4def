"""`pinproof keygen`: makes a signing key and, if asked, a trust file that names it."""

from __future__ import annotations

import argparse
import os
from datetime import timedelta
from pathlib import Path

from pinproof import _files
from pinproof._commands import _shared
from pinproof.certificate import Role, Trust, keys, trust_key, write_trust
from pinproof.certificate.trust import HIGHEST_LEVEL
from pinproof.errors import InputError

_SCHEMES = {"ed25519": keys.Scheme.ED25519, "ecdsa-p256": keys.Scheme.ECDSA_P256}


def add(commands: _shared.Commands[argparse.ArgumentParser]) -> None:
    command = _shared.add_command(commands, "keygen", "make a signing key, its public half and a trust file for it")
    command.add_argument(
        "-o", "--output", metavar="FILE", type=Path, required=True, help="private key; FILE.pub is public"
    )
    command.add_argument("--scheme", choices=sorted(_SCHEMES), default="ed25519", help="default: ed25519")
    command.add_argument("--trust", metavar="FILE", type=Path, help="also write a trust file that holds this key alone")
    command.add_argument("--owner", default="unnamed", help="whose key it is, for the trust file")
    command.add_argument("--role", type=Role, choices=list(Role), default=Role.VENDOR, help="default: vendor")
    command.add_argument("--level", type=int, choices=range(1, 4), default=1, help="trusted up to this level")
    command.add_argument("--days", type=int, default=1825, help="days that the key counts (default: 1825)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Nothing that exists is overwritten: a key that is lost is lost for good."""
    if arguments.level > HIGHEST_LEVEL[arguments.role]:
        raise InputError(f"a {arguments.role} key cannot be trusted for level {arguments.level}")
    if not 1 <= arguments.days <= 36500:
        raise InputError(f"--days {arguments.days}: must be from 1 to 36500")
    public_path = arguments.output.with_name(arguments.output.name + ".pub")
    for path in (arguments.output, public_path, arguments.trust):
        if path is not None and path.exists():
            raise InputError(f"{path}: exists already and is not overwritten")
    key = keys.generate(_SCHEMES[arguments.scheme])
    secret = os.environ.get("PINPROOF_KEY_PASSPHRASE", "").encode() or None
    _files.write(arguments.output, keys.private_pem(key, secret), private=True, replace=False)
    _files.write(public_path, keys.public_pem(key.public_key()), replace=False)
    if arguments.trust is not None:
        _files.write(arguments.trust, _trust(arguments, key).encode("ascii"), replace=False)
    _files.emit(f"{keys.verification_key(key.public_key()).keyid}\n", None)
    return 0


def _trust(arguments: argparse.Namespace, key: keys.PrivateKey) -> str:
    start = _shared.now()
    trusted = trust_key(
        key.public_key(),
        owner=arguments.owner,
        role=arguments.role,
        maximum_level=arguments.level,
        valid_from=start,
        valid_until=start + timedelta(days=arguments.days),
    )
    return write_trust(Trust(keys=(trusted,)))
