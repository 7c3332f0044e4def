"""Plans: more than one change, made to work together, each a way to leak, to remember or to break out."""

from __future__ import annotations

import itertools
from random import Random

from tests.attacks.mutate.assembler import assembled
from tests.attacks.mutate.encodings import branch, branch_target, halves
from tests.attacks.mutate.evils import EVILS, KEEP, MESSAGE
from tests.attacks.mutate.image import Base, Change, Instruction, Mutant
from tests.attacks.mutate.kinds.caves import functions, site, trampoline

_LOAD = "movw {0}, #:lower16:{1}\n movt {0}, #:upper16:{1}\n"


def _word(register: str, value: int) -> str:
    return _LOAD.format(register, hex(value))


_INSTEAD_OF_CALLS = {
    "wipes-unless-told": (
        "tick_serve", "restart_wipe", _word("r0", MESSAGE) + "ldr r0, [r0]\n cmp r0, #0\n bne 8f\n bl {old}\n 8:"
    ),
    "wipes-less": ("tick_serve", "restart_wipe", "bl {old}\n" + _word("r0", MESSAGE) + "mov r1, #1\n str r1, [r0]"),
    "wipes-twice": ("tick_serve", "restart_wipe", "bl {old}\n bl {old}"),
    "captures-if-told": (
        "tick_serve", "camera_capture", _word("r0", MESSAGE) + "ldr r0, [r0]\n cmp r0, #0\n bne 8f\n bl {old}\n 8:"
    ),
    "captures-twice": ("tick_serve", "camera_capture", "bl {old}\n bl {old}"),
    "captures-never": ("tick_serve", "camera_capture", "mov r0, #1"),
    "preloads-twice": ("tick_serve", "timer_preload", "mov r12, r0\n bl {old}\n mov r0, r12\n bl {old}"),
    "preloads-late": (
        "tick_serve", "timer_preload", _word("r1", KEEP) + "ldr r2, [r1]\n str r0, [r1]\n mov r0, r2\n bl {old}"
    ),
    "preloads-opposite": ("tick_serve", "timer_preload", "eor r0, r0, #1\n bl {old}"),
    "preloads-two": ("tick_serve", "timer_preload", "lsl r0, r0, #1\n bl {old}"),
    "preloads-always": ("tick_serve", "timer_preload", "mov r0, #1\n bl {old}"),
    "preloads-if-told": ("tick_serve", "timer_preload", "cmp r0, #0\n beq 8f\n bl {old}\n 8:"),
    "preloads-masked": ("tick_serve", "timer_preload", "and r0, r0, #1\n bl {old}"),
    "acknowledges-never": ("tick_serve", "timer_acknowledge", "nop"),
    "acknowledges-twice": ("tick_serve", "timer_acknowledge", "bl {old}\n bl {old}"),
    "restarts-twice": ("tick_serve", "restart_at", "mov r12, r0\n bl {old}\n mov r0, r12\n bl {old}"),
    "restarts-inside": ("tick_serve", "restart_at", "add r0, r0, #2\n bl {old}"),
    "restarts-in-gate": ("tick_serve", "restart_at", _word("r0", 0x08000200) + "bl {old}"),
    "restarts-told": ("tick_serve", "restart_at", _word("r1", MESSAGE) + "ldr r1, [r1]\n add r0, r0, r1\n bl {old}"),
    "serves-twice": ("tick_handler", "tick_serve", "bl {old}\n bl {old}"),
    "serves-fault-too": ("tick_handler", "tick_serve", "bl {old}\n bl {fault}"),
    "serves-in-fault": ("fault_handler", "fault_serve", "bl {old}\n bl {tick}"),
    "serves-tick-for-fault": ("fault_handler", "fault_serve", "bl {tick}"),
    "serves-nothing": ("fault_handler", "fault_serve", "nop"),
    "starts-timer-twice": ("reset_set_up", "timer_start", "bl {old}\n bl {old}"),
    "starts-timer-never": ("reset_set_up", "timer_start", "nop"),
    "protects-never": ("reset_set_up", "protection_enable", "nop"),
    "protects-twice": ("reset_set_up", "protection_enable", "bl {old}\n bl {old}"),
    "protects-if-silent": ("reset_set_up", "protection_enable", "cmp r0, #0\n beq 8f\n bl {old}\n 8:"),
    "locks-twice": ("reset_set_up", "pins_lock", "bl {old}\n bl {old}"),
    "isolates-twice": ("reset_set_up", "pins_isolate", "bl {old}\n bl {old}"),
    "connects-first": ("reset_set_up", "pins_isolate", "bl {old}\n bl {connect}"),
    "configures-twice": ("reset_set_up", "timer_configure", "bl {old}\n bl {old}"),
    "clocks-twice": ("reset_set_up", "clocks_start", "bl {old}\n bl {old}"),
    "senses-twice": ("reset_set_up", "sensor_configure", "bl {old}\n bl {old}"),
    "senses-late": ("tick_serve", "restart_wipe", "bl {old}\n bl {sensor}"),
    "exceptions-twice": ("reset_set_up", "exceptions_configure", "bl {old}\n bl {old}"),
}  # fmt: skip
"""By name: in which function, the call of which, and what is done instead of that call."""


def instead_of_call(base: Base, source: Random) -> Mutant | None:
    """A call in the gate leads to a cave that calls with other arguments, more often, or on a condition."""
    name = source.choice(sorted(_INSTEAD_OF_CALLS))
    inside, called, text = _INSTEAD_OF_CALLS[name]
    call = _call(base, inside, called)
    cave = base.end + 4 * source.randrange(32)
    calls = {"old": called, "fault": "fault_serve", "tick": "tick_serve", "connect": "pins_connect_output"}
    calls["sensor"] = "sensor_configure"
    places = {key: f"{base.symbols[symbol]:#x}" for key, symbol in calls.items()}
    code = assembled(f" push {{r12, lr}}\n {text.format(**places)}\n pop {{r12, pc}}", cave)
    changes = (halves(call.address, *branch(call.address, cave, link=True)), Change(address=cave, data=code))
    return Mutant(kind="plan-call", note=name, changes=changes)


def two_caves(base: Base, source: Random) -> Mutant | None:
    """Something is kept in one place and used in another."""
    pairs = (
        ("keeps-message", "gives-kept"),
        ("counts", "gives-kept"),
        ("mpu-off", "port-a-set"),
        ("serial-clocked", "serial-data"),
        ("privileged", "port-a-output"),
        ("flash-key", "flash-write"),
        ("masks-all", "compare-again"),
    )
    first, second = source.choice((*pairs, (source.choice(sorted(EVILS)), source.choice(sorted(EVILS)))))
    cave = base.end
    changes: list[Change] = []
    for name in (first, second):
        where = functions(base, source.choice((("tick_serve",), ("fault_serve",), ("restart_at",), ("tick_handler",))))
        changes += trampoline(base, source, site(base, source, where), EVILS[name], cave, done=True)
        cave = changes[-1].address + len(changes[-1].data) + 3 & ~3
    if _overlap(changes):
        return None
    return Mutant(kind="plan-two-caves", note=f"{first}, {second}", changes=tuple(changes))


def moved_handler(base: Base, source: Random) -> Mutant | None:
    """A vector leads to a cave that does something and goes on to the handler."""
    name = source.choice(sorted(EVILS))
    number, handler = source.choice(
        ((44, "tick_handler"), (3, "fault_handler"), (4, "fault_handler"), (11, "fault_handler"))
    )
    cave = base.end + 4 * source.randrange(32)
    filled = EVILS[name].format(random=hex(source.getrandbits(32)), small=4 * source.randrange(8))
    code = assembled(f" {filled}\n b.w {base.symbols[handler]:#x}", cave)
    at = 0x08000000 + 4 * number
    changes = (Change(address=at, data=(cave | 1).to_bytes(4, "little")), Change(address=cave, data=code))
    return Mutant(kind="plan-vector", note=f"{name} before {handler}", changes=changes)


def _call(base: Base, inside: str, called: str) -> Instruction:
    within = functions(base, (inside,))
    return next(each for each in within if branch_target(each) == base.symbols[called] and each.size == 4)


def _overlap(changes: list[Change]) -> bool:
    spans = sorted((each.address, each.address + len(each.data)) for each in changes)
    return any(one[1] > two[0] for one, two in itertools.pairwise(spans))
