"""The checked-in vectors are what the generator makes under the recorded toolchain, byte for byte."""

from __future__ import annotations

import pytest

from reference_module.build import comparable
from tests.emulation.tools import require
from tests.vectorgen.generate import generate, stale

pytestmark = pytest.mark.toolchain


def test_the_vectors_are_fresh() -> None:
    require("arm-none-eabi-gcc")
    if not comparable():
        pytest.skip("not comparable: another toolchain than the recorded one")
    assert stale(generate()) == []
