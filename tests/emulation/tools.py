"""Tools that the tests need. One that is missing is said loudly: an error in CI, elsewhere a skip that names it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest


def require(*names: str, environment: Mapping[str, str] | None = None) -> None:
    """Fails in CI, and skips elsewhere, unless each of `names` is there.

    A name is a program, `python:NAME` for an importable package, or an absolute path of a file.
    """
    missing = [name for name in names if not _found(name)]
    if not missing:
        return
    lacking(f"missing: {', '.join(missing)}", environment)


def lacking(message: str, environment: Mapping[str, str] | None = None) -> NoReturn:
    """Something that the test needs cannot be had: a failure in CI, elsewhere a skip that says what."""
    if (os.environ if environment is None else environment).get("CI"):
        pytest.fail(f"{message}; nothing is skipped in CI", pytrace=False)
    pytest.skip(message)


def _found(name: str) -> bool:
    if name.startswith("python:"):
        return find_spec(name.removeprefix("python:")) is not None
    if name.startswith("/"):
        return Path(name).is_file()
    return shutil.which(name) is not None
