"""Deliberate faults: wrong explorations, and records of things that must not happen. The comparison must find each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pinproof.machine.result import Access, AccessKind, Drop, Exploration, HandlerExit, MachineState, Run, Word

from tests.emulation.containment.findings import Kind

TICK = 44
_COMPARE, _ARR, _PORT_C, _CCR = 0x40000034, 0x4000002C, 0x40020810, 0xE000ED14
_MASK = 0xFFFFFFFF
_NEVER = Word.exactly(0x13572468)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`spoil` makes a right exploration wrong in one place."""

    name: str
    kind: Kind
    spoil: Callable[[Exploration], Exploration]


def _boot(change: Callable[[Run], Run]) -> Callable[[Exploration], Exploration]:
    return lambda exploration: replace(exploration, boot=change(exploration.boot))


def _tick(change: Callable[[Run], Run]) -> Callable[[Exploration], Exploration]:
    def spoil(exploration: Exploration) -> Exploration:
        runs = [change(run) if TICK in run.exceptions else run for run in exploration.handlers]
        return replace(exploration, handlers=tuple(runs))

    return spoil


def _accesses(kind: AccessKind, address: int, change: Callable[[Access], Access | None]) -> Callable[[Run], Run]:
    """Changes, or drops, the accesses of one kind to one address."""

    def spoil(run: Run) -> Run:
        chosen = [each for each in run.accesses if each.kind is kind and each.address.only == address]
        assert chosen
        kept = [change(each) if each in chosen else each for each in run.accesses]
        return replace(run, accesses=tuple(each for each in kept if each is not None))

    return spoil


def _drop(change: Callable[[MachineState], MachineState]) -> Callable[[Exploration], Exploration]:
    def each(drop: Drop) -> Drop:
        return replace(drop, state=change(drop.state))

    return _boot(lambda run: replace(run, drops=tuple(each(drop) for drop in run.drops)))


def _exit(change: Callable[[HandlerExit], HandlerExit]) -> Callable[[Exploration], Exploration]:
    return _tick(lambda run: replace(run, exits=tuple(change(each) for each in run.exits)))


def _exit_state(change: Callable[[MachineState], MachineState]) -> Callable[[Exploration], Exploration]:
    return _exit(lambda each: replace(each, state=change(each.state)))


def _entry_state(change: Callable[[MachineState], MachineState]) -> Callable[[Exploration], Exploration]:
    def spoil(run: Run) -> Run:
        assert run.entry_state is not None
        return replace(run, entry_state=change(run.entry_state))

    return _tick(spoil)


def _put(words: tuple[Word, ...], index: int, word: Word = _NEVER) -> tuple[Word, ...]:
    return (*words[:index], word, *words[index + 1 :])


def _memory(state: MachineState, value: int) -> MachineState:
    """Claims `value` for the gate's memory above its stack."""
    pieces = [
        replace(piece, value=Word.exactly(value)) if piece.start <= 0x20014000 < piece.end else piece
        for piece in state.memory
    ]
    return replace(state, memory=tuple(pieces))


def _device(state: MachineState, address: int) -> MachineState:
    return replace(state, device={**state.device, address: _NEVER})


def _region(state: MachineState) -> MachineState:
    regions = list(state.mpu_regions)
    regions[2] = (regions[2][0], Word.exactly(0x1306001B))
    return replace(state, mpu_regions=tuple(regions))


def _never_done(run: Run) -> Run:
    """Claims of a store that no path makes that it is always made."""
    (model,) = [each for each in run.accesses if each.kind is AccessKind.STORE and each.address.only == _COMPARE]
    elsewhere = replace(model, site=replace(model.site, calls=()), must=True)
    return replace(run, accesses=(*run.accesses, elsewhere))


def _one_bit_known(access: Access) -> Access:
    return replace(access, value=replace(access.value, values=None, ones=access.value.ones | 2, low=0, high=_MASK))


FAULTS = (
    Fault(
        name="a value narrowed to another one",
        kind=Kind.ACCESS,
        spoil=_tick(_accesses(AccessKind.STORE, _COMPARE, lambda each: replace(each, value=Word.exactly(1)))),
    ),
    Fault(
        name="a bit known that is not",
        kind=Kind.ACCESS,
        spoil=_tick(_accesses(AccessKind.STORE, _COMPARE, _one_bit_known)),
    ),
    Fault(
        name="an address moved by a word",
        kind=Kind.ACCESS,
        spoil=_boot(_accesses(AccessKind.STORE, _ARR, lambda each: replace(each, address=Word.exactly(_ARR + 4)))),
    ),
    Fault(
        name="a width halved",
        kind=Kind.ACCESS,
        spoil=_boot(_accesses(AccessKind.STORE, _ARR, lambda each: replace(each, width=2))),
    ),
    Fault(
        name="an access dropped",
        kind=Kind.ACCESS,
        spoil=_tick(_accesses(AccessKind.STORE, _COMPARE, lambda _: None)),
    ),
    Fault(
        name="the mailbox known",
        kind=Kind.ACCESS,
        spoil=_tick(_accesses(AccessKind.LOAD, 0x20000000, lambda each: replace(each, value=Word.exactly(0)))),
    ),
    Fault(
        name="a store to memory left out",
        kind=Kind.RAM_STORE,
        spoil=_tick(lambda run: replace(run, ram_stores=(run.ram_stores or ())[1:])),
    ),
    Fault(
        name="a wipe one word shorter",
        kind=Kind.RAM_STORE,
        spoil=_tick(lambda run: replace(run, ram_stores=tuple((low + 4, high) for low, high in run.ram_stores or ()))),
    ),
    Fault(
        name="a poll taken out of its loop",
        kind=Kind.ONCE,
        spoil=_tick(_accesses(AccessKind.LOAD, _PORT_C, lambda each: replace(each, in_loop=False))),
    ),
    Fault(name="a store that must happen and does not", kind=Kind.MUST, spoil=_tick(_never_done)),
    Fault(
        name="an executed range cut short",
        kind=Kind.EXECUTED,
        spoil=lambda exploration: replace(exploration, executed=exploration.executed[1:]),
    ),
    Fault(
        name="the constants cut short",
        kind=Kind.CONSTANT,
        spoil=lambda exploration: replace(exploration, constants=exploration.constants[:1]),
    ),
    Fault(
        name="a system write with another value",
        kind=Kind.SYSTEM_WRITE,
        spoil=_boot(
            lambda run: replace(
                run, system_writes=tuple((name, site, Word.exactly(0)) for name, site, _ in run.system_writes)
            )
        ),
    ),
    Fault(
        name="a stack less deep",
        kind=Kind.STACK,
        spoil=_tick(lambda run: replace(run, stack_low=(run.stack_low or 0) + 32)),
    ),
    Fault(name="fewer cycles than instructions", kind=Kind.CYCLES, spoil=_tick(lambda run: replace(run, cycles=1000))),
    Fault(
        name="a handler that begins elsewhere", kind=Kind.ENTRY, spoil=_tick(lambda run: replace(run, entry=0x08000100))
    ),
    Fault(
        name="a handler of other exceptions",
        kind=Kind.ENTRY,
        spoil=_tick(lambda run: replace(run, exceptions=(TICK + 1,))),
    ),
    Fault(
        name="a drop to elsewhere",
        kind=Kind.DROP,
        spoil=_boot(lambda run: replace(run, drops=tuple(replace(each, target=_NEVER) for each in run.drops))),
    ),
    Fault(name="no drop", kind=Kind.DROP, spoil=_boot(lambda run: replace(run, drops=()))),
    Fault(
        name="a register at the drop",
        kind=Kind.REGISTERS,
        spoil=_drop(lambda state: replace(state, registers=_put(state.registers, 4))),
    ),
    Fault(
        name="the process stack at the drop",
        kind=Kind.STACKS,
        spoil=_drop(lambda state: replace(state, process_stack=Word.exactly(0x20007FFC))),
    ),
    Fault(
        name="privilege kept at the drop",
        kind=Kind.STACKS,
        spoil=_drop(lambda state: replace(state, control=Word.exactly(2))),
    ),
    Fault(
        name="interrupts masked at the drop",
        kind=Kind.STACKS,
        spoil=_drop(lambda state: replace(state, primask=Word.exactly(1))),
    ),
    Fault(name="a smaller region at the drop", kind=Kind.PROTECTION, spoil=_drop(_region)),
    Fault(name="a timer register at the drop", kind=Kind.STORED, spoil=_drop(lambda state: _device(state, _ARR))),
    Fault(name="a register never stored to", kind=Kind.READ_BACK, spoil=_drop(lambda state: _device(state, _CCR))),
    Fault(name="gate memory at the drop", kind=Kind.MEMORY, spoil=_drop(lambda state: _memory(state, 1))),
    Fault(
        name="a register at the tick's end",
        kind=Kind.REGISTERS,
        spoil=_exit_state(lambda state: replace(state, registers=_put(state.registers, 12))),
    ),
    Fault(name="gate memory at the tick's end", kind=Kind.MEMORY, spoil=_exit_state(lambda state: _memory(state, 1))),
    Fault(
        name="the process stack at the tick's end",
        kind=Kind.STACKS,
        spoil=_exit_state(lambda state: replace(state, process_stack=Word.exactly(0x20008000))),
    ),
    Fault(
        name="gate memory at the tick's entry",
        kind=Kind.MEMORY,
        spoil=_entry_state(lambda state: _memory(state, 1)),
    ),
    Fault(
        name="a timer register at the tick's entry",
        kind=Kind.STORED,
        spoil=_entry_state(lambda state: _device(state, _ARR)),
    ),
    Fault(name="a smaller region at the tick's entry", kind=Kind.PROTECTION, spoil=_entry_state(_region)),
    Fault(
        name="another exception return",
        kind=Kind.RETURN,
        spoil=_exit(lambda each: replace(each, exception_return=Word.exactly(0xFFFFFFF9))),
    ),
    Fault(
        name="a word of the frame",
        kind=Kind.FRAME,
        spoil=_exit(lambda each: replace(each, frame=_put(each.frame, 6, Word.exactly(0x08001004)))),
    ),
)
