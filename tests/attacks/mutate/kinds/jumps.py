"""Computed branches spliced in, what handlers return to, the stack pointer, and the vectors."""

from __future__ import annotations

from random import Random

from tests.attacks.mutate.encodings import NOP, recoded, word
from tests.attacks.mutate.image import CONFINED_CAVE, GATE, VECTORS, Base, Mutant

_RETURN_VALUES = (0xF1, 0xF9, 0xFD, 0xE1, 0xE9, 0xED, 0xFF, 0xFB, 0xF5, 0xFC)
"""Low bytes of EXC_RETURN, defined and not (DDI 0403 B1.5.8)."""


def computed(base: Base, source: Random) -> Mutant | None:
    """BX, BLX, MOV PC, ADD PC, POP {PC}, TBB, TBH, LDR PC, LDM with PC in an instruction's place."""
    chosen = source.choice(base.code)
    rn = source.randrange(16)
    if chosen.size == 2:
        new = source.choice((0x4700 | rn << 3, 0x4780 | rn << 3, 0x4687 | rn << 3, 0x4487 | rn << 3, 0xBD00 | rn))
        return Mutant(kind="computed-branch", note="a computed branch", changes=(recoded(chosen, new),))
    long = (
        (0xE8D0 | rn, 0xF000 | source.randrange(16)),
        (0xE8D0 | rn, 0xF010 | source.randrange(16)),
        (0xE8DF, 0xF000 | source.randrange(13)),
        (0xF8D0 | rn, 0xF000 | source.randrange(0, 64, 4)),
        (0xF8DF, 0xF000 | source.randrange(0, 256, 4)),
        (0xF850 | rn, 0xF000 | source.randrange(16)),
        (0xE8B0 | rn, 0x8000 | source.randrange(256)),
        (0xE8BD, 0x8000 | source.randrange(256)),
        (0xF85D, 0xFB04),
    )
    return Mutant(kind="computed-branch", note="a computed branch", changes=(recoded(chosen, *source.choice(long)),))


def exception_return(base: Base, source: Random) -> Mutant | None:
    """MVN LR gives another value, or the handler returns through another register."""
    chosen = source.choice([each for each in base.code if "lr" in each.text and each.name in ("mvn", "mvn.w", "bx")])
    if chosen.size == 2:
        change = recoded(chosen, source.choice((0x4770 ^ 0x80, 0x4700 | source.randrange(13) << 3, 0xBD00, NOP)))
        return Mutant(kind="exception-return", note="returns through another register", changes=(change,))
    change = recoded(chosen, chosen.first, chosen.second & 0xFF00 | source.choice(_RETURN_VALUES) ^ 0xFF)
    return Mutant(kind="exception-return", note="another EXC_RETURN", changes=(change,))


def stack_pointer(base: Base, source: Random) -> Mutant | None:
    """The stack pointer is moved in an instruction's place, or starts elsewhere."""
    if source.random() < 0.15:
        starts = (0x20008000, 0x20008008, 0x20008020, 0x20018000, 0x20000400, 0x20008401, 0x20020000, 0x40000400, 0)
        return Mutant(kind="stack-pointer", note="starts elsewhere", changes=(word(GATE.start, source.choice(starts)),))
    chosen = source.choice(base.code)
    amount, rn = source.randrange(128), source.randrange(16)
    if chosen.size == 2:
        new = source.choice((0xB000 | amount, 0xB080 | amount, 0x4685 | rn << 3, 0x4485 | rn << 3, 0x466C))
        return Mutant(kind="stack-pointer", note="the stack pointer is moved", changes=(recoded(chosen, new),))
    long = (
        (0xF10D, 0x0D00 | amount),
        (0xF1AD, 0x0D00 | amount),
        (0xF50D, 0x5D80),
        (0xF5AD, 0x5D80),
        (0xF85D, 0xDB04),
        (0xF380 | rn & 7, 0x8808),
        (0xF380 | rn & 7, 0x8809),
    )
    return Mutant(
        kind="stack-pointer", note="the stack pointer is moved", changes=(recoded(chosen, *source.choice(long)),)
    )


def vector(base: Base, source: Random) -> Mutant | None:
    """A vector leads elsewhere: into the gate, confined code, a literal, memory; with and without Thumb bit."""
    number = source.choice((1, 2, 3, 4, 5, 6, 11, 14, 15, 44, 44, source.randrange(1, VECTORS)))
    at = GATE.start + 4 * number
    old = base.word(at)
    handlers = [base.symbols[name] | 1 for name in ("reset_handler", "tick_handler", "fault_handler")]
    new = source.choice(
        (
            old ^ 1,
            old + 2,
            old + 4,
            source.choice(handlers),
            source.choice(base.code).address | 1,
            source.choice(base.code).address + 2 | 1,
            source.choice(base.literals) | 1,
            base.symbols["confined_entry"] | 1,
            base.symbols["confined_idle"] | 1,
            CONFINED_CAVE | 1,
            0x20000101,
            0,
            old & 0xFFFFFF,
        )
    )
    if new == old:
        return None
    return Mutant(kind="vector", note=f"exception {number} leads to {new:#x}", changes=(word(at, new),))
