"""The networks that the pipeline passes from step to step: in floating point, and in 8-bit integers.

Arrays use the layouts of TensorFlow Lite, so that nothing is transposed between steps: activations are
[batch, height, width, channels]; weights are [output, height, width, input] for a convolution,
[1, height, width, channels] for a depthwise one and [output, input] for a fully connected layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]
Words = NDArray[np.int32]

FRAME_SIDE = 96
"""Rows and columns of a frame, in pixels."""

# (input channels, output channels, stride) of the 13 separable blocks of MobileNetV1 at width 0.25.
BLOCKS = (
    (8, 16, 1),
    (16, 32, 2),
    (32, 32, 1),
    (32, 64, 2),
    (64, 64, 1),
    (64, 128, 2),
    (128, 128, 1),
    (128, 128, 1),
    (128, 128, 1),
    (128, 128, 1),
    (128, 128, 1),
    (128, 256, 2),
    (256, 256, 1),
)


class Operator(StrEnum):
    """The operators that the detector runs."""

    CONVOLUTION = "convolution"
    DEPTHWISE = "depthwise"
    POINTWISE = "pointwise"
    POOL = "pool"
    MAXIMUM = "maximum"
    DENSE = "dense"


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatLayer:
    """One layer with batch normalisation folded in. All but the dense layer are followed by ReLU."""

    operator: Operator
    stride: int
    weights: Floats
    bias: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatNetwork:
    """Layers in order; the average pool before the dense layer is implied. Input: pixels 0 to 255, unscaled."""

    layers: tuple[FloatLayer, ...]

    @property
    def input_channels(self) -> int:
        """1 for grey, 3 for red, green and blue."""
        return int(self.layers[0].weights.shape[3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantisation:
    """How one integer tensor stands for real numbers: real = scale * (integer - zero)."""

    scale: float
    zero: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Rows, columns and channels of one activation tensor."""

    height: int
    width: int
    channels: int

    @property
    def size(self) -> int:
        """Elements, which are bytes."""
        return self.height * self.width * self.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a layer looks at for one output: rows and columns under its kernel, steps, and padding above and left."""

    height: int
    width: int
    row_step: int
    column_step: int
    top: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerLayer:
    """One layer in 8-bit integers. `weight_scales` has one entry per output channel; a pool has no weights.

    `window` is None where the operator says enough: 3x3 with `stride` and SAME padding for the two convolutions, 1x1
    for the pointwise one, the whole picture for a pool.
    """

    operator: Operator
    stride: int
    input_shape: Shape
    output_shape: Shape
    input: Quantisation
    output: Quantisation
    minimum: int
    maximum: int
    weights: Bytes
    weight_scales: Floats
    bias: Words
    window: Window | None = None

    @property
    def looks_at(self) -> Window:
        """The window, stated or implied."""
        if self.window is not None:
            return self.window
        height, width = 3, 3
        if self.operator in (Operator.POINTWISE, Operator.DENSE):
            height, width = 1, 1
        elif self.operator in (Operator.POOL, Operator.MAXIMUM):
            height, width = self.input_shape.height, self.input_shape.width
        return Window(
            height=height,
            width=width,
            row_step=self.stride,
            column_step=self.stride,
            top=padding(self.input_shape.height, height, self.stride)[0],
            left=padding(self.input_shape.width, width, self.stride)[0],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An output that is reported when it is at least `threshold` integer steps above all other outputs."""

    output: int
    threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Person when logit[person] - logit[other] >= threshold, in steps of the integer output of the dense layer.

    `others` are further outputs that are reported, each for itself, by a network of more than two.
    """

    person: int
    threshold: int
    others: tuple[Report, ...] = ()

    @property
    def reports(self) -> tuple[Report, ...]:
        """All that is reported, in order."""
        return (Report(output=self.person, threshold=self.threshold), *self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerNetwork:
    """Layers in order, from the frame to the integer logits, and how the bits are made from those."""

    layers: tuple[IntegerLayer, ...]
    decision: Decision


def padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zero samples before and after an axis of `size` under SAME padding (TensorFlow's rule)."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def patches(activations: Floats, kernel: int, stride: int) -> Floats:
    """Every window of a SAME-padded tensor: [batch, rows, columns, kernel, kernel, channels]."""
    rows = padding(activations.shape[1], kernel, stride)
    columns = padding(activations.shape[2], kernel, stride)
    padded = np.pad(activations, ((0, 0), rows, columns, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))
    return np.moveaxis(windows[:, ::stride, ::stride], 3, 5)


def apply_linear(layer: FloatLayer, activations: Floats) -> Floats:
    """One layer without its ReLU."""
    if layer.operator is Operator.DENSE:
        return activations @ layer.weights.T + layer.bias
    if layer.operator is Operator.POINTWISE:
        return activations @ layer.weights[:, 0, 0, :].T + layer.bias
    if layer.operator is Operator.CONVOLUTION:
        windows = patches(activations, layer.weights.shape[1], layer.stride)
        flat = windows.reshape(*windows.shape[:3], -1)
        return flat @ layer.weights.reshape(layer.weights.shape[0], -1).T + layer.bias
    return _apply_depthwise(layer, activations)


def _apply_depthwise(layer: FloatLayer, activations: Floats) -> Floats:
    windows = patches(activations, 3, layer.stride)
    result = np.broadcast_to(layer.bias, (*windows.shape[:3], windows.shape[5])).copy()
    for row in range(3):
        for column in range(3):
            result += windows[:, :, :, row, column, :] * layer.weights[0, row, column]
    return result


def apply(layer: FloatLayer, activations: Floats) -> Floats:
    """One layer with its ReLU, if it has one."""
    result = apply_linear(layer, activations)
    return result if layer.operator is Operator.DENSE else np.maximum(result, np.float32(0))


def logits(network: FloatNetwork, pictures: Floats) -> Floats:
    """[batch, 2] from [batch, 96, 96, channels] with pixels 0 to 255."""
    activations = pictures
    for layer in network.layers[:-1]:
        activations = apply(layer, activations)
    return apply(network.layers[-1], activations.mean(axis=(1, 2)))
