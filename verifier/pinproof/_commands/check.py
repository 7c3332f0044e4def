"""`pinproof check`: checks a certificate, offline, and that an image is the one it is about."""

from __future__ import annotations

import argparse
from pathlib import Path

from pinproof import _files, certificate
from pinproof._commands import _shared
from pinproof.capacity import spell
from pinproof.catalogue import load_catalogue
from pinproof.certificate import Checked, Standard
from pinproof.errors import CertificateError, ImageError, TrustError
from pinproof.exports._words import clean


def add(commands: _shared.Commands[argparse.ArgumentParser]) -> None:
    command = _shared.add_command(commands, "check", "check a certificate, offline, and that an image is the one")
    command.add_argument("certificate", metavar="CERT", type=Path, help="the certificate")
    command.add_argument(
        "image", metavar="IMAGE", type=Path, nargs="?", help="ELF, Intel HEX or the whole flash as bytes"
    )
    command.add_argument("--trust", metavar="FILE", type=Path, help="the keys that you trust")
    command.add_argument("--at", metavar="TIME", help="check for this time in UTC, 2026-01-31T12:00:00Z (default: now)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    at = _shared.moment(arguments.at) if arguments.at else _shared.now()
    data = _files.read(arguments.certificate, limit=_files.LARGEST_CERTIFICATE, error=CertificateError)
    image = arguments.image and _files.read(arguments.image, limit=_files.LARGEST_IMAGE, error=ImageError)
    if arguments.trust is None:
        certificate.read_bundle(data, arguments.certificate.name)
        raise TrustError("no key is trusted without a trust file: name one with --trust FILE")
    trust_data = _files.read(arguments.trust, limit=_files.LARGEST_TEXT, error=CertificateError)
    checked = certificate.check(
        data,
        arguments.certificate.name,
        trust=certificate.read_trust(trust_data, arguments.trust.name),
        standard=standard(),
        at=at,
        image=image,
    )
    _files.emit(_text(checked), None)
    return 0


def standard() -> Standard:
    catalogue = load_catalogue()
    grades = {str(requirement.id): requirement.grades for requirement in catalogue.requirements}
    return Standard(version=catalogue.version, catalogue_sha256=catalogue.digest, grades=grades)


def _text(checked: Checked) -> str:
    statement = checked.statement
    lines = ["VALID" if checked.subject else "VALID, BUT NO IMAGE WAS COMPARED"]
    lines.append(clean(f"{statement.vendor} {statement.product} {statement.version}, part {statement.part}"))
    lines.append(f"profile {clean(statement.profile)}, level {statement.level}")
    lines.append(f"at most {spell(statement.capacity.bits_per_second)} bit/s through the pin")
    lines += [f"{number}. {clean(step)}" for number, step in enumerate(checked.steps, start=1)]
    lines.append(f"Rests on {len(statement.assumptions)} assumptions:")
    lines += [f"  {clean(item.id)}: {clean(item.statement)} [{item.owner}]" for item in statement.assumptions]
    return "\n".join(lines) + "\n"
