"""Moments in certificates and trust files: UTC, whole seconds, one spelling."""

from __future__ import annotations

from datetime import UTC, datetime

from pinproof.strict_json import Fields

_FORM = "%Y-%m-%dT%H:%M:%SZ"


def spell(moment: datetime) -> str:
    """`2026-01-31T12:00:00Z`."""
    return moment.astimezone(UTC).strftime(_FORM)


def parse(text: str) -> datetime:
    """Raises `ValueError` for every other spelling."""
    moment = datetime.strptime(text, _FORM).replace(tzinfo=UTC)
    if spell(moment) != text:
        raise ValueError("not in the one spelling")
    return moment


def take(fields: Fields, key: str) -> datetime:
    text = fields.text(key, longest=20)
    try:
        return parse(text)
    except ValueError:
        raise fields.problem(f"{key!r} is not a time such as 2026-01-31T12:00:00Z") from None
