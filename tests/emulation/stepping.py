"""Code of an image run alone, instruction by instruction, with a count of cycles and devices that know the time.

Unicorn executes; the cycles are ours. What an instruction takes on the part depends on the flash, the buses and where
the compiler put it, so there are several tables of costs, from what the core's manual gives at the least (DDI 0439
3.3.1) to more than the flash can cost. What holds under all of them does not rest on any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import unicorn
from elftools.elf.elffile import ELFFile
from pinproof.isa.decode import decode
from pinproof.isa.instruction import Instruction
from unicorn import arm_const as names

from reference_module.emulate.image import read_image

HERTZ = 84_000_000
_FLASH, _FLASH_SIZE = 0x08000000, 0x00100000
_RAM, _RAM_SIZE = 0x20000000, 0x00018000
_DEVICES, _DEVICES_SIZE = 0x40000000, 0x00080000
_SYSTEM, _SYSTEM_SIZE = 0xE000E000, 0x1000
_RETURN = _FLASH + _FLASH_SIZE - 4
_STACK = _RAM + _RAM_SIZE
_PC, _SP = 15, 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Cycles on top of one for each instruction."""

    name: str
    load: int
    store: int
    branch: int
    """If it is taken."""
    device: int
    """For each access of a device, beside that of a load or store."""
    fetch: int
    """For each new block of flash that the next instruction lies in."""
    block: int
    """Bytes of flash that one access of it yields."""


FAST = Costs(name="fast", load=1, store=0, branch=1, device=0, fetch=0, block=16)
"""The least that the core needs: a flash that never waits."""
LINES = Costs(name="lines", load=1, store=0, branch=2, device=1, fetch=2, block=16)
"""Two wait states for each 128 bits of flash, prefetch and caches off (RM0368 3.4)."""
SLOW = Costs(name="slow", load=1, store=1, branch=3, device=2, fetch=2, block=4)
"""Two wait states for each word, as if the flash kept nothing of the line that it read."""

Read = Callable[[int, int], int]
"""Address and time in cycles give the value."""
Write = Callable[[int, int, int], None]
"""Address, value, time."""


@dataclass(slots=True)
class _Block:
    """Straight code: what it takes up to and with each instruction, and where its accesses of data lie."""

    cycles: int
    falls_to: int
    loads: tuple[int, ...]
    stores: tuple[int, ...]


@dataclass(slots=True)
class Stepper:
    """One machine; memory keeps its contents between calls."""

    image: Path
    costs: Costs
    read: Read
    write: Write
    cycles: int = 0
    """Since the machine was made."""
    symbols: dict[str, int] = field(init=False)
    _machine: unicorn.Uc = field(init=False)
    _blocks: dict[tuple[int, int], _Block] = field(init=False, default_factory=dict)
    _now: _Block | None = field(init=False, default=None)
    _fetched: int = field(init=False, default=-1)
    _loads: int = field(init=False, default=0)
    _stores: int = field(init=False, default=0)
    _limit: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.symbols = dict(read_image(self.image).symbols)
        self._machine = machine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        machine.ctl_set_cpu_model(names.UC_CPU_ARM_CORTEX_M4)
        machine.mem_map(_FLASH, _FLASH_SIZE)
        machine.mem_map(_RAM, _RAM_SIZE)
        machine.mmio_map(_DEVICES, _DEVICES_SIZE, self._device_read, None, self._device_write, None)
        machine.mem_map(_SYSTEM, _SYSTEM_SIZE)
        with self.image.open("rb") as stream:
            for segment in ELFFile(stream).iter_segments("PT_LOAD"):
                machine.mem_write(segment["p_paddr"], segment.data())
        machine.hook_add(unicorn.UC_HOOK_BLOCK, self._block)

    def call(self, name: str, *arguments: int, limit: int) -> int:
        """Runs a function to its end and returns r0. More than `limit` cycles are an AssertionError."""
        for number, value in enumerate(arguments):
            self._machine.reg_write(getattr(names, f"UC_ARM_REG_R{number}"), value)
        self._machine.reg_write(names.UC_ARM_REG_SP, _STACK)
        self._machine.reg_write(names.UC_ARM_REG_LR, _RETURN | 1)
        self._limit, self._now = self.cycles + limit, None
        self._machine.emu_start(self.symbols[name] | 1, _RETURN)
        assert self.cycles <= self._limit, f"{name} runs for more than {limit} cycles"
        return int(self._machine.reg_read(names.UC_ARM_REG_R0))

    def memory(self, address: int, size: int) -> bytes:
        return bytes(self._machine.mem_read(address, size))

    def fill(self, address: int, data: bytes) -> None:
        self._machine.mem_write(address, data)

    def _block(self, machine: unicorn.Uc, address: int, size: int, data: object) -> None:
        """A block begins: the one before has ended, and where this one is tells how."""
        if self._now is not None:
            self.cycles += self._now.cycles
            if address != self._now.falls_to:
                self.cycles += self.costs.branch
        if self.cycles > self._limit:
            machine.emu_stop()
        found = self._blocks.get((address, size))
        if found is None:
            found = self._blocks[address, size] = self._measured(address, size)
        block = address // self.costs.block
        if block != self._fetched:
            self.cycles += self.costs.fetch
        self._fetched = (found.falls_to - 2) // self.costs.block
        self._now, self._loads, self._stores = found, 0, 0

    def _measured(self, address: int, size: int) -> _Block:
        at, cycles, loads, stores = address, 0, [], []
        block = address // self.costs.block
        while at < address + size:
            instruction = decode(self.memory(at, 4), at)
            last = (instruction.next_address - 1) // self.costs.block
            cycles += self.costs.fetch * (last - block)
            block = last
            cycles += 1 + _extra(instruction, self.costs)
            name = instruction.operation.value
            if name.startswith("ldr") and instruction.rn not in (_PC, _SP):
                loads.append(cycles)
            elif name.startswith("str") and instruction.rn != _SP:
                stores.append(cycles)
            at = instruction.next_address
        return _Block(cycles=cycles, falls_to=at, loads=tuple(loads), stores=tuple(stores))

    def _device_read(self, machine: unicorn.Uc, offset: int, size: int, data: object) -> int:
        assert self._now is not None
        time = self.cycles + (self._now.loads[self._loads] if self._loads < len(self._now.loads) else 0)
        self._loads += 1
        value = self.read(_DEVICES + offset, time)
        self.cycles += self.costs.device
        return value

    def _device_write(self, machine: unicorn.Uc, offset: int, size: int, value: int, data: object) -> None:
        assert self._now is not None
        time = self.cycles + (self._now.stores[self._stores] if self._stores < len(self._now.stores) else 0)
        self._stores += 1
        self.write(_DEVICES + offset, value, time)
        self.cycles += self.costs.device


def _extra(instruction: Instruction, costs: Costs) -> int:
    """Beyond one cycle, without what a taken branch costs."""
    name = instruction.operation.value
    if name in ("push", "pop", "ldm", "stm"):
        return len(instruction.registers) * (1 + costs.store)
    if name.startswith("ld"):
        return costs.load + (costs.fetch if instruction.rn == _PC else 0)
    return costs.store if name.startswith("st") else 0
