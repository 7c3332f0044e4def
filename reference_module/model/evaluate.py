"""How well a model tells photographs with a person from those without, and how sure these numbers are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reference_module.model.errors import ModelError
from reference_module.model.interpreter import Model, Scored, Scores
from reference_module.model.pictures import Label, Photograph, locate, open_colour

RESAMPLES = 2000
_SEED = 20_000
Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure and the middle 95 % of it over bootstrap resamples."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Each figure over the resamples; its first entry is the sample itself."""

    table: dict[str, Scores]

    def estimate(self, name: str) -> Estimate:
        """The figure with its interval."""
        return _estimate(self.table[name])

    def difference(self, other: Figures, name: str) -> Estimate:
        """This less the other's, paired: both were resampled alike."""
        return _estimate(self.table[name] - other.table[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Which photographs are of which label, and how often each counts in each resample (row 0: once)."""

    labels: tuple[str, ...]
    counts: Counts

    def rows(self, label: Label) -> NDArray[np.intp]:
        """Positions of the photographs with that label."""
        return np.flatnonzero(np.asarray(self.labels) == label.value)


def _estimate(values: Scores) -> Estimate:
    low, high = np.quantile(values[1:], (0.025, 0.975))
    return Estimate(value=float(values[0]), low=float(low), high=float(high))


def resample(labels: tuple[str, ...]) -> Sample:
    """Drawn within each label, so that every resample has as many of each. The same for every model."""
    random = np.random.default_rng(_SEED)
    counts = np.ones((RESAMPLES + 1, len(labels)))
    for label in Label:
        rows = np.flatnonzero(np.asarray(labels) == label.value)
        if len(rows):
            even = np.full(len(rows), 1 / len(rows))
            counts[1:, rows] = random.multinomial(len(rows), even, RESAMPLES)
    return Sample(labels=labels, counts=counts)


def figures(scored: Scored, sample: Sample) -> Figures:
    """Area under the curve for scenes and with portraits, recall of both, specificity; only of labels that occur."""
    none = sample.rows(Label.NONE)
    people = sample.rows(Label.PERSON)
    portraits = sample.rows(Label.PORTRAIT)
    if not len(none) or not len(people):
        raise ModelError(f"the labels must hold photographs with {Label.PERSON} and with {Label.NONE}")
    said = scored.scores >= scored.threshold
    table = {
        "auc_person": area(scored.scores, people, none, sample.counts),
        "auc_person_portrait": area(scored.scores, np.concatenate([people, portraits]), none, sample.counts),
        "recall_person": _rate(said, people, sample.counts),
        "specificity": _rate(~said, none, sample.counts),
    }
    if len(portraits):
        table["recall_portrait"] = _rate(said, portraits, sample.counts)
    return Figures(table=table)


def area(scores: Scores, yes: NDArray[np.intp], no: NDArray[np.intp], counts: Counts) -> Scores:
    """Chance that one of `yes` scores above one of `no`, equal scores counting half; one value per resample."""
    above = scores[yes][:, None] > scores[no][None, :]
    equal = scores[yes][:, None] == scores[no][None, :]
    weights = above + 0.5 * equal
    total = counts[:, yes].sum(axis=1) * counts[:, no].sum(axis=1)
    pairs: Scores = ((counts[:, yes] @ weights) * counts[:, no]).sum(axis=1)
    result: Scores = pairs / total
    return result


def _rate(said: NDArray[np.bool_], rows: NDArray[np.intp], counts: Counts) -> Scores:
    result: Scores = counts[:, rows] @ said[rows] / counts[:, rows].sum(axis=1)
    return result


def _oriented(scored: Scored, sample: Sample) -> tuple[Scored, str]:
    """Where the file does not say which output is the person, the one under which people score higher; and a remark."""
    if scored.person is not None:
        return scored, ""
    value = area(scored.scores, sample.rows(Label.PERSON), sample.rows(Label.NONE), sample.counts[:1])[0]
    flipped = Scored(scores=-scored.scores, threshold=-scored.threshold, person=0)
    chosen, index = (scored, 1) if value >= 0.5 else (flipped, 0)
    return chosen, f" (the file does not say which output is the person; {index} separates better)"


def report(photographs: tuple[Photograph, ...], folder: Path, model: Path, against: Path | None) -> Iterator[str]:
    """The lines that `evaluate` prints. Raises ModelError."""
    models = [Model(path) for path in (model, against) if path is not None]
    scores = score(photographs, folder, models)
    sample = resample(tuple(photograph.label for photograph in photographs))
    for label, count in sorted(Counter(sample.labels).items()):
        measured = label in (Label.PERSON, Label.PORTRAIT, Label.NONE)
        yield f"photographs_{label}: {count}{'' if measured else ' (left out)'}"
    scored, remark = _oriented(scores[0], sample)
    ours = figures(scored, sample)
    yield f"model: {model.name}{remark}"
    for name in ours.table:
        yield f"{name}: {ours.estimate(name)}"
    if against is None:
        return
    scored, remark = _oriented(scores[1], sample)
    theirs = figures(scored, sample)
    yield f"against: {against.name}{remark}"
    for name in theirs.table:
        yield f"against_{name}: {theirs.estimate(name)}"
    for name in ours.table:
        yield f"difference_{name}: {ours.difference(theirs, name)}"


def measure(photographs: tuple[Photograph, ...], folder: Path, model: Path) -> dict[str, Estimate]:
    """Every figure of one model by its name, for programs; `auc_person_portrait` only where a label is portrait.

    Raises ModelError.
    """
    sample = resample(tuple(photograph.label for photograph in photographs))
    scored, _ = _oriented(score(photographs, folder, [Model(model)])[0], sample)
    made = figures(scored, sample)
    names = [name for name in made.table if name != "auc_person_portrait" or Label.PORTRAIT in sample.labels]
    return {name: made.estimate(name) for name in names}


def score(photographs: tuple[Photograph, ...], folder: Path, models: list[Model]) -> list[Scored]:
    """What each model says of each photograph. One photograph is open at a time: some have tens of megapixels."""
    said: list[list[Scored]] = [[] for _ in models]
    for photograph in photographs:
        picture = open_colour(locate(photograph, folder))
        for model, answers in zip(models, said, strict=True):
            answers.append(model.score([picture]))
    return [replace(answers[0], scores=np.concatenate([answer.scores for answer in answers])) for answers in said]
