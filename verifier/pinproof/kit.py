"""The files that a vendor's project starts from (`_kit/`, compiled by tools/compile_kit.py), filled in for one project.

`_kit/PART/PROFILE/` holds a project as it will stand, with three differences: a leading dot of a name is spelled
`dot.`, texts hold `@NAME@` where something of the project goes, and nothing there is meant to be imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from pinproof import __version__
from pinproof.errors import InputError

_FOLDER = "_kit"
_MAX_NAME = 200
"""Characters of a product's or vendor's name, as the declaration's reader allows them."""
_DOT = "dot."
_PLACE = re.compile(r"@([A-Z_]+)@")
_MARKUP = re.compile(r"[\\`*_{}\[\]<>|@#]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    part: str
    profile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KitFile:
    path: PurePosixPath
    """Inside the project."""
    data: bytes


def kits() -> tuple[Kit, ...]:
    """All that there are, sorted."""
    found = [
        Kit(part=part.name, profile=profile.name)
        for part in _folders(files("pinproof").joinpath(_FOLDER))
        for profile in _folders(part)
    ]
    return tuple(sorted(found, key=lambda kit: (kit.part, kit.profile)))


def kit_files(kit: Kit, *, product: str, vendor: str) -> tuple[KitFile, ...]:
    """The project's files, the same for the same arguments. Raises `InputError` for a name that cannot be printed."""
    for option, name in (("name", product), ("vendor", vendor)):
        if not name.strip() or not name.isprintable() or len(name) > _MAX_NAME:
            raise InputError(f"--{option}: must be 1 to {_MAX_NAME} characters that can be printed")
    values = {
        "PRODUCT": _in_markdown(product),
        "PRODUCT_TOML": _in_toml(product),
        "VENDOR_TOML": _in_toml(vendor),
        "PART": kit.part,
        "PROFILE": kit.profile,
        "TOOL_VERSION": __version__,
    }
    folder = files("pinproof").joinpath(_FOLDER, kit.part, kit.profile)
    found = [KitFile(path=path, data=_filled(data, values)) for path, data in _walk(folder, PurePosixPath())]
    return tuple(sorted(found, key=lambda file: file.path))


def _folders(folder: Traversable) -> list[Traversable]:
    return [each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("_")]


def _walk(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
    for each in folder.iterdir():
        name = f".{each.name.removeprefix(_DOT)}" if each.name.startswith(_DOT) else each.name
        if each.is_file():
            yield path / name, each.read_bytes()
        elif each.name != "__pycache__":
            yield from _walk(each, path / name)


def _filled(data: bytes, values: dict[str, str]) -> bytes:
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), data.decode("utf-8")).encode("utf-8")


def _in_markdown(text: str) -> str:
    """`text` so that Markdown shows it as it is."""
    return _MARKUP.sub(lambda match: f"\\{match[0]}", text)


def _in_toml(text: str) -> str:
    """A basic string, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)
