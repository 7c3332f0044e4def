"""Barriers, special registers, processor state."""

from __future__ import annotations

from random import Random

from tests.attacks.mutate.encodings import NOP_WIDE, recoded
from tests.attacks.mutate.image import Base, Mutant

_SPECIAL = (0, 3, 5, 8, 9, 16, 17, 18, 19, 20)
"""APSR, xPSR, IPSR, MSP, PSP, PRIMASK, BASEPRI, BASEPRI_MAX, FAULTMASK, CONTROL (DDI 0403 B5.1.1)."""
_HINTS = (0xBF20, 0xBF30, 0xBF40, 0xBF10, 0xDF00, 0xBE00, 0xDE00, 0xB662, 0xB672, 0xB661, 0xB671, 0xB663)
"""WFE, WFI, SEV, YIELD, SVC, BKPT, UDF, and CPS of each kind."""


def barrier(base: Base, source: Random) -> Mutant | None:
    """A barrier is dropped, or another kind, or of another domain."""
    chosen = source.choice([each for each in base.code if each.name in ("dsb", "isb", "dmb")])
    second = source.choice(
        (chosen.second ^ 0x20, chosen.second ^ 0x30, chosen.second ^ source.randrange(1, 16), 0x8F5F)
    )
    new = source.choice((NOP_WIDE, (chosen.first, second)))
    return Mutant(kind="barrier", note="a barrier is missing or another", changes=(recoded(chosen, *new),))


def special(base: Base, source: Random) -> Mutant | None:
    """MSR writes another special register or from another register; MRS in its place."""
    chosen = source.choice([each for each in base.code if each.name == "msr"])
    number = source.choice(_SPECIAL)
    new = source.choice(
        (
            (chosen.first, chosen.second & 0xFF00 | number),
            (chosen.first & 0xFFF0 | source.randrange(15), chosen.second),
            (0xF3EF, 0x8000 | source.randrange(15) << 8 | number),
            (chosen.first, chosen.second & 0xF3FF | source.randrange(4) << 10),
        )
    )
    return Mutant(kind="special-register", note="another special register", changes=(recoded(chosen, *new),))


def added_special(base: Base, source: Random) -> Mutant | None:
    """MSR in the place of any long instruction."""
    chosen = source.choice([each for each in base.code if each.size == 4])
    new = (0xF380 | source.randrange(15), 0x8800 | source.choice(_SPECIAL))
    return Mutant(kind="added-special", note="a special register is written", changes=(recoded(chosen, *new),))


def state(base: Base, source: Random) -> Mutant | None:
    """CPS with other operands, or a hint, call or breakpoint, in a short instruction's place."""
    changing = [each for each in base.code if each.name.startswith("cps")]
    chosen = source.choice(changing if source.random() < 0.3 else [each for each in base.code if each.size == 2])
    return Mutant(kind="processor-state", note="CPS or a hint", changes=(recoded(chosen, source.choice(_HINTS)),))
