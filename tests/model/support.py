"""What the tests of the network share: the detector on the host, the reference interpreter, random networks."""

from __future__ import annotations

import atexit
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import numpy as np
from numpy.typing import NDArray

from reference_module.model.flatbuffer import write_tflite
from reference_module.model.generate import STORED_OFFSET, generate
from reference_module.model.network import (
    Decision,
    IntegerLayer,
    IntegerNetwork,
    Operator,
    Quantisation,
    Shape,
)
from reference_module.model.plan import plan
from reference_module.model.reader import read_tflite

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "reference_module/model/person_detector_grey.tflite"
NETWORK = ROOT / "reference_module/network"
DRIVERS = ROOT / "reference_module/test"

Frames = NDArray[np.uint8]
Stored = NDArray[np.uint8]


_COMPILER = (
    "gcc", "-std=c11", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
    "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
)  # fmt: skip
"""For a host program under the address and undefined-behaviour sanitizers, warnings as errors."""


@cache
def _kernels() -> tuple[Path, ...]:
    """The objects of the kernels, which depend on no network: compiled once."""
    folder = Path(mkdtemp(prefix="kernels"))
    atexit.register(rmtree, folder, ignore_errors=True)
    made = []
    for name in ("kernels", "kernels_dsp"):
        subprocess.run(
            [*_COMPILER, f"-I{NETWORK}", "-c", NETWORK / f"{name}.c", "-o", folder / f"{name}.o"], check=True
        )
        made.append(folder / f"{name}.o")
    return tuple(made)


def compile_host(
    output: Path, driver: str, sources: Sequence[Path], include: Sequence[Path], options: Sequence[str] = ()
) -> Path:
    """A driver of reference_module/test with the kernels."""
    folders = [f"-I{folder}" for folder in [*include, NETWORK]]
    subprocess.run([*_COMPILER, *options, *folders, *sources, DRIVERS / driver, *_kernels(), "-o", output], check=True)
    return output


def compile_quick(folder: Path, model: bytes) -> Path:
    """The driver with the kernels that the module runs, without sanitizers: for many frames."""
    made = generate(read_tflite(model, "test.tflite"), "test.tflite")
    (folder / "model_data.h").write_text(made.header, "utf-8")
    (folder / "model_data.c").write_text(made.source, "utf-8")
    sources = [*sorted(NETWORK.glob("*.c")), folder / "model_data.c", DRIVERS / "run_layers.c"]
    command = ["gcc", "-std=c11", "-O2", "-DNETWORK_DSP=1", f"-I{folder}", f"-I{NETWORK}", *map(str, sources)]
    subprocess.run([*command, "-o", str(folder / "quick")], check=True)
    return folder / "quick"


def compile_detector(folder: Path, model: bytes, *, dsp: bool, decision: str | None = None) -> Path:
    """The driver run_layers.c with the given .tflite; `dsp` takes the kernels written for the DSP extension."""
    made = generate(read_tflite(model, "test.tflite", decision), "test.tflite")
    (folder / "model_data.h").write_text(made.header, "utf-8")
    (folder / "model_data.c").write_text(made.source, "utf-8")
    sources = [NETWORK / "network.c", folder / "model_data.c"]
    name = "run_layers_dsp" if dsp else "run_layers"
    return compile_host(folder / name, "run_layers.c", sources, [folder], [f"-DNETWORK_DSP={int(dsp)}"])


def run_detector(program: Path, network: IntegerNetwork, frames: Frames) -> tuple[list[Stored], NDArray[np.int32]]:
    """Stored outputs of each layer, [frame, element], and the margins of each frame, [frame, report].

    Of a layer whose last rows nobody reads, as behind some pools, those rows are missing: they are not computed.
    """
    output = subprocess.run([program], input=frames.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    layout = plan(network.layers)
    shapes = [tensor.shape for tensor in layout.tensors[1:]]
    reports = len(network.decision.reports)
    edges = np.cumsum([0, *(4 + shape.size for shape in shapes)])
    table = np.frombuffer(output, np.uint8).reshape(len(frames), edges[-1] + 4 * reports)
    layers = []
    for shape, start in zip(shapes, edges[:-1], strict=True):
        made = int(np.ascontiguousarray(table[:, start : start + 4]).view("<i4")[0, 0])
        layers.append(table[:, start + 4 : start + 4 + made * shape.width * shape.channels])
    copies = len(layers) - len(network.layers)  # of the input, for its padding
    margins = np.ascontiguousarray(table[:, edges[-1] :]).view("<i4")
    return layers[copies:], margins


def run_reference(model: bytes, network: IntegerNetwork, frames: Frames) -> tuple[list[Stored], NDArray[np.int8]]:
    """The same from the reference interpreter, tensor by tensor, and its softmax output."""
    from tflite_micro.python.tflite_micro import runtime

    keep = runtime.InterpreterConfig.kPreserveAllTensors
    interpreter = runtime.Interpreter.from_bytes(model, intrepreter_config=keep)
    shape, kind = (interpreter.get_input_details(0)[key] for key in ("shape", "dtype"))
    indices = tensor_indices(model)
    outputs: list[list[Stored]] = [[] for _ in network.layers]
    probabilities = []
    for frame in frames:
        values = (frame.astype(np.int16) - STORED_OFFSET).reshape(shape)
        if kind == np.float32:  # QUANTIZE makes the integers of it
            values = (values - network.layers[0].input.zero) * np.float32(network.layers[0].input.scale)
        interpreter.set_input(values.astype(kind), 0)
        interpreter.invoke()
        for layer, index in zip(outputs, indices, strict=True):
            tensor = np.asarray(interpreter.GetTensor(index, 0)["tensor_data"]).ravel()
            layer.append((tensor.astype(np.int16) + STORED_OFFSET).astype(np.uint8))
        probabilities.append(np.array(interpreter.get_output(0))[0])
    return [np.stack(layer) for layer in outputs], np.stack(probabilities)


def tensor_indices(model: bytes) -> list[int]:
    """Where each layer's output is among the file's tensors: every operator is a layer but a few."""
    import tflite

    code = tflite.BuiltinOperator
    left_out = (code.RESHAPE, code.SOFTMAX, code.QUANTIZE, code.DEQUANTIZE)
    file = tflite.Model.GetRootAs(model, 0)
    graph = file.Subgraphs(0)
    indices = []
    for number in range(graph.OperatorsLength()):
        opcode = file.OperatorCodes(graph.Operators(number).OpcodeIndex())
        kind = max(opcode.BuiltinCode(), opcode.DeprecatedBuiltinCode())
        if kind not in left_out:
            indices.append(int(graph.Operators(number).Outputs(0)))
    return indices


def random_network(seed: int) -> tuple[bytes, IntegerNetwork]:
    """A small network with all operators, odd sides, both strides and rescaling factors over a wide range."""
    random = np.random.default_rng(seed)
    shape = Shape(
        height=int(random.integers(5, 24)), width=int(random.integers(5, 24)), channels=int(random.integers(1, 5))
    )
    incoming = Quantisation(scale=1.0, zero=-128)
    layers: list[IntegerLayer] = []
    kinds = [Operator.CONVOLUTION]
    for _ in range(3):
        kinds += [Operator.DEPTHWISE, Operator.POINTWISE]
    for kind in [*kinds, Operator.POOL, Operator.DENSE]:
        layers.append(_random_layer(random, kind, shape, incoming))
        shape, incoming = layers[-1].output_shape, layers[-1].output
    network = IntegerNetwork(layers=tuple(layers), decision=Decision(person=seed % 2, threshold=0))
    return write_tflite(network, "random, for a test"), network


def _random_layer(random: np.random.Generator, kind: Operator, shape: Shape, incoming: Quantisation) -> IntegerLayer:
    if kind is Operator.POOL:
        target = Shape(height=1, width=1, channels=shape.channels)
        return _layer(kind, 1, shape, target, incoming, incoming, np.zeros(0, np.int8), np.zeros(0, np.float32))
    spatial = kind in (Operator.CONVOLUTION, Operator.DEPTHWISE)
    stride = int(random.integers(1, 3)) if spatial else 1
    free = int(random.integers(1, 20)) * 2
    channels = {Operator.DEPTHWISE: shape.channels, Operator.DENSE: 2}.get(kind, free)
    weight_shape: tuple[int, ...] = {
        Operator.CONVOLUTION: (channels, 3, 3, shape.channels),
        Operator.DEPTHWISE: (1, 3, 3, channels),
        Operator.POINTWISE: (channels, 1, 1, shape.channels),
        Operator.DENSE: (channels, shape.channels),
    }[kind]
    target = Shape(height=-(-shape.height // stride), width=-(-shape.width // stride), channels=channels)
    weights = random.integers(-127, 128, weight_shape, dtype=np.int8)
    spread = 10.0 ** random.uniform(-1.5, 0.3, 1 if kind is Operator.DENSE else channels) / 100
    scales = np.broadcast_to(spread.astype(np.float32), channels).copy()
    fan_in = weights.size // channels
    # Random weights have a standard deviation of 73 steps: this keeps outputs about as spread as inputs.
    scale = float(np.float32(incoming.scale * float(np.median(scales)) * 73 * np.sqrt(fan_in)))
    outgoing = Quantisation(scale=scale, zero=int(random.integers(-20, 20)) if kind is Operator.DENSE else -128)
    bias = random.integers(-(1 << 13), 1 << 13, channels).astype(np.int32)
    return _layer(kind, stride, shape, target, incoming, outgoing, weights, scales, bias)


def _layer(
    kind: Operator,
    stride: int,
    shape: Shape,
    target: Shape,
    incoming: Quantisation,
    outgoing: Quantisation,
    weights: NDArray[np.int8],
    scales: NDArray[np.float32],
    bias: NDArray[np.int32] | None = None,
) -> IntegerLayer:
    return IntegerLayer(
        operator=kind,
        stride=stride,
        input_shape=shape,
        output_shape=target,
        input=incoming,
        output=outgoing,
        minimum=-128,
        maximum=127,
        weights=weights,
        weight_scales=scales,
        bias=np.zeros(0, np.int32) if bias is None else bias,
    )
