"""The machine code that unit tests run without a toolchain is what the toolchain makes of its text."""

from __future__ import annotations

import pytest

from tests.unit.machine.support import assemble, has_toolchain, known_code


@pytest.mark.toolchain
@pytest.mark.skipif(not has_toolchain(), reason="needs arm-none-eabi-gcc")
def test_the_table_is_fresh() -> None:
    assert known_code()
    for text, entry in known_code().items():
        code, labels = assemble(text, int(str(entry["base"])))
        assert (code.hex(), labels) == (entry["code"], entry["labels"]), text
