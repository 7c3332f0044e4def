"""The whole module with its real network, on video, smoothing apart: the pin says what the interpreter says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from reference_module.build import Recipe, build
from reference_module.emulate.emulator import Stop
from tests.emulation.answers import unsmoothed
from tests.emulation.observation import Observation, run_variant
from tests.emulation.oracle import judge
from tests.emulation.pin import Level
from tests.emulation.tools import require
from tests.emulation.video import VIDEO, Sample, read_samples

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_CLEAR = 9
"""Samples with a person, and as many without, spread over the video."""
_HARD = 3
"""Samples whose score is nearest to the threshold: there only the two networks must agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    samples: tuple[Sample, ...]
    reference: tuple[bool, ...]
    """What the reference interpreter decides for each."""
    observation: Observation


@pytest.fixture(scope="module")
def run(emulation_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    require(str(VIDEO), "python:av", "python:PIL", "python:tflite", "python:tflite_micro")
    recipe = Recipe(confined="detector", gate_files=unsmoothed())
    image = build(tmp_path_factory.mktemp("detector") / "image.elf", recipe)
    samples = read_samples()
    margins = _margins(samples)
    chosen = [*_alternating(samples), *np.argsort(np.abs(margins))[:_HARD].tolist()]
    # 1 ns an instruction: about a period's worth at 84 MHz, of which an inference takes a good third.
    frames = [samples[index].pixels.tobytes() for index in chosen]
    return Run(
        samples=tuple(samples[index] for index in chosen),
        reference=tuple(bool(margins[index] >= 0) for index in chosen),
        observation=run_variant(image, frames, shift=0),
    )


def _margins(samples: tuple[Sample, ...]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """By how much the interpreter's logits for each sample exceed the decision's threshold."""
    from reference_module.model.reader import read_tflite
    from tests.model.support import MODEL, run_reference

    model = MODEL.read_bytes()
    network = read_tflite(model, MODEL.name)
    frames = np.stack([sample.pixels for sample in samples])[..., None]
    logits = run_reference(model, network, frames)[0][-1].astype(np.int64)
    person = network.decision.person
    difference: np.ndarray[tuple[int], np.dtype[np.int64]] = logits[:, person] - logits[:, 1 - person]
    return difference - network.decision.threshold


def _alternating(samples: tuple[Sample, ...]) -> list[int]:
    """With and without a person in turns, so that the pin has to move."""
    people = [index for index, sample in enumerate(samples) if sample.person]
    nobody = [index for index, sample in enumerate(samples) if not sample.person]
    assert len(people) >= _CLEAR, "the video has too few clear samples"
    assert len(nobody) >= _CLEAR, "the video has too few clear samples"
    pairs = zip(people[:: len(people) // _CLEAR], nobody[:: len(nobody) // _CLEAR], strict=False)
    return [index for _, pair in zip(range(_CLEAR), pairs, strict=False) for index in pair]


def test_the_run_was_complete(run: Run) -> None:
    assert run.observation.end is Stop.TICKS
    assert len(run.samples) == 2 * _CLEAR + _HARD


def test_each_bit_is_the_reference_interpreters_decision(run: Run) -> None:
    answers = run.observation.bits[1 : 1 + len(run.reference)]
    assert answers == tuple(int(decision) for decision in run.reference)


def test_clear_samples_are_answered_as_a_person_would(run: Run) -> None:
    answers = run.observation.bits[1 : 1 + 2 * _CLEAR]
    assert answers == tuple(int(sample.person) for sample in run.samples[: 2 * _CLEAR])
    assert set(answers) == {0, 1}


def test_the_pin_moves_at_update_events_alone_and_shows_each_bit(run: Run) -> None:
    judgement = judge(run.observation)
    shown = [Level.HIGH if bit else Level.LOW for bit in run.observation.bits]
    assert list(judgement.levels[1:]) == shown[:-1]
    assert judgement.moved_outside_updates == ()
    assert judgement.findings == ()


def test_nothing_outlives_the_wipe_and_nothing_faults(run: Run) -> None:
    assert [capture.tick for capture in run.observation.captures if capture.survivors()] == []
    assert not any(run.observation.faults(tick) for tick in range(run.observation.ticks + 1))
