"""The memory plan: which tensors are kept whole, which only by their last rows, and where each lies in the arena.

Between two tensors that are kept whole all layers run row by row, in turn. So the two and the rows between them share
the arena; whatever lies before or behind has no place there at that time. The plan with the smallest arena is found by
dynamic programming over the tensors that are kept whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from reference_module.model.errors import ModelError
from reference_module.model.network import IntegerLayer, Operator, Shape, Window

MAXIMUM_KERNEL = 64
"""Rows under a kernel, as network/model.h has it."""

SLACK = 4
"""Bytes behind the last tensor: kernels load words, and multiply by zero what lies behind a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor in the arena: `rows` of its rows are kept, `pitch` bytes each, `lead` of them padding on the left."""

    shape: Shape
    rows: int
    pitch: int
    lead: int
    zero: int
    offset: int

    @property
    def size(self) -> int:
        """Bytes in the arena, whole words."""
        return _aligned(self.rows * self.pitch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Tensor 0 is the input, tensor n + 1 the output of layer n. `layers` begins with None where the input is copied.

    The input lies at the start of the arena, as the sensor leaves it: without columns of padding. Where the first layer
    needs some, a copy goes before it.
    """

    layers: tuple[IntegerLayer | None, ...]
    tensors: tuple[Tensor, ...]
    size: int


def plan(network: Sequence[IntegerLayer]) -> Plan:
    """The plan with the smallest arena."""
    first = network[0]
    layers: tuple[IntegerLayer | None, ...] = tuple(network)
    if padded_width(first) != first.input_shape.width:
        layers = (None, *layers)
    tensors = _tensors(layers, first)
    cuts = _cuts(layers, tensors)
    kept = [tensor if index in cuts else _by_rows(tensor, layers[index]) for index, tensor in enumerate(tensors)]
    return _placed(layers, kept, cuts)


def padded_width(layer: IntegerLayer) -> int:
    """Columns of a row as the layer reads it, those outside the picture included."""
    if layer.operator not in (Operator.CONVOLUTION, Operator.DEPTHWISE):
        return layer.input_shape.width
    window = layer.looks_at
    right = (layer.output_shape.width - 1) * window.column_step + window.width - window.left - layer.input_shape.width
    return window.left + layer.input_shape.width + max(right, 0)


def window_of(layer: IntegerLayer | None) -> Window:
    """What a layer, or the copy of the input, looks at."""
    return Window(height=1, width=1, row_step=1, column_step=1, top=0, left=0) if layer is None else layer.looks_at


def _tensors(layers: Sequence[IntegerLayer | None], first: IntegerLayer) -> list[Tensor]:
    """All tensors, kept whole, without a place."""
    made = [(first.input_shape, first.input.zero)]
    for layer in layers:
        made.append((layer.output_shape, layer.output.zero) if layer else (first.input_shape, first.input.zero))
    tensors = []
    for index, (shape, zero) in enumerate(made):
        reader = layers[index] if index < len(layers) else None
        spatial = reader is not None and reader.operator in (Operator.CONVOLUTION, Operator.DEPTHWISE)
        width = padded_width(reader) if reader is not None else shape.width
        pitch = width * shape.channels
        if max(pitch, shape.height) > 0xFFFF:
            raise ModelError(f"tensor {index}: a row of {pitch} bytes, {shape.height} rows; at most 65535")
        lead = window_of(reader).left * shape.channels if spatial else 0
        tensors.append(Tensor(shape=shape, rows=shape.height, pitch=pitch, lead=lead, zero=zero + 128, offset=0))
    return tensors


def _by_rows(tensor: Tensor, reader: IntegerLayer | None) -> Tensor:
    return replace(tensor, rows=min(window_of(reader).height, tensor.shape.height))


def _cuts(layers: Sequence[IntegerLayer | None], tensors: Sequence[Tensor]) -> tuple[int, ...]:
    """Which tensors are kept whole: of all choices, one with the smallest arena and, of those, most whole ones."""
    best: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, (0,))]
    for end in range(1, len(tensors)):
        choices = []
        for start in range(end):
            between = range(start + 1, end)
            if any(_needs_whole(layers[index], tensors[index]) for index in between):
                continue
            rows = sum(_by_rows(tensors[index], layers[index]).size for index in between)
            size, rings, cuts = best[start]
            choices.append(
                (max(size, tensors[start].size + rows + tensors[end].size), rings + len(between), (*cuts, end))
            )
        best.append(min(choices))
    return best[-1][2]


def _needs_whole(reader: IntegerLayer | None, tensor: Tensor) -> bool:
    """A fully connected layer reads all rows as one."""
    return reader is not None and reader.operator is Operator.DENSE and tensor.shape.height > 1


def _placed(layers: tuple[IntegerLayer | None, ...], tensors: list[Tensor], cuts: Sequence[int]) -> Plan:
    """Whole tensors at the two ends of the arena in turn, the input at the start; rows between them."""
    groups = [range(start, end + 1) for start, end in pairwise(cuts)]
    total = max(sum(tensors[index].size for index in group) for group in groups)
    places = [0] * len(tensors)
    for number, group in enumerate(groups):
        low, high = (group[0], group[-1]) if number % 2 == 0 else (group[-1], group[0])
        places[low], places[high] = 0, total - tensors[high].size
        place = tensors[low].size
        for index in group[1:-1]:
            places[index] = place
            place += tensors[index].size
    placed = tuple(replace(tensor, offset=place) for tensor, place in zip(tensors, places, strict=True))
    return Plan(layers=layers, tensors=placed, size=total + SLACK)


def _aligned(size: int) -> int:
    return -(-size // 4) * 4
