"""Frames with and without people from Debian's opencv-doc: windows of a fixed camera over a street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_module.demo.video import INSTALLED, SIDE, WINDOWS

VIDEO = INSTALLED

_EVERY = 6
"""Of ten pictures a second."""
_DIFFERENT = 28
"""Grey levels from the background above which a pixel belongs to someone."""
_PERSON, _EMPTY = 0.05, 0.004
"""Share of such pixels above which someone is in the window, and below which nobody is. Between them it is not said."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    window: int
    picture: int
    """Number in the video."""
    person: bool
    """By the difference from the background, which is the median over the whole video; no network is asked."""
    pixels: Pixels
    """[96, 96], grey."""


def read_samples() -> tuple[Sample, ...]:
    """All windows of every sixth picture whose label is clear. Needs the package av."""
    pictures = _decode()
    samples: list[Sample] = []
    for window, (left, top, side) in enumerate(WINDOWS):
        cut = pictures[:, top : top + side, left : left + side]
        background = np.median(cut, axis=0)
        for number, pixels in enumerate(cut):
            share = float((np.abs(pixels - background) > _DIFFERENT).mean())
            if share > _PERSON or share < _EMPTY:
                picture = number * _EVERY
                samples.append(Sample(window=window, picture=picture, person=share > _PERSON, pixels=_scaled(pixels)))
    return tuple(samples)


def _decode() -> Pixels:
    """[picture, 576, 768], grey."""
    import av

    with av.open(str(VIDEO)) as container:
        return np.stack(
            [
                frame.to_ndarray(format="gray")
                for number, frame in enumerate(container.decode(video=0))
                if number % _EVERY == 0
            ]
        )


def _scaled(pixels: Pixels) -> Pixels:
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX), np.uint8)
