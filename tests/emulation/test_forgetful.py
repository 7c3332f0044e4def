"""No state survives a period: confined parts that try to remember always see a fresh machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_module.build import Recipe, build, gate_text, patched
from tests.emulation.answers import unsmoothed
from tests.emulation.memories import MEMORIES, Memory
from tests.emulation.observation import BRIGHT, Observation, run_variant

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_FRAMES = [BRIGHT] * 3
_CONFINED = ("-w", "-std=gnu11")


def _run(directory: Path, memory: Memory, gate_files: dict[str, str]) -> Observation:
    recipe = Recipe(
        confined_files={"stub.c": memory.code}, confined_options=_CONFINED, gate_files=unsmoothed(gate_files)
    )
    return run_variant(build(directory / "memory.elf", recipe), _FRAMES)


@pytest.mark.usefixtures("emulation_tools")
@pytest.mark.parametrize("memory", MEMORIES, ids=lambda memory: memory.name)
def test_nothing_is_remembered(tmp_path: Path, memory: Memory) -> None:
    observation = _run(tmp_path, memory, {})
    assert len(observation.captures) == len(_FRAMES) + 2
    assert observation.bits == (0,) * observation.ticks
    assert not any(observation.faults(tick) for tick in range(observation.ticks + 1))


@pytest.mark.usefixtures("emulation_tools")
@pytest.mark.parametrize("memory", [memory for memory in MEMORIES if memory.gate_file], ids=lambda memory: memory.name)
def test_a_sloppy_gate_would_let_it_remember(tmp_path: Path, memory: Memory) -> None:
    """The control: without it, an attempt that cannot work would pass as one that is stopped."""
    sloppy = patched(gate_text(memory.gate_file), memory.forgetting, memory.instead)
    observation = _run(tmp_path, memory, {memory.gate_file: sloppy})
    assert 1 in observation.bits
