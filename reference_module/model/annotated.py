"""Photographs with people outlined by hand-checked annotations, and photographs without people: what training draws on.

`annotations.json` names each photograph by its SHA-256 and holds, in thousandths of its width and height, the outlines
of people and the boxes of their faces. A photograph with no outline has nobody in it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reference_module.model.errors import ModelError
from reference_module.model.fetch import PICTURE_SUFFIXES
from reference_module.model.network import Floats
from reference_module.model.pictures import Pixels, open_colour

ANNOTATIONS = Path(__file__).parent / "annotations.json"

LONGEST_SIDE = 640
"""Pixels of a photograph in memory: enough for a face of a few pixels to fill a frame."""

_UNIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A rectangle in pixels, in floating point."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A photograph without people."""

    sha256: str
    pixels: Pixels

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class People(Place):
    """A photograph with people: `mask` is 1 where they are, `body` holds them all."""

    mask: Floats
    faces: tuple[Window, ...]
    body: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that pictures are made of."""

    people: tuple[People, ...]
    places: tuple[Place, ...]


def load(folder: Path, annotations: Path = ANNOTATIONS) -> Sources:
    """Every annotated photograph, found by its digest among the unpacked packages. Raises ModelError."""
    entries = json.loads(annotations.read_text("utf-8"))
    wanted = {entry["sha256"] for entry in entries}
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest in wanted:
                found.setdefault(digest, path)
    if len(found) < len(wanted):
        raise ModelError(f"{folder}: {len(wanted) - len(found)} annotated photographs are missing (run `fetch` first)")
    people: list[People] = []
    places: list[Place] = []
    for entry in entries:
        pixels = _small(found[entry["sha256"]])
        if entry["outlines"]:
            people.append(_people(entry["sha256"], pixels, entry["outlines"], entry["faces"]))
        else:
            places.append(Place(sha256=entry["sha256"], pixels=pixels))
    return Sources(people=tuple(people), places=tuple(places))


def _small(path: Path) -> Pixels:
    picture = open_colour(path)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(picture, np.uint8)


def _people(sha256: str, pixels: Pixels, outlines: list[list[int]], faces: list[list[int]]) -> People:
    height, width = pixels.shape[:2]
    scale = np.array([width, height]) / _UNIT
    points = [np.rint(np.reshape(outline, (-1, 2)) * scale).astype(np.int32) for outline in outlines]
    mask = np.zeros((height, width), np.uint8)
    # Even-odd filling: an outline inside another is a hole.
    cv2.fillPoly(mask, points, 1)
    everything = np.concatenate(points)
    return People(
        sha256=sha256,
        pixels=pixels,
        mask=mask.astype(np.float32),
        faces=tuple(_window(np.reshape(face, (2, 2)) * scale) for face in faces),
        body=_window(np.array([everything.min(axis=0), everything.max(axis=0) + 1])),
    )


def _window(corners: NDArray[np.float64]) -> Window:
    (left, top), (right, bottom) = corners
    return Window(left=float(left), top=float(top), width=float(right - left), height=float(bottom - top))
