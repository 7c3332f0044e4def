"""Aimed at what the proof rests on: bounds of loops, the wipe, the mailbox, the confined frame, the protection unit."""

from __future__ import annotations

from random import Random

from tests.attacks.mutate.encodings import recoded, word
from tests.attacks.mutate.image import Base, Instruction, Mutant

_EDGES = (
    0x20000000, 0x20000004, 0x20000008, 0x20000100, 0x20000100, 0x20002500, 0x20007FE0, 0x20007FFC, 0x20008000,
    0x20008004, 0x20008400, 0x20017FFC, 0x20018000, 0x2001FFFC, 0x1FFFFFFC, 0x08001000, 0x08001004, 0x40000034,
)  # fmt: skip
_SETTINGS = ("protection_enable", "exceptions_configure", "timer_configure", "timer_start", "clocks_start", "pins_")


def memory_bound(base: Base, source: Random) -> Mutant | None:
    """Where clearing, wiping, the mailbox, the frame or the confined stack begin or end."""
    at = source.choice([each for each in base.literals if base.word(each) >> 28 == 2])
    old = base.word(at)
    new = source.choice((*_EDGES, old + 4, old - 4, old + 0x20, old - 0x20, old + 1, old + 2))
    return None if new == old else Mutant(kind="memory-bound", note=f"{old:#x} is {new:#x}", changes=(word(at, new),))


def loop_bound(base: Base, source: Random) -> Mutant | None:
    """A constant that is compared with, counted down, or added in a step."""
    sites = [each for each in base.code if each.size == 2 and each.first >> 13 == 1 and each.first >> 11 != 4]
    chosen = source.choice(sites)
    old = chosen.first & 0xFF
    new = source.choice((old + 1, old - 1, 2 * old, old // 2, 0, 255, source.randrange(256))) & 0xFF
    if new == old:
        return None
    return Mutant(kind="loop-bound", note="another bound", changes=(recoded(chosen, chosen.first & 0xFF00 | new),))


def step(base: Base, source: Random) -> Mutant | None:
    """An access with write-back goes another distance, or the other way, or from the address already moved."""
    sites = [
        each for each in base.code if each.size == 4 and each.first >> 9 == 0b1111100 and each.second & 0x0900 == 0x0900
    ]
    chosen = source.choice(sites)
    second = source.choice(
        (
            chosen.second ^ 0x0200,
            chosen.second ^ 0x0400,
            chosen.second & 0xFF00 | source.choice((0, 1, 2, 3, 5, 8, 12, 16, 64, 255)),
        )
    )
    return Mutant(kind="step", note="another step", changes=(recoded(chosen, chosen.first, second),))


def confined_frame(base: Base, source: Random) -> Mutant | None:
    """The frame that the confined part starts from, made in restart_at, has other words in other places."""
    chosen = source.choice(_in(base, "restart_at"))
    if chosen.size == 2:
        changed = recoded(chosen, chosen.first ^ 1 << source.randrange(11))
    else:
        changed = recoded(chosen, chosen.first, chosen.second ^ 1 << source.randrange(16))
    return Mutant(kind="confined-frame", note="another frame for the confined part", changes=(changed,))


def setting(base: Base, source: Random) -> Mutant | None:
    """One bit of a constant or literal in the code that sets up protection, priorities, timer, clocks or pins."""
    chosen = source.choice([each for name in _SETTINGS for each in _in(base, name)])
    if chosen.first & 0xF800 == 0x4800:
        at = (chosen.address + 4 & ~3) + 4 * (chosen.first & 0xFF)
        change = word(at, base.word(at) ^ 1 << source.randrange(32))
    elif chosen.size == 2:
        change = recoded(chosen, chosen.first ^ 1 << source.randrange(8))
    else:
        change = recoded(chosen, chosen.first, chosen.second ^ 1 << source.randrange(12))
    return Mutant(kind="setting", note="one bit of a setting", changes=(change,))


def _in(base: Base, name: str) -> list[Instruction]:
    """The instructions of the functions whose names begin so."""
    starts = sorted(set(base.symbols.values()))
    found = []
    for symbol, start in base.symbols.items():
        if symbol.startswith(name):
            end = next((each for each in starts if each > start), base.end)
            found += [each for each in base.code if start <= each.address < end]
    return found
