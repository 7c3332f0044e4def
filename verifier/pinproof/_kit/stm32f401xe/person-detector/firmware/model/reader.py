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
    Report,
    Shape,
    Window,
    Words,
    padding,
)

MAXIMUM_SIDE = 64
"""Rows or columns under a kernel, and of a step."""

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
        if not tensor.shape or tensor.shape[0] != 1 or len(tensor.shape) not in (2, 3, 4):
            self.refuse(f"tensor {tensor.name}: shape {list(tensor.shape)} is not [1, n], [1, h, w] or [1, h, w, c]")
        sides = {2: (1, 1, *tensor.shape[1:]), 3: (*tensor.shape[1:], 1)}.get(len(tensor.shape), tensor.shape[1:])
        shape = Shape(height=sides[0], width=sides[1], channels=sides[2])
        return shape, Quantisation(scale=tensor.scales[0], zero=tensor.zeros[0])


def read_tflite(data: bytes, name: str, decision: str | None = None) -> IntegerNetwork:
    """The network in `data`; `name` is for messages. Raises ModelError, one line.

    `decision` is JSON as in the file's metadata, for a file that has none.
    """
    try:
        return _read(data, name, decision)
    except (struct.error, IndexError, ValueError, AttributeError, TypeError, UnicodeDecodeError) as error:
        # The generated accessors follow offsets without checking them: a damaged file shows as any of these.
        raise ModelError(f"{name}: not a readable TensorFlow Lite file ({type(error).__name__})") from error


def _read(data: bytes, name: str, decision: str | None) -> IntegerNetwork:
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
    return IntegerNetwork(layers=layers, decision=_decision(file, layers[-1].output_shape.channels, decision))


def _printable(name: bytes) -> str:
    """A name for a message of one line, whatever the file holds."""
    text = name[:80].decode("ascii", "replace")
    return "".join(character if character.isprintable() else "?" for character in text)


def _buffer(model: tflite.Model, index: int) -> bytes:
    buffer = model.Buffers(index)
    return bytes(buffer.DataAsNumpy().tobytes()) if buffer is not None and buffer.DataLength() else b""


def _decision(file: _File, outputs: int, given: str | None) -> Decision:
    texts: list[str | bytes] = [
        _buffer(file.model, int(entry.Buffer()))
        for entry in (file.model.Metadata(index) for index in range(file.model.MetadataLength()))
        if entry.Name() == DECISION.encode()
    ]
    if given is not None:
        texts = [given]
    if len(texts) != 1:
        file.refuse(f"metadata {DECISION} is missing or repeated: which outputs are reported, and their thresholds")
    try:
        entry = json.loads(texts[0])
    except ValueError:
        file.refuse(f"the decision is not JSON: {_printable(str(texts[0]).encode())}")
    if isinstance(entry, dict) and set(entry) == {"person", "threshold"} and outputs == 2:
        entry = {"reports": [{"output": entry["person"], "threshold": entry["threshold"]}]}
    if not isinstance(entry, dict) or set(entry) != {"reports"} or not isinstance(entry["reports"], list):
        file.refuse('the decision must be {"person": .., "threshold": ..}, with two outputs, or {"reports": [..]}')
    reports = tuple(_report(file, each, outputs) for each in entry["reports"])
    if not reports or len({report.output for report in reports}) != len(reports):
        file.refuse("the decision must report at least one output, and each once")
    return Decision(person=reports[0].output, threshold=reports[0].threshold, others=reports[1:])


def _report(file: _File, entry: object, outputs: int) -> Report:
    if not isinstance(entry, dict) or set(entry) != {"output", "threshold"}:
        file.refuse("the decision: each report holds output and threshold")
    output, threshold = entry["output"], entry["threshold"]
    if type(output) is not int or not 0 <= output < outputs:
        file.refuse(f"the decision: output must be from 0 to {outputs - 1}")
    if type(threshold) is not int or not -255 <= threshold <= 255:
        file.refuse("the decision: threshold must be an integer from -255 to 255")
    return Report(output=output, threshold=threshold)


def _layers(file: _File) -> tuple[IntegerLayer, ...]:
    current = int(file.graph.Inputs(0))
    begins = _operator_name(file, file.graph.Operators(0)) == "QUANTIZE"
    shape, _ = file.activation(int(file.graph.Operators(0).Outputs(0)) if begins else current)
    layers: list[IntegerLayer] = []
    for number in range(file.graph.OperatorsLength()):
        operator = file.graph.Operators(number)
        kind = _operator_name(file, operator)
        if not operator.InputsLength() or int(operator.Inputs(0)) != current or operator.OutputsLength() != 1:
            file.refuse(f"operator {number} {kind}: the network must be one chain")
        current = int(operator.Outputs(0))
        last = number == file.graph.OperatorsLength() - 1
        if kind == "QUANTIZE" and number == 0:
            continue  # the module's input is what it makes of its own
        if kind == "DEQUANTIZE" and last:
            continue
        if kind == "SOFTMAX" and _ends(file, number) and layers and layers[-1].operator is Operator.DENSE:
            continue  # monotonic in the differences of the logits, on which the thresholds act
        if kind == "RESHAPE":
            _check_reshape(file, number, operator, first=not layers)
            shape = shape if layers else file.activation(current)[0]
            continue
        layer = _layer(file, number, kind, operator)
        if layer.operator is Operator.DENSE:
            layer = replace(layer, input_shape=shape)  # as it was before it was flattened
        layers.append(layer)
        shape = layer.output_shape
    if current != int(file.graph.Outputs(0)) or not layers or layers[-1].operator is not Operator.DENSE:
        file.refuse("the network must end with FULLY_CONNECTED, with or without SOFTMAX")
    return tuple(layers)


def _ends(file: _File, number: int) -> bool:
    """Whether nothing computes behind this operator."""
    behind = range(number + 1, file.graph.OperatorsLength())
    return [_operator_name(file, file.graph.Operators(each)) for each in behind] in ([], ["DEQUANTIZE"])


def _operator_name(file: _File, operator: tflite.Operator) -> str:
    code = file.model.OperatorCodes(operator.OpcodeIndex())
    # Files from before operator 127 hold the code in the older, 8-bit field alone.
    value = max(int(code.BuiltinCode()), int(code.DeprecatedBuiltinCode()))
    return _OPERATOR_NAMES.get(value, f"number {value}")


def _check_reshape(file: _File, number: int, operator: tflite.Operator, *, first: bool) -> None:
    """Allowed where no kernel could notice: of the input, to one pixel, and of one."""
    source, before = file.activation(int(operator.Inputs(0)))
    target, after = file.activation(int(operator.Outputs(0)))
    if before != after or source.size != target.size or not (first or target.size == target.channels):
        file.refuse(f"operator {number} RESHAPE: only of the input or to [1, n], the quantisation kept")


def _layer(file: _File, number: int, kind: str, operator: tflite.Operator) -> IntegerLayer:
    where = f"operator {number} {kind}"
    readers = {
        "CONV_2D": _convolution,
        "DEPTHWISE_CONV_2D": _depthwise,
        "AVERAGE_POOL_2D": _average,
        "MAX_POOL_2D": _maximum,
        "FULLY_CONNECTED": _dense,
    }
    if kind not in readers:
        there = ", ".join([*readers, "RESHAPE", "SOFTMAX", "QUANTIZE"])
        file.refuse(f"{where}: there is no such operator here; there are {there} and DEQUANTIZE")
    return readers[kind](file, where, operator)


def _convolution(file: _File, where: str, operator: tflite.Operator) -> IntegerLayer:
    options = tflite.Conv2DOptions()
    _options(file, where, operator, options)
    weights = file.tensor(int(operator.Inputs(1)))
    if len(weights.shape) != 4:
        file.refuse(f"{where}: the kernel must be [outputs, rows, columns, inputs], not {list(weights.shape)}")
    layer = _weighted(file, where, operator, channel_axis=0, activation=options.FusedActivationFunction())
    if weights.shape[3] != layer.input_shape.channels:
        file.refuse(f"{where}: grouped convolution ({weights.shape[3]} of {layer.input_shape.channels} channels)")
    _refuse_dilation(file, where, options)
    window = _window(file, where, layer, options, weights.shape[1:3])
    if weights.shape[1:3] == (1, 1) and window.row_step == window.column_step == 1:
        return replace(layer, operator=Operator.POINTWISE, window=window)
    return replace(layer, stride=window.row_step, window=window)


def _depthwise(file: _File, where: str, operator: tflite.Operator) -> IntegerLayer:
    options = tflite.DepthwiseConv2DOptions()
    _options(file, where, operator, options)
    weights = file.tensor(int(operator.Inputs(1)))
    layer = _weighted(file, where, operator, channel_axis=3, activation=options.FusedActivationFunction())
    if len(weights.shape) != 4 or weights.shape[0] != 1 or weights.shape[3] % layer.input_shape.channels:
        file.refuse(
            f"{where}: the kernel must be [1, rows, columns, a multiple of the inputs], not {list(weights.shape)}"
        )
    _refuse_dilation(file, where, options)
    window = _window(file, where, layer, options, weights.shape[1:3])
    return replace(layer, operator=Operator.DEPTHWISE, stride=window.row_step, window=window)


def _average(file: _File, where: str, operator: tflite.Operator) -> IntegerLayer:
    return _pool(file, where, operator, Operator.POOL)


def _maximum(file: _File, where: str, operator: tflite.Operator) -> IntegerLayer:
    return _pool(file, where, operator, Operator.MAXIMUM)


def _pool(file: _File, where: str, operator: tflite.Operator, kind: Operator) -> IntegerLayer:
    options = tflite.Pool2DOptions()
    _options(file, where, operator, options)
    source, incoming = file.activation(int(operator.Inputs(0)))
    target, outgoing = file.activation(int(operator.Outputs(0)))
    if incoming != outgoing:
        file.refuse(f"{where}: must keep the quantisation")
    if target.channels != source.channels:
        file.refuse(f"{where}: must keep the channels")
    minimum, maximum = _limits(file, where, options.FusedActivationFunction(), outgoing)
    layer = IntegerLayer(
        operator=kind,
        stride=1,
        input_shape=source,
        output_shape=target,
        input=incoming,
        output=outgoing,
        minimum=minimum,
        maximum=maximum,
        weights=np.zeros(0, np.int8),
        weight_scales=np.zeros(0, np.float32),
        bias=np.zeros(0, np.int32),
    )
    window = _window(file, where, layer, options, (options.FilterHeight(), options.FilterWidth()))
    return replace(layer, stride=window.row_step, window=window)


def _dense(file: _File, where: str, operator: tflite.Operator) -> IntegerLayer:
    options = tflite.FullyConnectedOptions()
    _options(file, where, operator, options)
    weights = file.tensor(int(operator.Inputs(1)))
    layer = _weighted(file, where, operator, channel_axis=0, activation=options.FusedActivationFunction())
    target = layer.output_shape
    if target.height != 1 or target.width != 1:
        file.refuse(f"{where}: the output must be [1, n]")
    if weights.shape != (target.channels, layer.input_shape.size) or options.WeightsFormat() != 0:
        file.refuse(f"{where}: weights {list(weights.shape)} do not fit {layer.input_shape.size} inputs")
    if len(weights.scales) != 1:
        file.refuse(f"{where}: weights must have one scale")
    return replace(layer, operator=Operator.DENSE)


def _options(file: _File, where: str, operator: tflite.Operator, options: object) -> None:
    table = operator.BuiltinOptions()
    if table is None or operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, type(options).__name__):
        file.refuse(f"{where}: its options are missing")
    options.Init(table.Bytes, table.Pos)  # type: ignore[attr-defined]


def _refuse_dilation(file: _File, where: str, options: tflite.Conv2DOptions | tflite.DepthwiseConv2DOptions) -> None:
    if options.DilationHFactor() != 1 or options.DilationWFactor() != 1:
        file.refuse(f"{where}: dilation is not supported")


def _window(
    file: _File,
    where: str,
    layer: IntegerLayer,
    options: tflite.Conv2DOptions | tflite.DepthwiseConv2DOptions | tflite.Pool2DOptions,
    kernel: tuple[int, ...],
) -> Window:
    """Kernel, steps and padding; refuses an output shape that does not follow from them."""
    steps = (int(options.StrideH()), int(options.StrideW()))
    if min(*steps, *kernel) < 1 or max(*steps, *kernel) > MAXIMUM_SIDE:
        file.refuse(f"{where}: kernel {list(kernel)} and strides {list(steps)} must be from 1 to {MAXIMUM_SIDE}")
    sides = (layer.input_shape.height, layer.input_shape.width)
    if options.Padding() == tflite.Padding.SAME:
        expected = tuple(-(-side // step) for side, step in zip(sides, steps, strict=True))
        before = [padding(side, size, step)[0] for side, size, step in zip(sides, kernel, steps, strict=True)]
    else:
        expected = tuple((side - size) // step + 1 for side, size, step in zip(sides, kernel, steps, strict=True))
        before = [0, 0]
    if (layer.output_shape.height, layer.output_shape.width) != expected:
        file.refuse(f"{where}: the output's shape does not follow from input, kernel, stride and padding")
    return Window(
        height=kernel[0], width=kernel[1], row_step=steps[0], column_step=steps[1], top=before[0], left=before[1]
    )


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
        operator=Operator.CONVOLUTION,
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
    zero = outgoing.zero
    if activation == tflite.ActivationFunctionType.NONE:
        return -128, 127
    if activation == tflite.ActivationFunctionType.RELU:
        return zero, 127
    if activation != tflite.ActivationFunctionType.RELU6:
        file.refuse(f"{where}: the activation must be none, ReLU or ReLU6")
    return zero, min(127, zero + _rounded(6.0 / outgoing.scale))


def _rounded(value: float) -> int:
    """To the nearest integer in single precision, halves away from zero, as the reference interpreter rounds limits."""
    return int(np.floor(np.float32(value) + np.float32(0.5)))
