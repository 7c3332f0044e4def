"""Adaptation and quantisation on small made-up material: what they promise, without downloads."""

from __future__ import annotations

import numpy as np
import pytest

from reference_module.model import network as net
from reference_module.model.adapt import Settings, adapt, ridge
from reference_module.model.generate import generate
from reference_module.model.network import BLOCKS, FloatLayer, FloatNetwork, Operator
from reference_module.model.pictures import to_grey
from reference_module.model.quantise import quantise


def colour_network() -> FloatNetwork:
    """The architecture with random weights that keep activations of about equal size."""
    random = np.random.default_rng(0)

    def layer(operator: Operator, stride: int, shape: tuple[int, ...], scale: float = 1.0) -> FloatLayer:
        channels = shape[3] if operator is Operator.DEPTHWISE else shape[0]
        fan_in = int(np.prod(shape)) // channels
        weights = random.normal(0, scale * np.sqrt(2 / fan_in), shape).astype(np.float32)
        return FloatLayer(operator=operator, stride=stride, weights=weights, bias=np.zeros(channels, np.float32))

    layers = [layer(Operator.CONVOLUTION, 2, (8, 3, 3, 3), 1 / 64)]
    for before, after, stride in BLOCKS:
        layers.append(layer(Operator.DEPTHWISE, stride, (1, 3, 3, before)))
        layers.append(layer(Operator.POINTWISE, 1, (after, 1, 1, before)))
    layers.append(layer(Operator.DENSE, 1, (2, 256)))
    return FloatNetwork(layers=tuple(layers))


def scenes(count: int, colourful: float) -> np.ndarray:
    """Blocks of light and shade, with as much colour as told."""
    random = np.random.default_rng(1)
    light = random.integers(0, 256, (count, 8, 8, 1)).repeat(12, 1).repeat(12, 2)
    tint = random.integers(-60, 60, (count, 8, 8, 3)).repeat(12, 1).repeat(12, 2) * colourful
    return np.clip(light + tint, 0, 255).astype(np.uint8)


def test_ridge_finds_a_linear_relation() -> None:
    random = np.random.default_rng(2)
    inputs = random.normal(3, 1, (500, 6)).astype(np.float32)
    truth = random.normal(0, 1, (2, 6)).astype(np.float32)
    wanted = inputs @ truth.T + np.array([1, -2], np.float32)
    weights, bias = ridge(inputs, wanted, np.zeros((2, 6), np.float32), 1e-6)
    assert np.allclose(weights, truth, atol=1e-3) and np.allclose(bias, [1, -2], atol=1e-2)


def test_ridge_stays_where_the_samples_say_nothing() -> None:
    before = np.array([[1.0, 2.0]], np.float32)
    weights, bias = ridge(np.full((10, 2), 5, np.float32), np.full((10, 1), 7, np.float32), before, 0.1)
    assert np.allclose(weights, before) and np.allclose(bias, 7 - 15)


@pytest.mark.slow
def test_on_grey_pictures_the_grey_network_does_what_the_colour_network_does() -> None:
    teacher = colour_network()
    pictures = scenes(24, 0.0)
    student = adapt(teacher, pictures, Settings(), lambda line: None)
    wanted = net.logits(teacher, pictures.astype(np.float32))
    found = net.logits(student, to_grey(pictures))
    assert student.input_channels == 1
    assert np.abs(found - wanted).max() < 0.02 * np.abs(wanted).max()


@pytest.mark.slow
def test_the_same_pictures_give_the_same_network() -> None:
    first, second = (adapt(colour_network(), scenes(6, 1.0), Settings(), lambda line: None) for _ in range(2))
    for one, other in zip(first.layers, second.layers, strict=True):
        assert np.array_equal(one.weights, other.weights) and np.array_equal(one.bias, other.bias)


@pytest.mark.slow
def test_quantised_it_says_nearly_the_same() -> None:
    teacher = colour_network()
    pictures = to_grey(scenes(40, 1.0))
    grey = adapt(teacher, scenes(6, 1.0), Settings(), lambda line: None)
    integer = quantise(grey, pictures)
    assert generate(integer, "x").data
    last = integer.layers[-1]
    exact = net.logits(grey, pictures)
    # The integers run in test_kernels.py; here, that the last layer's range holds every logit without waste.
    assert 100 < np.abs(exact).max() / last.output.scale <= 128


def test_padding_is_that_of_the_original() -> None:
    assert net.padding(96, 3, 2) == (0, 1)
    assert net.padding(48, 3, 1) == (1, 1)
    assert net.padding(7, 3, 2) == (1, 1)
