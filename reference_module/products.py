"""The modules that are made here: where image and declaration lie, and how the emulator gives each a frame."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from pinproof.report import Report
from pinproof.verify import verify

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One module. What is not a name is read from the image and its declaration."""

    name: str
    title: str
    image: Path
    declaration: Path
    capture: str
    """The gate's function that takes a frame; it returns whether one came."""

    answers: tuple[int, ...]
    """Words for the mailbox in the figure of the pin, each long enough for smoothing to let it through."""

    @property
    def exists(self) -> bool:
        return self.image.is_file() and self.declaration.is_file()


PERSON = Product(
    name="person",
    title="person detector",
    image=HERE / "person_detector.elf",
    declaration=HERE / "module.toml",
    capture="camera_capture",
    answers=(0, 1, 1, 1, 1, 0, 0, 0, 0, 0),
)
VOICE = Product(
    name="voice",
    title="voice-command module",
    image=HERE / "voice_command.elf",
    declaration=HERE / "voice" / "module.toml",
    capture="microphone_capture",
    answers=(0, 1, 1, 1, 1, 0, 0, 2, 2, 2, 2, 0),
)
PRODUCTS = (PERSON, VOICE)


def verified(product: Product) -> Report:
    """What the verifier says of it, at level 1. Raises PinproofError."""
    text = product.declaration.read_bytes()
    declared = tomllib.loads(text.decode())
    names = [declared[table]["file"] for table in ("provisioning", "datasheet")]
    return verify(
        image=product.image.read_bytes(),
        image_name=product.image.name,
        declaration=text,
        declaration_name=product.declaration.name,
        files={name: (product.declaration.parent / name).read_bytes() for name in names},
        level=1,
        rebuilt=None,
        development=False,
    )
