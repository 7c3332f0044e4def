"""`pinproof new`: a vendor's project to start from, out of the installed package alone."""

from __future__ import annotations

import argparse
import contextlib
import shlex
from pathlib import Path

from pinproof import _files
from pinproof._commands import _shared
from pinproof.errors import InputError
from pinproof.exports import clean
from pinproof.kit import Kit, KitFile, kit_files, kits
from pinproof.profile import profile_names
from pinproof.silicon import Status, load_silicon, part_names


def add(commands: _shared.Commands[argparse.ArgumentParser]) -> None:
    command = _shared.add_command(commands, "new", "make a project that builds, verifies and runs in an emulator")
    command.add_argument("directory", metavar="DIR", type=Path, help="where; must be empty or not there yet")
    command.add_argument("--part", required=True, help="the microcontroller, such as stm32f401xe (pinproof parts)")
    command.add_argument("--profile", default="person-detector", help="default: person-detector")
    command.add_argument("--name", help="what the product is called (default: DIR's name)")
    command.add_argument("--vendor", default="Example vendor", help="who makes it (default: Example vendor)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    kit = _kit(arguments.part, arguments.profile)
    directory: Path = arguments.directory
    product = directory.resolve().name.replace("_", " ") if arguments.name is None else arguments.name
    made = kit_files(kit, product=product, vendor=arguments.vendor)
    _write(directory, made)
    _files.emit(_told(directory, made), None)
    return 0


def _kit(part: str, profile: str) -> Kit:
    """The kit for both, or an error that names what there is."""
    there = kits()
    parts = [name for name in part_names() if load_silicon(name).status is Status.CERTIFIABLE]
    parts = [name for name in parts if any(kit.part == name for kit in there)]
    if part not in parts:
        raise InputError(f"--part {clean(part)[:40]!r}: no kit for this part; there is one for: {', '.join(parts)}")
    profiles = [kit.profile for kit in there if kit.part == part]
    if profile not in profiles:
        what = "no kit for this profile yet" if profile in profile_names() else "unknown profile"
        raise InputError(f"--profile {clean(profile)[:40]!r}: {what}; there is one for: {', '.join(profiles)}")
    return Kit(part=part, profile=profile)


def _write(directory: Path, made: tuple[KitFile, ...]) -> None:
    """All files, or none: what a failure leaves behind is taken away again. Nothing that exists is touched."""
    begun: list[Path] = []
    try:
        if not _is_free(directory):
            raise InputError(f"{clean(str(directory))}: exists and is not an empty folder; nothing was written")
        for file in made:
            path = directory / file.path
            _make_folder(path.parent, begun)
            with path.open("xb") as stream:
                begun.append(path)
                stream.write(file.data)
    except (OSError, ValueError) as problem:
        _take_back(begun)
        raise InputError(f"{clean(str(directory))}: cannot be written: {_files.reason(problem)}") from None
    except BaseException:
        _take_back(begun)
        raise


def _is_free(directory: Path) -> bool:
    if not directory.exists() and not directory.is_symlink():
        return True
    return directory.is_dir() and not any(directory.iterdir())


def _make_folder(folder: Path, begun: list[Path]) -> None:
    if not folder.exists():
        _make_folder(folder.parent, begun)
        folder.mkdir()
        begun.append(folder)


def _take_back(begun: list[Path]) -> None:
    for path in reversed(begun):
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


def _told(directory: Path, made: tuple[KitFile, ...]) -> str:
    where = clean(str(directory))
    lines = [
        f"{where}: {len(made)} files; README.md there says what is where",
        f"next: cd {clean(shlex.quote(str(directory)))} && make && make declare && make verify",
        "your network: make NETWORK=yours.tflite, or C in firmware/confined/",
    ]
    return "\n".join(lines) + "\n"
