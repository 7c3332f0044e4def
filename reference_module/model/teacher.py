"""The original network, trained on colour pictures by its authors, from the Keras file in their wheel."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from reference_module.model.errors import ModelError
from reference_module.model.network import BLOCKS, FloatLayer, FloatNetwork, Floats, Operator

_EPSILON = 1e-3
"""Keras' default of BatchNormalization, which the authors' model script does not change."""


def load_teacher(path: Path) -> FloatNetwork:
    """The colour network with its batch normalisations folded into the weights. Raises ModelError."""
    try:
        with h5py.File(path, "r") as file:
            return _network(file["model_weights"])
    except (OSError, KeyError) as error:
        raise ModelError(f"{path}: not the network that the wheel ships: {error}") from error


def _network(group: h5py.Group) -> FloatNetwork:
    layers = [_folded(group, Operator.CONVOLUTION, "conv2d", 0, 0, 2)]
    for index, (_, _, stride) in enumerate(BLOCKS):
        layers.append(_folded(group, Operator.DEPTHWISE, "depthwise_conv2d", index, 2 * index + 1, stride))
        layers.append(_folded(group, Operator.POINTWISE, "conv2d", index + 1, 2 * index + 2, 1))
    dense = FloatLayer(
        operator=Operator.DENSE,
        stride=1,
        weights=np.ascontiguousarray(_values(group, "dense", "kernel:0").T),
        bias=_values(group, "dense", "bias:0"),
    )
    return FloatNetwork(layers=(*layers, dense))


def _name(base: str, index: int) -> str:
    return base if index == 0 else f"{base}_{index}"


def _values(group: h5py.Group, layer: str, name: str) -> Floats:
    return np.asarray(group[layer][layer][name], np.float32)


def _folded(group: h5py.Group, operator: Operator, base: str, index: int, norm: int, stride: int) -> FloatLayer:
    """One convolution and the batch normalisation behind it, as one convolution."""
    name, norm_name = _name(base, index), _name("batch_normalization", norm)
    mean = _values(group, norm_name, "moving_mean:0")
    variance = _values(group, norm_name, "moving_variance:0")
    factor = _values(group, norm_name, "gamma:0") / np.sqrt(variance + _EPSILON)
    bias = (_values(group, name, "bias:0") - mean) * factor + _values(group, norm_name, "beta:0")
    if operator is Operator.DEPTHWISE:
        kernel = _values(group, name, "depthwise_kernel:0")  # [3, 3, channel, 1]
        weights = kernel[None, :, :, :, 0] * factor
    else:
        kernel = _values(group, name, "kernel:0")  # [height, width, input, output]
        weights = (kernel * factor).transpose(3, 0, 1, 2)
    return FloatLayer(
        operator=operator,
        stride=stride,
        weights=np.ascontiguousarray(weights, np.float32),
        bias=bias.astype(np.float32),
    )
