"""A confined part whose doings are data: a few instructions that act on whatever registers the harness gives them.

They replace the confined part of a linked image, in place; the gate stays as it is, byte for byte. Everything that they
do, they do unprivileged, so the image's own protection decides what comes of it.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from enum import Enum

START = 0x08001000
"""Where the reference module's confined part lies: the idle loop, and 4 bytes on its entry (ld/stm32f401re.ld)."""
MEMORY = range(0x20000000, 0x20008000)
MAILBOX = 0x20000000

_CODE = (
    (0xBF00, "nop"),
    (0xBF00, "nop"),
    (0xF845, "str r4, [r5], #4"),
    (0x4B04, ""),
    (0x19E4, "adds r4, r4, r7"),
    (0x42B5, "cmp r5, r6"),
    (0xD1FA, "bne #0x8001004"),
    (0x6008, "str r0, [r1]"),
    (0x681A, "ldr r2, [r3]"),
    (0x4770, "bx lr"),
    (0xE7FE, "b #0x8001014"),
    (0xDF07, "svc #7"),
    (0xDE00, "udf #0"),
    (0xBE00, "bkpt #0"),
)
"""Halfwords from START on, each with the instruction that begins there."""
CODE = struct.pack(f"<{len(_CODE)}H", *(halfword for halfword, _ in _CODE))


def disassembly() -> tuple[str, ...]:
    return tuple(text for _, text in _CODE if text)


class Then(Enum):
    """What comes after the store and the load: where `bx lr` leads; the small ones into CODE."""

    SPIN = 20
    SVC = 22
    UNDEFINED = 24
    BREAKPOINT = 26
    DEVICE_CODE = 0x40000000
    MEMORY_CODE = 0x20000100
    RETURN = 0xFFFFFFF8
    """An exception return's magic number, without privilege."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What the confined part does in one period. Words not named are taken from `seed`."""

    name: str
    seed: int = 0
    """0: all registers 0, no memory touched but the top word."""
    message: int = 0
    """What is stored at `store`."""
    store: int = MAILBOX
    load: int = MAILBOX
    fill: bool = False
    """Whether all confined memory is filled with changing words first."""
    stack: int = MEMORY.stop
    then: Then = Then.SPIN
    registers: dict[int, int] = field(default_factory=dict)

    def words(self, code: int = START) -> bytes:
        """r0-r12, sp, lr, and one unused, for a puppet at `code`."""
        chance = random.Random(self.seed)
        values = [chance.getrandbits(32) if self.seed else 0 for _ in range(16)]
        start = MEMORY.start if self.fill else MEMORY.stop - 4
        values[0], values[1], values[3], values[5], values[6] = self.message, self.store, self.load, start, MEMORY.stop
        inside = self.then.value < len(CODE)
        values[13], values[14] = self.stack, self.then.value + code * inside | 1
        for number, value in self.registers.items():
            values[number] = value
        return struct.pack("<16I", *values)


QUIET = Act(name="quiet")
"""Comes first in every script: it is played wherever no other is due, as after a fault."""

STANDARD = (
    QUIET,
    Act(name="says absent", seed=1),
    Act(name="says present, leaves its memory full", seed=2, message=1, fill=True),
    Act(name="says something else", seed=3, message=0xFFFFFFFE, stack=MEMORY.start + 0x104),
    Act(name="stores to the timer", seed=4, message=1, store=0x40000034),
    Act(name="calls a supervisor", seed=5, message=1, then=Then.SVC),
    Act(name="leaves its stack pointer outside its memory", seed=6, message=1, stack=0x40020040),
)
"""A mailbox of 0, 1 and something else; memory full and not; faults of three kinds; all registers in use; all busy."""


def with_puppet(image: bytes, code: int = START) -> bytes:
    """The ELF file with CODE at `code`, where its confined part begins. ValueError where nothing is loaded there."""
    offset, entry_size, entries = (*struct.unpack_from("<I", image, 28), *struct.unpack_from("<HH", image, 42))
    for index in range(entries):
        kind, start, _, address, size = struct.unpack_from("<5I", image, offset + index * entry_size)
        if kind == 1 and address <= code and code + len(CODE) <= address + size:
            at = start + code - address
            return image[:at] + CODE + image[at + len(CODE) :]
    raise ValueError(f"the image loads no confined part at {code:#x}")
