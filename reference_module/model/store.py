"""The floating-point network between two commands: an .npz of its layers in order."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reference_module.model.errors import ModelError
from reference_module.model.network import BLOCKS, FloatLayer, FloatNetwork, Operator


def save(network: FloatNetwork, path: Path) -> None:
    """Writes weights_N and bias_N of each layer."""
    arrays = {f"weights_{number}": layer.weights for number, layer in enumerate(network.layers)}
    arrays |= {f"bias_{number}": layer.bias for number, layer in enumerate(network.layers)}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, allow_pickle=False, **arrays)


def load(path: Path) -> FloatNetwork:
    """Reads what `save` wrote. Raises ModelError."""
    kinds = [(Operator.CONVOLUTION, 2)]
    for _, _, stride in BLOCKS:
        kinds += [(Operator.DEPTHWISE, stride), (Operator.POINTWISE, 1)]
    kinds.append((Operator.DENSE, 1))
    try:
        with np.load(path, allow_pickle=False) as file:
            layers = tuple(
                FloatLayer(
                    operator=operator,
                    stride=stride,
                    weights=file[f"weights_{number}"],
                    bias=file[f"bias_{number}"],
                )
                for number, (operator, stride) in enumerate(kinds)
            )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}: cannot be read (run the command before this one): {error}") from error
    return FloatNetwork(layers=layers)
