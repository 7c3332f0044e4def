"""`pinproof schema`: the JSON Schema of each format."""

from __future__ import annotations

import argparse
from importlib import resources

from pinproof import _files
from pinproof._commands import _shared

NAMES = ("certificate", "declaration", "report", "trust")


def add(commands: _shared.Commands[argparse.ArgumentParser]) -> None:
    command = _shared.add_command(commands, "schema", "print the JSON Schema of a format")
    command.add_argument("name", metavar="NAME", choices=NAMES, help=", ".join(NAMES))
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    _files.emit(read(arguments.name), None)
    return 0


def read(name: str) -> str:
    return (resources.files("pinproof._spec") / "schemas" / f"{name}.schema.json").read_text("utf-8")
