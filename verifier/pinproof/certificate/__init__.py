"""Certificates: a report that conforms, signed, and checked offline by anybody (spec/certificate.md)."""

from __future__ import annotations

from datetime import datetime

from pinproof.certificate import keys
from pinproof.certificate.bundle import read_bundle, sign, write_bundle
from pinproof.certificate.checking import Checked, Standard, check
from pinproof.certificate.statement import write_statement
from pinproof.certificate.trust import Role, Trust, TrustedKey, read_trust, trust_key, write_trust
from pinproof.report import Report


def issue(report: Report, key: keys.PrivateKey, *, issued: datetime, expires: datetime) -> str:
    """The certificate file for a report that conforms. Raises `NotConforming` for any other."""
    return write_bundle(sign(write_statement(report, issued=issued, expires=expires), key))


__all__ = [
    "Checked",
    "Role",
    "Standard",
    "Trust",
    "TrustedKey",
    "check",
    "issue",
    "keys",
    "read_bundle",
    "read_trust",
    "trust_key",
    "write_trust",
]
