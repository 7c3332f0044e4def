"""Networks for tests, of every operator in every form, written with the reference interpreter's own schema.

What writes and what reads share no line: the files come from tflite-micro's object interface.
"""

from __future__ import annotations

from dataclasses import dataclass

import flatbuffers
import numpy as np
from numpy.typing import NDArray
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_CODES = schema.BuiltinOperator
_OPTIONS = schema.BuiltinOptions
ACTIVATIONS = {
    "none": schema.ActivationFunctionType.NONE,
    "relu": schema.ActivationFunctionType.RELU,
    "relu6": schema.ActivationFunctionType.RELU6,
    "tanh": schema.ActivationFunctionType.TANH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operator: `convolution`, `depthwise`, `average`, `maximum` or `dense`.

    `channels` are the outputs, of a depthwise convolution those for each input; pools have none.
    """

    kind: str
    channels: int = 0
    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    same: bool = True
    activation: str = "none"
    zero: int = -128
    """Of the output."""
    dilation: int = 1


class Writer:
    """Adds operators one after the other; each gets random weights that spread its output about as its input is."""

    def __init__(self, seed: int, shape: tuple[int, int, int], zero: int = -128) -> None:
        self._random = np.random.default_rng(seed)
        self._shape: tuple[int, ...] = (1, *shape)
        self._scale, self._zero = 1.0, zero
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.buffers, self._model.operatorCodes = [schema.BufferT()], []
        self._model.subgraphs = [self._graph]
        self._last = self._activation()
        self._graph.inputs = [self._last]

    def add(self, step: Step) -> None:
        if step.kind == "dense":
            self._dense(step)
        elif step.kind in ("average", "maximum"):
            self._pool(step)
        else:
            self._convolution(step)

    def data(self) -> bytes:
        """The whole file."""
        self._graph.outputs = [self._last]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _convolution(self, step: Step) -> None:
        depthwise = step.kind == "depthwise"
        inputs = self._shape[3]
        channels = inputs * step.channels if depthwise else step.channels
        shape = (1, *step.kernel, channels) if depthwise else (channels, *step.kernel, inputs)
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        if depthwise:
            options.depthMultiplier = step.channels
        options.dilationHFactor = options.dilationWFactor = step.dilation
        constants = self._constants(shape, 3 if depthwise else 0, channels, step)
        self._shape = (*self._window(options, step), channels)
        name = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        code = _CODES.DEPTHWISE_CONV_2D if depthwise else _CODES.CONV_2D
        self._operator(code, 3, constants, name, options)

    def _pool(self, step: Step) -> None:
        options = schema.Pool2DOptionsT()
        options.filterHeight, options.filterWidth = step.kernel
        self._shape = (*self._window(options, step), self._shape[3])
        code = _CODES.AVERAGE_POOL_2D if step.kind == "average" else _CODES.MAX_POOL_2D
        self._operator(code, 2, [], "Pool2DOptions", options)

    def _dense(self, step: Step) -> None:
        size = int(np.prod(self._shape))
        if len(self._shape) == 4:
            self._shape = (1, size)
            flat = self._tensor((2,), schema.TensorType.INT32, np.asarray([1, size], "<i4").tobytes())
            self._operator(_CODES.RESHAPE, 1, [flat], "NONE", None)
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = ACTIVATIONS[step.activation]
        constants = self._constants((step.channels, size), None, step.channels, step)
        self._shape = (1, step.channels)
        self._operator(_CODES.FULLY_CONNECTED, 4, constants, "FullyConnectedOptions", options)

    def _window(self, options: object, step: Step) -> tuple[int, int, int]:
        fields = vars(options)
        fields["strideH"], fields["strideW"] = step.strides
        fields["padding"] = schema.Padding.SAME if step.same else schema.Padding.VALID
        fields["fusedActivationFunction"] = ACTIVATIONS[step.activation]
        sides = []
        for side, kernel, stride in zip(self._shape[1:3], step.kernel, step.strides, strict=True):
            sides.append(-(-side // stride) if step.same else (side - kernel) // stride + 1)
        return 1, sides[0], sides[1]

    def _constants(self, shape: tuple[int, ...], axis: int | None, channels: int, step: Step) -> list[int]:
        """Weights and bias; they decide what a step of the output is worth, so that the output is as spread."""
        weights = self._random.integers(-127, 128, shape, dtype=np.int8)
        fan_in = weights.size // channels
        spread = 10.0 ** self._random.uniform(-1.0, 0.2, channels if axis is not None else 1) / 100
        scales = spread.astype(np.float32)
        products = np.float32(self._scale) * scales
        limit = 40 * fan_in**0.5 * 73
        bias = self._random.integers(-int(limit), int(limit), channels).astype("<i4")
        made = [
            self._tensor(shape, schema.TensorType.INT8, weights.tobytes(), scales, axis or 0),
            self._tensor((channels,), schema.TensorType.INT32, bias.tobytes(), products),
        ]
        self._scale = float(np.float32(self._scale * float(np.median(scales)) * 73 * np.sqrt(fan_in)))
        if step.activation == "relu6":
            self._scale = 6.0 / 200.5  # 6 is in the range, and no whole number of steps
        self._zero = step.zero
        return made

    def _operator(self, code: int, version: int, constants: list[int], name: str, options: object) -> None:
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(code, version)
        operator.inputs = [self._last, *constants]
        operator.builtinOptionsType = getattr(_OPTIONS, name)
        operator.builtinOptions = options
        self._last = self._activation()
        operator.outputs = [self._last]
        self._graph.operators.append(operator)

    def _code(self, code: int, version: int) -> int:
        made = schema.OperatorCodeT()
        made.builtinCode = made.deprecatedBuiltinCode = code
        made.version = version
        self._model.operatorCodes.append(made)
        return len(self._model.operatorCodes) - 1

    def _activation(self) -> int:
        scales: NDArray[np.float32] = np.asarray([self._scale], np.float32)
        return self._tensor(self._shape, schema.TensorType.INT8, b"", scales, zero=self._zero)

    def _tensor(
        self,
        shape: tuple[int, ...],
        kind: int,
        data: bytes,
        scales: NDArray[np.float32] | None = None,
        axis: int = 0,
        zero: int = 0,
    ) -> int:
        tensor = schema.TensorT()
        tensor.name = f"tensor {len(self._graph.tensors)}"
        tensor.shape, tensor.type = list(shape), kind
        if data:
            buffer = schema.BufferT()
            buffer.data = list(data)
            self._model.buffers.append(buffer)
            tensor.buffer = len(self._model.buffers) - 1
        if scales is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = [float(scale) for scale in scales]
            tensor.quantization.zeroPoint = [zero] * len(scales)
            tensor.quantization.quantizedDimension = axis
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1
