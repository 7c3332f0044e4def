"""The project's own commands: build the firmware, bring its declaration up to date, run it in an emulator.

    python3 -m firmware.project build [--network FILE.tflite [--decision JSON]]
    python3 -m firmware.project declare
    python3 -m firmware.project emulate bright bright dark none

The Makefile calls them. Exit codes: 0 done, 1 the build failed, 2 an input or a tool that cannot be used; one line says
which.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pinproof.declaration import read_declaration
from pinproof.errors import PinproofError

from reference_module.build import BuildError, Recipe, build, toolchain
from reference_module.emulate.errors import EmulationError

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent
IMAGE = Path("build/module.elf")
NETWORK = Path("build/network")
DECLARATION = Path("module.toml")
LARGEST = 16 * 1024 * 1024
"""Bytes of any file that is read: an endless device is refused and not swallowed."""

BRIGHT, DARK = 200, 20
"""Grey levels of the frames that `emulate` knows by name."""


class ProjectError(Exception):
    """An input or a tool that cannot be used, in one line."""


def build_image(network: Path | None, decision: str | None) -> None:
    """Writes the image: with the example of `firmware/confined`, or with a network that the generator made C of."""
    if network is None:
        recipe = Recipe(confined=FOLDER / "confined")
    else:
        recipe = Recipe(confined="detector", confined_files=_network_files(network, decision))
    build(PROJECT / IMAGE, recipe)
    print(f"{IMAGE}: {'the example in firmware/confined' if network is None else network}")


def _network_files(path: Path, decision: str | None) -> Mapping[str, str]:
    """The network's C files, which are also left in the project for a look."""
    try:
        from reference_module.model.errors import ModelError
        from reference_module.model.generate import Room, generate
        from reference_module.model.reader import read_tflite
    except ModuleNotFoundError as missing:
        raise ProjectError(
            f"reading a .tflite needs the Python package {missing.name}: install Pinproof with its extra 'kit'"
        ) from missing
    try:
        room = Room.of(FOLDER / "ld/stm32f401re.ld")
        made = generate(read_tflite(_read(path), path.name, decision), path.name, room)
    except ModelError as error:
        raise ProjectError(str(error)) from error
    files = {"model_data.h": made.header, "model_data.c": made.source}
    folder = PROJECT / NETWORK
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    print(f"{NETWORK}: {len(made.data):,} bytes of constants; its tensors take {made.arena:,} bytes of memory")
    return files


def declare() -> None:
    """Writes into the declaration what the image and the files beside it decide."""
    from pinproof.image import read_image

    from reference_module.digests import refreshed

    data = _read(PROJECT / DECLARATION)
    declared = read_declaration(data, DECLARATION.name)
    start = declared.model.range.start
    image = read_image(_read(PROJECT / IMAGE, "build it first: make"), IMAGE.name)
    if all(segment.address != start for segment in image.segments):
        raise ProjectError(f"{DECLARATION}: model.start: nothing of {IMAGE} begins at 0x{start:08X}")
    for named in (declared.provisioning.file, declared.datasheet.file):
        _read(PROJECT / named, f"{DECLARATION} names it")
    (PROJECT / DECLARATION).write_text(refreshed(data.decode("utf-8"), image, PROJECT, toolchain()), "utf-8")
    print(f"{DECLARATION}: digests of {IMAGE}")


def emulate(names: Sequence[str]) -> None:
    """Prints, for each tick, what the confined part answered and what the gate stored in the compare register."""
    from reference_module.emulate.periods import play

    size = read_declaration(_read(PROJECT / DECLARATION), DECLARATION.name).memory.frame.size
    _read(PROJECT / IMAGE, "build it first: make")
    frames = [_frame(name, size) for name in names]
    print("tick  frame     answer  compare register  pin")
    for period in play(PROJECT / IMAGE, frames):
        name = _shown(names, period.number - 1)
        level = {True: "high", False: "low", None: "?"}[period.level]
        print(f"{period.number:>4}  {name:<8}  {period.mailbox:>6x}  0x{period.compare:08X}        {level}", flush=True)
    print("The answer is to the frame one line above; the compare register takes effect one line below.")


def _shown(names: Sequence[str], index: int) -> str:
    return Path(names[index]).name[:8] if index < len(names) else "-"


def _frame(name: str, size: int) -> bytes | None:
    """A frame by name, or from a file that holds one grey byte a pixel."""
    if name == "none":
        return None
    if name in ("bright", "dark"):
        return bytes([BRIGHT if name == "bright" else DARK]) * size
    data = _read(Path(name), "a frame is bright, dark, none or a file")
    if len(data) != size:
        raise ProjectError(f"{name}: {len(data):,} bytes; a frame is {size:,} bytes, one a pixel, rows from the top")
    return data


def _read(path: Path, otherwise: str = "") -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise ProjectError("; ".join(part for part in (f"{path}: {error.strerror}", otherwise) if part)) from error
    if len(data) > LARGEST:
        raise ProjectError(f"{path}: larger than {LARGEST:,} bytes")
    return data


def _messages(error: Exception) -> Iterator[str]:
    yield f"error: {error}"
    if isinstance(error, BuildError) and "is not installed" in str(error):
        yield "error: install gcc-arm-none-eabi and binutils-arm-none-eabi (their names in Debian and Ubuntu)"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m firmware.project", description="the project's own commands")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help=f"write {IMAGE}")
    building.add_argument("--network", type=Path, help="a .tflite in place of the example")
    building.add_argument("--decision", help="which outputs are reported, as JSON; where the .tflite does not say it")
    commands.add_parser("declare", help=f"write digests into {DECLARATION}")
    emulating = commands.add_parser("emulate", help="run the image in QEMU and print each tick")
    emulating.add_argument("frames", nargs="+", help="one a period: bright, dark, none, or a file of grey bytes")
    options = parser.parse_args(arguments)
    try:
        if options.command == "build":
            build_image(options.network, options.decision)
        elif options.command == "declare":
            declare()
        else:
            emulate(options.frames)
    except (BuildError, ProjectError, EmulationError, PinproofError) as error:
        for line in _messages(error):
            print(line, file=sys.stderr)
        return 1 if isinstance(error, BuildError) else 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
