"""The images that are compared, and how one is: recorded in QEMU, explored by the verifier, held against each other."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pinproof import facts
from pinproof.declaration import read_declaration
from pinproof.image import read_image
from pinproof.machine.explore import explore
from pinproof.machine.result import Exploration
from pinproof.silicon import RegisterAccess, Silicon, load_silicon

from tests.emulation.containment.check import Checker, Result
from tests.emulation.containment.record import read_record
from tests.emulation.privileged import READY, run_traced
from tests.emulation.puppet import MEMORY, QUIET, STANDARD, START, Act, Then, with_puppet

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "spec" / "vectors"
PART = "stm32f401xe"
_READABLE = ("TIM2", "SCS", "NVIC", "SCB", "MPU")
"""Blocks that QEMU has. Of SysTick, reading the control register clears a flag."""
_NOT_READ = ("RBAR", "RASR", "ICER")
"""The state has the MPU's regions elsewhere, and an interrupt's enable under ISER alone."""
_ALL = 0xFFFFFFFF
_GATE_STACK = MEMORY.stop + 0x3F0

_FULL = Act(name="says present, leaves its memory full", seed=12, message=1, fill=True)
_TO_GATE = Act(name="stores to the gate's stack", seed=13, message=0xDEADBEEF, store=_GATE_STACK)
_STRAY = Act(name="leaves its stack pointer on a device", seed=14, message=1, stack=0x40020040)
SHORT = (QUIET, _FULL, _TO_GATE, Act(name="executes an undefined instruction", seed=15, then=Then.UNDEFINED), _STRAY)
"""For images of which there are many."""
HOSTILE = (
    *STANDARD,
    *SHORT[1:],
    Act(name="hits a breakpoint", seed=20, message=1, then=Then.BREAKPOINT),
    Act(name="jumps to a device", seed=21, message=1, then=Then.DEVICE_CODE),
    Act(name="jumps into its memory", seed=22, message=1, then=Then.MEMORY_CODE, fill=True),
    Act(name="branches to an exception return", seed=23, message=1, then=Then.RETURN),
    Act(name="loads from a device", seed=24, message=1, load=0x40020010),
    Act(name="loads from the system", seed=25, message=0x80000001, load=0xE000ED28),
    Act(name="leaves its stack pointer at its memory's start", seed=26, message=2, stack=MEMORY.start + 8),
    Act(name="leaves its stack pointer in gate memory", seed=27, message=3, stack=_GATE_STACK),
    Act(name="leaves its stack pointer unaligned", seed=28, message=1, stack=MEMORY.stop - 0x104),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An image under comparison."""

    name: str
    data: bytes
    conforms: bool
    """Whether nothing about the image itself is wrong, so that handlers may not preempt each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    text: str
    memory: bytes


@cache
def silicon() -> Silicon:
    return load_silicon(PART)


@cache
def readable() -> tuple[int, ...]:
    """Addresses of the registers that are read at each boundary: those that QEMU has and that hold what was stored."""
    return tuple(
        register.address
        for name in _READABLE
        for register in silicon().peripheral(name).registers
        if register.access is RegisterAccess.READ_WRITE
        and register.volatile != _ALL
        and not register.name.startswith(_NOT_READ)
    )


@cache
def vectors() -> tuple[Subject, ...]:
    """Each image of the standard's vectors once, under the name of its first vector."""
    entries = json.loads((VECTORS / "index.json").read_text(encoding="utf-8"))["vectors"]
    found: dict[str, Subject] = {}
    for entry in entries:
        data = (VECTORS / entry["image"]).read_bytes()
        name = str(entry["image"]).removesuffix(".elf")
        found.setdefault(entry["sha256"], Subject(name=name, data=data, conforms=entry["expect"] == "pass"))
    return tuple(found.values())


@cache
def sensor_registers() -> frozenset[int]:
    declared = read_declaration((ROOT / "reference_module" / "module.toml").read_bytes(), "module.toml")
    return facts.sensor_registers(silicon(), declared)


def explored(image: bytes) -> Exploration:
    return explore(read_image(image, "image"), silicon(), sensor_registers())


def recorded(
    image: bytes,
    acts: Sequence[Act] = SHORT,
    *,
    camera: bool = False,
    ready: Sequence[tuple[int, int, int]] = READY,
    puppet: bool = True,
    code: int = START,
    ticks: int | None = None,
    limit: int = 6_000_000,
    shift: int = 8,
) -> Recording:
    """What privileged code of `image` does; for the parameters see `run_traced`. Without `puppet`: as it is."""
    with tempfile.NamedTemporaryFile(prefix="pinproof-dump-") as dump:
        text = run_traced(
            with_puppet(image, code) if puppet else image,
            acts,
            code=code,
            dump=Path(dump.name),
            read=readable(),
            camera=camera,
            ready=ready,
            ticks=ticks,
            limit=limit,
            shift=shift,
        )
        return Recording(text=text, memory=Path(dump.name).read_bytes())


def checker(subject: Subject, memory: bytes, exploration: Exploration) -> Checker:
    return Checker(exploration, silicon(), readable(), memory, handlers_nest=not subject.conforms)


def compared(subject: Subject, recording: Recording, exploration: Exploration) -> Result:
    return checker(subject, recording.memory, exploration).follow(read_record(recording.text))
