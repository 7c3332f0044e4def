"""Writes an integer network as a TensorFlow Lite flatbuffer (schema version 3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import flatbuffers
import numpy as np
import tflite

from firmware.model.network import (
    Decision,
    IntegerLayer,
    IntegerNetwork,
    Operator,
    Quantisation,
    Shape,
)

DECISION = "pinproof.decision"
"""Metadata entry (JSON): which output is the person and the threshold of the difference of logits."""

ORIGIN = "pinproof.origin"
"""Metadata entry (text): where the weights come from and that they are altered."""

_SOFTMAX_OUTPUT = Quantisation(scale=1 / 256, zero=-128)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    type: int
    data: bytes
    scales: tuple[float, ...]
    zeros: tuple[int, ...]
    axis: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    code: int
    version: int
    inputs: tuple[int, ...]
    output: int
    options_type: int
    options: Callable[[flatbuffers.Builder], int] | None


@dataclass(slots=True)
class _Graph:
    tensors: list[_Tensor] = field(default_factory=list)
    operations: list[_Operation] = field(default_factory=list)

    def add(self, tensor: _Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1


def write_tflite(network: IntegerNetwork, origin: str) -> bytes:
    """The whole file. `origin` says in one paragraph whose weights these are and that they are altered."""
    graph = _Graph()
    first = network.layers[0]
    incoming = graph.add(_activation("frame", _dimensions(first.input_shape), first.input))
    source = incoming
    for number, layer in enumerate(network.layers):
        source = _add_layer(graph, layer, f"{number:02d}_{layer.operator.value}", source)
    outgoing = _add_softmax(graph, network.layers[-1], source)
    notes = {DECISION: _decision_json(network.decision), ORIGIN: origin}
    return _serialise(graph, incoming, outgoing, notes, origin)


def _decision_json(decision: Decision) -> str:
    return json.dumps({"person": decision.person, "threshold": decision.threshold}, sort_keys=True)


def _dimensions(shape: Shape) -> tuple[int, ...]:
    return (1, shape.height, shape.width, shape.channels)


def _activation(name: str, shape: tuple[int, ...], quantisation: Quantisation) -> _Tensor:
    return _Tensor(
        name=name,
        shape=shape,
        type=tflite.TensorType.INT8,
        data=b"",
        scales=(quantisation.scale,),
        zeros=(quantisation.zero,),
    )


def _add_layer(graph: _Graph, layer: IntegerLayer, name: str, source: int) -> int:
    if layer.operator is Operator.POOL:
        return _add_pool(graph, layer, name, source)
    if layer.operator is Operator.DENSE:
        source = _add_reshape(graph, layer, source)
    weights, bias = _add_constants(graph, layer, name)
    dense = layer.operator is Operator.DENSE
    shape = (1, layer.output_shape.channels) if dense else _dimensions(layer.output_shape)
    output = graph.add(_activation(name, shape, layer.output))
    code, version, options_type, options = _conversion(layer)
    operation = _Operation(
        code=code,
        version=version,
        inputs=(source, weights, bias),
        output=output,
        options_type=options_type,
        options=options,
    )
    graph.operations.append(operation)
    return output


def _add_constants(graph: _Graph, layer: IntegerLayer, name: str) -> tuple[int, int]:
    scales = tuple(float(scale) for scale in layer.weight_scales)
    # A fully connected layer is quantised as a whole: one scale, however many outputs.
    scales = scales[:1] if layer.operator is Operator.DENSE else scales
    axis = 3 if layer.operator is Operator.DEPTHWISE else 0
    zeros = (0,) * len(scales)
    weights = _Tensor(
        name=f"{name}_weights",
        shape=layer.weights.shape,
        type=tflite.TensorType.INT8,
        data=layer.weights.tobytes(),
        scales=scales,
        zeros=zeros,
        axis=axis,
    )
    products = np.float32(layer.input.scale) * np.asarray(scales, np.float32)
    bias = _Tensor(
        name=f"{name}_bias",
        shape=layer.bias.shape,
        type=tflite.TensorType.INT32,
        data=layer.bias.astype("<i4").tobytes(),
        scales=tuple(float(product) for product in products),
        zeros=zeros,
    )
    return graph.add(weights), graph.add(bias)


def _conversion(layer: IntegerLayer) -> tuple[int, int, int, Callable[[flatbuffers.Builder], int]]:
    """Operator code, its version for int8, the union member of its options, and what writes them."""
    code = tflite.BuiltinOperator
    kind = tflite.BuiltinOptions
    if layer.operator is Operator.DENSE:
        return code.FULLY_CONNECTED, 4, kind.FullyConnectedOptions, _dense_options
    if layer.operator is Operator.DEPTHWISE:
        return code.DEPTHWISE_CONV_2D, 3, kind.DepthwiseConv2DOptions, lambda b: _depthwise_options(b, layer.stride)
    return code.CONV_2D, 3, kind.Conv2DOptions, lambda b: _convolution_options(b, layer.stride)


def _dense_options(builder: flatbuffers.Builder) -> int:
    tflite.FullyConnectedOptionsStart(builder)
    return int(tflite.FullyConnectedOptionsEnd(builder))


def _depthwise_options(builder: flatbuffers.Builder, stride: int) -> int:
    tflite.DepthwiseConv2DOptionsStart(builder)
    tflite.DepthwiseConv2DOptionsAddPadding(builder, tflite.Padding.SAME)
    tflite.DepthwiseConv2DOptionsAddStrideW(builder, stride)
    tflite.DepthwiseConv2DOptionsAddStrideH(builder, stride)
    tflite.DepthwiseConv2DOptionsAddDepthMultiplier(builder, 1)
    tflite.DepthwiseConv2DOptionsAddFusedActivationFunction(builder, tflite.ActivationFunctionType.RELU)
    return int(tflite.DepthwiseConv2DOptionsEnd(builder))


def _convolution_options(builder: flatbuffers.Builder, stride: int) -> int:
    tflite.Conv2DOptionsStart(builder)
    tflite.Conv2DOptionsAddPadding(builder, tflite.Padding.SAME)
    tflite.Conv2DOptionsAddStrideW(builder, stride)
    tflite.Conv2DOptionsAddStrideH(builder, stride)
    tflite.Conv2DOptionsAddFusedActivationFunction(builder, tflite.ActivationFunctionType.RELU)
    return int(tflite.Conv2DOptionsEnd(builder))


def _add_pool(graph: _Graph, layer: IntegerLayer, name: str, source: int) -> int:
    output = graph.add(_activation(name, _dimensions(layer.output_shape), layer.output))

    def options(builder: flatbuffers.Builder) -> int:
        tflite.Pool2DOptionsStart(builder)
        tflite.Pool2DOptionsAddPadding(builder, tflite.Padding.VALID)
        tflite.Pool2DOptionsAddStrideW(builder, layer.input_shape.width)
        tflite.Pool2DOptionsAddStrideH(builder, layer.input_shape.height)
        tflite.Pool2DOptionsAddFilterWidth(builder, layer.input_shape.width)
        tflite.Pool2DOptionsAddFilterHeight(builder, layer.input_shape.height)
        return int(tflite.Pool2DOptionsEnd(builder))

    operation = _Operation(
        code=tflite.BuiltinOperator.AVERAGE_POOL_2D,
        version=2,
        inputs=(source,),
        output=output,
        options_type=tflite.BuiltinOptions.Pool2DOptions,
        options=options,
    )
    graph.operations.append(operation)
    return output


def _add_reshape(graph: _Graph, layer: IntegerLayer, source: int) -> int:
    target = (1, layer.input_shape.size)
    shape = graph.add(
        _Tensor(
            name="flat_shape",
            shape=(2,),
            type=tflite.TensorType.INT32,
            data=np.asarray(target, "<i4").tobytes(),
            scales=(),
            zeros=(),
        )
    )
    output = graph.add(_activation("flat", target, layer.input))
    operation = _Operation(
        code=tflite.BuiltinOperator.RESHAPE,
        version=1,
        inputs=(source, shape),
        output=output,
        options_type=tflite.BuiltinOptions.NONE,
        options=None,
    )
    graph.operations.append(operation)
    return output


def _add_softmax(graph: _Graph, last: IntegerLayer, source: int) -> int:
    output = graph.add(_activation("probability", (1, last.output_shape.channels), _SOFTMAX_OUTPUT))

    def options(builder: flatbuffers.Builder) -> int:
        tflite.SoftmaxOptionsStart(builder)
        tflite.SoftmaxOptionsAddBeta(builder, 1.0)
        return int(tflite.SoftmaxOptionsEnd(builder))

    operation = _Operation(
        code=tflite.BuiltinOperator.SOFTMAX,
        version=2,
        inputs=(source,),
        output=output,
        options_type=tflite.BuiltinOptions.SoftmaxOptions,
        options=options,
    )
    graph.operations.append(operation)
    return output


def _serialise(graph: _Graph, incoming: int, outgoing: int, notes: dict[str, str], description: str) -> bytes:
    builder = flatbuffers.Builder(1 << 20)
    # Buffer 0 is empty by the schema's convention; a tensor without constants refers to it.
    contents = [b""] + [tensor.data for tensor in graph.tensors if tensor.data] + [n.encode() for n in notes.values()]
    buffers = _offsets(builder, [_buffer(builder, data) for data in contents])
    codes = list(dict.fromkeys((operation.code, operation.version) for operation in graph.operations))
    code_vector = _offsets(builder, [_operator_code(builder, code, version) for code, version in codes])
    subgraph = _subgraph(builder, graph, incoming, outgoing, codes)
    subgraphs = _offsets(builder, [subgraph])
    first_note = len(contents) - len(notes)
    entries = [_metadata(builder, name, first_note + index) for index, name in enumerate(notes)]
    metadata = _offsets(builder, entries)
    text = builder.CreateString(description)
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, code_vector)
    tflite.ModelAddSubgraphs(builder, subgraphs)
    tflite.ModelAddDescription(builder, text)
    tflite.ModelAddBuffers(builder, buffers)
    tflite.ModelAddMetadata(builder, metadata)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def _offsets(builder: flatbuffers.Builder, items: Sequence[int]) -> int:
    builder.StartVector(4, len(items), 4)
    for item in reversed(items):
        builder.PrependUOffsetTRelative(item)
    return int(builder.EndVector())


def _numbers(builder: flatbuffers.Builder, values: Sequence[float], kind: str) -> int:
    return int(builder.CreateNumpyVector(np.asarray(values, kind)))


def _buffer(builder: flatbuffers.Builder, data: bytes) -> int:
    vector = None
    if data:
        # The schema aligns constants to 16 bytes; CreateByteVector would align them to one.
        builder.StartVector(1, len(data), 16)
        builder.head -= len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        vector = builder.EndVector()
    tflite.BufferStart(builder)
    if vector is not None:
        tflite.BufferAddData(builder, vector)
    return int(tflite.BufferEnd(builder))


def _operator_code(builder: flatbuffers.Builder, code: int, version: int) -> int:
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, code)
    tflite.OperatorCodeAddBuiltinCode(builder, code)
    tflite.OperatorCodeAddVersion(builder, version)
    return int(tflite.OperatorCodeEnd(builder))


def _metadata(builder: flatbuffers.Builder, name: str, buffer: int) -> int:
    text = builder.CreateString(name)
    tflite.MetadataStart(builder)
    tflite.MetadataAddName(builder, text)
    tflite.MetadataAddBuffer(builder, buffer)
    return int(tflite.MetadataEnd(builder))


def _subgraph(
    builder: flatbuffers.Builder, graph: _Graph, incoming: int, outgoing: int, codes: list[tuple[int, int]]
) -> int:
    tensors: list[int] = []
    buffer = 0
    for tensor in graph.tensors:
        buffer += 1 if tensor.data else 0
        tensors.append(_tensor(builder, tensor, buffer if tensor.data else 0))
    operators = [_operator(builder, operation, codes) for operation in graph.operations]
    tensor_vector = _offsets(builder, tensors)
    operator_vector = _offsets(builder, operators)
    inputs = _numbers(builder, [incoming], "<i4")
    outputs = _numbers(builder, [outgoing], "<i4")
    name = builder.CreateString("main")
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensor_vector)
    tflite.SubGraphAddInputs(builder, inputs)
    tflite.SubGraphAddOutputs(builder, outputs)
    tflite.SubGraphAddOperators(builder, operator_vector)
    tflite.SubGraphAddName(builder, name)
    return int(tflite.SubGraphEnd(builder))


def _tensor(builder: flatbuffers.Builder, tensor: _Tensor, buffer: int) -> int:
    name = builder.CreateString(tensor.name)
    shape = _numbers(builder, tensor.shape, "<i4")
    quantisation = None
    if tensor.scales:
        scales = _numbers(builder, tensor.scales, "<f4")
        zeros = _numbers(builder, tensor.zeros, "<i8")
        tflite.QuantizationParametersStart(builder)
        tflite.QuantizationParametersAddScale(builder, scales)
        tflite.QuantizationParametersAddZeroPoint(builder, zeros)
        tflite.QuantizationParametersAddQuantizedDimension(builder, tensor.axis)
        quantisation = tflite.QuantizationParametersEnd(builder)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, tensor.type)
    tflite.TensorAddBuffer(builder, buffer)
    tflite.TensorAddName(builder, name)
    if quantisation is not None:
        tflite.TensorAddQuantization(builder, quantisation)
    return int(tflite.TensorEnd(builder))


def _operator(builder: flatbuffers.Builder, operation: _Operation, codes: list[tuple[int, int]]) -> int:
    options = operation.options(builder) if operation.options is not None else None
    inputs = _numbers(builder, operation.inputs, "<i4")
    outputs = _numbers(builder, [operation.output], "<i4")
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, codes.index((operation.code, operation.version)))
    tflite.OperatorAddInputs(builder, inputs)
    tflite.OperatorAddOutputs(builder, outputs)
    if options is not None:
        tflite.OperatorAddBuiltinOptionsType(builder, operation.options_type)
        tflite.OperatorAddBuiltinOptions(builder, options)
    return int(tflite.OperatorEnd(builder))
