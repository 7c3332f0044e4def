"""How many instructions the parts of a start and of a period take, counted one by one in QEMU.

Instructions, not cycles: what an instruction costs on silicon, with flash caches off, is not known here. And QEMU has
no crystal and no sensor: waits for them take their longest, and the frame is put in its place at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reference_module.emulate.emulator import EmulationError, Emulator, Stop
from reference_module.emulate.events import TICK_EXCEPTION, Access, DeviceWrite, Event, Origin, Reached, read_events
from reference_module.emulate.image import FLASH_START, Image, read_image

_COMPARE_REGISTERS = range(0x40000034, 0x40000044, 4)
_RELOAD, _PRESCALER = 0x4000002C, 0x40000028
_LOOP = b"\xfe\xe7"
"""`b .`: what a confined part ends in."""
_ENTRY_LIMIT = 256
"""Bytes from the confined entry on in which that loop is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """From reset to the drop."""

    writes: tuple[DeviceWrite, ...]
    entered: Mapping[str, int]
    """Functions of the gate, each with the instructions until its first."""
    instructions: int
    """Until the first instruction of the idle loop."""
    reload: int
    prescaler: int

    @property
    def period(self) -> int:
        """Counts of the timer's clock."""
        return (self.reload + 1) * (self.prescaler + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One tick and the inference after it, in instructions from the tick handler's first."""

    mailbox_read: int
    preloaded: int
    """The last store to a compare register."""
    wipe: int
    """The call of the wipe."""
    capture: int
    """The call of the capture, which is the end of the wipe."""
    restart: int
    """The call that prepares the fresh start."""
    entry: int
    """The confined part's first instruction."""
    finished: int
    """Its endless loop at the end; the answer is in the mailbox."""

    @property
    def wipe_and_restart(self) -> int:
        return self.capture - self.wipe + self.entry - self.restart

    @property
    def inference(self) -> int:
        return self.finished - self.entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    start: Start
    tick: Tick


def measure(path: Path, capture: str, frame: bytes, *, shift: int = 1, seconds: float = 120.0) -> Measured:
    """Runs the image at `path` from reset through one period with `frame`. Raises EmulationError."""
    image = read_image(path)
    functions = {name: image.address(name) for name in ("restart_wipe", capture, "restart_at", "confined_entry")}
    handler = image.vectors[TICK_EXCEPTION]
    idle, finish = image.address("confined_idle"), _final_loop(path, functions["confined_entry"])
    named = {name: place for name, place in image.symbols.items() if name and not name.startswith("$")}
    gate = {name: place for name, place in named.items() if FLASH_START <= place < idle}
    with Emulator(
        path,
        shift=shift,
        reached=sorted({*functions.values(), handler}),
        once=[idle, finish, *sorted({*gate.values()} - {*functions.values(), handler})],
        watch=[image.address("mailbox")],
    ) as machine:
        _one_period(machine, image, functions[capture], frame, seconds)
        with machine.log.open(encoding="utf-8", errors="replace") as log:
            confined = frozenset({idle, functions["confined_entry"]})
            events = tuple(read_events(log, handlers=frozenset({handler}), confined=confined))
    names = {address: name for name, address in functions.items()} | {handler: "tick", finish: "finish", idle: "idle"}
    names[functions[capture]] = "capture"
    return Measured(start=_start(events, idle, gate), tick=_tick(path, events, names))


def _one_period(machine: Emulator, image: Image, capture: int, frame: bytes, seconds: float) -> None:
    """Until the second tick captures, with the frame given in the first."""
    machine.gdb.set_breakpoint(capture)
    _expect(machine, seconds)
    machine.gdb.clear_breakpoint(capture)
    back = machine.gdb.register("lr") & ~1
    machine.gdb.set_breakpoint(back)
    _expect(machine, seconds)
    machine.gdb.write(image.address("frame"), frame)
    machine.gdb.set_register("r0", 1)
    machine.gdb.clear_breakpoint(back)
    machine.gdb.set_breakpoint(capture)
    _expect(machine, seconds)
    machine.follow()


def _expect(machine: Emulator, seconds: float) -> None:
    stop = machine.run(ticks=1 << 30, quiet=2000, seconds=seconds)
    if stop is not Stop.BREAKPOINT:
        raise EmulationError(f"the image did not come to its capture: {stop.value}")


def _final_loop(path: Path, entry: int) -> int:
    """The first `b .` of the confined entry."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as stream:
        for segment in ELFFile(stream).iter_segments("PT_LOAD"):
            start = entry - segment["p_paddr"]
            if 0 <= start < segment["p_filesz"]:
                code = segment.data()[start : start + _ENTRY_LIMIT]
                loops = [at for at in range(0, len(code) - 1, 2) if code[at : at + 2] == _LOOP]
                if loops:
                    return int(entry + loops[0])
    raise EmulationError(f"{path}: confined_entry does not end in an endless loop, by which its end is seen")


def _start(events: Sequence[Event], idle: int, gate: Mapping[str, int]) -> Start:
    first = {event.address: event.instructions for event in reversed(events) if isinstance(event, Reached)}
    writes = tuple(event for event in events if isinstance(event, DeviceWrite) and event.origin is Origin.BOOT)
    values = {write.address: write.value for write in writes}
    return Start(
        writes=tuple(write for write in writes if not write.refused),
        entered={name: first[place] for name, place in gate.items() if place in first},
        instructions=first[idle],
        reload=values.get(_RELOAD, 0),
        prescaler=values.get(_PRESCALER, 0),
    )


def _tick(path: Path, events: Sequence[Event], names: dict[int, str]) -> Tick:
    """The first tick; every mark of it must be there."""
    marks: dict[str, int] = {}
    for event in events:
        if isinstance(event, Reached) and event.tick == 1:
            marks.setdefault(names.get(event.address, ""), event.instructions)
        elif isinstance(event, Access) and event.tick == 1 and event.origin is Origin.HANDLER and not event.store:
            marks.setdefault("mailbox", event.instructions)
        elif isinstance(event, DeviceWrite) and event.tick == 1 and event.address in _COMPARE_REGISTERS:
            marks["preload"] = event.instructions or 0
    wanted = ("mailbox", "preload", "restart_wipe", "capture", "restart_at", "confined_entry", "finish")
    missing = [name for name in wanted if name not in marks]
    if missing or "tick" not in marks:
        raise EmulationError(f"{path}: the run shows no {', '.join(missing or ['tick'])}")
    return Tick(
        mailbox_read=marks["mailbox"] - marks["tick"],
        preloaded=marks["preload"] - marks["tick"],
        wipe=marks["restart_wipe"] - marks["tick"],
        capture=marks["capture"] - marks["tick"],
        restart=marks["restart_at"] - marks["tick"],
        entry=marks["confined_entry"] - marks["tick"],
        finished=marks["finish"] - marks["tick"],
    )


def ramp(size: int) -> bytes:
    """A frame of so many bytes that needs no file: brightness rises along a line of 96, and from line to line."""
    return bytes((at // 96 + at % 96) & 0xFF for at in range(size))
