"""What the verifier says of a gate, and what the gate does in QEMU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pinproof.outcome import Verdict
from pinproof.verify import verify

from reference_module.emulate.emulator import Stop
from tests.attacks.building import DECLARATION, Case
from tests.attacks.judging import spelt
from tests.emulation.observation import BRIGHT, DARK, Observation, run_variant
from tests.emulation.pin import Cause, Level, levels, pin_edges
from tests.gates.gate import MEMORY_START, Gate

FRAMES = (BRIGHT, DARK, BRIGHT, None, BRIGHT, DARK)
ANSWERS = tuple(int(frame is BRIGHT) for frame in FRAMES)
"""What the stub says to each: whether it is bright; without a frame it is never started."""
_COMPARE = range(0x34, 0x44, 4)
_TIMERS = (0x40000000, 0x40000400, 0x40000800, 0x40000C00)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    verdict: Verdict
    outcomes: Mapping[str, str]
    """By requirement, as `spelt` has it."""

    @property
    def refusals(self) -> dict[str, str]:
        return {name: outcome for name, outcome in self.outcomes.items() if outcome != "pass"}


def judge(case: Case) -> Judged:
    report = verify(
        image=case.image,
        image_name="image.elf",
        declaration=case.declaration,
        declaration_name=DECLARATION,
        files=case.files,
        level=1,
        rebuilt=None,
        development=False,
    )
    outcomes = {decision.id: spelt(decision.outcome) for decision in report.decisions}
    return Judged(verdict=report.verdict, outcomes=outcomes)


def run(gate: Gate, image: Path) -> Observation:
    return run_variant(image, FRAMES, starts=True, arrived=gate.captured)


def complaints(gate: Gate, observation: Observation) -> list[str]:
    """What keeps this run from being a working gate's; nothing where it is one."""
    found = []
    if observation.end is not Stop.TICKS or observation.ticks != len(FRAMES) + 2:
        found.append(f"it ended with {observation.end} after {observation.ticks} ticks")
    expected = ANSWERS if gate.smoothed is None else gate.smoothed
    if answers(observation)[1 : 1 + len(expected)] != expected:
        found.append(f"the output register got {answers(observation)}, for the frames before it would be {expected}")
    edges = pin_edges(observation.events)
    shown = levels(edges, observation.ticks)
    if list(shown[1:]) != [Level.HIGH if bit else Level.LOW for bit in answers(observation)][:-1]:
        found.append(f"the pin showed {shown}")
    found += [f"the pin moved: {edge}" for edge in edges if edge.tick and edge.cause is not Cause.UPDATE]
    found += [f"the confined part stored: {write}" for write in observation.from_confined()]
    found += [f"memory outlived the wipe in tick {each.tick}" for each in observation.captures if each.survivors()]
    if [start.tick for start in observation.starts] != [at for at, frame in enumerate(FRAMES, 1) if frame]:
        found.append(f"the confined part was started in {[start.tick for start in observation.starts]}")
    for start in observation.starts:
        if start.privileged:
            found.append(f"privileged in tick {start.tick}")
        if any(start.registers[f"r{number}"] for number in range(13)):
            found.append(f"registers that are not 0 in tick {start.tick}: {start.registers}")
        if start.registers["sp"] != MEMORY_START + gate.confined_memory:
            found.append(f"the stack begins at {start.registers['sp']:#x}")
    return found


def answers(observation: Observation) -> tuple[int | None, ...]:
    """For each tick: whether the value stored to a compare register is not 0; None without exactly one such store."""
    compare = frozenset(timer + offset for timer in _TIMERS for offset in _COMPARE)
    found: list[int | None] = []
    for tick in range(1, observation.ticks + 1):
        stored = [write for write in observation.writes if write.tick == tick and write.address in compare]
        found.append(int(stored[0].value != 0) if len(stored) == 1 and stored[0].width == 4 else None)
    return tuple(found)
