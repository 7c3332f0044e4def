"""Builds the reference module's firmware with the Arm GNU toolchain, the same bytes from any directory.

The gate is compiled from `gate/`, the confined part from `stub/`, or from `detector/` and `network/`; they meet only in
the linker script. Variants for tests replace the text of gate files, define macros for the confined part, or bring a
confined part of their own. The gate itself is compiled without any definition: what is tested is what is shipped.

    python firmware/build.py stub build/stub.elf
    python firmware/build.py detector firmware/person_detector.elf
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PREFIX = "arm-none-eabi-"

RECORDED_TOOLCHAIN = "arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205; GNU ld (2.40-2+18+b1) 2.40"
"""The versions under which the checked-in image was built; under others a comparison of bytes says nothing."""

MACHINE = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft")
COMMON = (
    "-std=c11", "-ffreestanding", "-fno-builtin", "-fno-common", "-fno-tree-loop-distribute-patterns",
    "-fno-jump-tables", "-fno-optimize-sibling-calls", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables",
    "-ffunction-sections", "-fdata-sections", "-gno-record-gcc-switches",
)  # fmt: skip
"""No call to a C library may appear in the gate, nor a branch through a table: the verifier resolves every branch."""
GATE_OPTIMISATION = "-Os"
CONFINED_OPTIMISATION = "-O2"
"""The gate is to be small and easily read; the network has to be done within a period, flash caches off."""
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion", "-Wstrict-prototypes", "-Wundef", "-Wvla")
LINK = ("-n", "--build-id=none", "--gc-sections", "--no-undefined", "--fatal-warnings")

GATE_MAY_USE = frozenset(
    {
        "confined_entry", "frame", "mailbox", "layout_ram_start", "layout_ram_end", "layout_confined_start",
        "layout_confined_end", "layout_gate_stack_end",
    }
)  # fmt: skip
"""All that gate objects may take from outside the gate. Anything else would be confined code run with privilege."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What an image is beside its confined part: one set of gate sources, less what the product has no use for."""

    gate_left_out: frozenset[str]
    """Files of `gate/` that are not compiled."""
    gate_brought: str | None = None
    """Folder whose files take the place of those of the same name in `gate/`; None where they are its own."""
    linker_script: str
    network: Sequence[str] = ()
    """What `python -m firmware.model generate` is told, for the confined part of that name."""


PERSON = Product(gate_left_out=frozenset({"microphone.c"}), linker_script="ld/stm32f401re.ld")
"""Looks: what the files in `gate/` say without any other."""
VOICE = Product(
    gate_left_out=frozenset({"camera.c", "sensor.c", "smoothing.c"}),
    gate_brought="voice/gate",
    linker_script="voice/layout.ld",
    network=(
        "--model=firmware/voice/tflite_micro_speech.tflite",
        '--decision={"reports": [{"output": 0, "threshold": 8}, {"output": 1, "threshold": 8}]}',
    ),
)
"""Listens, and has two outputs."""
PRODUCTS = {"voice": VOICE}
"""By the name of the confined part; every other one is a person detector's."""
WITH_NETWORK = ("detector", "voice")
"""Confined parts that are compiled with `network/` and the constants generated for it."""

NETWORK = "model_data.c"
"""The detector's constants: made from the network in `model/` at each build, unless a recipe brings its own."""


class BuildError(Exception):
    """The toolchain is missing, refused its input, or the objects break a rule. The message is what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What goes into one image. The default is the stub with the gate as it is."""

    confined: str | Path = "stub"
    """`stub`, `detector`, `voice`, or a directory whose `*.c` and `*.h` files are the confined part."""
    product: Product | None = None
    """None: the one that `PRODUCTS` names for the confined part."""
    confined_files: Mapping[str, str] = field(default_factory=dict)
    """Files of the confined part to add or replace: name to text."""
    gate_files: Mapping[str, str] = field(default_factory=dict)
    """Files of the gate to add or replace: name to text."""
    linker_script: str | None = None
    """Text in place of the product's."""
    defines: Sequence[str] = ()
    """Macros, `NAME` or `NAME=VALUE`, for the confined part alone."""
    gate_options: Sequence[str] = ()
    """More compiler options for the gate, such as `-O2`; they come last."""
    confined_options: Sequence[str] = ()
    """The same for the confined part, such as `-w` for code that is bad on purpose."""
    small: bool = False
    """Without debugging information and symbols, as the vectors are."""


def gate_text(name: str) -> str:
    """The text of a gate file, to be changed and given back as `gate_files`."""
    return (HERE / "gate" / name).read_text(encoding="utf-8")


def patched(text: str, old: str, new: str) -> str:
    """`text` with `old`, which must occur exactly once, replaced: no variant without its deviation may be built."""
    if text.count(old) != 1:
        raise BuildError(f"expected exactly one occurrence, found {text.count(old)}: {old!r}")
    return text.replace(old, new)


def toolchain() -> str:
    """Compiler and linker versions; to be compared with `RECORDED_TOOLCHAIN`."""
    return "; ".join(_run([PREFIX + tool, "--version"], HERE).splitlines()[0] for tool in ("gcc", "ld"))


def comparable() -> bool:
    """Whether this toolchain should give the checked-in bytes."""
    return toolchain() == RECORDED_TOOLCHAIN


def build(output: Path, recipe: Recipe | None = None) -> Path:
    """Writes the image to `output` and returns it; raises `BuildError`. Recipe and toolchain alone decide the bytes."""
    recipe = recipe or Recipe()
    product = recipe.product or PRODUCTS.get(str(recipe.confined), PERSON)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        _copy(_gate_sources(product, recipe.gate_files), work / "gate")
        script = recipe.linker_script or (HERE / product.linker_script).read_text(encoding="utf-8")
        (work / "layout.ld").write_text(script, encoding="utf-8")
        confined_files = _sources(_confined_directory(recipe.confined), recipe.confined_files)
        if recipe.confined in WITH_NETWORK:
            confined_files = {**_sources(HERE / "network", {}), **confined_files}
        _copy(confined_files, work / "confined")
        if recipe.confined in WITH_NETWORK and NETWORK not in recipe.confined_files:
            places = ("--output", f"{work}/confined", "--layout", f"{work}/layout.ld")
            _run([sys.executable, "-m", "firmware.model", "generate", *product.network, *places], HERE.parent)

        debug = () if recipe.small else ("-g",)
        options = (*MACHINE, *COMMON, *debug, f"-ffile-prefix-map={work}=.")
        gate = _compile(work, "gate", (*options, GATE_OPTIMISATION, *WARNINGS, *recipe.gate_options))
        defines = (f"-D{item}" for item in recipe.defines)
        options = (*options, CONFINED_OPTIMISATION, *WARNINGS, *defines, *recipe.confined_options)
        confined = _compile(work, "confined", options)
        _check_gate(work, gate)
        library = _run([PREFIX + "gcc", *MACHINE, "-print-libgcc-file-name"], work).strip()
        strip = ("--strip-all",) if recipe.small else ()
        _run([PREFIX + "ld", "-T", "layout.ld", *LINK, *strip, "-o", "image.elf", *gate, *confined, library], work)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes((work / "image.elf").read_bytes())
    return output


def _confined_directory(confined: str | Path) -> Path:
    directory = HERE / confined if isinstance(confined, str) else confined
    if not any(directory.glob("*.c")):
        raise BuildError(f"no C files in {directory}")
    return directory


def _gate_sources(product: Product, changed: Mapping[str, str]) -> dict[str, str]:
    files = _sources(HERE / "gate", {})
    if product.gate_brought is not None:
        files |= _sources(HERE / product.gate_brought, {})
    return {name: text for name, text in {**files, **changed}.items() if name not in product.gate_left_out}


def _sources(directory: Path, changed: Mapping[str, str]) -> dict[str, str]:
    files = {path.name: path.read_text(encoding="utf-8") for path in directory.iterdir() if path.suffix in {".c", ".h"}}
    return {**files, **changed}


def _copy(files: Mapping[str, str], directory: Path) -> None:
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")


def _compile(work: Path, part: str, options: Sequence[str]) -> list[str]:
    """Object files, in the order of their names. Paths are relative to `work`, so that it leaves no trace."""
    objects = []
    for source in sorted((work / part).glob("*.c")):
        target = f"{part}/{source.stem}.o"
        _run([PREFIX + "gcc", *options, "-c", f"{part}/{source.name}", "-o", target], work)
        objects.append(target)
    return objects


def _check_gate(work: Path, objects: Sequence[str]) -> None:
    """Refuses gate objects that need anything from outside the gate but the agreed symbols."""
    lines = _run([PREFIX + "nm", *objects], work).splitlines()
    symbols = [fields for fields in (line.split() for line in lines) if len(fields) >= 2]
    defined = {fields[-1] for fields in symbols if fields[-2] != "U"}
    needed = {fields[-1] for fields in symbols if fields[-2] == "U"}
    strangers = needed - defined - GATE_MAY_USE
    if strangers:
        raise BuildError(f"the gate uses what is not its own: {', '.join(sorted(strangers))}")


def _run(command: Sequence[str], directory: Path) -> str:
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    except FileNotFoundError as missing:
        raise BuildError(f"{command[0]} is not installed") from missing
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command[:1])} failed:\n{done.stderr.strip()}")
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="build the reference module's firmware")
    parser.add_argument("confined", help="stub, detector, voice, or a directory with the confined part")
    parser.add_argument("output", type=Path)
    parser.add_argument("--small", action="store_true", help="without debugging information and symbols")
    options = parser.parse_args(arguments)
    try:
        build(options.output, Recipe(confined=options.confined, small=options.small))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.output}: built with {toolchain()}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
