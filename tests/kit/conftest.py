"""What a vendor has: the installed package, and a folder somewhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.emulation.tools import require

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """Runs programs as a vendor would: Pinproof from its wheel, and nothing of this repository in reach."""

    environment: Mapping[str, str]

    def run(self, *words: str, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **changes}
        return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    def done(self, *words: str, folder: Path) -> str:
        """What the program prints; it must succeed."""
        ended = self.run(*words, folder=folder)
        assert ended.returncode == 0, f"{' '.join(words)}\n{ended.stdout}{ended.stderr}"
        return ended.stdout


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    """The wheel, built and unpacked as pip does it; what it depends on is the tests' own."""
    require("python:hatchling", "make")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    quick = ["--quiet", "--no-deps", "--no-index"]
    for words in (
        [*pip, "wheel", *quick, "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)],
        [*pip, "install", *quick, "--target", str(folder / "site"), "--find-links", str(folder), "pinproof"],
    ):
        ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
    programs = [str(folder / "site/bin"), str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]
    return Vendor(
        environment={
            "PATH": os.pathsep.join(programs),
            "PYTHONPATH": str(folder / "site"),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
        }
    )
