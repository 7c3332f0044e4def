"""Pictures to train on, made from annotated photographs: crops, people pasted into places, and things that are neither.

Every picture comes with whether a person is in it and with how much of each cell of a coarse grid is person. Each is
drawn from a random generator of its own, so that the same number of pictures is the same pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from reference_module.model.annotated import People, Place, Sources, Window
from reference_module.model.network import FRAME_SIDE, Floats
from reference_module.model.pictures import GREY, Pixels

Random = np.random.Generator
_Item = TypeVar("_Item")
_Image = TypeVar("_Image", Pixels, Floats)

GRID = 6
"""Rows and columns of the coarse grid: those of the activations from which training asks where the person is."""


class Kind(IntEnum):
    """What a picture is made of, in the order of SHARES."""

    PEOPLE = 0
    PLACE = 1
    PASTED_PEOPLE = 2
    PASTED_THING = 3


_LESSON = 128
"""Pictures that the teacher sees at a time."""

SHARES = (0.40, 0.22, 0.29, 0.09)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One picture in colour, where its people are, and whether that makes it one with a person (None: hard to say)."""

    pixels: Pixels
    mask: Floats
    person: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Many pictures in grey. `taught` is what the colour network says of them: person less no person."""

    frames: NDArray[np.uint8] = field(repr=False)
    grids: Floats = field(repr=False)
    person: Floats = field(repr=False)
    taught: Floats = field(repr=False)


def make(sources: Sources, count: int, seed: int, teach: Callable[[Pixels], Floats]) -> Training:
    """`count` pictures; each depends on the seed and its own number alone. `teach` is the colour network."""
    frames = np.empty((count, FRAME_SIDE, FRAME_SIDE), np.uint8)
    grids = np.empty((count, GRID, GRID), np.float32)
    person, taught = np.empty(count, np.float32), np.empty(count, np.float32)
    colours: list[Pixels] = []
    for number in range(count):
        random = np.random.default_rng((seed, number))
        scene = draw(sources, random)
        grids[number] = cv2.resize(scene.mask, (GRID, GRID), interpolation=cv2.INTER_AREA)
        frames[number] = _grey(scene.pixels, random)
        person[number] = bool(scene.person)
        colours.append(scene.pixels)
        if len(colours) == _LESSON or number == count - 1:
            taught[number + 1 - len(colours) : number + 1] = teach(np.stack(colours))
            colours = []
    return Training(frames=frames, grids=grids, person=person, taught=taught)


def draw(sources: Sources, random: Random) -> Scene:
    """One picture whose answer is clear, blurred or compressed now and then, mirrored half of the time."""
    while True:
        scene = _drawn(sources, random)
        if scene.person is not None:
            break
    pixels = _degraded(scene.pixels, random)
    if random.random() < 0.5:
        return Scene(pixels=pixels, mask=scene.mask, person=scene.person)
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    return Scene(pixels=mirrored, mask=np.ascontiguousarray(scene.mask[:, ::-1]), person=scene.person)


def _drawn(sources: Sources, random: Random) -> Scene:
    kind = Kind(int(random.choice(len(SHARES), p=SHARES)))
    match kind:
        case Kind.PEOPLE:
            return _crop_of_people(_one(sources.people, random), random)
        case Kind.PLACE:
            return Scene(pixels=_crop(_one(sources.places, random), random), mask=_nothing(), person=False)
        case Kind.PASTED_PEOPLE:
            return _pasted_people(sources, random)
        case Kind.PASTED_THING:
            return _pasted_thing(sources, random)


def _one(items: tuple[_Item, ...], random: Random) -> _Item:
    return items[int(random.integers(len(items)))]


def _nothing() -> Floats:
    return np.zeros((FRAME_SIDE, FRAME_SIDE), np.float32)


# Windows of photographs ----------------------------------------------------------------------------------------------


def _cut(image: _Image, window: Window) -> _Image:
    """The window at the frame's size; its aspect is not kept, as `evaluate` does not."""
    left, top = max(0, round(window.left)), max(0, round(window.top))
    right = max(left + 2, round(window.left + window.width))
    bottom = max(top + 2, round(window.top + window.height))
    part = image[top:bottom, left:right]
    method = cv2.INTER_AREA if min(part.shape[:2]) > FRAME_SIDE else cv2.INTER_LINEAR
    result: _Image = cv2.resize(part, (FRAME_SIDE, FRAME_SIDE), interpolation=method)
    return result


def _any_window(size: tuple[int, int], random: Random, smallest: float, stretch: float) -> Window:
    """A window of at least that share of the area, up to e^stretch wider or higher than it is high or wide."""
    width, height = size
    for _ in range(10):
        area = width * height * np.exp(random.uniform(np.log(smallest), 0))
        ratio = np.exp(random.uniform(-stretch, stretch))
        across, down = float(np.sqrt(area * ratio)), float(np.sqrt(area / ratio))
        if across <= width and down <= height:
            left, top = random.uniform(0, width - across), random.uniform(0, height - down)
            return Window(left=left, top=top, width=across, height=down)
    return Window(left=0, top=0, width=width, height=height)


def _crop(place: Place, random: Random) -> Pixels:
    whole = random.random() < 0.35
    return _cut(place.pixels, _any_window(place.size, random, 0.6 if whole else 0.08, 0.3 if whole else 0.5))


def _crop_of_people(people: People, random: Random) -> Scene:
    """Nearly all of the photograph, any part of it, a head and shoulders, or what surrounds the people."""
    choice = random.random()
    if choice < 0.3:
        window = _any_window(people.size, random, 0.6, 0.3)
    elif choice < 0.5 or (choice < 0.75 and not people.faces):
        window = _any_window(people.size, random, 0.08, 0.5)
    elif choice < 0.75:
        face = _one(people.faces, random)
        height = face.height * np.exp(random.uniform(np.log(1.3), np.log(4.5)))
        width = height * np.exp(random.uniform(-0.25, 0.25))
        window = _around(face, width, height, people.size, (0.12, 0.1), 0.08, random)
    else:
        body = people.body
        zoom = np.exp(random.uniform(0, np.log(2.5)))
        width = max(body.width, 0.35 * body.height) * zoom * random.uniform(0.9, 1.3)
        window = _around(body, width, body.height * zoom, people.size, (0.15, 0.15), 0, random)
    mask = _cut(people.mask, window)
    return Scene(pixels=_cut(people.pixels, window), mask=mask, person=_judge(people, window, float(mask.mean())))


def _around(
    middle: Window,
    width: float,
    height: float,
    size: tuple[int, int],
    spread: tuple[float, float],
    lower: float,
    random: Random,
) -> Window:
    """A window about the middle of another, off by a normal deviate of `spread` times its sides, inside the picture."""
    width, height = min(width, size[0]), min(height, size[1])
    left = middle.left + (middle.width - width) / 2 + random.normal(0, spread[0]) * width
    top = middle.top + (middle.height - height) / 2 + random.normal(lower, spread[1]) * height
    left = float(np.clip(left, 0, size[0] - width))
    return Window(left=left, top=float(np.clip(top, 0, size[1] - height)), width=width, height=height)


def _judge(people: People, window: Window, share: float) -> bool | None:
    """A face that can be seen, or enough of a body, is a person; next to nothing of one is none."""
    if share > 0.02 and any(_seen(face, window) for face in people.faces):
        return True
    kept = share * window.width * window.height / float(people.mask.sum())
    if (share >= 0.05 and kept >= 0.35) or (share >= 0.012 and kept >= 0.6):
        return True
    return False if share < 0.004 and kept < 0.02 else None


def _seen(face: Window, window: Window) -> bool:
    across = min(face.left + face.width, window.left + window.width) - max(face.left, window.left)
    down = min(face.top + face.height, window.top + window.height) - max(face.top, window.top)
    inside = max(0.0, across) * max(0.0, down) / (face.width * face.height)
    return inside > 0.75 and face.height > 0.1 * window.height


# Pasting -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _CutOut:
    """People on an empty frame: colours, how opaque they are, and how much of them the frame's edge has left."""

    pixels: Pixels
    alpha: Floats
    left_over: float


def _placed(people: People, random: Random, upright: bool = True) -> _CutOut:
    """The people of a photograph at any size and place; who was cut by its lower edge mostly stands on the frame's."""
    body, (_, height_of_photograph) = people.body, people.size
    left, top = int(body.left), int(body.top)
    part = (slice(top, int(body.top + body.height)), slice(left, int(body.left + body.width)))
    grounded = body.top + body.height >= height_of_photograph - 3
    face = max((face.height for face in people.faces), default=0.0)
    lowest, highest, reference = (7, 42, face) if face > 8 else (26, 130, body.height)
    scale = np.exp(random.uniform(np.log(lowest), np.log(highest))) / reference
    height = max(6, int(body.height * scale))
    width = max(4, int(body.width * scale * np.exp(random.uniform(-0.22, 0.22))))
    shrink = min(1.0, 420 / max(height, width))
    height, width = max(1, int(height * shrink)), max(1, int(width * shrink))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(people.pixels[part], (width, height), interpolation=method)
    alpha = cv2.resize(people.mask[part], (width, height), interpolation=method)
    if random.random() < 0.5:
        pixels, alpha = pixels[:, ::-1], alpha[:, ::-1]
    if not upright:
        pixels, alpha = pixels[::-1], alpha[::-1]
    across = _between(-0.35 * width, FRAME_SIDE - 0.65 * width, random)
    down = _row(height, grounded and upright, random)
    return _on_frame(pixels, alpha, across, down)


def _row(height: int, grounded: bool, random: Random) -> int:
    """The frame's row at which a cut-out of that height begins."""
    if grounded and random.random() < 0.8:
        return (
            int(random.uniform(0, 0.35 * FRAME_SIDE))
            if height > FRAME_SIDE
            else FRAME_SIDE - height + int(random.uniform(0, 0.35) * height)
        )
    if height >= 120:
        return int(random.uniform(-0.3 * height, 0))
    return _between(-0.15 * height, FRAME_SIDE - 0.75 * height, random)


def _between(one: float, other: float, random: Random) -> int:
    return int(random.uniform(min(one, other), max(one, other)))


def _on_frame(pixels: Pixels, alpha: Floats, across: int, down: int) -> _CutOut:
    colours = np.zeros((FRAME_SIDE, FRAME_SIDE, 3), np.uint8)
    opaque = _nothing()
    top, bottom = max(0, down), min(FRAME_SIDE, down + alpha.shape[0])
    left, right = max(0, across), min(FRAME_SIDE, across + alpha.shape[1])
    if bottom > top and right > left:
        source = (slice(top - down, bottom - down), slice(left - across, right - across))
        colours[top:bottom, left:right] = pixels[source]
        opaque[top:bottom, left:right] = alpha[source]
    return _CutOut(pixels=colours, alpha=opaque, left_over=float(opaque.sum() / max(float(alpha.sum()), 1.0)))


def _pasted_people(sources: Sources, random: Random) -> Scene:
    """One to three photographs' people in another place, sometimes with something in front of them."""
    picture = _crop(_one(sources.places, random), random).astype(np.float32)
    mask, clear = _nothing(), False
    for _ in range(1 if random.random() < 0.8 else int(random.integers(2, 4))):
        cut_out = _placed(_one(sources.people, random), random)
        alpha = cv2.GaussianBlur(cut_out.alpha, (3, 3), random.uniform(0.3, 0.8))
        lit = _relit(cut_out.pixels, random)
        if random.random() < 0.3:
            lit = cv2.GaussianBlur(lit, (3, 3), 0.6)
        picture = _blend(picture, lit, alpha)
        mask = np.maximum(mask, alpha)
        clear = clear or (alpha.mean() > 0.012 and cut_out.left_over > 0.35)
    if random.random() < 0.3:
        front = _blob(random)
        if (mask * front).sum() < 0.45 * mask.sum():
            picture = _blend(picture, _crop(_one(sources.places, random), random).astype(np.float32), front)
            mask = mask * (1 - front)
    enough = clear and mask.mean() > 0.012
    return Scene(pixels=_pixels(picture), mask=mask, person=True if enough else None)


def _pasted_thing(sources: Sources, random: Random) -> Scene:
    """Part of one place pasted into another, in shapes that people do not have: pasting must not give people away."""
    picture = _crop(_one(sources.places, random), random).astype(np.float32)
    if random.random() < 0.35:
        shape = _placed(_one(sources.people, random), random, upright=random.random() < 0.4).alpha
        shape = np.ascontiguousarray(shape.T if random.random() < 0.5 else shape[::-1])
    else:
        shape = _blob(random)
    thing = _relit(_crop(_one(sources.places, random), random), random)
    alpha = cv2.GaussianBlur(shape, (3, 3), random.uniform(0.3, 0.8))
    return Scene(pixels=_pixels(_blend(picture, thing, alpha)), mask=_nothing(), person=False)


def _blend(below: Floats, above: Floats, alpha: Floats) -> Floats:
    opaque = alpha[:, :, None]
    return below * (1 - opaque) + above * opaque


def _blob(random: Random) -> Floats:
    shape = _nothing()
    for _ in range(int(random.integers(1, 4))):
        middle = (int(random.integers(10, 86)), int(random.integers(10, 86)))
        half = (int(random.integers(4, 32)), int(random.integers(4, 40)))
        angle = float(random.uniform(0, 180))
        if random.random() < 0.5:
            cv2.ellipse(shape, middle, half, angle, 0, 360, 1, -1)
        else:
            corners = cv2.boxPoints((middle, (2 * half[0], 2 * half[1]), angle))
            cv2.fillPoly(shape, [corners.astype(np.int32)], 1)
    blurred: Floats = cv2.GaussianBlur(shape, (3, 3), 0.6)
    return blurred


# Light, focus, colour ------------------------------------------------------------------------------------------------


def _relit(pixels: Pixels, random: Random) -> Floats:
    light = (pixels.astype(np.float32) / 255) ** np.float32(np.exp(random.normal(0, 0.22)))
    relit = np.clip(light * random.uniform(0.65, 1.3) + random.uniform(-0.1, 0.1), 0, 1) * np.float32(255)
    return relit.astype(np.float32)


def _degraded(pixels: Pixels, random: Random) -> Pixels:
    choice = random.random()
    result: Pixels = pixels
    if choice < 0.12:
        result = cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.4, 1.1))
    elif choice < 0.2:
        quality = int(random.integers(25, 80))
        compressed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        result = cv2.imdecode(compressed, cv2.IMREAD_COLOR)
    return result


def _grey(pixels: Pixels, random: Random) -> NDArray[np.uint8]:
    """Luma, or half of the time another mixture of the colours: other filters, other clothes."""
    mixture: Floats = GREY
    if random.random() < 0.5:
        shifted = np.clip(GREY + random.normal(0, 0.15, 3).astype(np.float32), np.float32(0.001), None)
        mixture = (shifted / shifted.sum()).astype(np.float32)
    return _pixels(pixels.astype(np.float32) @ mixture)


def _pixels(values: Floats) -> NDArray[np.uint8]:
    result: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return result
