"""Builds a variant: image, declaration and the files that the declaration names."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pinproof.image import read_image

from reference_module.build import Recipe, build, gate_text, patched
from reference_module.declare import HERE, refreshed
from tests.attacks.variant import (
    DatasheetEdit,
    DeclarationEdit,
    Edit,
    GateEdit,
    LinkerEdit,
    Patch,
    ProvisioningEdit,
    WrongDigest,
)

DECLARATION, PROVISIONING, DATASHEET = "module.toml", "provisioning.toml", "datasheet.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that a verification needs."""

    image: bytes
    declaration: bytes
    files: Mapping[str, bytes]
    """The files that the declaration names, by name."""


def recipe_for(edits: Iterable[Edit], *, small: bool, confined: str | None = None) -> Recipe:
    """The firmware with these edits; `confined` is C text in place of the stub."""
    files: dict[str, str] = {}
    script = (HERE / "ld" / "stm32f401re.ld").read_text(encoding="utf-8")
    for edit in edits:
        if isinstance(edit, GateEdit):
            files[edit.file] = patched(files.get(edit.file) or gate_text(edit.file), edit.old, edit.new)
        elif isinstance(edit, LinkerEdit):
            script = patched(script, edit.old, edit.new)
    own = {} if confined is None else {"stub.c": confined}
    options = () if confined is None else ("-w", "-std=gnu11")
    return Recipe(
        gate_files=files,
        gate_options=("-Wno-error",),
        linker_script=script,
        small=small,
        confined_files=own,
        confined_options=options,
    )


def build_firmware(edits: Iterable[Edit], *, small: bool = True) -> bytes:
    """The linked image, not yet patched."""
    with tempfile.TemporaryDirectory() as folder:
        return build(Path(folder) / "image.elf", recipe_for(edits, small=small)).read_bytes()


def case_from(image: bytes, edits: Iterable[Edit]) -> Case:
    """The declaration and its files for `image`, all edits applied."""
    edits = tuple(edits)
    files = {name: (HERE / name).read_text(encoding="utf-8") for name in (PROVISIONING, DATASHEET)}
    for edit in edits:
        if isinstance(edit, ProvisioningEdit):
            files[PROVISIONING] = patched(files[PROVISIONING], edit.old, edit.new)
        elif isinstance(edit, DatasheetEdit):
            files[DATASHEET] = patched(files[DATASHEET], edit.old, edit.new)
    given = {name: text.encode() for name, text in files.items()}
    text = _declared(image, given)
    for edit in edits:
        if isinstance(edit, DeclarationEdit):
            text = patched(text, edit.old, edit.new)
        elif isinstance(edit, WrongDigest):
            text = _misstated(text, edit)
        elif isinstance(edit, Patch):
            image = _xor(image, edit)
    return Case(image=image, declaration=text.encode(), files=given)


def build_case(edits: Iterable[Edit]) -> Case:
    edits = tuple(edits)
    return case_from(build_firmware(edits), edits)


def _declared(image: bytes, files: Mapping[str, bytes]) -> str:
    """The reference declaration with digests for this image and these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        text = (HERE / DECLARATION).read_text(encoding="utf-8")
        return refreshed(text, read_image(image, "image"), Path(folder))


def _misstated(text: str, edit: WrongDigest) -> str:
    """The declaration with the first digit of one digest changed."""
    found = re.search(rf'^\[{edit.table}\]$[^\[]*?^{edit.key} = "(.)', text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"the declaration has no digest {edit.table}.{edit.key}")
    digit = "0" if found[1] != "0" else "1"
    return text[: found.start(1)] + digit + text[found.end(1) :]


def _xor(image: bytes, patch: Patch) -> bytes:
    """Changes a loaded byte in the file, at the one place where its segment lies."""
    for segment in read_image(image, "image").segments:
        if segment.address <= patch.address < segment.end and image.count(segment.data) == 1:
            data = bytearray(image)
            data[image.find(segment.data) + patch.address - segment.address] ^= patch.mask
            return bytes(data)
    raise ValueError(f"no loaded byte at {patch.address:#x}")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
