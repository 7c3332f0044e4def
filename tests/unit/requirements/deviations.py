"""Ways to change conforming facts in one point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pinproof.facts import Facts
from pinproof.machine.result import (
    Access,
    AccessKind,
    Content,
    Exploration,
    HandlerExit,
    History,
    MachineState,
    MemoryRange,
    Move,
    Obstacle,
    Origin,
    Run,
    Site,
    Unfollowed,
    Word,
)

from tests.unit.requirements.builders import access, address_of, known

Deviation = Callable[[Facts], Facts]

BOOT, TICK, FAULT = "boot", "tick", "fault"


def exploration(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, exploration=replace(facts.exploration, **changes))


def empty(facts: Facts) -> Facts:
    """An exploration that saw nothing at all."""
    boot = replace(facts.exploration.boot, accesses=(), instructions=0, drops=(), system_writes=())
    nothing = Exploration(
        boot=boot,
        handlers=(),
        unanswered=(),
        vectors=(),
        obstacles=(),
        executed=(),
        constants=(),
        invariant_rounds=0,
        steps=0,
    )
    return replace(facts, exploration=nothing)


PIN_UP = 0xFFFFFFFF
STATE_WORD = 0x20017000
"""A word of gate memory."""


def last_answer(*more: Move, without: tuple[int, ...] = ()) -> Deviation:
    """A gate that remembers the last answer and says it; with more moves, or without some."""
    moves = [move(state, answer, idle=not answer) for state in (0, 1) for answer in (0, 1)]
    kept = tuple(each for place, each in enumerate(moves) if place not in without)
    history = History(
        words=(STATE_WORD,),
        counters=(),
        states=((0,), (1,), (2,)),
        starts=1,
        counters_at_start=(),
        moves=(*kept, *more),
    )
    return lambda facts: exploration(facts, history=history)


def move(source: int, target: int, *, idle: bool, up: bool | None = None) -> Move:
    shown = bool(target) if up is None else up
    return Move(source=source, target=target, idle=idle, guards=(), updates=(), outputs=(PIN_UP if shown else 0,))


def unfollowed(code: str) -> Deviation:
    history = Unfollowed(code=code, message="a message", would_help="some help", site=Site(address=0x080001B0))
    return lambda facts: exploration(facts, history=history)


def obstacle(facts: Facts, code: str = "computed-branch") -> Facts:
    found = Obstacle(code=code, message="a message", would_help="some help", site=Site(address=0x080001B0))
    return exploration(facts, obstacles=(found,))


def run(facts: Facts, which: str, **changes: Any) -> Facts:
    seen = facts.exploration
    if which == BOOT:
        return exploration(facts, boot=replace(seen.boot, **changes))
    tick, fault = seen.handlers
    handlers = (replace(tick, **changes), fault) if which == TICK else (tick, replace(fault, **changes))
    return exploration(facts, handlers=handlers)


def the_run(facts: Facts, which: str) -> Run:
    seen = facts.exploration
    return {BOOT: seen.boot, TICK: seen.handlers[0], FAULT: seen.handlers[1]}[which]


def declaration(facts: Facts, part: str, /, **changes: Any) -> Facts:
    inner = replace(getattr(facts.declaration, part), **changes)
    return replace(facts, declaration=replace(facts.declaration, **{part: inner}))


def silicon(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, silicon=replace(facts.silicon, **changes))


def drop(facts: Facts, **changes: Any) -> Facts:
    found = facts.exploration.boot.drops[0]
    return run(facts, BOOT, drops=(replace(found, **changes),))


def drop_state(facts: Facts, **changes: Any) -> Facts:
    return drop(facts, state=replace(facts.exploration.boot.drops[0].state, **changes))


def device(facts: Facts, block: str, name: str, value: int | Word) -> Facts:
    """The register holds something else at the drop."""
    words = dict(facts.exploration.boot.drops[0].state.device)
    words[address_of(facts.silicon, block, name)] = known(value) if isinstance(value, int) else value
    return drop_state(facts, device=MappingProxyType(words))


def region(facts: Facts, number: int, base: int | Word, attributes: int | Word) -> Facts:
    words = list(facts.exploration.boot.drops[0].state.mpu_regions)
    words[number] = (
        known(base) if isinstance(base, int) else base,
        known(attributes) if isinstance(attributes, int) else attributes,
    )
    return drop_state(facts, mpu_regions=tuple(words))


def leaving(facts: Facts, which: str, **changes: Any) -> Facts:
    found = the_run(facts, which).exits[0]
    return run(facts, which, exits=(replace(found, **changes),))


def leaving_state(facts: Facts, which: str, **changes: Any) -> Facts:
    return leaving(facts, which, state=replace(the_run(facts, which).exits[0].state, **changes))


def stacked(facts: Facts, which: str, index: int, word: Word) -> Facts:
    words = list(the_run(facts, which).exits[0].frame)
    words[index] = word
    return leaving(facts, which, frame=tuple(words))


def stored(facts: Facts, which: str, address: int | Word, value: int | Word, **details: Any) -> Facts:
    """One more store, after all others unless an order is given."""
    return _accessed(facts, which, AccessKind.STORE, address, value, details)


def loaded(facts: Facts, which: str, address: int | Word, value: int | Word, **details: Any) -> Facts:
    return _accessed(facts, which, AccessKind.LOAD, address, value, details)


def written(facts: Facts, which: str, block: str, name: str, value: int | Word, **details: Any) -> Facts:
    return stored(facts, which, address_of(facts.silicon, block, name), value, **details)


def read(facts: Facts, which: str, block: str, name: str, value: int | Word = 0, **details: Any) -> Facts:
    return loaded(facts, which, address_of(facts.silicon, block, name), value, **details)


def _accessed(
    facts: Facts, which: str, kind: AccessKind, address: int | Word, value: int | Word, details: dict[str, Any]
) -> Facts:
    seen = the_run(facts, which).accesses
    more = access(kind, address, value, **{"order": len(seen), "site": 0x080003F0, **details})
    return run(facts, which, accesses=(*seen, more))


def forgotten(facts: Facts, which: str, address: int, kind: AccessKind = AccessKind.STORE) -> Facts:
    """Without the accesses to this address."""
    kept = tuple(
        item for item in the_run(facts, which).accesses if item.kind is not kind or item.address.only != address
    )
    return run(facts, which, accesses=kept)


def changed(facts: Facts, which: str, address: int, kind: AccessKind = AccessKind.STORE, **changes: Any) -> Facts:
    """With the accesses to this address changed."""

    def other(item: Access) -> Access:
        return replace(item, **changes) if item.kind is kind and item.address.only == address else item

    return run(facts, which, accesses=tuple(other(item) for item in the_run(facts, which).accesses))


def system_written(facts: Facts, which: str, name: str, value: int | Word) -> Facts:
    word = known(value) if isinstance(value, int) else value
    writes = (*the_run(facts, which).system_writes, (name, Site(address=0x08000350), word))
    return run(facts, which, system_writes=writes)


def held(facts: Facts, which: str, start: int, end: int, word: Word) -> Facts:
    """Memory that holds something else when a handler ends (`which`), or at the drop (BOOT)."""
    state = facts.exploration.boot.drops[0].state if which == BOOT else the_run(facts, which).exits[0].state
    memory = with_memory(state, start, end, word)
    return drop_state(facts, memory=memory) if which == BOOT else leaving_state(facts, which, memory=memory)


def with_memory(state: MachineState, start: int, end: int, word: Word) -> tuple[MemoryRange, ...]:
    pieces: list[MemoryRange] = []
    for item in state.memory:
        for low, high in ((item.start, min(item.end, start)), (max(item.start, end), item.end)):
            if low < high:
                pieces.append(replace(item, start=low, end=high))
    content = Content.VARIABLE if word.origins else Content.CONSTANT
    pieces.append(MemoryRange(start=start, end=end, content=content, value=word))
    return tuple(sorted(pieces, key=lambda piece: piece.start))


def options(**changes: Any) -> Callable[[Facts], Facts]:
    def deviation(facts: Facts) -> Facts:
        assert facts.provisioning is not None
        values = replace(facts.provisioning.option_bytes, **changes)
        return replace(facts, provisioning=replace(facts.provisioning, option_bytes=values))

    return deviation


def provisioning(**changes: Any) -> Callable[[Facts], Facts]:
    def deviation(facts: Facts) -> Facts:
        assert facts.provisioning is not None
        return replace(facts, provisioning=replace(facts.provisioning, **changes))

    return deviation


def anything(*origins: Origin) -> Word:
    return Word.anything(*origins)


def exit_of(facts: Facts, which: str) -> HandlerExit:
    return the_run(facts, which).exits[0]
