"""`pinproof parts`: the parts that have a silicon file."""

from __future__ import annotations

import argparse
from importlib import resources

from pinproof import _files
from pinproof._commands import _shared


def add(commands: _shared.Commands[argparse.ArgumentParser]) -> None:
    _shared.add_command(commands, "parts", "list the parts that can be verified").set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    folder = resources.files("pinproof._spec") / "silicon"
    names = sorted(entry.name.rpartition(".")[0] for entry in folder.iterdir() if not entry.name.startswith("_"))
    _files.emit("".join(f"{name}\n" for name in names), None)
    return 0
