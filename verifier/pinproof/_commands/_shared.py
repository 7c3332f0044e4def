"""What several commands take or do."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pinproof import _files
from pinproof.errors import DeclarationError, ImageError, InputError
from pinproof.exports import clean
from pinproof.outcome import Verdict

if TYPE_CHECKING:
    from pinproof.report import Report

EXIT_CODES: dict[Verdict, int] = {Verdict.CONFORMS: 0, Verdict.DOES_NOT_CONFORM: 1, Verdict.UNDECIDED: 3}

Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def add_command(commands: Commands[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)


def add_subject(command: argparse.ArgumentParser) -> None:
    """The arguments that say what is verified, and at which level."""
    command.add_argument("image", metavar="IMAGE", type=Path, help="firmware as ELF or Intel HEX")
    command.add_argument("--module", metavar="FILE", type=Path, required=True, help="the declaration (module.toml)")
    command.add_argument("--level", type=int, choices=range(4), default=1, help="level to judge at (default: 1)")
    command.add_argument("--rebuilt", metavar="IMAGE", type=Path, help="the image as rebuilt elsewhere, to compare")


def run_verification(arguments: argparse.Namespace, *, level: int, development: bool, explain: bool = False) -> Report:
    """Read what the arguments name and verify it."""
    from pinproof.declaration import read_declaration
    from pinproof.verify import verify

    _files.talk(f"verifying {clean(str(arguments.image))}")
    image = _files.read(arguments.image, limit=_files.LARGEST_IMAGE, error=ImageError)
    text = _files.read(arguments.module, limit=_files.LARGEST_TEXT, error=DeclarationError)
    declaration = read_declaration(text, arguments.module.name)
    named = (declaration.provisioning.file, declaration.datasheet.file)
    rebuilt = arguments.rebuilt and _files.read(arguments.rebuilt, limit=_files.LARGEST_IMAGE, error=ImageError)
    return verify(
        image=image,
        image_name=arguments.image.name,
        declaration=text,
        declaration_name=arguments.module.name,
        files=_named_files(arguments.module, named, may_lack=development),
        level=level,
        rebuilt=rebuilt,
        development=development,
        explain=explain,
    )


def _named_files(module: Path, names: tuple[str, ...], *, may_lack: bool) -> dict[str, bytes]:
    """The files that the declaration names. Only a module still being developed may lack one; its report says so."""
    present = [name for name in names if not may_lack or (module.parent / name).exists()]
    return {name: _named_file(module, name) for name in present}


def _named_file(module: Path, name: str) -> bytes:
    """A file that the declaration names, which must lie beside or below the declaration."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise DeclarationError(f"{module}: file {name!r} must be named relative to the declaration, without '..'")
    return _files.read(module.parent / path, limit=_files.LARGEST_TEXT, error=DeclarationError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """How text is laid out: as the terminal asks, or fixed where there is none."""

    width: int
    colour: bool


def screen(to_file: bool) -> Screen:
    if to_file or not sys.stdout.isatty():
        return Screen(width=100, colour=False)
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Screen(width=shutil.get_terminal_size((100, 24)).columns, colour=not plain)


def folder_of(module: Path) -> str:
    """The declaration's folder as seen from here, for links in SARIF; empty when it is not below here."""
    path = PurePosixPath(module.parent.as_posix())
    return "" if path.is_absolute() or ".." in path.parts or path == PurePosixPath(".") else path.as_posix()


def moment(text: str) -> datetime:
    """A time in UTC, `2026-01-31T12:00:00Z`. Raises `InputError`."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"{text!r} is not a time such as 2026-01-31T12:00:00Z (UTC)") from None


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
