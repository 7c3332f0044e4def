"""Files and streams for the command line: bounded reading, writing that is whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from pathlib import Path

from pinproof.errors import InputError

LARGEST_IMAGE = 16 * 1024 * 1024
LARGEST_TEXT = 1024 * 1024
"""Bytes: declarations, provisioning files, datasheets, keys."""
LARGEST_CERTIFICATE = 4 * 1024 * 1024


def read(path: Path, *, limit: int, error: type[InputError] = InputError) -> bytes:
    """At most `limit` bytes of the file. Raises `error`, one line, for anything that stops it or is larger.

    Reads no further than the limit, so that an endless device is refused and not swallowed.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except (OSError, ValueError) as problem:
        raise error(f"{path}: {reason(problem)}") from None
    if len(data) > limit:
        raise error(f"{path}: larger than {limit:,} bytes")
    return data


def reason(problem: Exception) -> str:
    """What the system said, without the path and number that Python puts around it."""
    return (problem.strerror or str(problem)) if isinstance(problem, OSError) else str(problem)


def write(path: Path, data: bytes, *, private: bool = False, replace: bool = True) -> None:
    """Write `data` so that `path` holds all of it or is untouched, whatever interrupts. Raises `InputError`.

    A `private` file is readable by its owner alone. With `replace` off an existing file is an error. What exists and is
    no regular file (a pipe, `/dev/null`) is written to in place, never replaced.
    """
    try:
        _write(path, data, 0o600 if private else 0o666, replace)
    except OSError as problem:
        raise InputError(f"{path}: cannot be written: {reason(problem)}") from None


def _write(path: Path, data: bytes, mode: int, replace: bool) -> None:
    if path.exists() and not replace:
        raise FileExistsError(0, "it exists already")
    target = Path(os.path.realpath(path))
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):
        with target.open("wb") as stream:
            stream.write(data)
        return
    beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def emit(text: str, output: Path | None) -> None:
    """The result: to `output` if given, else to standard output, in UTF-8 whatever the locale."""
    data = text.encode("utf-8", "backslashreplace")
    if output is not None:
        write(output, data)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def talk(text: str) -> None:
    """Progress, for a person who is watching: on standard error, and only on a terminal."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)
