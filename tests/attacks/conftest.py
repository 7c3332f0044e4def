"""Tools of the emulation tests, for those attacks that are shown in QEMU."""

from __future__ import annotations

import pytest

from tests.emulation.tools import require


@pytest.fixture(scope="session")
def emulation_tools() -> None:
    require("qemu-system-arm", "arm-none-eabi-gcc", "gcc")
