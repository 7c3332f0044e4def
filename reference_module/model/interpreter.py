"""Runs a .tflite in the reference interpreter, and turns what it says into one score per photograph."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tflite
from numpy.typing import NDArray
from PIL import Image

from reference_module.model.errors import ModelError
from reference_module.model.flatbuffer import DECISION
from reference_module.model.pictures import squash, to_grey

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What a model says of each picture: the higher, the likelier a person. `threshold` is where it says person.

    `person` is the output that stands for a person, None where the file does not say.
    """

    scores: Scores
    threshold: float
    person: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logits:
    """The tensor from which softmax is computed: scores from it have no ties near certainty."""

    index: int
    scale: float


class Model:
    """A .tflite with one picture as input (grey or colour, 8 bits or float) and one or two outputs."""

    def __init__(self, path: Path) -> None:
        try:
            from tflite_micro.python.tflite_micro import runtime
        except ImportError as error:
            raise ModelError("the reference interpreter is missing: install the package's extra [model]") from error
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror}") from error
        if data[4:8] != b"TFL3":
            raise ModelError(f"{path}: not a TensorFlow Lite file: identifier TFL3 is missing")
        try:
            keep = runtime.InterpreterConfig.kPreserveAllTensors
            self._interpreter = runtime.Interpreter.from_bytes(data, intrepreter_config=keep)
            details = self._interpreter.get_input_details(0)
            self._logits, self._decision = _inspect(data)
        except (RuntimeError, struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
            # The interpreter's Python part follows the file's offsets unchecked: damage shows as any of these.
            raise ModelError(f"{path}: the reference interpreter refuses it ({type(error).__name__})") from error
        self._shape = tuple(int(side) for side in details["shape"])
        self._type = np.dtype(details["dtype"])
        if len(self._shape) != 4 or self._shape[0] != 1 or self._shape[3] not in (1, 3):
            raise ModelError(f"{path}: its input {list(self._shape)} is not one picture")

    @property
    def step(self) -> float:
        """What one integer step of the logits is worth in a score."""
        return 1.0 if self._logits is None else self._logits.scale

    def score(self, pictures: list[Image.Image]) -> Scored:
        """Every picture is squashed to the model's size, and made grey if the model is."""
        outputs = np.stack([self._run(picture) for picture in pictures])
        if outputs.shape[1] > 2:
            raise ModelError(f"{outputs.shape[1]} outputs; a person detector has one or two")
        if outputs.shape[1] == 1:
            return Scored(scores=outputs[:, 0], threshold=0.0 if self._logits else 0.5, person=0)
        person = 1 if self._decision is None else self._decision[0]
        threshold = 0.0 if self._decision is None or self._logits is None else self._decision[1] * self._logits.scale
        return Scored(
            scores=outputs[:, person] - outputs[:, 1 - person],
            threshold=threshold,
            person=None if self._decision is None else person,
        )

    def _run(self, picture: Image.Image) -> Scores:
        pixels = squash(picture, self._shape[2], self._shape[1])
        values = to_grey(pixels) if self._shape[3] == 1 else pixels.astype(np.float32)
        # 8-bit inputs span black to white whatever their scale means; float inputs are taken to be pixels 0 to 255.
        shifted = values - 128 if self._type == np.int8 else values
        self._interpreter.set_input(shifted[None].astype(self._type), 0)
        self._interpreter.invoke()
        if self._logits is not None:
            tensor = self._interpreter.GetTensor(self._logits.index, 0)["tensor_data"]
            return np.asarray(tensor, np.float64).ravel() * self._logits.scale
        output = np.asarray(self._interpreter.get_output(0), np.float64).ravel()
        scales = self._interpreter.get_output_details(0)["quantization_parameters"]
        if len(scales["scales"]) == 1:
            output = (output - float(scales["zero_points"][0])) * float(scales["scales"][0])
        return output


def _inspect(data: bytes) -> tuple[_Logits | None, tuple[int, int] | None]:
    """The logits of a final softmax, if there is one, and the decision that the file states: (person, threshold)."""
    model = tflite.Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)
    logits = None
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        code = model.OperatorCodes(operator.OpcodeIndex())
        if max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) == tflite.BuiltinOperator.SOFTMAX:
            quantisation = graph.Tensors(operator.Inputs(0)).Quantization()
            scaled = quantisation is not None and quantisation.ScaleLength() == 1
            logits = _Logits(index=int(operator.Inputs(0)), scale=float(quantisation.Scale(0)) if scaled else 1.0)
    for number in range(model.MetadataLength()):
        entry = model.Metadata(number)
        if entry.Name() == DECISION.encode():
            stated = json.loads(model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
            return logits, (int(stated["person"]), int(stated["threshold"]))
    return logits, None
