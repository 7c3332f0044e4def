"""Cross-validation: networks trained without a quarter of the photographs, scored on that quarter.

Figures on photographs that a network was trained on flatter it. These do not, and the threshold is chosen on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reference_module.model.errors import ModelError
from reference_module.model.evaluate import Estimate, area, figures, resample
from reference_module.model.interpreter import Scored, Scores
from reference_module.model.network import FloatNetwork, logits
from reference_module.model.pictures import Label, Photograph, frames

if TYPE_CHECKING:
    from reference_module.model.annotated import Sources

SCORES = Path(__file__).parent / "held_out.json"
"""Each labelled photograph's score by a network of this pipeline that was trained without it."""

FOLDS = 4
_PERSON = 0
_FINE = 0.05
"""Steps in which a threshold in floating point is looked for."""


def fold_of(sha256: str) -> int:
    """The quarter that a photograph belongs to."""
    return int(sha256[:8], 16) % FOLDS


def without(sources: Sources, fold: int) -> Sources:
    """The photographs of the other folds."""
    return replace(
        sources,
        people=tuple(people for people in sources.people if fold_of(people.sha256) != fold),
        places=tuple(place for place in sources.places if fold_of(place.sha256) != fold),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One quarter of the labelled photographs."""

    number: int
    labels: tuple[Photograph, ...]

    def report(self, before: FloatNetwork, after: FloatNetwork, folder: Path, work: Path) -> str:
        """Scores of the quarter, kept for `write`; a line with the area under the curve before and after training."""
        chosen = [photo for photo in _scored(self.labels) if fold_of(photo.sha256) == self.number]
        person = np.array([photo.label == Label.PERSON for photo in chosen])
        scores = _scores(after, chosen, folder)
        kept = {photo.sha256: float(score) for photo, score in zip(chosen, scores, strict=True)}
        _path(work, self.number).write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
        old, new = _area(_scores(before, chosen, folder), person), _area(scores, person)
        return f"fold {self.number}: {len(chosen)} photographs held out, auc_person {old:.4f} before, {new:.4f} after"


def threshold(work: Path, labels: tuple[Photograph, ...], step: float) -> int:
    """In integer steps, from the held-out scores: see `lowest`. Raises ModelError."""
    scores, person = _kept(work, labels)
    return lowest(scores / step, person)


def lowest(scores: Scores, person: NDArray[np.bool_]) -> int:
    """The lowest whole number at which recall and specificity together are within one person of the best.

    Their sum is flat over a wide range, where its highest point is chance; the gate smooths over a lone false bit.
    """
    if not person.any() or person.all():
        raise ModelError(f"the labels must hold photographs with {Label.PERSON} and with {Label.NONE}")
    candidates = np.arange(-255, 256)
    sums = np.array([(scores[person] >= t).mean() + (scores[~person] < t).mean() for t in candidates])
    return int(candidates[sums >= sums.max() - 1 / person.sum()][0])


def keep(work: Path, labels: tuple[Photograph, ...], output: Path) -> None:
    """Writes the scores of all folds to one file, for `measure`."""
    _kept(work, labels)
    merged = {sha256: round(score, 4) for fold in range(FOLDS) for sha256, score in _read(_path(work, fold)).items()}
    output.write_text(json.dumps(dict(sorted(merged.items())), indent=1) + "\n", "utf-8")


def measure(labels: tuple[Photograph, ...], scores: Path = SCORES) -> dict[str, Estimate]:
    """Figures on photographs that the scoring networks had not seen, at the threshold chosen on these very scores."""
    kept = _read(scores)
    chosen = [photo for photo in _scored(labels) if photo.sha256 in kept]
    values = np.array([kept[photo.sha256] for photo in chosen])
    person = np.array([photo.label == Label.PERSON for photo in chosen], bool)
    where = _FINE * lowest(values / _FINE, person)
    made = figures(
        Scored(scores=values, threshold=where, person=_PERSON), resample(tuple(photo.label for photo in chosen))
    )
    names = ("auc_person", "recall_person", "specificity")
    return {f"{name}_held_out": made.estimate(name) for name in names}


def area_in_floating_point(network: FloatNetwork, labels: tuple[Photograph, ...], folder: Path) -> float:
    """Of scenes with people against scenes without."""
    chosen = _scored(labels)
    return _area(_scores(network, chosen, folder), np.array([photo.label == Label.PERSON for photo in chosen]))


def _kept(work: Path, labels: tuple[Photograph, ...]) -> tuple[Scores, NDArray[np.bool_]]:
    kept: dict[str, float] = {}
    for fold in range(FOLDS):
        kept |= _read(_path(work, fold))
    chosen = [photo for photo in _scored(labels) if photo.sha256 in kept]
    if not chosen:
        raise ModelError("none of the labelled photographs was held out by `train --fold`")
    scores = np.array([kept[photo.sha256] for photo in chosen])
    return scores, np.array([photo.label == Label.PERSON for photo in chosen])


def _read(path: Path) -> dict[str, float]:
    try:
        return {str(sha256): float(score) for sha256, score in json.loads(path.read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read (run `train --fold` for each fold first): {error}") from error


def _path(work: Path, fold: int) -> Path:
    return work / f"fold_{fold}.json"


def _scored(labels: Iterable[Photograph]) -> list[Photograph]:
    return [photo for photo in labels if photo.label in (Label.PERSON, Label.NONE)]


def _scores(network: FloatNetwork, photographs: list[Photograph], folder: Path) -> Scores:
    said = logits(network, frames(photographs, folder))
    return (said[:, _PERSON] - said[:, 1 - _PERSON]).astype(np.float64)


def _area(scores: Scores, person: NDArray[np.bool_]) -> float:
    return float(area(scores, np.flatnonzero(person), np.flatnonzero(~person), np.ones((1, len(person))))[0])
