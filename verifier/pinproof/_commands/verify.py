"""`pinproof verify`: proves, prints the report."""

from __future__ import annotations

import argparse
from pathlib import Path

from pinproof import _files
from pinproof._commands import _shared
from pinproof.exports import Format, render


def add(commands: _shared.Commands[argparse.ArgumentParser]) -> None:
    command = _shared.add_command(commands, "verify", "prove what an image can and cannot do, and print the report")
    _shared.add_subject(command)
    command.add_argument(
        "--development",
        action="store_true",
        help="for a module still being made: also say what papers and sealing would change; never conforms",
    )
    command.add_argument(
        "--explain", action="store_true", help="also show the chain of evidence behind each requirement"
    )
    command.add_argument("--format", type=Format, choices=list(Format), default=Format.TEXT, help="form of the report")
    command.add_argument("-o", "--output", metavar="FILE", type=Path, help="write the report here, whole or not at all")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    report = _shared.run_verification(
        arguments, level=arguments.level, development=arguments.development, explain=arguments.explain
    )
    screen = _shared.screen(arguments.output is not None)
    folder = _shared.folder_of(arguments.module)
    text = render(
        report,
        arguments.format,
        width=screen.width,
        colour=screen.colour,
        folder=folder,
        explain=arguments.explain,
    )
    _files.emit(text, arguments.output)
    return _shared.EXIT_CODES[report.verdict]
