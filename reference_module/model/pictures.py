"""Photographs as the network sees them, labels, and the crops that it is adapted on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from reference_module.model.errors import ModelError
from reference_module.model.fetch import folder_name
from reference_module.model.network import FRAME_SIDE, Floats

Pixels = NDArray[np.uint8]

GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601 luma of the three colours: what stands in for the grey camera."""

SMALLEST_SIDE = 120
"""Pixels; a smaller picture is an icon or a thumbnail, and would be enlarged."""


ILLUSTRATIONS = "usr/share/doc/opencv-doc/opencv4"
"""A manual's screen shots and diagrams; they would outnumber the photographs."""


class Label(StrEnum):
    """What is in a photograph."""

    PERSON = "person"
    PORTRAIT = "portrait"
    HANDS = "hands_only"
    NONE = "no_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """One labelled photograph: `path` is inside the unpacked package. Labels that are not in Label take no part."""

    label: str
    package: str
    path: str
    sha256: str


def read_labels(path: Path) -> tuple[Photograph, ...]:
    """Labels from a JSON list of objects with label, package, path and sha256. Raises ModelError."""
    try:
        entries = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{path}: not JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise ModelError(f"{path}: must be a list of labelled photographs")
    return tuple(_photograph(path, number, entry) for number, entry in enumerate(entries))


def _photograph(path: Path, number: int, entry: object) -> Photograph:
    if not isinstance(entry, dict):
        raise ModelError(f"{path}: entry {number} is not an object")
    texts = {key: entry.get(key) for key in ("label", "package", "path", "sha256")}
    for key, text in texts.items():
        if not isinstance(text, str) or not text:
            raise ModelError(f"{path}: entry {number}: {key} must be a text")
    return Photograph(
        label=str(texts["label"]),
        package=str(texts["package"]),
        path=str(texts["path"]),
        sha256=str(texts["sha256"]),
    )


def locate(photograph: Photograph, folder: Path) -> Path:
    """The file, which must be the labelled one. Raises ModelError."""
    base = folder / folder_name(photograph.package)
    path = base / photograph.path.lstrip("/")
    if ".." in Path(photograph.path).parts:
        raise ModelError(f"{photograph.path}: leads out of its package")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror} (is the package unpacked there?)") from error
    if hashlib.sha256(data).hexdigest() != photograph.sha256:
        raise ModelError(f"{path}: is not the labelled photograph: its sha256 differs")
    return path


def open_colour(path: Path) -> Image.Image:
    """The picture upright, in red, green and blue, 8 bits each; transparency shows white. Raises ModelError."""
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            if upright.mode in ("RGB", "L"):
                return upright.convert("RGB")
            white = Image.new("RGBA", upright.size, "white")
            return Image.alpha_composite(white, _eight_bits(upright).convert("RGBA")).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise ModelError(f"{path}: not a readable picture: {error}") from error


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits as grey of 8; others as they are (Pillow would clip it to white)."""
    if not picture.mode.startswith("I"):
        return picture
    levels = np.asarray(picture).astype(np.int64)
    return Image.fromarray(np.clip(levels >> 8, 0, 255).astype(np.uint8))


def squash(picture: Image.Image, width: int, height: int) -> Pixels:
    """[height, width, 3]: the whole picture, its aspect not kept."""
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS), np.uint8)


def to_grey(colour: Floats | Pixels) -> Floats:
    """[..., 1] from [..., 3]; whole numbers, as a camera gives them."""
    grey: Floats = np.rint(colour.astype(np.float32) @ GREY)
    return grey[..., None]


def frames(photographs: Iterable[Photograph], folder: Path) -> Floats:
    """[count, 96, 96, 1], grey."""
    colour = [squash(open_colour(locate(photo, folder)), FRAME_SIDE, FRAME_SIDE) for photo in photographs]
    return to_grey(np.stack(colour))


def find_photographs(folder: Path) -> tuple[Path, ...]:
    """The JPEG pictures under `folder` that are large enough, each content once, in an order that no disk decides."""
    by_digest: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".jpeg") or ILLUSTRATIONS in path.as_posix():
            continue
        if path.is_file() and _large_enough(path):
            by_digest.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    if not by_digest:
        raise ModelError(f"{folder}: no photographs (run `fetch` first)")
    return tuple(by_digest[digest] for digest in sorted(by_digest))


def _large_enough(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            return min(picture.size) >= SMALLEST_SIDE
    except (UnidentifiedImageError, OSError):
        return False


def crops(paths: tuple[Path, ...], count: int, seed: int) -> Pixels:
    """[count, 96, 96, 3] random crops, mirrored half of the time, lighter or darker; the pictures in turn."""
    random = np.random.default_rng(seed)
    # Each picture is decoded once: crop 0, n, 2n and so on are of picture 0.
    made = np.empty((count, FRAME_SIDE, FRAME_SIDE, 3), np.uint8)
    seeds = random.integers(0, 1 << 62, count)
    for index, path in enumerate(paths[:count]):
        picture = open_colour(path)
        for number in range(index, count, len(paths)):
            made[number] = _crop(picture, np.random.default_rng(int(seeds[number])))
    return made


def _crop(picture: Image.Image, random: np.random.Generator) -> Pixels:
    box = next(_boxes(picture.size, random), (0.0, 0.0, float(picture.width), float(picture.height)))
    side = (FRAME_SIDE, FRAME_SIDE)
    cropped = picture.resize(side, Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    pixels: Floats = np.asarray(cropped, np.float32)
    if random.random() < 0.5:
        pixels = pixels[:, ::-1]
    mean = pixels.mean()
    lit = (pixels - mean) * random.uniform(0.7, 1.2) + mean * random.uniform(0.75, 1.2)
    result: Pixels = np.rint(np.clip(lit, 0, 255)).astype(np.uint8)
    return result


def _boxes(size: tuple[int, int], random: np.random.Generator) -> Iterator[tuple[float, float, float, float]]:
    """Windows of 12 to 100 % of the area and sides of up to e^0.5 to 1 that fit, from ten tries."""
    width, height = size
    for _ in range(10):
        area = width * height * random.uniform(0.12, 1)
        ratio = float(np.exp(random.uniform(-0.5, 0.5)))
        across, down = int((area * ratio) ** 0.5), int((area / ratio) ** 0.5)
        if 0 < across <= width and 0 < down <= height:
            left, top = int(random.integers(0, width - across + 1)), int(random.integers(0, height - down + 1))
            yield float(left), float(top), float(left + across), float(top + down)
