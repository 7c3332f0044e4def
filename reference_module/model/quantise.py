"""Floating point to 8-bit integers, after training, as the TensorFlow Lite quantisation specification has it.

Weights are symmetric with one scale per output channel; activations have one scale and one zero point per tensor;
biases are 32-bit in units of input scale times weight scale. The frame is not rescaled: integer = pixel - 128.
"""

from __future__ import annotations

from dataclasses import dataclass

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
)

FRAME = Quantisation(scale=1.0, zero=-128)
"""A frame holds pixels 0 to 255, stored less 128."""

LARGEST_BIAS = 1 << 24
"""Limit of a bias in its integer unit. A channel whose weights are all but zero would otherwise get a scale so small
that its bias overflows; with this limit every accumulator is far inside 32 bits (the generator checks that)."""

CLIPPED = 1e-4
"""Fraction of activations above the top of their range; the few largest would cost all others resolution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Largest activation kept of each layer but the last, and smallest and largest logit."""

    tops: tuple[float, ...]
    logit_low: float
    logit_high: float


def measure(network: FloatNetwork, pictures: Floats, batch: int = 32) -> Ranges:
    """The activation ranges over pictures [count, 96, 96, 1]. Layer by layer, so memory holds two layers."""
    activations = pictures
    tops: list[float] = []
    for layer in network.layers[:-1]:
        parts = [apply(layer, activations[start : start + batch]) for start in range(0, len(activations), batch)]
        activations = np.concatenate(parts)
        tops.append(_top(activations))
    result = apply(network.layers[-1], activations.mean(axis=(1, 2)))
    return Ranges(tops=tuple(tops), logit_low=float(result.min()), logit_high=float(result.max()))


def _top(activations: Floats) -> float:
    """The quantile 1 - CLIPPED of the positive activations, never zero."""
    flat = activations.ravel()
    keep = max(1, int(flat.size * CLIPPED))
    return max(float(np.partition(flat, flat.size - keep)[flat.size - keep]), 1e-3)


def quantise(network: FloatNetwork, ranges: Ranges, decision: Decision) -> IntegerNetwork:
    """The integer network; a pool stands before the dense layer."""
    shape = Shape(height=FRAME_SIDE, width=FRAME_SIDE, channels=network.input_channels)
    incoming = FRAME
    layers: list[IntegerLayer] = []
    for layer, top in zip(network.layers[:-1], ranges.tops, strict=True):
        outgoing = Quantisation(scale=float(np.float32(top / 255)), zero=-128)
        layers.append(_layer(layer, shape, incoming, outgoing))
        shape, incoming = layers[-1].output_shape, outgoing
    layers.append(_pool(shape, incoming))
    layers.append(_dense(network.layers[-1], layers[-1].output_shape, incoming, ranges))
    return IntegerNetwork(layers=tuple(layers), decision=decision)


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


def _dense(layer: FloatLayer, shape: Shape, incoming: Quantisation, ranges: Ranges) -> IntegerLayer:
    # Fully connected layers have one weight scale for the whole tensor: the form that every interpreter runs.
    largest = float(np.abs(layer.weights).max())
    scale = np.float32(largest / 127)
    weights = np.clip(np.rint(layer.weights / scale), -127, 127).astype(np.int8)
    bias = np.rint(layer.bias.astype(np.float64) / (incoming.scale * float(scale))).astype(np.int32)
    reach = max(abs(ranges.logit_low), abs(ranges.logit_high))
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
