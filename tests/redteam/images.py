"""The stub module with changed gate code, linker script or declaration, and what the verifier says of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pinproof import verify as verification
from pinproof.facts import Facts
from pinproof.image import read_image
from pinproof.outcome import Fail, Inconclusive, Pass
from pinproof.report import Report

from reference_module.build import HERE, Recipe, build, gate_text, patched
from reference_module.declare import refreshed

Edit = tuple[str, str, str]
"""In gate file, this text, once, becomes that text."""
FILES = ("provisioning.toml", "datasheet.md")


def built(edits: Sequence[Edit] = (), *, script: Sequence[tuple[str, str]] = (), stub: str | None = None) -> bytes:
    """The linked image of the stub module with these edits of the gate and of the linker script."""
    files: dict[str, str] = {}
    for file, old, new in edits:
        files[file] = patched(files.get(file) or gate_text(file), old, new)
    linker = (HERE / "ld" / "stm32f401re.ld").read_text(encoding="utf-8")
    for old, new in script:
        linker = patched(linker, old, new)
    recipe = Recipe(
        gate_files=files,
        gate_options=("-Wno-error",),
        linker_script=linker,
        confined_files={} if stub is None else {"stub.c": stub},
        small=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        return build(Path(folder) / "image.elf", recipe).read_bytes()


def beside() -> dict[str, bytes]:
    """The files that the declaration names, by name."""
    return {name: (HERE / name).read_bytes() for name in FILES}


def declared(image: bytes, changes: Mapping[str, str] | None = None) -> bytes:
    """The reference declaration with digests for `image`; `changes` are texts to replace, each there once."""
    text = refreshed((HERE / "module.toml").read_text(encoding="utf-8"), read_image(image, "image"), HERE)
    for old, new in (changes or {}).items():
        text = patched(text, old, new)
    return text.encode()


def gathered(image: bytes, declaration: bytes, level: int = 1) -> Facts:
    """All inputs of a verification, the image explored."""
    return verification._gather(image, "image.elf", declaration, "module.toml", beside(), level, None)


def verdict(image: bytes, declaration: bytes, files: Mapping[str, bytes] | None = None, level: int = 1) -> Report:
    return verification.verify(
        image=image,
        image_name="image.elf",
        declaration=declaration,
        declaration_name="module.toml",
        files=beside() if files is None else files,
        level=level,
        rebuilt=None,
        development=False,
    )


def refusals(report: Report) -> dict[str, str]:
    """Reason code of each requirement that does not pass; a broken check has the reason `fault`."""
    found = {}
    for decision in report.decisions:
        outcome = decision.outcome
        if isinstance(outcome, Fail | Inconclusive):
            found[decision.id] = outcome.reason
        elif not isinstance(outcome, Pass):
            found[decision.id] = "fault"
    return found
