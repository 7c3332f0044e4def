"""`pinproof parts`: the parts that have a silicon file."""

from __future__ import annotations

import argparse

from pinproof import _files
from pinproof._commands import _shared
from pinproof.silicon import load_silicon, part_names


def add(commands: _shared.Commands[argparse.ArgumentParser]) -> None:
    _shared.add_command(commands, "parts", "list the parts that can be verified").set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    parts = [load_silicon(name) for name in part_names()]
    width = max(len(silicon.part) for silicon in parts)
    _files.emit("".join(f"{silicon.part:<{width}}  {silicon.status}  {silicon.title}\n" for silicon in parts), None)
    return 0
