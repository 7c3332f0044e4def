"""What the image and the files beside it decide in a declaration: digests, the model's size, the toolchain."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pinproof.image import Image

FLASH_START, FLASH_SIZE = 0x08000000, 512 * 1024
"""The part's whole flash, whose canonical image is a subject of the certificate (RM0368 3.3)."""

_HEADING = re.compile(r"\[(?P<table>[a-z]+)\]\s*")
_KEY = re.compile(r"(?P<key>[a-z0-9_]+) = (?P<value>.*)")


def refreshed(text: str, image: Image, beside: Path, toolchain: str) -> str:
    """The declaration `text` with digests for `image` and for the files that it names in the folder `beside`."""
    return rewritten(text, _decided(text, image, beside, toolchain))


def _decided(text: str, image: Image, beside: Path, toolchain: str) -> dict[tuple[str, str], str]:
    tables = tomllib.loads(text)
    model = next(segment for segment in image.segments if segment.address == tables["model"]["start"])
    decided = {
        ("model", "size"): str(len(model.data)),
        ("model", "sha256"): _quoted(_digest(model.data)),
        ("build", "toolchain"): _quoted(toolchain),
        ("build", "flash_sha256"): _quoted(_digest(image.flash_image(FLASH_START, FLASH_SIZE))),
    }
    for table in ("provisioning", "datasheet"):
        decided[table, "sha256"] = _quoted(_digest((beside / tables[table]["file"]).read_bytes()))
    return decided


def rewritten(text: str, values: Mapping[tuple[str, str], str]) -> str:
    """`text` with each named key's line rewritten; every key must be there, once."""
    table, left, lines = "", dict(values), []
    for line in text.splitlines():
        heading, key = _HEADING.fullmatch(line), _KEY.fullmatch(line)
        table = heading["table"] if heading else table
        value = left.pop((table, key["key"]), None) if key else None
        lines.append(line if key is None or value is None else f"{key['key']} = {value}")
    if left:
        raise ValueError(f"the declaration has no {', '.join('.'.join(name) for name in left)}")
    return "\n".join(lines) + "\n"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _quoted(value: str) -> str:
    return f'"{value}"'
