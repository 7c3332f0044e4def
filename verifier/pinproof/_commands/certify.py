"""`pinproof certify`: verifies and signs; refuses unless the image conforms."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from datetime import timedelta
from pathlib import Path

from pinproof import _files, certificate
from pinproof._commands import _shared
from pinproof.certificate import keys
from pinproof.errors import InputError, KeyFileError
from pinproof.exports import Format, clean, render
from pinproof.outcome import Verdict


def add(commands: _shared.Commands[argparse.ArgumentParser]) -> None:
    command = _shared.add_command(commands, "certify", "verify an image and sign a certificate if it conforms")
    _shared.add_subject(command)
    command.add_argument("--key", metavar="FILE", type=Path, required=True, help="private key (PEM)")
    command.add_argument("-o", "--output", metavar="CERT", type=Path, required=True, help="the certificate to write")
    command.add_argument("--days", type=int, default=730, help="days until it expires (default: 730)")
    command.add_argument("--issued", metavar="TIME", help="time of issue in UTC, 2026-01-31T12:00:00Z (default: now)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.level < 1:
        raise InputError("level 0 is a self-scan and is never certified")
    if not 1 <= arguments.days <= 3650:
        raise InputError(f"--days {arguments.days}: must be from 1 to 3650")
    issued = _shared.moment(arguments.issued) if arguments.issued else _shared.now()
    key_data = _files.read(arguments.key, limit=_files.LARGEST_TEXT, error=KeyFileError)
    key = keys.read_private(key_data, str(arguments.key), lambda: passphrase(arguments.key))
    report = _shared.run_verification(arguments, level=arguments.level, development=False)
    screen = _shared.screen(to_file=False)
    _files.emit(render(report, Format.TEXT, width=screen.width, colour=screen.colour), None)
    if report.verdict is not Verdict.CONFORMS:
        print("pinproof: not certified", file=sys.stderr)
        return _shared.EXIT_CODES[report.verdict]
    signed = certificate.issue(report, key, issued=issued, expires=issued + timedelta(days=arguments.days))
    _files.write(arguments.output, signed.encode("ascii"))
    _files.talk(f"wrote {clean(str(arguments.output))}")
    return 0


def passphrase(path: Path) -> bytes | None:
    """From PINPROOF_KEY_PASSPHRASE, or asked for where a person can answer."""
    given = os.environ.get("PINPROOF_KEY_PASSPHRASE")
    if given is None and sys.stdin.isatty():
        given = getpass.getpass(f"Passphrase of {path}: ")
    return given.encode() if given else None
