"""Trampolines: a branch in place of instructions, to erased flash where they are done, and something else with them."""

from __future__ import annotations

from random import Random

from tests.attacks.mutate.assembler import assembled
from tests.attacks.mutate.encodings import branch, branch_target, halves, moves_freely
from tests.attacks.mutate.evils import EVILS, HARMLESS
from tests.attacks.mutate.image import CONFINED_CAVE, GATE, Base, Change, Instruction, Mutant

_PARTS = ("tick_serve", "tick_handler", "fault_serve", "fault_handler", "restart_at", "restart_wipe", "camera_capture")
"""Where half of the trampolines are: code that runs after the drop."""


def harmless(base: Base, source: Random) -> Mutant | None:
    name = source.choice(sorted(HARMLESS))
    return _made(
        base, source, "trampoline-harmless", name, HARMLESS[name], CONFINED_CAVE if source.random() < 0.2 else None
    )


def evil(base: Base, source: Random) -> Mutant | None:
    name = source.choice(sorted(EVILS))
    return _made(base, source, "trampoline-evil", name, EVILS[name], None)


def evil_in_confined(base: Base, source: Random) -> Mutant | None:
    """The cave lies in the confined part's flash, where nothing is looked at."""
    name = source.choice(sorted(EVILS))
    return _made(base, source, "trampoline-into-confined", name, EVILS[name], CONFINED_CAVE)


def replaced(base: Base, source: Random) -> Mutant | None:
    """The displaced instructions are not done at all."""
    name = source.choice([*sorted(EVILS), *sorted(HARMLESS)])
    text = {**EVILS, **HARMLESS}[name]
    return _made(base, source, "trampoline-instead", name, text, None, done=False)


def trampoline(
    base: Base, source: Random, site: list[Instruction], text: str, cave: int, *, done: bool
) -> list[Change]:
    """The branch, and the cave: `text` with r0 to r3 kept, the displaced instructions, the branch back."""
    before = source.random() < 0.7
    filled = text.format(random=hex(source.getrandbits(32)), small=4 * source.randrange(8))
    saved = source.choice(("r0-r3", "r0-r3, r12, lr"))
    body = assembled(f" push {{{saved}}}\n {filled}\n pop {{{saved}}}" if filled else " nop", cave)
    displaced = _displaced(base, site, cave + (len(body) if before else 0)) if done else b""
    code = body + displaced if before else displaced + body
    if not before and filled:
        code = displaced + assembled(f" push {{{saved}}}\n {filled}\n pop {{{saved}}}", cave + len(displaced))
    back = branch(cave + len(code), site[-1].end)
    return [
        halves(site[0].address, *branch(site[0].address, cave)),
        Change(address=cave, data=code + halves(0, *back).data),
    ]


def site(base: Base, source: Random, starts: list[Instruction]) -> list[Instruction]:
    """Four bytes of whole instructions that can be done elsewhere, the second not a branch's target."""
    targets = {branch_target(each) for each in base.code}
    found = []
    for one in starts:
        two = base.at.get(one.end)
        if one.size == 4 and _movable(one):
            found.append([one])
        elif one.size == 2 and two is not None and two.address not in targets and _pair(one, two):
            found.append([one, two])
    return source.choice(found)


def functions(base: Base, names: tuple[str, ...]) -> list[Instruction]:
    starts = sorted(value for value in base.symbols.values() if value in GATE)
    places = [base.symbols[name] for name in names if name in base.symbols]
    ends = {start: next((each for each in starts if each > start), base.end) for start in places}
    return [each for each in base.code for start, end in ends.items() if start <= each.address < end]


def _made(
    base: Base, source: Random, kind: str, name: str, text: str, cave: int | None, *, done: bool = True
) -> Mutant | None:
    starts = functions(base, _PARTS) if source.random() < 0.5 else list(base.code)
    place = site(base, source, starts)
    chosen = base.end + 4 * source.randrange(64) if cave is None else cave
    changes = trampoline(base, source, place, text, chosen, done=done)
    return Mutant(kind=kind, note=f"{name} at {place[0].address:#x}", changes=tuple(changes))


def _pair(one: Instruction, two: Instruction) -> bool:
    return two.size == 2 and moves_freely(one) and moves_freely(two)


def _movable(instruction: Instruction) -> bool:
    call = branch_target(instruction) is not None and instruction.size == 4 and instruction.second & 0x4000
    return moves_freely(instruction) or bool(call)


def _displaced(base: Base, instructions: list[Instruction], address: int) -> bytes:
    """The instructions' bytes, a call's offset made anew for its place."""
    (first, *_) = instructions
    target = branch_target(first)
    if target is not None:
        return halves(0, *branch(address, target, link=True)).data
    return b"".join(base.read(each.address, each.size) for each in instructions)
