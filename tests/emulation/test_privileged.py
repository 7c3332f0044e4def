"""The trace of privileged code: complete, repeatable, and the puppet is what its table says."""

from __future__ import annotations

from pathlib import Path

import capstone
import pytest

from tests.emulation.privileged import Behaviour, privileged_behaviour
from tests.emulation.puppet import CODE, STANDARD, START, disassembly, with_puppet

_TICK, _COMPARE = 44, 0x40000034
_REFERENCE = Path(__file__).parents[2] / "spec" / "vectors" / "mem-cleared" / "reference.pass.elf"
"""The reference gate with its stub, so that no toolchain is needed."""
_PLAIN = _REFERENCE.parents[1] / "out-one-write" / "no-smoothing.pass.elf"
"""The same with a pin that says each answer."""


def test_the_puppet_is_what_its_table_says() -> None:
    decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    assert [f"{each.mnemonic} {each.op_str}".strip() for each in decoder.disasm(CODE, START)] == list(disassembly())


def test_the_puppet_replaces_confined_code_alone() -> None:
    image = _REFERENCE.read_bytes()
    changed = [at for at, (old, new) in enumerate(zip(image, with_puppet(image), strict=True)) if old != new]
    assert changed
    assert changed[-1] - changed[0] < len(CODE)


def test_an_image_without_a_confined_part_is_refused() -> None:
    with pytest.raises(ValueError, match="loads no confined part"):
        with_puppet(_REFERENCE.read_bytes()[:52].ljust(400, b"\0"))


@pytest.fixture(scope="module")
def behaviour() -> Behaviour:
    return privileged_behaviour(_REFERENCE.read_bytes())


@pytest.mark.emulation
@pytest.mark.usefixtures("emulation_tools")
def test_the_standard_run_is_complete_and_repeats(behaviour: Behaviour) -> None:
    assert behaviour.end == "ticks"
    assert privileged_behaviour(_REFERENCE.read_bytes()) == behaviour


@pytest.mark.emulation
@pytest.mark.usefixtures("emulation_tools")
def test_each_tick_hands_over_the_message_before() -> None:
    """Present is 1 and nothing else; a fault makes a period absent. The last act's stack faults only at the tick."""
    behaviour = privileged_behaviour(_PLAIN.read_bytes())
    handed_over = [store.value for store in behaviour.stores if store.address == _COMPARE and store.exception == _TICK]
    assert handed_over == [0, 0xFFFFFFFF, 0, 0, 0, 0]
    assert len(handed_over) == len(STANDARD) - 1


@pytest.mark.emulation
@pytest.mark.usefixtures("emulation_tools")
def test_registers_reach_the_handlers_and_do_not_leave_them(behaviour: Behaviour) -> None:
    entered = [boundary for boundary in behaviour.boundaries if boundary.kind == "enter"]
    left = [boundary for boundary in behaviour.boundaries if boundary.kind == "user" and boundary.exception]
    assert len({boundary.registers[8] for boundary in entered}) > 4
    assert {boundary.registers[:13] for boundary in left} == {(0,) * 13}
