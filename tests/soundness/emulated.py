"""Unicorn (a Cortex-M4 by QEMU), laid out once and driven in batches: tens of thousands of runs a second."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import unicorn
from unicorn import arm_const as names
from unicorn.unicorn_py3.unicorn import uclib

FLASH, FLASH_SIZE = 0x08000000, 0x10000
CODE = 0x08008000
"""Where the code under test begins."""
PROGRAM, PROGRAM_SIZE = CODE + 0x200, 0x600
"""The place of one straight program."""
SINGLE, SINGLE_SIZE = CODE + 0x100, 8
"""The place of one instruction under test, with an IT before it: the instruction ends where the place does."""
RAM, RAM_SIZE = 0x20000000, 0x18000
_REACH = 0x01100000
"""Bytes mapped on either side of the code, so that every direct branch (16 MB) lands on memory."""
_THUMB = 1 << 24

_NAMES = (
    *(getattr(names, f"UC_ARM_REG_R{n}") for n in range(13)),
    names.UC_ARM_REG_SP,
    names.UC_ARM_REG_LR,
    names.UC_ARM_REG_XPSR,
    names.UC_ARM_REG_PC,
)
_COUNT = len(_NAMES)


class Emulator:
    """One emulated processor with flash and RAM. Execution stops at a given end, or when it leaves the code's place."""

    def __init__(self, flash: bytes, start: int, size: int) -> None:
        """`start` and `size`: the code's place."""
        self._start, self._size = start, size
        self._machine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self._machine.ctl_set_cpu_model(names.UC_CPU_ARM_CORTEX_M4)
        self._machine.mem_map(CODE - _REACH, 2 * _REACH)
        self._machine.mem_map(RAM, RAM_SIZE)
        self._machine.mem_write(FLASH, flash)
        self._machine.hook_add(unicorn.UC_HOOK_CODE, self._stop, begin=CODE - _REACH, end=start - 1)
        self._machine.hook_add(unicorn.UC_HOOK_CODE, self._stop, begin=start + size, end=CODE + _REACH)
        self._machine.hook_add(unicorn.UC_HOOK_CODE, self._stop, begin=RAM, end=RAM + RAM_SIZE)
        # The library's own batch calls build these arrays anew each time, which costs more than running the code.
        self._ids = (ctypes.c_int * _COUNT)(*_NAMES)
        self._values = (ctypes.c_uint32 * _COUNT)()
        first = ctypes.addressof(self._values)
        self._pointers = (ctypes.c_void_p * _COUNT)(*(first + 4 * index for index in range(_COUNT)))

    @staticmethod
    def _stop(machine: unicorn.Uc, address: int, size: int, data: object) -> None:
        machine.emu_stop()

    def load(self, code: bytes, address: int) -> None:
        self._machine.mem_write(address, code)
        self._machine.ctl_remove_cache(self._start, self._start + self._size)

    def write(self, address: int, content: bytes) -> None:
        self._machine.mem_write(address, content)

    def read(self, address: int, length: int) -> bytes:
        return bytes(self._machine.mem_read(address, length))

    def write_register(self, name: int, value: int) -> None:
        self._machine.reg_write(name, value)

    def read_register(self, name: int) -> int:
        return int(self._machine.reg_read(name))

    def run(self, registers: Sequence[int], flags: int, start: int, end: int) -> tuple[bool, list[int]]:
        """Whether it ran without a fault, and R0 to R12, SP, LR, NZCV and PC afterwards."""
        values = self._values
        values[:16] = [*registers, flags << 28 | _THUMB]
        uclib.uc_reg_write_batch(self._machine._uch, self._ids, self._pointers, 16)
        ran = True
        try:
            self._machine.emu_start(start | 1, end)
        except unicorn.UcError:
            ran = False
        uclib.uc_reg_read_batch(self._machine._uch, self._ids, self._pointers, _COUNT)
        after: list[int] = values[:]
        after[15] >>= 28
        return ran, after
