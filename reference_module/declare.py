"""Writes into a declaration what the image and the files beside it decide: digests, the model's size, the toolchain.

    python reference_module/declare.py [--check]

Everything else in `module.toml` is a claim and stays as its author wrote it.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parent), str(HERE.parent / "verifier")]

from pinproof.image import Image, read_image  # noqa: E402

from reference_module.build import RECORDED_TOOLCHAIN  # noqa: E402

FLASH_START, FLASH_SIZE = 0x08000000, 512 * 1024
"""The part's whole flash, whose canonical image is a subject of the certificate (RM0368 3.3)."""

_HEADING = re.compile(r"\[(?P<table>[a-z]+)\]\s*")
_KEY = re.compile(r"(?P<key>[a-z0-9_]+) = (?P<value>.*)")


def refreshed(text: str, image: Image, beside: Path, toolchain: str = RECORDED_TOOLCHAIN) -> str:
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


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="write digests into module.toml")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the declaration is not fresh")
    check = parser.parse_args(arguments).check
    declaration, firmware = HERE / "module.toml", HERE / "person_detector.elf"
    text = declaration.read_text(encoding="utf-8")
    fresh = refreshed(text, read_image(firmware.read_bytes(), firmware.name), HERE)
    if fresh == text:
        return 0
    if check:
        print("reference_module/module.toml is stale: run python reference_module/declare.py", file=sys.stderr)
        return 1
    declaration.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
