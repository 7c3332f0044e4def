"""An integer network as C constants: firmware/network/model.h has the meaning of each field.

The bytes of the compiled object are computed here as well, so that a declaration can state their digest before anything
is compiled, and a test can compare them with the section of the image.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firmware.model.errors import ModelError
from firmware.model.network import IntegerLayer, IntegerNetwork, Operator
from firmware.model.plan import MAXIMUM_KERNEL, SLACK, Plan, Tensor, plan, window_of

STORED_OFFSET = 128
"""Stored value less TensorFlow Lite's integer: tensors are unsigned on the device."""

MAXIMUM_SUM = (1 << 30) - 1
"""Largest magnitude of an accumulator: 32 bits also hold it doubled, rounded and with a zero point added."""

_COPY = 4
_OPERATIONS = {
    Operator.CONVOLUTION: 0,
    Operator.POINTWISE: 0,
    Operator.DENSE: 0,
    Operator.DEPTHWISE: 1,
    Operator.POOL: 2,
    Operator.MAXIMUM: 3,
}
_POOLS = (Operator.POOL, Operator.MAXIMUM)
_TENSOR = struct.Struct("<I6HB3x")
_LAYER = struct.Struct("<10BH3I")
_DECISION = struct.Struct("<Ii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """value * 2**-31 * 2**-shift, value from 2**30 to 2**31 - 1, or 0; shift 0 to 31."""

    value: int
    shift: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the linker script leaves a network: bytes of flash for its constants and of memory for its arena."""

    flash: int
    memory: int

    @staticmethod
    def of(script: Path | None) -> Room | None:
        """As the linker script has them: the length of MODEL_FLASH and layout_arena_size."""
        if script is None:
            return None
        try:
            text = script.read_text("utf-8")
        except OSError as error:
            raise ModelError(f"{script}: {error.strerror}") from error
        flash = re.search(r"^\s*MODEL_FLASH\b.*\bLENGTH = (\d+)K", text, re.MULTILINE)
        memory = re.search(r"^layout_arena_size = (\d+);", text, re.MULTILINE)
        if flash is None or memory is None:
            raise ModelError(f"{script}: must state LENGTH of MODEL_FLASH in K, and layout_arena_size")
        return Room(flash=int(flash[1]) * 1024, memory=int(memory[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """The header and the source, the bytes that the object `kModel` must have in the image, and those of the arena."""

    header: str
    source: str
    data: bytes
    arena: int


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


def generate(network: IntegerNetwork, name: str, room: Room | None = None) -> Generated:
    """`name` is the file that the network came from, for messages and the comment. Raises ModelError."""
    for number, layer in enumerate(network.layers):
        _check(layer, f"{name}: layer {number} {layer.operator.value}")
    try:
        layout = plan(network.layers)
        tables = _tables(network, layout)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error
    data = _bytes(tables)
    if room is not None:
        _check_room(name, room, len(data), layout.size)
    header = _header(network, layout, tables)
    return Generated(header=header, source=_source(name, tables), data=data, arena=layout.size)


def _check_room(name: str, room: Room, flash: int, memory: int) -> None:
    """Refuses a network that is too large, and says by how much."""
    if memory > room.memory:
        raise ModelError(
            f"{name}: its tensors need {memory} bytes of memory, {memory - room.memory} more than the {room.memory} of "
            "the arena: make the early layers smaller, or the arena in the linker script larger"
        )
    if flash > room.flash:
        raise ModelError(
            f"{name}: its constants need {flash} bytes of flash, {flash - room.flash} more than the {room.flash} of "
            "the model's place: make the late layers smaller"
        )


def _check(layer: IntegerLayer, where: str) -> None:
    """Refuses by name what the kernels' integers cannot hold."""
    window = layer.looks_at
    if max(window.height, window.width) > MAXIMUM_KERNEL:
        raise ModelError(f"{where}: a window of {window.height}x{window.width}; at most {MAXIMUM_KERNEL} a side")
    if layer.operator in _POOLS:
        return
    if layer.operator is Operator.DEPTHWISE and layer.output_shape.channels > 255 * layer.input_shape.channels:
        raise ModelError(f"{where}: more than 255 outputs for each input channel")
    if _reach(layer) > MAXIMUM_SUM:
        raise ModelError(f"{where}: an accumulator could reach {_reach(layer)}; at most {MAXIMUM_SUM}")


def _channel_axis(layer: IntegerLayer) -> int:
    return 3 if layer.operator is Operator.DEPTHWISE else 0


def _weight_sums(layer: IntegerLayer, weights: NDArray[np.int64]) -> NDArray[np.int64]:
    axis = _channel_axis(layer)
    sums: NDArray[np.int64] = weights.sum(axis=tuple(index for index in range(weights.ndim) if index != axis))
    return sums


def _bias(layer: IntegerLayer) -> NDArray[np.int64]:
    """The bias less the part that the stored zero of the input has in each sum: kernels add up stored values."""
    zero = layer.input.zero + STORED_OFFSET
    return layer.bias.astype(np.int64) - zero * _weight_sums(layer, layer.weights.astype(np.int64))


def _reach(layer: IntegerLayer) -> int:
    """Largest magnitude that an accumulator can take, over all inputs and channels and on the way."""
    sums = _weight_sums(layer, np.abs(layer.weights.astype(np.int64))) * 255
    return int((sums + np.maximum(np.abs(_bias(layer)), np.abs(layer.bias.astype(np.int64)))).max())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tables:
    decisions: tuple[tuple[int, ...], ...]
    tensors: tuple[tuple[int, ...], ...]
    layers: tuple[tuple[int, ...], ...]
    bias: tuple[int, ...]
    multiplier: tuple[int, ...]
    shift: tuple[int, ...]
    outside: tuple[int, ...]
    weights: tuple[int, ...]


def _tables(network: IntegerNetwork, layout: Plan) -> _Tables:
    rows: list[tuple[int, ...]] = []
    bias: list[int] = []
    factors: list[Multiplier] = []
    weights: list[int] = []
    outside, places = _outside(layout)
    for layer, tensor in zip(layout.layers, layout.tensors[:-1], strict=True):
        rows.append(_row(layer, tensor, places.get(tensor.zero, 0), len(bias), len(weights)))
        if layer is None or layer.operator in _POOLS:
            continue
        bias.extend(int(value) for value in _bias(layer))
        factors.extend(multipliers(layer))
        if len(bias) % 2:  # kernels take channels by pairs
            bias.append(0)
            factors.append(Multiplier(value=0, shift=0))
        weights.extend(_padded(_arranged(layer)))
    # Each table ends on a word, as the compiler lays them out with these lengths.
    return _Tables(
        decisions=tuple((report.output, report.threshold) for report in network.decision.reports),
        tensors=tuple(_tensor_row(tensor) for tensor in layout.tensors),
        layers=tuple(rows),
        bias=tuple(bias),
        multiplier=tuple(factor.value for factor in factors),
        shift=_padded([factor.shift for factor in factors]),
        outside=outside,
        weights=tuple(weights),
    )


def _outside(layout: Plan) -> tuple[tuple[int, ...], dict[int, int]]:
    """Rows of zero points, one for each that occurs, as long as the longest row; and where each begins."""
    length = max(tensor.pitch for tensor in layout.tensors[:-1]) + SLACK
    values: list[int] = []
    places: dict[int, int] = {}
    for layer, tensor in zip(layout.layers, layout.tensors[:-1], strict=True):
        needed = layer is not None and layer.operator not in _POOLS and layer.looks_at.height > 1
        if needed and tensor.zero not in places:
            places[tensor.zero] = len(values)
            values.extend([tensor.zero] * length)
    return _padded(values or [0]), places


def _arranged(layer: IntegerLayer) -> list[int]:
    """Weights in the order of the kernels, padded with zeros as network/model.h has it."""
    if layer.operator is Operator.DEPTHWISE:
        return [int(value) for value in layer.weights.ravel()]
    channels = len(layer.weights)
    rows = 1 if layer.operator is Operator.DENSE else layer.weights.shape[1]
    runs = layer.weights.reshape(channels, rows, -1)
    padded = np.pad(runs, ((0, channels % 2), (0, 0), (0, -runs.shape[2] % 4)))
    words = padded.reshape(-1, 2, rows, padded.shape[2] // 4, 4)
    return [int(value) for value in words.transpose(0, 2, 3, 1, 4).ravel()]


def _padded(values: list[int]) -> tuple[int, ...]:
    return tuple(values + [0] * (-len(values) % 4))


def _tensor_row(tensor: Tensor) -> tuple[int, ...]:
    shape = tensor.shape
    return (
        tensor.offset,
        shape.height,
        shape.width,
        shape.channels,
        tensor.rows,
        tensor.pitch,
        tensor.lead,
        tensor.zero,
    )


def _row(layer: IntegerLayer | None, tensor: Tensor, outside: int, channel: int, weight: int) -> tuple[int, ...]:
    window = window_of(layer)
    operation, minimum, maximum, multiple, run = _COPY, 0, 255, 1, 0
    if layer is not None:
        operation = _OPERATIONS[layer.operator]
        minimum, maximum = layer.minimum + STORED_OFFSET, layer.maximum + STORED_OFFSET
    if layer is not None and layer.operator is Operator.DEPTHWISE:
        multiple = layer.output_shape.channels // layer.input_shape.channels
    if operation == _OPERATIONS[Operator.CONVOLUTION] and layer is not None:
        dense = layer.operator is Operator.DENSE
        run = layer.input_shape.size if dense else window.width * layer.input_shape.channels
    sides = (window.height, window.width, window.row_step, window.column_step, window.top, window.left)
    return (operation, *sides, minimum, maximum, multiple, outside, run, channel, weight)


def _bytes(tables: _Tables) -> bytes:
    return b"".join(
        (
            *(_DECISION.pack(*row) for row in tables.decisions),
            *(_TENSOR.pack(*row) for row in tables.tensors),
            *(_LAYER.pack(*row) for row in tables.layers),
            np.asarray(tables.bias, "<i4").tobytes(),
            np.asarray(tables.multiplier, "<i4").tobytes(),
            bytes(tables.shift),
            bytes(tables.outside),
            np.asarray(tables.weights, np.int8).tobytes(),
        )
    )


def _header(network: IntegerNetwork, layout: Plan, tables: _Tables) -> str:
    return f"""/* Generated by firmware/model; do not edit. */
#ifndef NETWORK_MODEL_DATA_H
#define NETWORK_MODEL_DATA_H

#include "model.h"

enum {{
    kModelLayers = {len(tables.layers)},
    kModelTensors = {len(tables.tensors)},
    kModelDecisions = {len(tables.decisions)},
    kModelChannels = {len(tables.bias)}, /* output channels of all layers with weights, of each an even number */
    kModelShifts = {len(tables.shift)}, /* the same, rounded up to a word */
    kModelOutside = {len(tables.outside)}, /* bytes */
    kModelWeights = {len(tables.weights)}, /* bytes, rounded up to a word */
    kModelOutputs = {network.layers[-1].output_shape.size},
    kModelInputBytes = {network.layers[0].input_shape.size},
    kArenaBytes = {layout.size},
}};

typedef struct {{
    decision_t decisions[kModelDecisions];
    tensor_t tensors[kModelTensors];
    layer_t layers[kModelLayers];
    int32_t bias[kModelChannels];
    int32_t multiplier[kModelChannels];
    uint8_t shift[kModelShifts];
    uint8_t outside[kModelOutside]; /* rows of zero points */
    int8_t weights[kModelWeights];
}} model_t;

_Static_assert(sizeof(model_t) == 8 * kModelDecisions + 20 * kModelTensors + 24 * kModelLayers + 8 * kModelChannels +
                                      kModelShifts + kModelOutside + kModelWeights,
               "the generator computes the bytes without gaps");

extern const model_t kModel;

#endif
"""


def _source(name: str, tables: _Tables) -> str:
    parts = [
        f"/* Generated by firmware/model from {name}; do not edit. */",
        "/* Whose weights these are, and under which licence: see NOTICE. */",
        '#include "model_data.h"',
        "",
        '__attribute__((section(".model"), aligned(16))) const model_t kModel = {',
        *_rows("decisions", tables.decisions),
        *_rows("tensors", [(*row, (0,)) for row in tables.tensors]),
        *_rows("layers", tables.layers),
        *_array("bias", tables.bias),
        *_array("multiplier", tables.multiplier),
        *_array("shift", tables.shift),
        *_array("outside", tables.outside),
        *_array("weights", tables.weights),
        "};",
        "",
    ]
    return "\n".join(parts)


def _rows(name: str, rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    yield f"    .{name} = {{"
    for row in rows:
        yield "        {" + ", ".join("{0}" if value == (0,) else str(value) for value in row) + "},"
    yield "    },"


def _array(name: str, values: Iterable[int]) -> Iterator[str]:
    yield f"    .{name} = {{"
    numbers = [str(value) for value in values]
    for start in range(0, len(numbers), 24):
        yield "        " + ", ".join(numbers[start : start + 24]) + ","
    yield "    },"
