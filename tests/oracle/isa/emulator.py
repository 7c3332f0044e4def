"""Unicorn (a Cortex-M4 by QEMU) and the concrete processor side by side, on the same code, memory and registers."""

from __future__ import annotations

import random

import unicorn
from pinproof.isa.concrete import ConcreteExecutor, ConcreteProcessor
from unicorn import arm_const as names

CODE = 0x02000000
CODE_MARGIN = 0x2000
"""Bytes of noise around the code under test: literals, tables and pointers live there."""
CODE_SPACE = 0x04000000
"""Mapped from 0, so that every direct branch (16 MB either way) lands on memory."""
LANDING = CODE - CODE_MARGIN
"""Where computed branches go: NOPs, since an emulator faults on an undefined instruction before executing it."""
LANDING_SIZE = CODE_MARGIN // 2
RAM = 0x20000000
RAM_SIZE = 0x4000

_REGISTERS = (
    *(getattr(names, f"UC_ARM_REG_R{n}") for n in range(13)),
    names.UC_ARM_REG_SP,
    names.UC_ARM_REG_LR,
)
_THUMB = 1 << 24


class Pair:
    """Both machines over one block of code, laid out once: rewriting code is what makes an emulator slow."""

    def __init__(self, code: bytes, source: random.Random, *, stop_outside: bool = False) -> None:
        """`stop_outside`: look at each instruction (slow) and stop before the first outside the case. Branches need it:
        the emulator's own count of instructions is wrong in IT blocks, and it may run on through cached code."""
        landing = b"\x00\xbf" * (LANDING_SIZE // 2)
        block = bytearray(landing + source.randbytes(CODE_MARGIN - LANDING_SIZE) + code + source.randbytes(CODE_MARGIN))
        self.processor = ConcreteProcessor(memory={CODE - CODE_MARGIN: block, RAM: bytearray(RAM_SIZE)})
        self.executor = ConcreteExecutor(processor=self.processor, pc=CODE)
        self.emulator = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.emulator.ctl_set_cpu_model(names.UC_CPU_ARM_CORTEX_M4)
        self.emulator.mem_map(0, CODE_SPACE)
        self.emulator.mem_map(RAM, RAM_SIZE)
        self.emulator.mem_write(CODE - CODE_MARGIN, bytes(block))
        self._inside = range(0)
        self._stop_outside = stop_outside
        if stop_outside:
            self.emulator.hook_add(unicorn.UC_HOOK_CODE, self._look)

    def _look(self, emulator: unicorn.Uc, address: int, size: int, data: object) -> None:
        if address not in self._inside:
            emulator.emu_stop()

    def fill_memory(self, content: bytes) -> None:
        self.processor.memory[RAM][:] = content
        self.emulator.mem_write(RAM, content)

    def set_up(self, *, pc: int, registers: list[int], flags: int) -> None:
        self.executor.pc, self.executor.pending = pc, ()
        self.processor.registers[:] = registers
        self.processor.flags = flags
        for name, value in zip(_REGISTERS, registers, strict=True):
            self.emulator.reg_write(name, value)
        self.emulator.reg_write(names.UC_ARM_REG_XPSR, flags << 28 | _THUMB)

    def run_emulator(self, *, pc: int, end: int) -> bool:
        """Whether it ran to the end or to a branch out; False for a fault."""
        self._inside = range(pc, end)
        try:
            self.emulator.emu_start(pc | 1, end)
        except unicorn.UcError:
            return False
        return True

    @property
    def stack_unaligned(self) -> bool:
        """Whether Unicorn's SP has a low bit set, as no processor's can: later results mean nothing then."""
        return bool(self.emulator.reg_read(names.UC_ARM_REG_SP) & 3)

    def differences(self) -> list[str]:
        """What differs now: registers, flags, PC, memory.

        Unicorn keeps bits 0 and 1 of SP, which the architecture ignores on writing (DDI 0403 B1.4.1): not compared.
        """
        found = []
        for number, name in enumerate(_REGISTERS):
            theirs = self.emulator.reg_read(name)
            if number == 13:
                theirs &= ~3
            if theirs != self.processor.registers[number]:
                found.append(f"r{number} ours {self.processor.registers[number]:#x} theirs {theirs:#x}")
        flags = self.emulator.reg_read(names.UC_ARM_REG_XPSR) >> 28
        if flags != self.processor.flags:
            found.append(f"NZCV ours {self.processor.flags:04b} theirs {flags:04b}")
        pc = self.emulator.reg_read(names.UC_ARM_REG_PC)
        if pc != self.executor.pc:
            found.append(f"pc ours {self.executor.pc:#x} theirs {pc:#x}")
        if self.emulator.mem_read(RAM, RAM_SIZE) != self.processor.memory[RAM]:
            found.append("memory")
        return found
