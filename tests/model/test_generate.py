"""The .tflite in the repository, what is read from it, and the constants that are made of it."""

from __future__ import annotations

import hashlib
import math
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from reference_module.model import ModelError, generate, read_tflite
from reference_module.model.flatbuffer import ORIGIN, write_tflite
from reference_module.model.generate import Room, multiplier
from reference_module.model.network import Decision, IntegerLayer, IntegerNetwork, Operator, Quantisation
from reference_module.model.plan import SLACK, Tensor, plan, window_of
from tests.model.support import MODEL, NETWORK, ROOT, random_network

MODEL_SHA256 = "1df9a7076686e2a433f8cf8f6495d5ba1d29ab7b5838eafd2b72ee9a00447c1e"


@pytest.fixture(scope="module")
def network() -> IntegerNetwork:
    return read_tflite(MODEL.read_bytes(), MODEL.name)


def test_the_network_is_the_recorded_one() -> None:
    assert hashlib.sha256(MODEL.read_bytes()).hexdigest() == MODEL_SHA256


def test_its_shape(network: IntegerNetwork) -> None:
    kinds = [layer.operator for layer in network.layers]
    blocks = [Operator.DEPTHWISE, Operator.POINTWISE] * 13
    assert kinds == [Operator.CONVOLUTION, *blocks, Operator.POOL, Operator.DENSE]
    assert network.layers[0].input_shape.size == 96 * 96
    assert network.layers[0].input == Quantisation(scale=1.0, zero=-128)
    assert sum(layer.weights.size for layer in network.layers) == 207_968


def test_the_file_says_that_it_is_altered() -> None:
    import tflite

    model = tflite.Model.GetRootAs(MODEL.read_bytes(), 0)
    notes = {
        model.Metadata(index).Name(): model.Buffers(model.Metadata(index).Buffer()).DataAsNumpy().tobytes()
        for index in range(model.MetadataLength())
    }
    for text in (model.Description(), notes[ORIGIN.encode()]):
        assert text.startswith(b"ALTERED") and b"Silicon Laboratories" in text and b"Zlib" in text


def test_writing_what_was_read_gives_the_same_bytes(network: IntegerNetwork) -> None:
    import tflite

    description = tflite.Model.GetRootAs(MODEL.read_bytes(), 0).Description().decode()
    assert write_tflite(network, description) == MODEL.read_bytes()


def test_generating_twice_gives_the_same(network: IntegerNetwork) -> None:
    assert generate(network, "x") == generate(read_tflite(MODEL.read_bytes(), "x"), "x")


def test_the_command_needs_little(tmp_path: Path, network: IntegerNetwork) -> None:
    """A firmware is rebuilt without the wheels that read pictures or run networks."""
    blocked = ["PIL", "h5py", "tflite_micro", "ai_edge_litert"]
    script = (
        f"import sys\nsys.modules.update(dict.fromkeys({blocked}))\n"
        "from reference_module.model.cli import main\nsys.exit(main(['generate', '--output', sys.argv[1]]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    made = generate(network, MODEL.name)
    assert (tmp_path / "model_data.c").read_text("utf-8") == made.source
    assert (tmp_path / "model_data.h").read_text("utf-8") == made.header
    assert f"sha256: {hashlib.sha256(made.data).hexdigest()}" in done.stdout


@pytest.mark.toolchain
def test_the_compiler_lays_out_the_computed_bytes(tmp_path: Path, network: IntegerNetwork) -> None:
    made = generate(network, MODEL.name)
    (tmp_path / "model_data.h").write_text(made.header, "utf-8")
    (tmp_path / "model_data.c").write_text(made.source, "utf-8")
    options = ["-mcpu=cortex-m4", "-mthumb", f"-I{tmp_path}", f"-I{NETWORK}"]
    command = ["arm-none-eabi-gcc", *options, "-c", "model_data.c", "-o", "model_data.o"]
    subprocess.run(command, cwd=tmp_path, check=True)
    command = ["arm-none-eabi-objcopy", "-O", "binary", "-j", ".model", "model_data.o", "model.bin"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert (tmp_path / "model.bin").read_bytes() == made.data


def test_tensors_that_are_there_at_the_same_time_do_not_overlap(network: IntegerNetwork) -> None:
    """From one whole tensor to the next, both and the rows between them have a place of their own."""
    for one in (network, *(random_network(seed)[1] for seed in range(20))):
        layout = plan(one.layers)
        whole = [index for index, tensor in enumerate(layout.tensors) if tensor.rows == tensor.shape.height]
        assert whole[0] == 0 and whole[-1] == len(layout.tensors) - 1
        for first, last in pairwise(whole):
            group = layout.tensors[first : last + 1]
            spans = sorted((tensor.offset, tensor.offset + tensor.size) for tensor in group)
            assert spans[0][0] >= 0 and spans[-1][1] + SLACK <= layout.size
            assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_the_plan_is_the_smallest_of_all(network: IntegerNetwork) -> None:
    """Against every choice of whole tensors, for the first layers of the network."""
    for count in range(1, 8):
        layers = network.layers[:count]
        layout = plan(layers)
        tensors = [replace(tensor, rows=tensor.shape.height) for tensor in layout.tensors]
        sizes = []
        for choice in range(1 << (len(tensors) - 2)):
            cuts = [0, *(index + 1 for index in range(len(tensors) - 2) if choice >> index & 1), len(tensors) - 1]
            sizes.append(max(_together(tensors, layout.layers, first, last) for first, last in pairwise(cuts)))
        assert layout.size == min(sizes) + SLACK


def _together(tensors: list[Tensor], layers: tuple[IntegerLayer | None, ...], first: int, last: int) -> int:
    rows = [
        replace(tensors[index], rows=min(window_of(layers[index]).height, tensors[index].rows)).size
        for index in range(first + 1, last)
    ]
    return tensors[first].size + sum(rows) + tensors[last].size


def test_the_frame_begins_the_arena_and_the_network_fits_the_module(network: IntegerNetwork) -> None:
    room = Room.of(ROOT / "reference_module/ld/stm32f401re.ld")
    assert room is not None and plan(network.layers).size <= room.memory
    assert plan(network.layers).tensors[0].offset == 0
    generate(network, "x", room)


def test_a_network_that_does_not_fit_says_by_how_much(network: IntegerNetwork) -> None:
    made = generate(network, "x")
    with pytest.raises(ModelError, match=rf"x: its tensors need {made.arena} bytes of memory, 68 more than the"):
        generate(network, "x", Room(flash=1 << 20, memory=made.arena - 68))
    with pytest.raises(ModelError, match=rf"x: its constants need {len(made.data)} bytes of flash, 1 more than the"):
        generate(network, "x", Room(flash=len(made.data) - 1, memory=made.arena))


def test_the_command_refuses_what_does_not_fit(tmp_path: Path) -> None:
    """One line, exit code 2, nothing written: a linker script with too small an arena, without one, and none."""
    script = tmp_path / "small.ld"
    text = (ROOT / "reference_module/ld/stm32f401re.ld").read_text("utf-8")
    script.write_text(re.sub(r"layout_arena_size = \d+;", "layout_arena_size = 9216;", text), "utf-8")
    bare = tmp_path / "bare.ld"
    bare.write_text("SECTIONS {}\n", "utf-8")
    for path, message in (
        (script, "more than the 9216 of the arena"),
        (bare, "must state LENGTH of MODEL_FLASH in K, and layout_arena_size"),
        (tmp_path / "none.ld", "No such file"),
    ):
        command = [sys.executable, "-m", "reference_module.model", "generate", "--layout", str(path)]
        command += ["--output", str(tmp_path / "made")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1
        assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("real", [0.0, 1e-12, 2.0**-31, 3e-5, 0.25, 0.5, 0.7071, 0.999999999])
def test_multiplier_is_near_the_factor(real: float) -> None:
    made = multiplier(real)
    assert made.value == 0 or 1 << 30 <= made.value < 1 << 31
    assert 0 <= made.shift <= 31
    value = math.ldexp(made.value, -31 - made.shift)
    assert math.isclose(value, real, rel_tol=2**-30) or (made.value == 0 and real < 2**-31)


@pytest.mark.parametrize("real", [1.0, 1.5, -0.1, math.inf])
def test_multiplier_refuses(real: float) -> None:
    with pytest.raises(ModelError, match="0 to 1"):
        multiplier(real)


def changed(network: IntegerNetwork, index: int, **fields: object) -> IntegerNetwork:
    layers = list(network.layers)
    layers[index] = replace(layers[index], **fields)  # type: ignore[arg-type]
    return replace(network, layers=tuple(layers))


@pytest.mark.parametrize(
    ("index", "fields", "message"),
    [
        (2, {"bias": np.full(16, 2**31 - 1, np.int32)}, "layer 2 pointwise: an accumulator could reach"),
        (0, {"output": Quantisation(scale=1e-9, zero=-128)}, "rescaling factor"),
    ],
)
def test_what_the_kernels_cannot_hold_is_refused(
    network: IntegerNetwork, index: int, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        generate(changed(network, index, **fields), "x")


@pytest.mark.slow
def test_a_truncated_or_damaged_file_is_refused_in_one_line() -> None:
    data = MODEL.read_bytes()
    random = np.random.default_rng(0)
    cut = [data[:length] for length in (0, 3, 8, 100, 5000, len(data) // 2)]
    damaged = []
    for number in range(200):
        copy = bytearray(data)
        # The structure lies in the first part, the weights behind it.
        reach, count = (60_000, 4) if number % 4 else (len(data), 200)
        for place in random.integers(0, reach, count):
            copy[place] ^= int(random.integers(1, 256))
        damaged.append(bytes(copy))
    for each in [*cut, b"not a model at all", *damaged]:
        try:
            generate(read_tflite(each, "bad.tflite"), "bad.tflite")
        except ModelError as error:
            assert str(error).startswith("bad.tflite: ") and str(error).isprintable()
        else:
            assert each not in cut, "a cut file was taken for a network"


def test_unknown_operators_are_named(network: IntegerNetwork) -> None:
    """The operator code of the pool becomes that of MUL."""
    import tflite

    data = bytearray(MODEL.read_bytes())
    model = tflite.Model.GetRootAs(data, 0)
    codes = [model.OperatorCodes(index).BuiltinCode() for index in range(model.OperatorCodesLength())]
    table = model.OperatorCodes(codes.index(tflite.BuiltinOperator.AVERAGE_POOL_2D))._tab
    for slot, width in ((4, 1), (10, 4)):
        offset = table.Offset(slot)
        if offset:
            data[table.Pos + offset : table.Pos + offset + width] = (18).to_bytes(width, "little")
    with pytest.raises(ModelError, match="MUL: there is no such operator here") as refused:
        read_tflite(bytes(data), "x.tflite")
    guide = (MODEL.parent / "README.md").read_text("utf-8")
    table = guide[guide.index("| operator | forms |") :].partition("\n\n")[0]
    for name in re.findall(r"[A-Z_0-9]{4,}", str(refused.value).partition("there are")[2]):
        assert name in table, f"the guide does not list {name}"


def test_a_network_without_a_decision_is_refused() -> None:
    data = MODEL.read_bytes().replace(b"pinproof.decision", b"pinproof.decisiom")
    with pytest.raises(ModelError, match=r"pinproof\.decision is missing"):
        read_tflite(data, "x")


def test_the_decision_is_read_back() -> None:
    _, network = random_network(3)
    for person, threshold in ((0, -255), (1, 17)):
        decision = Decision(person=person, threshold=threshold)
        data = write_tflite(replace(network, decision=decision), "test")
        assert read_tflite(data, "x").decision == decision
