"""What the privileged code of an image does, instruction by instruction, as QEMU executes it.

No debugger and no stops: a plugin (plugin/privileged.c) writes everything down and ends the process. Time is a function
of the instructions executed, so the same image gives the same trace.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinproof.silicon import RegisterAccess, load_silicon

from reference_module.emulate.emulator import EmulationError, build_plugin
from tests.emulation.puppet import STANDARD, START, Act, with_puppet

RAM = range(0x20000000, 0x20018000)
_RCC_CR, _RCC_CFGR, _I2C1_CR1, _I2C1_SR1 = 0x40023800, 0x40023808, 0x40005400, 0x40005414
LACKING = ("RCC", "FLASH", "I2C1")
"""Devices that QEMU does not have and that gates look at."""


def answers(ready: Mapping[int, int]) -> tuple[tuple[int, int, int], ...]:
    """For `run_traced`: registers of LACKING devices that hold what is stored; of those in `ready` some bits are set.

    Address, bits that a load finds set, value after reset. I2C1_CR1 reads 0: start and stop clear themselves, at once.
    """
    silicon = load_silicon("stm32f401xe")
    found = {
        register.address: (register.address, 0, register.reset or 0)
        for name in LACKING
        for register in silicon.peripheral(name).registers
        if register.access is RegisterAccess.READ_WRITE and register.address != _I2C1_CR1
    }
    for address, bits in ready.items():
        found[address] = (address, bits, found[address][2] if address in found else 0)
    return tuple(found.values())


READY = answers({_RCC_CR: 1 << 25 | 1 << 17 | 1 << 1, _RCC_CFGR: 2 << 2, _I2C1_SR1: 0x87})
"""Oscillators and PLL are ready, the part runs from the PLL (RM0368 6.3.1, 6.3.3), and each step of a transfer is done
(18.6.6)."""
SILENT = answers({_RCC_CR: 1 << 1})
"""The crystal never starts and the control bus never answers."""
_PLUGIN = Path(__file__).parent / "plugin" / "privileged.c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Stores of one instruction that follow each other with no other access between: one, or a wipe or copy loop's."""

    address: int
    """Of the first."""
    width: int
    """Bytes: 1, 2 or 4; STM, PUSH and STRD make one store a word."""
    value: int
    pc: int
    exception: int
    """Number of the exception whose handler it is; 0 for boot."""
    count: int = 1
    stride: int = 0
    """From one address to the next, modulo 2^32; 0 for one place."""

    @property
    def in_memory(self) -> bool:
        return self.address in RAM

    @property
    def effect(self) -> tuple[int, int, int, int, int, int]:
        """All of it but the place in the code."""
        return self.address, self.width, self.value, self.exception, self.count, self.stride


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """The registers where privilege begins or ends."""

    kind: str
    """`boot`, `enter`: before its first instruction; `user`: before the first unprivileged one afterwards."""
    exception: int
    """Whose handler begins or has ended; 0 for boot."""
    registers: tuple[int, ...]
    """r0-r12, sp, lr, pc, xpsr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Everything that an observer of privileged code sees."""

    stores: tuple[Store, ...]
    boundaries: tuple[Boundary, ...]
    end: str
    """`ticks` when the run was complete; else `instructions`, `runs` (a storm of exceptions), `abort` (lock-up),
    `exit` (reset), `nesting`, `depth`."""

    @property
    def effects(self) -> tuple[tuple[int, int, int, int, int, int], ...]:
        """The stores without their places: what a mutant must do just as the original does."""
        return tuple(store.effect for store in self.stores)


def privileged_stores(image: bytes) -> tuple[Store, ...]:
    """Every store that privileged code makes over the standard run, in order; see `privileged_behaviour`."""
    return privileged_behaviour(image).stores


def privileged_behaviour(image: bytes) -> Behaviour:
    """What the privileged code of an ELF image does over the standard run.

    A standard run: from reset, with oscillators and control bus that answer at once and a camera that never sends a
    frame, the confined part replaced by the puppet that plays puppet.STANDARD, one act a period (a mailbox of 0, 1 and
    something else; all its memory filled; a forbidden store, an SVC, a stray stack pointer at the tick; all registers
    in use), for as many ticks as there are acts. A period is 328,000 instructions. It ends early after 64 handler runs
    or 6 million instructions. Deterministic. Raises EmulationError where QEMU does not run, ValueError where the image
    has no confined part at the reference module's place.
    """
    text = run_traced(with_puppet(image), STANDARD)
    stores: list[Store] = []
    boundaries: list[Boundary] = []
    active = [0]
    kind, left, end = "boot", 0, ""
    for line in text.splitlines():
        word, *rest = line.split(" ")
        if word == "S":
            stores.append(_store(rest, active[-1]))
        elif word == "enter":
            kind = word
            active.append(int(rest[0], 16))
        elif word == "leave":
            left = active.pop() if len(active) > 1 else 0
        elif word in ("user", "start", "p"):
            kind = word
        elif word == "r" and kind not in ("start", "p"):
            number = left if kind == "user" else active[-1]
            boundaries.append(Boundary(kind=kind, exception=number, registers=tuple(int(each, 16) for each in rest)))
        elif word == "end":
            end = rest[0]
    return Behaviour(stores=tuple(stores), boundaries=tuple(boundaries), end=end)


def _store(fields: list[str], exception: int) -> Store:
    pc, address, width, value, count, stride = fields[:6]
    return Store(
        address=int(address, 16),
        width=int(width),
        value=int(value, 16),
        pc=int(pc, 16),
        exception=exception,
        count=int(count),
        stride=int(stride, 16) if count != "1" else 0,
    )


def run_traced(
    image: bytes,
    acts: Sequence[Act],
    *,
    code: int = START,
    ticks: int | None = None,
    dump: Path | None = None,
    read: Sequence[int] = (),
    camera: bool = False,
    ready: Sequence[tuple[int, int, int]] = READY,
    shift: int = 8,
    runs: int = 64,
    limit: int = 6_000_000,
    seconds: float = 120.0,
) -> str:
    """Runs `image` as it is and returns what the plugin wrote; see there for the lines.

    `acts` drive a puppet at `code`, where the image has one. `ticks`: interrupts served, one for each act but the
    first if not given. `dump`: a file for memory at each boundary. `read`: system registers to be read there.
    `camera`: whether frames arrive. An instruction takes 2^`shift` ns. `runs`, `limit`: handlers and instructions after
    which it ends.
    """
    plugin = build_plugin(_PLUGIN)
    directory = Path(tempfile.mkdtemp(prefix="pinproof-qemu-"))
    try:
        (directory / "image.elf").write_bytes(image)
        (directory / "acts").write_bytes(b"".join(act.words(code) for act in acts))
        (directory / "ready").write_bytes(b"".join(struct.pack("<3I", *each) for each in ready))
        (directory / "read").write_bytes(struct.pack(f"<{len(read)}I", *read))
        options = [f"{name}={directory / name}" for name in ("out", "acts", "ready", "read")]
        options += [f"idle={code}", f"ticks={len(acts) - 1 if ticks is None else ticks}", f"camera={int(camera)}"]
        options += [f"runs={runs}", f"limit={limit}"]
        options += [] if dump is None else [f"dump={dump}"]
        command = ["qemu-system-arm", "-M", "netduinoplus2", "-kernel", str(directory / "image.elf"), "-nographic"]
        command += ["-nodefaults", "-singlestep", "-no-reboot", "-icount", f"shift={shift},sleep=off"]
        command += ["-plugin", ",".join([str(plugin), *options])]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
        out = directory / "out"
        text = out.read_text() if out.exists() else ""
        if "\nend " not in text:
            raise EmulationError(f"QEMU ended with {done.returncode} and said: {done.stderr.strip()}")
        return text
    except subprocess.TimeoutExpired as error:
        raise EmulationError(f"no end after {seconds} s of real time") from error
    finally:
        shutil.rmtree(directory, ignore_errors=True)
