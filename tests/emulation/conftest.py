"""What the emulation tests share: their tools, and images built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_module.build import Recipe, build
from tests.emulation.answers import unsmoothed
from tests.emulation.tools import require


@pytest.fixture(scope="session")
def emulation_tools() -> None:
    require("qemu-system-arm", "arm-none-eabi-gcc", "gcc")


@pytest.fixture(scope="session")
def stub(emulation_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference gate, but for smoothing, with its stub: says present when the frame is bright."""
    return build(tmp_path_factory.mktemp("stub") / "stub.elf", Recipe(gate_files=unsmoothed()))
