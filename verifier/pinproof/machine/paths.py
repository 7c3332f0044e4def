"""Straight code followed path by path: where a condition is open both ways are taken, and paths never meet again.

So it is where a result can be one of two numbers: each is followed by itself.

`execute` joins paths, which is what lets it follow a whole handler. Here nothing is joined, so what a path has learned
about a value holds for everything that the path leaves behind. It is for short code without loops: the part of a tick
that decides what the pin says. A path is over when it has passed all the places it was told to wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..isa import semantics
from ..isa.instruction import Condition, Instruction, Operation
from . import flags, ranges
from .execute import EXCEPTION_RETURN
from .processor import AbstractProcessor
from .result import Site
from .state import LR, State
from .trace import Blocked, Trace
from .values import Infeasible, Linear, Value

_TWO = 2
_ALL_PATHS = "store gate state and the compare register on every path, outside loops, before the wipe"


@dataclass(frozen=True, slots=True)
class Path:
    """Where one path is, how it came there, and what it still has to pass."""

    state: State
    at: int
    waits: frozenset[Site]
    calls: tuple[int, ...] = ()
    returns: tuple[int, ...] = ()
    conditions: tuple[Condition, ...] = ()
    """Of the instructions that are left of an IT block."""


def follow(fetch: Callable[[int], Instruction], processor: AbstractProcessor, trace: Trace, path: Path) -> list[State]:
    """The states of all paths that begin with `path`, each when it has executed every instruction that it waits for.

    Raises `Blocked` where one path cannot be followed, `BudgetSpent` where they are too many.
    """
    ended: list[State] = []
    open_paths = [path]
    while open_paths:
        current = open_paths.pop()
        if not current.waits:
            ended.append(current.state)
            continue
        open_paths += _step(fetch(current.at), processor, trace, current)
    return ended


def _step(instruction: Instruction, processor: AbstractProcessor, trace: Trace, path: Path) -> list[Path]:
    trace.step()
    trace.address, trace.calls = instruction.address, path.calls
    following = instruction.address + instruction.size
    if instruction.operation is Operation.IT:
        return [replace(path, at=following, conditions=instruction.it_conditions)]
    if not path.conditions:
        return _executed(instruction, processor, trace, path, in_it_block=False)
    condition, rest = path.conditions[0], path.conditions[1:]
    taken, skipped = _split(path.state, condition)
    found = [] if skipped is None else [replace(path, state=skipped, at=following, conditions=rest)]
    if taken is not None:
        path = replace(path, state=taken, conditions=rest)
        found += _executed(instruction, processor, trace, path, in_it_block=True)
    return found


def _executed(
    instruction: Instruction, processor: AbstractProcessor, trace: Trace, path: Path, *, in_it_block: bool
) -> list[Path]:
    state = processor.state = path.state
    try:
        flow = semantics.step(instruction, processor, in_it_block=in_it_block)
    except Infeasible:
        return []
    path = replace(path, at=instruction.address + instruction.size, waits=path.waits - {trace.site})
    match flow:
        case semantics.Next():
            return list(_decided(path, instruction.rd))
        case semantics.Jump(target=target):
            return [replace(path, at=target)]
        case semantics.ConditionalJump(condition=condition, target=target):
            return _both(path, condition, target)
        case semantics.CompareJump(register_value=value, jump_if_zero=jump_if_zero, target=target):
            kept, state.flags = state.flags, processor.assign_flags_of(value)
            found = _both(path, Condition.EQ if jump_if_zero else Condition.NE, target)
            for each in found:
                each.state.flags = kept
            return found
        case semantics.Call(target=target, return_address=return_address):
            return [_called(path, instruction.address, target, return_address)]
        case semantics.JumpRegister(value=value, return_address=return_address, interworking=interworking):
            target = _target(state, value)
            if return_address is not None:
                return [_called(path, instruction.address, target, return_address)]
            return [_jumped(path, target, interworking=interworking)]
        case _:
            raise Blocked("unfollowed-jump", f"{instruction.operation.value} cannot be followed here", _ALL_PATHS)


def _decided(path: Path, register: int | None) -> Iterator[Path]:
    """One path for each value of the register, where it is one symbol that can be one of two numbers."""
    value = None if register is None else path.state.slots.get(register)
    if not isinstance(value, Linear) or len(value.terms) > 1:
        yield path
        return
    symbol = value.terms[0][0]
    choices = path.state.symbols.ranges[symbol].values
    if choices is None or len(choices) != _TWO:
        yield path
        return
    for number in sorted(choices):
        state = path.state.copy()
        try:
            state.symbols.narrow(Linear(0, ((symbol, 1),)), ranges.exactly(number))
        except Infeasible:
            continue
        yield replace(path, state=state)


def _both(path: Path, condition: Condition, target: int) -> list[Path]:
    taken, skipped = _split(path.state, condition)
    found = [] if skipped is None else [replace(path, state=skipped)]
    return found if taken is None else [*found, replace(path, state=taken, at=target)]


def _split(state: State, condition: Condition) -> tuple[State | None, State | None]:
    """The states in which the condition holds and does not; None where that cannot be."""
    if condition is Condition.AL:
        return state, None
    return _assuming(state.copy(), condition), _assuming(state, flags.negated(condition))


def _assuming(state: State, condition: Condition) -> State | None:
    try:
        state.flags = flags.assume(state.symbols, state.flags, condition)
    except Infeasible:
        return None
    return state


def _called(path: Path, site: int, target: int, return_address: int) -> Path:
    path.state.slots[LR] = return_address | 1
    returns = (*path.returns, return_address & ~1)
    return replace(path, at=target & ~1, calls=(*path.calls, site), returns=returns)


def _jumped(path: Path, target: int, *, interworking: bool) -> Path:
    """A return, an exception return, or a jump or tail call within the present call."""
    if interworking and path.returns and target & ~1 == path.returns[-1]:
        return replace(path, at=target & ~1, calls=path.calls[:-1], returns=path.returns[:-1])
    if interworking and target >= EXCEPTION_RETURN:
        raise Blocked("unfollowed-jump", "the tick can end before gate state is stored", _ALL_PATHS)
    return replace(path, at=target & ~1)


def _target(state: State, value: Value) -> int:
    only = state.symbols.range(value).only
    if only is None:
        raise Blocked("unfollowed-jump", "a jump can go to more than one place", _ALL_PATHS)
    return only
