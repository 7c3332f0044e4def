"""A grey network that does what the colour network does, by regression: no labels, no gradient steps.

Layer by layer, from the frame on, the grey network's weights are fitted so that its layer, on its own inputs, gives
what the colour network's layer gives on the same picture in colour. Each fit is a ridge regression that shrinks towards
the weights before. (Fitting only what a ReLU lets through was tried: no better on pictures that the fit has not seen.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reference_module.model.network import (
    FloatLayer,
    FloatNetwork,
    Floats,
    Operator,
    apply,
    apply_linear,
    patches,
)
from reference_module.model.pictures import Pixels, to_grey

Doubles = NDArray[np.float64]

_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`shrinkage` is relative to the mean variance of a layer's inputs; `rows` bounds the samples of one regression."""

    shrinkage: float = 0.03
    depthwise_shrinkage: float = 0.3
    rows: int = 120_000
    seed: int = 1


def adapt(teacher: FloatNetwork, colour: Pixels, settings: Settings, say: Callable[[str], None]) -> FloatNetwork:
    """The grey network, from pictures [count, 96, 96, 3]. `say` gets one line of progress per layer."""
    random = np.random.default_rng(settings.seed)
    guide: Floats = colour.astype(np.float32)
    own = to_grey(colour)
    layers: list[FloatLayer] = []
    for number, layer in enumerate(teacher.layers[:-1]):
        start = replace(layer, weights=layer.weights.sum(axis=3, keepdims=True)) if number == 0 else layer
        fitted = _fit(start, own, _sampler(layer, guide), settings, random)
        layers.append(fitted)
        guide, own = _apply_all(layer, guide), _apply_all(fitted, own)
        error = float(((own - guide) ** 2).mean() / ((guide**2).mean() + 1e-12))
        say(f"layer {number:2d} {layer.operator.value:11s} relative error {error:.3f}")
    layers.append(_fit_dense(teacher.layers[-1], guide.mean(axis=(1, 2)), own.mean(axis=(1, 2)), settings))
    return FloatNetwork(layers=tuple(layers))


def _apply_all(layer: FloatLayer, activations: Floats) -> Floats:
    parts = [apply(layer, activations[start : start + _BATCH]) for start in range(0, len(activations), _BATCH)]
    return np.concatenate(parts)


Sampler = Callable[[int, NDArray[np.intp]], Floats]
"""(first picture of a batch, positions) -> the teacher's linear outputs there, [pictures, positions, channels]."""


def _sampler(layer: FloatLayer, guide: Floats) -> Sampler:
    def sample(start: int, positions: NDArray[np.intp]) -> Floats:
        linear = apply_linear(layer, guide[start : start + _BATCH])
        return linear.reshape(len(linear), -1, linear.shape[3])[:, positions]

    return sample


def _fit(
    start: FloatLayer, own: Floats, teacher: Sampler, settings: Settings, random: np.random.Generator
) -> FloatLayer:
    height, width = -(-own.shape[1] // start.stride), -(-own.shape[2] // start.stride)
    per_picture = min(height * width, max(9, settings.rows // len(own)))
    positions = np.sort(random.permutation(height * width)[:per_picture])
    kernel = start.weights.shape[1]
    inputs: list[Floats] = []
    targets: list[Floats] = []
    for first in range(0, len(own), _BATCH):
        windows = patches(own[first : first + _BATCH], kernel, start.stride)
        flat = windows.reshape(len(windows), height * width, kernel * kernel, -1)[:, positions]
        inputs.append(flat.reshape(-1, *flat.shape[2:]))
        target = teacher(first, positions)
        targets.append(target.reshape(-1, target.shape[2]))
    samples, wanted = np.concatenate(inputs), np.concatenate(targets)
    if start.operator is Operator.DEPTHWISE:
        return _fit_depthwise(start, samples, wanted, settings)
    weights = start.weights.reshape(len(start.weights), -1)
    fitted, bias = ridge(samples.reshape(len(samples), -1), wanted, weights, settings.shrinkage)
    return replace(start, weights=fitted.reshape(start.weights.shape), bias=bias)


def _fit_depthwise(start: FloatLayer, samples: Floats, wanted: Floats, settings: Settings) -> FloatLayer:
    weights = start.weights.copy()
    bias = start.bias.copy()
    for channel in range(len(bias)):
        before = start.weights[:, :, :, channel].reshape(1, -1)
        fitted, offset = ridge(
            np.ascontiguousarray(samples[:, :, channel]),
            wanted[:, channel : channel + 1],
            before,
            settings.depthwise_shrinkage,
        )
        weights[0, :, :, channel] = fitted.reshape(3, 3)
        bias[channel] = offset[0]
    return replace(start, weights=weights, bias=bias)


def _fit_dense(start: FloatLayer, guide: Floats, own: Floats, settings: Settings) -> FloatLayer:
    wanted = apply_linear(start, guide)
    shrinkage = max(settings.shrinkage, 0.05)
    weights, bias = ridge(own, wanted, start.weights, shrinkage)
    return replace(start, weights=weights, bias=bias)


def ridge(inputs: Floats, wanted: Floats, before: Floats, shrinkage: float) -> tuple[Floats, Floats]:
    """Weights [outputs, inputs] and bias for wanted ~ inputs @ weights.T + bias, near the weights `before`."""
    samples: Doubles = inputs.astype(np.float64)
    targets: Doubles = wanted.astype(np.float64)
    mean, level = samples.mean(axis=0), targets.mean(axis=0)
    centred = samples - mean
    gram = centred.T @ centred
    strength = shrinkage * float(np.diagonal(gram).mean()) + 1e-6
    anchor = before.astype(np.float64)
    remainder = targets - level - centred @ anchor.T
    weights = anchor + np.linalg.solve(gram + strength * np.eye(len(gram)), centred.T @ remainder).T
    return weights.astype(np.float32), (level - weights @ mean).astype(np.float32)
