"""Reads a TensorFlow Lite file into an integer network, and refuses by name whatever the detector cannot run.

The operators and their arithmetic are those of the TensorFlow Lite 8-bit quantisation specification. A file that is
read is one that the detector computes exactly as the reference interpreter does.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import tflite
from numpy.typing import NDArray

from firmware.model.errors import ModelError
from firmware.model.flatbuffer import DECISION
from firmware.model.network import (
    Bytes,
    Decision,
    Floats,
    IntegerLayer,
    IntegerNetwork,
    Operator,
    Quantisation,
    Shape,
    Words,
)

_OPERATOR_NAMES: dict[int, str] = {
    value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int) and name.isupper()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    type: int
    data: bytes
    scales: tuple[float, ...]
    zeros: tuple[int, ...]
    axis: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    model: tflite.Model
    graph: tflite.SubGraph
    name: str

    def refuse(self, message: str) -> NoReturn:
        raise ModelError(f"{self.name}: {message}")

    def tensor(self, index: int) -> _Tensor:
        tensor = self.graph.Tensors(index)
        name = _printable(tensor.Name())
        if tensor.ShapeLength() > 4 or (tensor.ShapeLength() and min(tensor.ShapeAsNumpy()) < 1):
            self.refuse(f"tensor {name}: its shape must be of 1 to 4 positive numbers")
        quantisation = tensor.Quantization()
        scales: tuple[float, ...] = ()
        zeros: tuple[int, ...] = ()
        if quantisation is not None and quantisation.ScaleLength():
            scales = tuple(float(value) for value in quantisation.ScaleAsNumpy())
            zeros = tuple(int(value) for value in quantisation.ZeroPointAsNumpy())
        return _Tensor(
            name=name,
            shape=tuple(int(value) for value in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else (),
            type=int(tensor.Type()),
            data=_buffer(self.model, int(tensor.Buffer())),
            scales=scales,
            zeros=zeros,
            axis=int(quantisation.QuantizedDimension()) if quantisation is not None else 0,
        )

    def activation(self, index: int) -> tuple[Shape, Quantisation]:
        tensor = self.tensor(index)
        if tensor.type != tflite.TensorType.INT8:
            self.refuse(f"tensor {tensor.name}: activations must be int8")
        if len(tensor.scales) != 1 or len(tensor.zeros) != 1:
            self.refuse(f"tensor {tensor.name}: activations must have one scale and one zero point")
        if not tensor.shape or tensor.shape[0] != 1 or len(tensor.shape) not in (2, 4):
            self.refuse(f"tensor {tensor.name}: shape {list(tensor.shape)} is neither [1, n] nor [1, h, w, c]")
        sides = tensor.shape[1:] if len(tensor.shape) == 4 else (1, 1, tensor.shape[1])
        shape = Shape(height=sides[0], width=sides[1], channels=sides[2])
        return shape, Quantisation(scale=tensor.scales[0], zero=tensor.zeros[0])


def read_tflite(data: bytes, name: str) -> IntegerNetwork:
    """The network in `data`; `name` is for messages. Raises ModelError, one line."""
    try:
        return _read(data, name)
    except (struct.error, IndexError, ValueError, AttributeError, TypeError, UnicodeDecodeError) as error:
        # The generated accessors follow offsets without checking them: a damaged file shows as any of these.
        raise ModelError(f"{name}: not a readable TensorFlow Lite file ({type(error).__name__})") from error


def _read(data: bytes, name: str) -> IntegerNetwork:
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise ModelError(f"{name}: not a TensorFlow Lite file: identifier TFL3 is missing")
    model = tflite.Model.GetRootAs(data, 0)
    if model.SubgraphsLength() != 1:
        raise ModelError(f"{name}: {model.SubgraphsLength()} subgraphs instead of 1")
    file = _File(model=model, graph=model.Subgraphs(0), name=name)
    graph = file.graph
    if graph.InputsLength() != 1 or graph.OutputsLength() != 1 or not graph.OperatorsLength():
        file.refuse("must have one input, one output and at least one operator")
    layers = _layers(file)
    return IntegerNetwork(layers=layers, decision=_decision(file, layers[-1].output_shape.channels))


def _printable(name: bytes) -> str:
    """A name for a message of one line, whatever the file holds."""
    text = name[:80].decode("ascii", "replace")
    return "".join(character if character.isprintable() else "?" for character in text)


def _buffer(model: tflite.Model, index: int) -> bytes:
    buffer = model.Buffers(index)
    return bytes(buffer.DataAsNumpy().tobytes()) if buffer is not None and buffer.DataLength() else b""


def _decision(file: _File, outputs: int) -> Decision:
    texts = [
        _buffer(file.model, int(entry.Buffer()))
        for entry in (file.model.Metadata(index) for index in range(file.model.MetadataLength()))
        if entry.Name() == DECISION.encode()
    ]
    if len(texts) != 1:
        file.refuse(f"metadata {DECISION} is missing or repeated: which output is the person, and the threshold")
    entry = json.loads(texts[0])
    if not isinstance(entry, dict) or set(entry) != {"person", "threshold"}:
        file.refuse(f"metadata {DECISION} must hold person and threshold")
    person, threshold = entry["person"], entry["threshold"]
    if outputs != 2 or person not in (0, 1) or type(threshold) is not int or not -255 <= threshold <= 255:
        file.refuse(f"metadata {DECISION}: person is 0 or 1 of 2 outputs, threshold an integer from -255 to 255")
    return Decision(person=person, threshold=threshold)


def _layers(file: _File) -> tuple[IntegerLayer, ...]:
    current = int(file.graph.Inputs(0))
    layers: list[IntegerLayer] = []
    for number in range(file.graph.OperatorsLength()):
        operator = file.graph.Operators(number)
        kind = _operator_name(file, operator)
        if not operator.InputsLength() or int(operator.Inputs(0)) != current or operator.OutputsLength() != 1:
            file.refuse(f"operator {number} {kind}: the network must be one chain")
        current = int(operator.Outputs(0))
        last = number == file.graph.OperatorsLength() - 1
        if kind == "SOFTMAX" and last and layers and layers[-1].operator is Operator.DENSE:
            continue  # monotonic in the difference of the two logits, on which the threshold acts
        if kind == "RESHAPE":
            _check_reshape(file, number, operator)
            continue
        layers.append(_layer(file, number, kind, operator))
    if current != int(file.graph.Outputs(0)) or not layers or layers[-1].operator is not Operator.DENSE:
        file.refuse("the network must end with FULLY_CONNECTED, with or without SOFTMAX")
    return tuple(layers)


def _operator_name(file: _File, operator: tflite.Operator) -> str:
    code = file.model.OperatorCodes(operator.OpcodeIndex())
    # Files from before operator 127 hold the code in the older, 8-bit field alone.
    value = max(int(code.BuiltinCode()), int(code.DeprecatedBuiltinCode()))
    return _OPERATOR_NAMES.get(value, f"number {value}")


def _check_reshape(file: _File, number: int, operator: tflite.Operator) -> None:
    """Allowed only where it changes nothing in memory and no kernel could notice: of one pixel."""
    source, before = file.activation(int(operator.Inputs(0)))
    target, after = file.activation(int(operator.Outputs(0)))
    if before != after or source != target or source.size != source.channels:
        file.refuse(f"operator {number} RESHAPE: only from [1, 1, 1, n] to [1, n], the quantisation kept")


def _layer(file: _File, number: int, kind: str, operator: tflite.Operator) -> IntegerLayer:
    where = f"operator {number} {kind}"
    readers = {
        "CONV_2D": _convolution,
        "DEPTHWISE_CONV_2D": _depthwise,
        "AVERAGE_POOL_2D": _pool,
        "FULLY_CONNECTED": _dense,
    }
    if kind not in readers:
        file.refuse(f"{where}: the detector has no such operator")
    return readers[kind](file, where, operator)


def _convolution(file: _File, where: str, operator: tflite.Operator) -> IntegerLayer:
    options = tflite.Conv2DOptions()
    _options(file, where, operator, options)
    weights = file.tensor(int(operator.Inputs(1)))
    if len(weights.shape) != 4 or weights.shape[1:3] not in ((1, 1), (3, 3)):
        file.refuse(f"{where}: the kernel must be 1x1 or 3x3, not {list(weights.shape)}")
    layer = _weighted(file, where, operator, channel_axis=0, activation=options.FusedActivationFunction())
    stride = _stride(file, where, options)
    if weights.shape[1:3] == (1, 1):
        if stride != 1:
            file.refuse(f"{where}: a 1x1 convolution must have stride 1")
        layer = replace(layer, operator=Operator.POINTWISE)
    layer = replace(layer, stride=stride)
    _check_padding(file, where, layer, options, weights.shape[1])
    if weights.shape[3] != layer.input_shape.channels:
        file.refuse(f"{where}: grouped convolution ({weights.shape[3]} of {layer.input_shape.channels} channels)")
    return layer


def _depthwise(file: _File, where: str, operator: tflite.Operator) -> IntegerLayer:
    options = tflite.DepthwiseConv2DOptions()
    _options(file, where, operator, options)
    weights = file.tensor(int(operator.Inputs(1)))
    layer = _weighted(file, where, operator, channel_axis=3, activation=options.FusedActivationFunction())
    layer = replace(layer, operator=Operator.DEPTHWISE, stride=_stride(file, where, options))
    if weights.shape != (1, 3, 3, layer.input_shape.channels):
        file.refuse(f"{where}: the kernel must be 3x3 with one output per channel, not {list(weights.shape)}")
    _check_padding(file, where, layer, options, 3)
    return layer


def _pool(file: _File, where: str, operator: tflite.Operator) -> IntegerLayer:
    options = tflite.Pool2DOptions()
    _options(file, where, operator, options)
    source, incoming = file.activation(int(operator.Inputs(0)))
    target, outgoing = file.activation(int(operator.Outputs(0)))
    window = (options.FilterHeight(), options.FilterWidth())
    if window != (source.height, source.width) or target != Shape(height=1, width=1, channels=source.channels):
        file.refuse(f"{where}: only a pool over the whole picture, not {window[0]}x{window[1]}")
    if incoming != outgoing or options.FusedActivationFunction() != tflite.ActivationFunctionType.NONE:
        file.refuse(f"{where}: must keep the quantisation and have no activation")
    return IntegerLayer(
        operator=Operator.POOL,
        stride=1,
        input_shape=source,
        output_shape=target,
        input=incoming,
        output=outgoing,
        minimum=-128,
        maximum=127,
        weights=np.zeros(0, np.int8),
        weight_scales=np.zeros(0, np.float32),
        bias=np.zeros(0, np.int32),
    )


def _dense(file: _File, where: str, operator: tflite.Operator) -> IntegerLayer:
    options = tflite.FullyConnectedOptions()
    _options(file, where, operator, options)
    weights = file.tensor(int(operator.Inputs(1)))
    layer = _weighted(file, where, operator, channel_axis=0, activation=options.FusedActivationFunction())
    if weights.shape != (layer.output_shape.channels, layer.input_shape.size) or options.WeightsFormat() != 0:
        file.refuse(f"{where}: weights {list(weights.shape)} do not fit {layer.input_shape.size} inputs")
    if layer.input_shape.height != 1 or layer.input_shape.width != 1:
        file.refuse(f"{where}: only after a pool over the whole picture")
    if len(weights.scales) != 1:
        file.refuse(f"{where}: weights must have one scale")
    return layer


def _options(file: _File, where: str, operator: tflite.Operator, options: object) -> None:
    table = operator.BuiltinOptions()
    if table is None or operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, type(options).__name__):
        file.refuse(f"{where}: its options are missing")
    options.Init(table.Bytes, table.Pos)  # type: ignore[attr-defined]


def _stride(file: _File, where: str, options: tflite.Conv2DOptions | tflite.DepthwiseConv2DOptions) -> int:
    stride = int(options.StrideH())
    if stride != options.StrideW() or stride not in (1, 2):
        file.refuse(f"{where}: strides must be equal, and 1 or 2")
    if options.DilationHFactor() != 1 or options.DilationWFactor() != 1:
        file.refuse(f"{where}: dilation is not supported")
    return stride


def _check_padding(
    file: _File,
    where: str,
    layer: IntegerLayer,
    options: tflite.Conv2DOptions | tflite.DepthwiseConv2DOptions,
    kernel: int,
) -> None:
    if kernel != 1 and options.Padding() != tflite.Padding.SAME:
        file.refuse(f"{where}: padding must be SAME")
    expected = (-(-layer.input_shape.height // layer.stride), -(-layer.input_shape.width // layer.stride))
    if (layer.output_shape.height, layer.output_shape.width) != expected:
        file.refuse(f"{where}: output shape does not follow from input shape and stride")


def _weighted(
    file: _File, where: str, operator: tflite.Operator, *, channel_axis: int, activation: int
) -> IntegerLayer:
    if operator.InputsLength() != 3 or int(operator.Inputs(2)) < 0:
        file.refuse(f"{where}: needs weights and a bias")
    source, incoming = file.activation(int(operator.Inputs(0)))
    target, outgoing = file.activation(int(operator.Outputs(0)))
    tensor = file.tensor(int(operator.Inputs(1)))
    weights, scales = _weights(file, where, tensor, channel_axis, target.channels)
    minimum, maximum = _limits(file, where, activation, outgoing)
    return IntegerLayer(
        operator=Operator.DENSE if len(tensor.shape) == 2 else Operator.CONVOLUTION,
        stride=1,
        input_shape=source,
        output_shape=target,
        input=incoming,
        output=outgoing,
        minimum=minimum,
        maximum=maximum,
        weights=weights,
        weight_scales=scales,
        bias=_bias(file, where, int(operator.Inputs(2)), target.channels),
    )


def _weights(file: _File, where: str, tensor: _Tensor, axis: int, channels: int) -> tuple[Bytes, Floats]:
    if tensor.type != tflite.TensorType.INT8 or any(tensor.zeros):
        file.refuse(f"{where}: weights must be int8 with zero point 0")
    if len(tensor.scales) not in (1, channels) or (len(tensor.scales) > 1 and tensor.axis != axis):
        file.refuse(f"{where}: weights must have one scale, or one per output channel")
    if axis >= len(tensor.shape) or tensor.shape[axis] != channels:
        file.refuse(f"{where}: weights {list(tensor.shape)} do not give {channels} channels")
    weights: NDArray[np.int8] = np.frombuffer(tensor.data, np.int8)
    if weights.size != int(np.prod(tensor.shape)):
        file.refuse(f"{where}: the weights are not constants of the file")
    scales = np.broadcast_to(np.asarray(tensor.scales, np.float32), channels).copy()
    if not np.all(np.isfinite(scales)) or np.any(scales <= 0):
        file.refuse(f"{where}: a weight scale is not a positive number")
    return weights.reshape(tensor.shape), scales


def _bias(file: _File, where: str, index: int, channels: int) -> Words:
    tensor = file.tensor(index)
    bias = np.frombuffer(tensor.data, "<i4") if len(tensor.data) % 4 == 0 else np.zeros(0, np.int32)
    if tensor.type != tflite.TensorType.INT32 or bias.size != channels:
        file.refuse(f"{where}: the bias must be {channels} constants of 32 bits")
    return bias.astype(np.int32)


def _limits(file: _File, where: str, activation: int, outgoing: Quantisation) -> tuple[int, int]:
    if not np.isfinite(outgoing.scale) or outgoing.scale <= 0 or not -128 <= outgoing.zero <= 127:
        file.refuse(f"{where}: the output's scale or zero point is out of range")
    if activation not in (tflite.ActivationFunctionType.NONE, tflite.ActivationFunctionType.RELU):
        file.refuse(f"{where}: the activation must be none or ReLU")
    return (-128 if activation == tflite.ActivationFunctionType.NONE else outgoing.zero), 127
