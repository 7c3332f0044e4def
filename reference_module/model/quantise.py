"""Floating point to 8-bit integers, after training, as the TensorFlow Lite quantisation specification has it.

Weights are symmetric with one scale per output channel; activations have one scale and one zero point per tensor;
biases are 32-bit in units of input scale times weight scale. The frame is not rescaled: integer = pixel - 128.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from reference_module.model.network import (
    FRAME_SIDE,
    Bytes,
    Decision,
    FloatLayer,
    FloatNetwork,
    Floats,
    IntegerLayer,
    IntegerNetwork,
    Operator,
    Quantisation,
    Shape,
    Words,
    apply,
    apply_linear,
)

FRAME = Quantisation(scale=1.0, zero=-128)
"""A frame holds pixels 0 to 255, stored less 128."""

LARGEST_BIAS = 1 << 24
"""Limit of a bias in its integer unit. A channel whose weights are all but zero would otherwise get a scale so small
that its bias overflows; with this limit every accumulator is far inside 32 bits (the generator checks that)."""

CLIPPED = 1e-6
"""Fraction of activations above the top of their range. Of 1e-3 to 1e-6 tried, the smallest lost least against floating
point (correlation of scores 0.950, 0.990, 0.998, 0.999)."""


_BATCH = 32
UNDECIDED = Decision(person=0, threshold=0)
"""Until a threshold is chosen on labelled photographs."""


def quantise(network: FloatNetwork, pictures: Floats) -> IntegerNetwork:
    """The integer network; activations get their ranges from pictures [count, 96, 96, 1].

    Layer by layer, the floating-point activations and those with the roundings so far are both carried along; the mean
    difference that the rounded weights make to a channel is taken out of its bias.
    """
    shape = Shape(height=FRAME_SIDE, width=FRAME_SIDE, channels=network.input_channels)
    incoming = FRAME
    exact, rounded = pictures, pictures
    layers: list[IntegerLayer] = []
    for layer in network.layers[:-1]:
        following = _batched(apply, layer, exact)
        outgoing = Quantisation(scale=float(np.float32(_top(following) / 255)), zero=-128)
        corrected = _corrected(layer, incoming, exact, rounded)
        layers.append(_layer(corrected, shape, incoming, outgoing))
        rounded = _round(_batched(apply, _dequantised(corrected, incoming), rounded), outgoing)
        shape, incoming, exact = layers[-1].output_shape, outgoing, following
    layers.append(_pool(shape, incoming))
    exact, rounded = exact.mean(axis=(1, 2)), _round(rounded.mean(axis=(1, 2)), incoming)
    last = _corrected(network.layers[-1], incoming, exact, rounded)
    reach = float(np.abs(apply(network.layers[-1], exact)).max())
    layers.append(_dense(last, layers[-1].output_shape, incoming, reach))
    return IntegerNetwork(layers=tuple(layers), decision=UNDECIDED)


def _batched(step: Callable[[FloatLayer, Floats], Floats], layer: FloatLayer, activations: Floats) -> Floats:
    return np.concatenate(
        [step(layer, activations[start : start + _BATCH]) for start in range(0, len(activations), _BATCH)]
    )


def _top(activations: Floats) -> float:
    """The quantile 1 - CLIPPED of the activations, never zero."""
    flat = activations.ravel()
    keep = max(1, int(flat.size * CLIPPED))
    return max(float(np.partition(flat, flat.size - keep)[flat.size - keep]), 1e-3)


def _round(activations: Floats, quantisation: Quantisation) -> Floats:
    """What is left of activations in 8 bits."""
    scale = np.float32(quantisation.scale)
    stored: Floats = np.clip(np.rint(activations / scale), 0, 255)
    return stored * scale


def _corrected(layer: FloatLayer, incoming: Quantisation, exact: Floats, rounded: Floats) -> FloatLayer:
    axes = tuple(range(exact.ndim - 1))
    wanted = _batched(apply_linear, layer, exact).mean(axis=axes)
    found = _batched(apply_linear, _dequantised(layer, incoming), rounded).mean(axis=axes)
    return replace(layer, bias=layer.bias + (wanted - found))


def _dequantised(layer: FloatLayer, incoming: Quantisation) -> FloatLayer:
    """The layer with its weights and biases as their integers have them."""
    axis = 3 if layer.operator is Operator.DEPTHWISE else 0
    scales, weights, bias = _weights(layer, axis, incoming)
    broadcast = scales.reshape([-1 if index == axis else 1 for index in range(weights.ndim)])
    return replace(layer, weights=weights * broadcast, bias=(bias * (scales * incoming.scale)).astype(np.float32))


def _layer(layer: FloatLayer, shape: Shape, incoming: Quantisation, outgoing: Quantisation) -> IntegerLayer:
    axis = 3 if layer.operator is Operator.DEPTHWISE else 0
    scales, weights, bias = _weights(layer, axis, incoming)
    output = Shape(
        height=-(-shape.height // layer.stride),
        width=-(-shape.width // layer.stride),
        channels=layer.weights.shape[axis],
    )
    return IntegerLayer(
        operator=layer.operator,
        stride=layer.stride,
        input_shape=shape,
        output_shape=output,
        input=incoming,
        output=outgoing,
        minimum=outgoing.zero,
        maximum=127,
        weights=weights,
        weight_scales=scales,
        bias=bias,
    )


def _weights(layer: FloatLayer, axis: int, incoming: Quantisation) -> tuple[Floats, Bytes, Words]:
    """Scale per channel along `axis`, weights and biases in integers."""
    rest = tuple(index for index in range(layer.weights.ndim) if index != axis)
    largest = np.abs(layer.weights).max(axis=rest).astype(np.float64)
    for_bias = np.abs(layer.bias.astype(np.float64)) / (incoming.scale * LARGEST_BIAS)
    scales = np.maximum(np.maximum(largest / 127, for_bias), 1e-9).astype(np.float32)
    broadcast = scales.reshape([-1 if index == axis else 1 for index in range(layer.weights.ndim)])
    weights = np.clip(np.rint(layer.weights / broadcast), -127, 127).astype(np.int8)
    bias = np.rint(layer.bias.astype(np.float64) / (incoming.scale * scales.astype(np.float64))).astype(np.int32)
    return scales, weights, bias


def _pool(shape: Shape, quantisation: Quantisation) -> IntegerLayer:
    return IntegerLayer(
        operator=Operator.POOL,
        stride=1,
        input_shape=shape,
        output_shape=Shape(height=1, width=1, channels=shape.channels),
        input=quantisation,
        output=quantisation,
        minimum=-128,
        maximum=127,
        weights=np.zeros(0, np.int8),
        weight_scales=np.zeros(0, np.float32),
        bias=np.zeros(0, np.int32),
    )


def _dense(layer: FloatLayer, shape: Shape, incoming: Quantisation, reach: float) -> IntegerLayer:
    # Fully connected layers have one weight scale for the whole tensor: the form that every interpreter runs.
    largest = float(np.abs(layer.weights).max())
    scale = np.float32(largest / 127)
    weights = np.clip(np.rint(layer.weights / scale), -127, 127).astype(np.int8)
    bias = np.rint(layer.bias.astype(np.float64) / (incoming.scale * float(scale))).astype(np.int32)
    return IntegerLayer(
        operator=Operator.DENSE,
        stride=1,
        input_shape=shape,
        output_shape=Shape(height=1, width=1, channels=len(layer.weights)),
        input=incoming,
        output=Quantisation(scale=float(np.float32(reach / 127)), zero=0),
        minimum=-128,
        maximum=127,
        weights=weights,
        weight_scales=np.full(len(layer.weights), scale, np.float32),
        bias=bias,
    )
