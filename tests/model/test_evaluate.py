"""The figures that `evaluate` prints, on pictures made for the purpose."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from reference_module.model.cli import main
from reference_module.model.evaluate import RESAMPLES, area, figures, measure, resample
from reference_module.model.interpreter import Scored
from reference_module.model.pictures import open_colour, read_labels, squash
from tests.model.support import MODEL, random_network

LABELS = ["person"] * 8 + ["portrait"] * 4 + ["no_person"] * 10 + ["hands_only"]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 23 pictures of noise and their labels."""
    folder = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(0)
    entries = []
    for number, label in enumerate(LABELS):
        path = folder / "npm_noise-1" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        base = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(base).resize((160, 120)).save(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        entries.append({"label": label, "package": "npm:noise-1", "path": f"{number}.png", "sha256": digest})
    (folder / "labels.json").write_text(json.dumps(entries), "utf-8")
    return folder


def run(photographs: Path, *more: str) -> list[str]:
    return ["evaluate", "--labels", str(photographs / "labels.json"), "--photos", str(photographs), *more]


def test_it_prints_every_figure_twice_the_same(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run(photographs)) == 0
    first = capsys.readouterr().out
    assert main(run(photographs)) == 0
    assert capsys.readouterr().out == first
    names = [line.split(":")[0] for line in first.splitlines()]
    for name in ("auc_person", "auc_person_portrait", "recall_person", "recall_portrait", "specificity"):
        line = first.splitlines()[names.index(name)]
        assert re.fullmatch(name + r": \d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]", line)
    assert "photographs_person: 8\n" in first and "photographs_hands_only: 1 (left out)" in first


def test_against_itself_nothing_differs(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run(photographs, "--against", str(MODEL))) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("difference_")]
    assert len(lines) == 5
    assert all(line.endswith(": 0.000 [0.000, 0.000]") for line in lines)


def test_against_a_network_of_another_size(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = next(seed for seed in range(50) if random_network(seed)[1].layers[0].input_shape.channels == 3)
    data, _ = random_network(seed)
    silent = tmp_path / "other.tflite"
    silent.write_bytes(data.replace(b"pinproof.decision", b"pinproof.decisiom"))
    assert main(run(photographs, "--against", str(silent))) == 0
    output = capsys.readouterr().out
    remark = r"against: other\.tflite \(the file does not say which output is the person; [01] separates"
    assert re.search(remark, output)
    value = re.search(r"^against_auc_person: (\S+)", output, re.MULTILINE)
    assert value is not None and float(value.group(1)) >= 0.5


@pytest.mark.parametrize("content", [None, b"nothing of the kind"])
def test_a_model_that_cannot_run_is_refused(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    other = tmp_path / "other.tflite"
    if content is not None:
        other.write_bytes(content)
    assert main(run(photographs, "--against", str(other))) == 2
    error = capsys.readouterr().err
    assert "other.tflite" in error and error.count("\n") == 1


def test_a_missing_photograph_is_refused(photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = run(photographs)
    arguments[arguments.index("--photos") + 1] = str(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert "No such file" in captured.err and "auc" not in captured.out


def test_area_counts_pairs() -> None:
    scores = np.array([3.0, 1.0, 2.0, 1.0])
    once = np.ones((1, 4))
    assert area(scores, np.array([0, 1]), np.array([2, 3]), once)[0] == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    twice = np.array([[2.0, 0.0, 1.0, 1.0]])
    assert area(scores, np.array([0, 1]), np.array([2, 3]), twice)[0] == 1.0


def test_intervals_hold_the_value_and_shrink_with_the_sample() -> None:
    random = np.random.default_rng(0)
    widths = []
    for count in (20, 320):
        labels = ("person",) * count + ("no_person",) * count
        scores = np.concatenate([random.normal(1, 1, count), random.normal(0, 1, count)])
        made = figures(Scored(scores=scores, threshold=0.5, person=0), resample(labels))
        estimate = made.estimate("auc_person")
        assert estimate.low < estimate.value < estimate.high
        widths.append(estimate.high - estimate.low)
        assert len(made.table["auc_person"]) == RESAMPLES + 1
    # Sixteen times the sample: a quarter of the width, give or take chance.
    assert 2.5 < widths[0] / widths[1] < 6


def test_programs_get_the_same_figures(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run(photographs)) == 0
    printed = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    labels = read_labels(photographs / "labels.json")
    measured = measure(labels, photographs, MODEL)
    assert "auc_person_portrait" in measured
    assert {name: str(estimate) for name, estimate in measured.items()}.items() <= printed.items()
    without = tuple(photograph for photograph in labels if photograph.label != "portrait")
    assert "auc_person_portrait" not in measure(without, photographs, MODEL)


@pytest.mark.parametrize("kind", ["RGBA", "P", "CMYK", "I;16", "LA", "1", "WEBP", "AVIF", "tiny"])
def test_every_kind_of_picture_is_seen_as_it_looks(tmp_path: Path, kind: str) -> None:
    """Half white, half black, in whatever form."""
    halves = np.zeros((120, 160), np.uint8)
    halves[:, :80] = 255
    picture = Image.fromarray(halves)
    path = tmp_path / {"CMYK": "a.jpg", "WEBP": "a.webp", "AVIF": "a.avif"}.get(kind, "a.png")
    if kind == "I;16":
        picture = Image.fromarray(halves.astype(np.uint16) * 257)
    elif kind == "tiny":
        picture = picture.resize((2, 1), Image.Resampling.NEAREST)
    elif kind in ("WEBP", "AVIF"):
        if not features.check(kind.lower()):
            pytest.skip(f"this Pillow lacks {kind}")
        picture = picture.convert("RGB")
    else:
        picture = picture.convert("RGB").convert(kind) if kind == "CMYK" else picture.convert(kind)
    picture.save(path)
    seen = squash(open_colour(path), 2, 1)
    assert seen[0, 0].min() > 200 and seen[0, 1].max() < 55


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    Image.new("RGBA", (200, 200), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert (squash(open_colour(tmp_path / "a.png"), 96, 96) == 255).all()
