"""The commands: parse, call, print, exit. Exit codes: 0 done, 2 an input that cannot be used (one line says which)."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from reference_module.model.errors import ModelError
from reference_module.model.generate import generate
from reference_module.model.reader import read_tflite

HERE = Path(__file__).parent
MODEL = HERE / "person_detector_grey.tflite"
WORK = Path("build/model")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error


def _generate(options: argparse.Namespace) -> None:
    name = options.model.name
    made = generate(read_tflite(_read(options.model), name), name)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "model_data.h").write_text(made.header, "utf-8")
    (options.output / "model_data.c").write_text(made.source, "utf-8")
    print(f"size: {len(made.data)} bytes")
    print(f"sha256: {hashlib.sha256(made.data).hexdigest()}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reference_module.model", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("generate", help="a .tflite as C constants for the detector")
    command.add_argument("--model", type=Path, default=MODEL, help="the network (default: the one beside this file)")
    command.add_argument("--output", type=Path, default=WORK, help="folder for model_data.h and model_data.c")
    command.set_defaults(run=_generate)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except ModelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
