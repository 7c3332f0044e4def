"""Images that stop, lock up, reset or never capture: the harness must come back and say so, whatever the image does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from reference_module.build import Recipe, build, gate_text, patched
from reference_module.emulate.emulator import Stop
from tests.emulation.attacks import attack_frame, build_attacks
from tests.emulation.observation import BRIGHT, run_variant
from tests.emulation.oracle import judge

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain, pytest.mark.usefixtures("emulation_tools")]


def _gate(name: str, old: str, new: str) -> Mapping[str, str]:
    return {name: patched(gate_text(name), old, new)}


def _build(directory: Path, gate_files: Mapping[str, str]) -> Path:
    return build(directory / "image.elf", Recipe(gate_files=gate_files))


def test_a_timer_that_never_starts(tmp_path: Path) -> None:
    files = _gate("timer.c", "kCr1Setup | kCr1Enable", "kCr1Setup & ~kCr1Enable")
    observation = run_variant(_build(tmp_path, files), [BRIGHT])
    assert (observation.end, observation.ticks) == (Stop.STALLED, 0)
    with pytest.raises(ValueError, match="no tick"):
        judge(observation)


def test_a_tick_handler_that_never_ends(tmp_path: Path) -> None:
    files = _gate("tick.c", "    restart_wipe();\n", "    for (;;) {\n    }\n")
    observation = run_variant(_build(tmp_path, files), [BRIGHT] * 3)
    assert observation.end is Stop.TICKS
    assert observation.captures == ()
    assert observation.bits[1:] == (None,) * (observation.ticks - 1)


def test_a_fault_handler_that_faults_locks_up(tmp_path: Path) -> None:
    files = _gate("fault.c", "    mailbox = 0u;\n", "    (void)word_read(0xF0000000u);\n")
    observation = run_variant(build_attacks(tmp_path / "image.elf", files), [attack_frame(1)])
    assert observation.end is Stop.LOCKUP
    assert observation.faults(1)


def test_a_fault_handler_that_resets(tmp_path: Path) -> None:
    files = _gate("fault.c", "    mailbox = 0u;\n", "    word_write(0xE000ED0Cu, 0x05FA0004u);\n")
    observation = run_variant(build_attacks(tmp_path / "image.elf", files), [attack_frame(1)])
    assert observation.end is Stop.RESET
    assert observation.written(0xE000ED0C)


def test_an_image_that_does_not_capture(tmp_path: Path) -> None:
    files = _gate("tick.c", "if (product_capture()) {", "if (mailbox == 7u) {")
    observation = run_variant(_build(tmp_path, files), [BRIGHT] * 3)
    assert (observation.end, observation.captures) == (Stop.TICKS, ())
    assert observation.bits[:5] == (0,) * 5
