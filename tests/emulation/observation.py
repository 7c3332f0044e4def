"""Runs an image for some periods with given frames and says what it did.

The entry point for all tests that need to see an image at work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reference_module.emulate.emulator import Emulator, Stop
from reference_module.emulate.events import DeviceWrite, Event, ExceptionTaken, Origin, Reached, Tick, read_events
from reference_module.emulate.gdb import CORE_REGISTERS
from reference_module.emulate.image import Image, read_image

FRAME_SIZE = 96 * 96
BRIGHT, DARK = bytes([200]) * FRAME_SIZE, bytes([20]) * FRAME_SIZE

GATE_FLASH = range(0x08000000, 0x08001000)
CONFINED_MEMORY = range(0x20000000, 0x20008000)
GATE_MEMORY = range(0x20008000, 0x20018000)
_SYSTEM_REGISTER = 0xE000ED00
"""CPUID: readable by privileged code alone (ARMv7-M ARM B3.2.3)."""
_CCR1 = 0x40000034


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """The moment at which the gate's capture function has returned, before the harness supplies a frame."""

    tick: int
    memory: bytes
    """All of CONFINED_MEMORY: whatever is not 0 here has outlived the wipe."""

    def survivors(self) -> dict[int, int]:
        """Address and value of each byte that is not 0."""
        return {CONFINED_MEMORY.start + at: byte for at, byte in enumerate(self.memory) if byte}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first instruction of the confined part for one frame."""

    tick: int
    registers: dict[str, int]
    """r0-r12, sp, lr, pc, xpsr."""
    privileged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was seen. The debugger ends the run at the capture of the last tick, or where `end` says."""

    end: Stop
    ticks: int
    """Update events of timer 2."""
    events: tuple[Event, ...]
    """In the order in which they happened."""
    captures: tuple[Capture, ...]
    starts: tuple[Start, ...]
    """Only with `starts=True`."""
    memory: bytes
    """Confined and gate memory, 96 KB from 0x20000000, at the end; empty after a lock-up or a reset."""

    @property
    def writes(self) -> tuple[DeviceWrite, ...]:
        """Every store to devices and system registers that was carried out."""
        return tuple(event for event in self.events if isinstance(event, DeviceWrite) and not event.refused)

    @property
    def refused(self) -> tuple[DeviceWrite, ...]:
        return tuple(event for event in self.events if isinstance(event, DeviceWrite) and event.refused)

    @property
    def exceptions(self) -> tuple[ExceptionTaken, ...]:
        return tuple(event for event in self.events if isinstance(event, ExceptionTaken))

    @property
    def outside_flash(self) -> tuple[Reached, ...]:
        """Code that ran from above flash."""
        return tuple(event for event in self.events if isinstance(event, Reached) and event.outside_flash)

    @property
    def tick_times(self) -> tuple[int, ...]:
        """Virtual milliseconds of each tick."""
        return tuple(event.milliseconds for event in self.events if isinstance(event, Tick))

    @property
    def bits(self) -> tuple[int | None, ...]:
        """The level handed over in each tick: 0 or 1, None where nothing or more than one value was."""
        return tuple(self._bit(tick) for tick in range(1, self.ticks + 1))

    def written(self, address: int) -> tuple[DeviceWrite, ...]:
        """Stores to one register, after the first tick."""
        return tuple(write for write in self.writes if write.address == address and write.tick)

    def from_confined(self) -> tuple[DeviceWrite, ...]:
        return tuple(write for write in self.writes if write.origin is Origin.CONFINED)

    def faults(self, tick: int) -> tuple[ExceptionTaken, ...]:
        """Exceptions other than interrupts, in the period that begins with `tick`."""
        return tuple(taken for taken in self.exceptions if taken.tick == tick and taken.number < 16)

    def word(self, address: int) -> int:
        at = address - CONFINED_MEMORY.start
        return int.from_bytes(self.memory[at : at + 4], "little")

    def _bit(self, tick: int) -> int | None:
        values = [write.value for write in self.writes if write.tick == tick and write.address == _CCR1]
        return {0: 0, 0xFFFFFFFF: 1}.get(values[0]) if len(values) == 1 else None


def run_variant(
    elf: Path,
    frames: Sequence[bytes | None],
    ticks: int | None = None,
    *,
    shift: int = 3,
    starts: bool = False,
    arrived: int = 1,
    reached: Sequence[int] = (),
    quiet: int = 400,
    seconds: float = 60.0,
) -> Observation:
    """Runs `elf`, unchanged, for `ticks` ticks (two more than there are frames if not given).

    At the return of the gate's `camera_capture` in tick k, frames[k-1] is put into its place and the return value set
    to `arrived`; without a frame (None, or no more of them) what the image captured stays, which in QEMU is nothing.
    The answer to frames[k-1] is `bits[k]`, the level handed over in tick k+1. An image that never captures runs just
    as long.

    `shift`: an instruction takes 2^shift ns of virtual time; a period of the reference is about 84 ms of it.
    `starts`: also stop at each `confined_entry`.
    `arrived`: what `camera_capture` returns when it has a frame.
    `reached`: more addresses whose every execution becomes an event; handlers are watched anyway.
    `quiet`: virtual milliseconds without tick after which the image counts as stalled.
    `seconds`: bound on real time between two stops, beyond which EmulationError is raised.
    """
    image = read_image(elf)
    wanted = len(frames) + 2 if ticks is None else ticks
    confined = frozenset(image.symbols[name] for name in ("confined_idle", "confined_entry") if name in image.symbols)
    handlers = frozenset(image.vectors[2:]) - {0}
    watched = handlers | frozenset(reached)
    once = sorted(confined - watched)
    with Emulator(elf, shift=shift, reached=sorted(watched), once=once) as machine:
        run = _Run(machine, image, frames, starts, arrived)
        end = run.until(wanted, quiet, seconds)
        size = len(CONFINED_MEMORY) + len(GATE_MEMORY)
        memory = b"" if end in (Stop.LOCKUP, Stop.RESET) else machine.gdb.read(CONFINED_MEMORY.start, size)
        with machine.log.open(encoding="utf-8", errors="replace") as log:
            events = tuple(read_events(log, handlers=handlers, confined=confined))
    return Observation(
        end=end,
        ticks=sum(isinstance(event, Tick) for event in events),
        events=events,
        captures=tuple(run.captures),
        starts=tuple(run.starts),
        memory=memory,
    )


class _Run:
    """Stops, and what is done at each."""

    def __init__(
        self, machine: Emulator, image: Image, frames: Sequence[bytes | None], starts: bool, arrived: int
    ) -> None:
        self._machine = machine
        self._gdb = machine.gdb
        self._image = image
        self._frames = frames
        self._arrived = arrived
        self._returns: set[int] = set()
        self._capture = image.symbols.get("camera_capture")
        self._entry = image.symbols.get("confined_entry") if starts else None
        self.captures: list[Capture] = []
        self.starts: list[Start] = []
        for address in (self._capture, self._entry):
            if address is not None:
                self._gdb.set_breakpoint(address)

    def until(self, ticks: int, quiet: int, seconds: float) -> Stop:
        """Ends at the capture of tick number `ticks`, or right after one more tick if there is no capture."""
        while True:
            stop = self._machine.run(ticks=ticks + 1, quiet=quiet, seconds=seconds)
            if stop is not Stop.BREAKPOINT:
                return stop
            place = self._gdb.register("pc")
            if place == self._capture:
                self._find_return(place)
            elif place in self._returns:
                self._captured()
                if self._machine.ticks >= ticks:
                    return Stop.TICKS
                self._pass(place)
            elif place == self._entry:
                self._started()
                self._pass(place)

    def _find_return(self, place: int) -> None:
        """Where the capture function returns to, from its link register at the first call."""
        self._returns.add(self._gdb.register("lr") & ~1)
        self._gdb.clear_breakpoint(place)
        for address in self._returns:
            self._gdb.set_breakpoint(address)

    def _captured(self) -> None:
        self._machine.follow()
        tick = self._machine.ticks
        self.captures.append(Capture(tick=tick, memory=self._gdb.read(CONFINED_MEMORY.start, len(CONFINED_MEMORY))))
        frame = self._frames[tick - 1] if 0 < tick <= len(self._frames) else None
        if frame is not None:
            if len(frame) != FRAME_SIZE:
                raise ValueError(f"a frame has {FRAME_SIZE} bytes, not {len(frame)}")
            self._gdb.write(self._image.address("frame"), frame)
            self._gdb.set_register("r0", self._arrived)

    def _started(self) -> None:
        self._machine.follow()
        registers = {name: self._gdb.register(name) for name in (*CORE_REGISTERS, "xpsr")}
        privileged = self._gdb.readable_as_guest(_SYSTEM_REGISTER)
        self.starts.append(Start(tick=self._machine.ticks, registers=registers, privileged=privileged))

    def _pass(self, place: int) -> None:
        """The stub would stop again at the breakpoint where it stands."""
        self._gdb.clear_breakpoint(place)
        self._gdb.step()
        self._gdb.set_breakpoint(place)
