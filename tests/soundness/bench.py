"""What a worker keeps between cases: the emulator, flash and RAM, and the parts of the abstract machine."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from pinproof.image import Image, Segment
from pinproof.isa import Instruction
from pinproof.isa.concrete import ConcreteFault, ConcreteProcessor
from pinproof.machine.bus import Bus
from pinproof.machine.costs import Costs
from pinproof.machine.execute import Executor
from pinproof.machine.processor import AbstractProcessor
from pinproof.machine.trace import Trace
from pinproof.silicon import load_silicon

from tests.soundness.emulated import FLASH, FLASH_SIZE, RAM, RAM_SIZE, Emulator
from tests.soundness.pcode import Lifter
from tests.soundness.scene import WINDOW, WINDOW_SIZE, Draw

_BUDGET = 100_000


class SharedImage(Image):
    """An image whose flash is the bench's, which changes under it from case to case."""

    __slots__ = ("flash",)

    flash: bytearray

    def read(self, address: int, length: int) -> bytes | None:
        if not address >= FLASH or address + length > FLASH + FLASH_SIZE:
            return None
        return bytes(self.flash[address - FLASH : address - FLASH + length])


@dataclass(slots=True, kw_only=True)
class RecordingProcessor(ConcreteProcessor):
    """Integers; it writes down which bytes of RAM were stored to, so that they can be put back."""

    stored: list[tuple[int, int]] = field(default_factory=list)

    def store(
        self, address: int, value: int, width: int, /, *, unprivileged: bool = False, multiple: bool = False
    ) -> None:
        if address < RAM:
            raise ConcreteFault(f"a store to flash at {address:#010x}")
        ConcreteProcessor.store(self, address, value, width, unprivileged=unprivileged, multiple=multiple)
        self.stored.append((address, width))


class Bench:
    def __init__(self, start: int, size: int) -> None:
        """`start` and `size`: where the code under test lies."""
        self.start, self.size = start, size
        self.lifter = Lifter()
        noise = random.Random("flash").randbytes(FLASH_SIZE)
        self.flash = bytearray(noise)
        self.ram = bytearray(RAM_SIZE)
        self.emulator = Emulator(noise, start, size)
        self.concrete = RecordingProcessor(memory={RAM: self.ram, FLASH: self.flash})
        self.silicon = load_silicon("stm32f401xe")
        self.costs = Costs(self.silicon)
        self.image = SharedImage(
            segments=(Segment(address=FLASH, data=noise),), entry=None, sha256="0" * 64, kind="elf"
        )
        object.__setattr__(self.image, "flash", self.flash)

    def load(self, code: bytes, address: int) -> None:
        self.flash[address - FLASH : address - FLASH + len(code)] = code
        self.emulator.load(code, address)

    def code(self, address: int) -> bytes:
        """Up to four bytes of flash."""
        return bytes(self.flash[address - FLASH : address - FLASH + 4])

    def machine(self, fetch: Callable[[int], Instruction]) -> Executor:
        """A fresh abstract machine over this flash, as a handler runs."""
        trace = Trace(_BUDGET)
        bus = Bus(self.image, self.silicon, frozenset(), trace)
        processor = AbstractProcessor(bus, trace)
        processor.handler_mode = True
        return Executor(fetch, processor, trace, self.costs, bus)

    # --- the window of RAM ------------------------------------------------------------------------------------------

    def set_window(self, content: bytes) -> None:
        self.concrete.stored.clear()
        self.ram[WINDOW - RAM : WINDOW - RAM + WINDOW_SIZE] = content
        self.emulator.write(WINDOW, content)

    def window(self) -> bytes:
        return bytes(self.ram[WINDOW - RAM : WINDOW - RAM + WINDOW_SIZE])

    def stored_bytes(self) -> dict[int, int]:
        """What the model stored, byte by byte."""
        return {
            address + index: self.ram[address + index - RAM]
            for address, width in self.concrete.stored
            for index in range(width)
        }

    def memory_differs(self) -> str | None:
        """Where the model's stores left other bytes than the emulator's. Stores outside the window are undone."""
        found = None
        theirs = self.emulator.read(WINDOW, WINDOW_SIZE)
        ours = self.window()
        if theirs != ours:
            at = next(index for index in range(WINDOW_SIZE) if theirs[index] != ours[index])
            found = f"[{WINDOW + at:#x}] ours {ours[at]:#x} theirs {theirs[at]:#x}"
        for address, width in self.concrete.stored:
            if not WINDOW <= address <= WINDOW + WINDOW_SIZE - width:
                mine = bytes(self.ram[address - RAM : address - RAM + width])
                if self.emulator.read(address, width) != mine:
                    found = f"[{address:#x}] ours {mine.hex()}"
                self.ram[address - RAM : address - RAM + width] = bytes(width)
                self.emulator.write(address, bytes(width))
        return found

    def stray_stores(self) -> bool:
        """Whether the emulator stored where the model never did: all RAM but the window is zero."""
        theirs = bytearray(self.emulator.read(RAM, RAM_SIZE))
        theirs[WINDOW - RAM : WINDOW - RAM + WINDOW_SIZE] = bytes(WINDOW_SIZE)
        return any(theirs)


def difference(ours: list[int], theirs: list[int]) -> str:
    """Registers, NZCV and PC that the emulator has otherwise."""
    names = [*(f"r{n}" for n in range(13)), "sp", "lr", "NZCV", "pc"]
    return " ".join(
        f"{name} ours {a:#x} theirs {b:#x}" for name, a, b in zip(names, ours, theirs, strict=True) if a != b
    )


def told(draw: Draw) -> str:
    """A concrete state in one line."""
    registers = " ".join(f"r{number}={value:#x}" for number, value in enumerate(draw.registers))
    return f"{registers} NZCV={draw.nzcv:04b}"
