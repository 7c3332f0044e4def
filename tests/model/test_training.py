"""Made pictures and training: the same every time, answers that fit the picture, and no photograph out of its fold."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

cv2 = pytest.importorskip("cv2", reason="the extra [train] is not installed")
torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from reference_module.model import annotated, held_out, scenes, training  # noqa: E402
from reference_module.model.annotated import Sources  # noqa: E402
from reference_module.model.cli import main  # noqa: E402
from reference_module.model.errors import ModelError  # noqa: E402
from reference_module.model.network import BLOCKS, FloatLayer, FloatNetwork, Operator, logits  # noqa: E402
from reference_module.model.pictures import Label, Photograph, Pixels  # noqa: E402

pytestmark = pytest.mark.slow


def random_start(seed: int = 0) -> FloatNetwork:
    """The right shapes, any weights."""
    random = np.random.default_rng(seed)

    def layer(operator: Operator, stride: int, *shape: int) -> FloatLayer:
        outputs = shape[3] if operator is Operator.DEPTHWISE else shape[0]
        inputs = 9 if operator is Operator.DEPTHWISE else int(np.prod(shape[1:]))
        weights = random.normal(0, (2 / inputs) ** 0.5, shape).astype(np.float32)
        bias = random.normal(0, 0.1, outputs).astype(np.float32)
        return FloatLayer(operator=operator, stride=stride, weights=weights, bias=bias)

    layers = [layer(Operator.CONVOLUTION, 2, 8, 3, 3, 1)]
    layers[0] = replace(layers[0], weights=layers[0].weights / 128)
    for before, after, stride in BLOCKS:
        layers.append(layer(Operator.DEPTHWISE, stride, 1, 3, 3, before))
        layers.append(layer(Operator.POINTWISE, 1, after, 1, 1, before))
    layers.append(layer(Operator.DENSE, 1, 2, 256))
    return FloatNetwork(layers=tuple(layers))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of pictures and their annotations: in some a bright ellipse with a face stands for a person."""
    folder = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(1)
    entries = []
    for number in range(8):
        pixels = random.integers(0, 120, (240, 320, 3), dtype=np.uint8)
        outlines: list[list[int]] = []
        if number % 2:
            cv2.ellipse(pixels, (160, 130), (60, 100), 0, 0, 360, (250, 250, 250), -1)
            angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
            points = np.stack([500 + 187 * np.cos(angles), 542 + 416 * np.sin(angles)], axis=1)
            outlines = [[int(value) for value in points.ravel()]]
        path = folder / f"{number}.png"
        Image.fromarray(pixels).save(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        faces = [[400, 150, 600, 400]] if outlines else []
        entries.append({"sha256": digest, "outlines": outlines, "faces": faces})
    annotations = folder / "annotations.json"
    annotations.write_text(json.dumps(entries), "utf-8")
    return folder, annotations


@pytest.fixture(scope="module")
def sources(photographs: tuple[Path, Path]) -> Sources:
    return annotated.load(*photographs)


def silent(_: Pixels) -> np.ndarray:
    """A teacher that says nothing."""
    return np.zeros(len(_), np.float32)


def test_the_outline_is_the_person(sources: Sources) -> None:
    assert len(sources.people) == 4 and len(sources.places) == 4
    for people in sources.people:
        bright = people.pixels.min(axis=2) > 200
        assert (bright == (people.mask > 0.5)).mean() > 0.98
        assert people.body.height == pytest.approx(200, abs=6) and len(people.faces) == 1


def test_pictures_depend_on_seed_and_number_alone(sources: Sources) -> None:
    many, few = scenes.make(sources, 40, 3, silent), scenes.make(sources, 20, 3, silent)
    assert (many.frames[:20] == few.frames).all() and (many.grids[:20] == few.grids).all()
    assert not (scenes.make(sources, 20, 4, silent).frames == few.frames).all()


def test_answers_fit_the_picture(sources: Sources) -> None:
    made = scenes.make(sources, 300, 5, silent)
    assert 0.4 < made.person.mean() < 0.9
    shares = made.grids.mean(axis=(1, 2))
    assert (shares[made.person == 1] > 0.005).all() and (shares[made.person == 0] < 0.005).all()


def test_the_teacher_sees_every_picture_once(sources: Sources) -> None:
    lessons: list[Pixels] = []

    def teach(colours: Pixels) -> np.ndarray:
        lessons.append(colours)
        return colours.mean(axis=(1, 2, 3)).astype(np.float32)

    made = scenes.make(sources, 200, 6, teach)
    seen = np.concatenate(lessons)
    assert seen.shape == (200, 96, 96, 3)
    assert np.allclose(made.taught, seen.mean(axis=(1, 2, 3)), atol=1e-3)


def test_training_starts_from_the_network_itself(sources: Sources) -> None:
    start, made = random_start(), scenes.make(sources, 64, 7, silent)
    same = training.train(start, made, training.Settings(steps=0), str)
    frames = made.frames[:4, :, :, None].astype(np.float32)
    assert np.allclose(logits(start, frames), logits(same, frames), rtol=1e-3, atol=1e-3)
    assert np.allclose(training.scorer(start)(frames), np.subtract(*logits(start, frames).T), rtol=1e-3, atol=1e-3)


def test_training_learns_and_repeats_itself(sources: Sources) -> None:
    start, made = random_start(), scenes.make(sources, 256, 8, silent)
    settings = training.Settings(steps=30, batch=32, teacher=0.0, average=0.9)
    once = training.train(start, made, settings, str)
    assert training.digest(once) == training.digest(training.train(start, made, settings, str))
    assert training.digest(once) != training.digest(start)

    def gap(network: FloatNetwork) -> float:
        said = training.scorer(network)(made.frames[..., None])
        return float(said[made.person == 1].mean() - said[made.person == 0].mean())

    assert gap(once) > gap(start) + 0.1


def test_a_fold_keeps_its_photographs_out(sources: Sources) -> None:
    parts = [held_out.without(sources, fold) for fold in range(held_out.FOLDS)]
    whole = len(sources.people) + len(sources.places)
    assert sum(whole - len(part.people) - len(part.places) for part in parts) == whole
    for fold, part in enumerate(parts):
        kept = [*part.people, *part.places]
        assert all(held_out.fold_of(photograph.sha256) != fold for photograph in kept)


def test_the_threshold_is_chosen_on_held_out_scores(tmp_path: Path) -> None:
    labels = tuple(
        Photograph(label=str(Label.PERSON if number < 4 else Label.NONE), package="p", path="x", sha256=f"{number:08x}")
        for number in range(8)
    )
    with pytest.raises(ModelError, match=r"fold_0\.json: cannot be read \(run `train --fold`"):
        held_out.threshold(tmp_path, labels, 0.1)
    for fold in range(held_out.FOLDS):
        mine = [photo for photo in labels if held_out.fold_of(photo.sha256) == fold]
        scores = {photo.sha256: 1.0 if photo.label == Label.PERSON else -2.0 for photo in mine}
        (tmp_path / f"fold_{fold}.json").write_text(json.dumps(scores), "utf-8")
    assert held_out.threshold(tmp_path, labels, 0.1) == -19
    held_out.keep(tmp_path, labels, tmp_path / "all.json")
    assert {str(figure) for figure in held_out.measure(labels, tmp_path / "all.json").values()} == {
        "1.000 [1.000, 1.000]"
    }
    with pytest.raises(ModelError, match="none of the labelled photographs was held out"):
        held_out.threshold(tmp_path, tuple(replace(photo, sha256="f" * 8) for photo in labels), 0.1)


@pytest.mark.parametrize(
    ("more", "reason"),
    [([], "run the command before this one"), (["--fold", "1"], "--fold needs --labels")],
)
def test_what_is_missing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], reason: str
) -> None:
    assert main(["train", "--work", str(tmp_path), "--photos", str(tmp_path), *more]) == 2
    error = capsys.readouterr().err
    assert reason in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_missing_photographs_are_counted(tmp_path: Path, photographs: tuple[Path, Path]) -> None:
    with pytest.raises(ModelError, match=r"8 annotated photographs are missing \(run `fetch` first\)"):
        annotated.load(tmp_path, photographs[1])
