"""Training of the grey network on made pictures, from where `adapt` left it.

Batch normalisation is put back behind every convolution, so that the network begins as it was; it is folded in again at
the end. A second output, dropped afterwards, must say on a 6x6 grid where the person is: a picture then teaches more
than one bit, and the network cannot do with what merely goes along with people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from reference_module.model.network import FloatLayer, FloatNetwork, Floats, Operator
from reference_module.model.scenes import GRID, Training

Tensor = Any
"""torch.Tensor; torch is not there where types are checked."""

_EPSILON = 1e-3
_CALIBRATION = 1024
_PERSON = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Chosen on photographs held out; see the README for what was tried."""

    steps: int = 800
    batch: int = 128
    rate: float = 1e-3
    warm_up: int = 60
    decay: float = 0.02
    smoothing: float = 0.03
    grid: float = 0.5
    teacher: float = 0.5
    temperature: float = 2.0
    average: float = 0.995
    longest_gradient: float = 5.0
    seed: int = 1
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Student:
    """Modules in order. Not a Module itself: nothing here depends on torch's own registration of parts."""

    convolutions: list[Any]
    norms: list[Any]
    dense: Any
    grid: Any

    def modules(self) -> list[Any]:
        return [*self.convolutions, *self.norms, self.dense, self.grid]

    def state(self) -> list[Tensor]:
        """Parameters and running statistics."""
        tensors = [tensor for module in self.modules() for tensor in module.state_dict().values()]
        return [tensor for tensor in tensors if tensor.dtype.is_floating_point]


def train(start: FloatNetwork, pictures: Training, settings: Settings, say: Callable[[str], None]) -> FloatNetwork:
    """The network after training: the moving average of its weights."""
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    student = _build(start, pictures.frames[:_CALIBRATION])
    average = [tensor.detach().clone() for tensor in student.state()]
    optimiser = _optimiser(student, settings)
    losses: list[float] = []
    for step in range(settings.steps):
        _set_rate(optimiser, step, settings)
        chosen = random.choice(len(pictures.frames), settings.batch)
        frames = _tensor(augment(pictures.frames[chosen], random))
        loss = _loss(student, frames, _answers(pictures, chosen, settings), settings)
        optimiser.zero_grad()
        loss.backward()
        parameters = [parameter for module in student.modules() for parameter in module.parameters()]
        nn.utils.clip_grad_norm_(parameters, settings.longest_gradient)
        optimiser.step()
        _follow(average, student.state(), min(settings.average, (step + 1) / (step + 20)))
        losses.append(float(loss.detach()))
        if (step + 1) % 100 == 0:
            say(f"step {step + 1} of {settings.steps}: loss {np.mean(losses[-100:]):.3f}")
    with torch.no_grad():
        for mine, kept in zip(student.state(), average, strict=True):
            mine.copy_(kept)
    return _folded(start, student)


def _build(start: FloatNetwork, frames: Any) -> _Student:
    """The network with batch normalisations that change nothing on these frames."""
    convolutions: list[Any] = []
    norms: list[Any] = []
    activations = _tensor(frames.astype(np.float32))
    with torch.no_grad():
        for layer in start.layers[:-1]:
            convolution, norm = _convolution(layer), nn.BatchNorm2d(len(layer.bias), eps=_EPSILON, momentum=0.02)
            bias = torch.tensor(layer.bias)
            raw = convolution(_padded(activations, layer.stride))
            mean, variance = raw.mean((0, 2, 3)), raw.var((0, 2, 3), unbiased=False)
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(torch.sqrt(variance + _EPSILON))
            norm.bias.copy_(mean + bias)
            activations = functional.relu(raw + bias[None, :, None, None])
            convolutions.append(convolution)
            norms.append(norm)
        weights = torch.tensor(start.layers[-1].weights)
        dense = nn.Linear(weights.shape[1], weights.shape[0])
        dense.weight.copy_(weights)
        dense.bias.copy_(torch.tensor(start.layers[-1].bias))
        grid = nn.Conv2d(convolutions[_grid_layer(convolutions)].out_channels, 1, 1)
        grid.weight.zero_()
        grid.bias.zero_()
    return _Student(convolutions=convolutions, norms=norms, dense=dense, grid=grid)


def _grid_layer(convolutions: list[Any]) -> int:
    """The last convolution before the stride that leaves less than the grid."""
    strides = [convolution.stride[0] for convolution in convolutions]
    return max(number for number, stride in enumerate(strides) if stride == 2) - 1


def _convolution(layer: FloatLayer) -> Any:
    weights = torch.tensor(layer.weights)
    depthwise = layer.operator is Operator.DEPTHWISE
    ordered = weights.permute(3, 0, 1, 2) if depthwise else weights.permute(0, 3, 1, 2)
    outputs, inputs, kernel, _ = ordered.shape
    made = nn.Conv2d(
        inputs * (outputs if depthwise else 1),
        outputs,
        kernel,
        layer.stride,
        padding=1 if kernel == 3 and layer.stride == 1 else 0,
        groups=outputs if depthwise else 1,
        bias=False,
    )
    made.weight.copy_(ordered)
    return made.to(memory_format=torch.channels_last)


def _padded(activations: Tensor, stride: int) -> Tensor:
    """TensorFlow's SAME padding of an even size, which torch does not have, before a stride of 2."""
    return functional.pad(activations, (0, 1, 0, 1)) if stride == 2 else activations


def _tensor(frames: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames, np.float32))[:, None].contiguous(
        memory_format=torch.channels_last
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    """What a batch should be said to be: by its labels, by the teacher, and where the person is."""

    person: Tensor
    taught: Tensor
    grids: Tensor


def _answers(pictures: Training, chosen: Any, settings: Settings) -> _Answers:
    person = np.clip(pictures.person[chosen], settings.smoothing, 1 - settings.smoothing).astype(np.float32)
    return _Answers(
        person=torch.from_numpy(person),
        taught=torch.sigmoid(torch.from_numpy(pictures.taught[chosen]) / settings.temperature),
        grids=torch.from_numpy(pictures.grids[chosen]),
    )


def _loss(student: _Student, frames: Tensor, answers: _Answers, settings: Settings) -> Tensor:
    where = _grid_layer(student.convolutions)
    activations, seen = frames, frames
    for number, (convolution, norm) in enumerate(zip(student.convolutions, student.norms, strict=True)):
        activations = functional.relu(norm(convolution(_padded(activations, convolution.stride[0]))))
        if number == where:
            seen = activations
    logits = student.dense(activations.mean((2, 3)))
    said = logits[:, _PERSON] - logits[:, 1 - _PERSON]
    entropy = functional.binary_cross_entropy_with_logits
    located = student.grid(seen)[:, 0].reshape(-1, GRID, GRID)
    taught = settings.temperature * entropy(said / settings.temperature, answers.taught)
    return entropy(said, answers.person) + settings.teacher * taught + settings.grid * entropy(located, answers.grids)


def scorer(network: FloatNetwork) -> Callable[[Any], Floats]:
    """The network as a function from pictures [count, 96, 96, channels] to person less no person."""
    with torch.no_grad():
        layers = [(_convolution(layer), torch.tensor(layer.bias)[None, :, None, None]) for layer in network.layers[:-1]]
    last = network.layers[-1]
    weights = last.weights[_PERSON] - last.weights[1 - _PERSON]
    bias = last.bias[_PERSON] - last.bias[1 - _PERSON]

    def score(pictures: Any) -> Floats:
        torch.set_num_threads(1)
        with torch.no_grad():
            activations = torch.from_numpy(pictures.astype(np.float32)).permute(0, 3, 1, 2)
            for convolution, offset in layers:
                activations = functional.relu(convolution(_padded(activations, convolution.stride[0])) + offset)
            result: Floats = activations.mean((2, 3)).numpy() @ weights + bias
        return result

    return score


def augment(frames: Any, random: np.random.Generator) -> Floats:
    """Other light, a shift of up to four pixels, a patch without content, noise; whole numbers again."""
    count = len(frames)

    def drawn(low: float, high: float) -> Floats:
        return random.uniform(low, high, (count, 1, 1)).astype(np.float32)

    light = frames.astype(np.float32) / np.float32(255)
    gamma = np.exp(random.normal(0, 0.25, (count, 1, 1))).astype(np.float32)
    light = np.where(random.random((count, 1, 1)) < 0.5, light**gamma, light)
    mean = light.mean(axis=(1, 2), keepdims=True)
    light = (light - mean) * drawn(0.6, 1.25) + mean * drawn(0.65, 1.25) + drawn(-0.05, 0.05)
    for number in range(count):
        if random.random() < 0.6:
            down, across = random.integers(0, 9, 2)
            light[number] = np.pad(light[number], 4, mode="edge")[down : down + 96, across : across + 96]
        if random.random() < 0.2:
            (top, left), (high, wide) = random.integers(0, 80, 2), random.integers(8, 30, 2)
            light[number, top : top + high, left : left + wide] = random.random()
        if random.random() < 0.3:
            deviation = random.uniform(0.01, 0.06)
            light[number] += (deviation * random.standard_normal(light[number].shape)).astype(np.float32)
    result: Floats = np.clip(np.rint(light * np.float32(255)), 0, 255)
    return result


def _optimiser(student: _Student, settings: Settings) -> Any:
    """Weight decay for what mixes channels; none for depthwise kernels, normalisations and biases."""
    mixing = [module.weight for module in student.convolutions if module.groups == 1] + [student.dense.weight]
    kept = {id(parameter) for parameter in mixing}
    others = [p for module in student.modules() for p in module.parameters() if id(p) not in kept]
    groups = [{"params": mixing, "weight_decay": settings.decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.rate)


def _set_rate(optimiser: Any, step: int, settings: Settings) -> None:
    """A short warm-up, then half a cosine."""
    fall = 0.5 * (1 + np.cos(np.pi * step / settings.steps)) + 0.01
    for group in optimiser.param_groups:
        group["lr"] = settings.rate * min(1.0, (step + 1) / settings.warm_up) * float(fall)


def _follow(average: Iterable[Tensor], state: Iterable[Tensor], keep: float) -> None:
    with torch.no_grad():
        for kept, new in zip(average, state, strict=True):
            kept.mul_(keep).add_(new, alpha=1 - keep)


def _folded(start: FloatNetwork, student: _Student) -> FloatNetwork:
    layers = []
    for before, convolution, norm in zip(start.layers, student.convolutions, student.norms, strict=False):
        factor = (norm.weight / torch.sqrt(norm.running_var + _EPSILON)).detach()
        weights = convolution.weight.detach() * factor[:, None, None, None]
        bias = norm.bias.detach() - norm.running_mean * factor
        depthwise = before.operator is Operator.DEPTHWISE
        ordered = weights.permute(1, 2, 3, 0) if depthwise else weights.permute(0, 2, 3, 1)
        layers.append(replace(before, weights=ordered.contiguous().numpy(), bias=bias.numpy()))
    dense = replace(
        start.layers[-1],
        weights=student.dense.weight.detach().numpy().copy(),
        bias=student.dense.bias.detach().numpy().copy(),
    )
    return FloatNetwork(layers=(*layers, dense))


def digest(network: FloatNetwork) -> str:
    """Of all weights: whether two runs gave the same network."""
    made = hashlib.sha256()
    for layer in network.layers:
        made.update(np.ascontiguousarray(layer.weights).tobytes() + np.ascontiguousarray(layer.bias).tobytes())
    return made.hexdigest()
