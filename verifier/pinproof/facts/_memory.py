"""What a handler leaves behind when it ends: in the confined part's memory, in the gate's memory, in registers."""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.declaration import Range as DeclaredRange
from pinproof.facts._core import Facts, Known, Problem, Refusal, Unknown, span
from pinproof.facts._protection import Range, gate_ram, unprivileged, without
from pinproof.facts._timer import smoothing_of
from pinproof.facts._view import device_at_drops, drops, field, handlers, register, stores, ticks
from pinproof.machine.mpu import Use
from pinproof.machine.result import Content, HandlerExit, MachineState, MemoryRange, Origin, Run

MEMORY_REASONS: dict[str, str] = {
    "wipe-incomplete": "a byte that the confined part can write survives the tick",
    "frame-holds-more": "the frame holds something other than constants and sensor data when the confined part starts",
    "memory-not-described": "the machine does not say what a byte of the confined part's memory holds after the tick",
    "registers-not-cleared": "a core register is not one constant when the confined part starts",
    "flags-not-cleared": "the program status is not the plain Thumb state when the confined part starts",
    "fpu-on": "the floating-point unit may be on, and its registers are not cleared",
    "gate-remembers": "gate memory outside the stack keeps what came from the confined part or the sensor",
    "tick-without-exit": "the tick has no explored end, so nothing is known of what it leaves",
}

STACK_REASONS: dict[str, str] = {
    "stack-unbounded": "a run has no proved lowest stack address",
    "stack-pointer-unknown": "the main stack pointer is not known at the drop",
}

Described = tuple[Range, MemoryRange]
"""A part of memory and what it can hold."""

PLAIN_STATUS = 0x01000000
"""xPSR with the Thumb bit alone: no flags, no IT state, thread mode (DDI 0403, B1.4.2)."""
_COPROCESSORS = 0xF << 20
_STATUS, _LAST_GENERAL = 7, 5
_COUNTER_OFFSET = 24
_CALLEE_SAVED = range(4, 12)
_EXCEPTION_FRAME = 36
"""Bytes that an exception entry can push: eight words and one of alignment (DDI 0403, B1.5.6)."""
_HARD_FAULT, _NMI = 3, 2


def leftovers(facts: Facts) -> Iterator[Problem]:
    """Whatever could carry something from one frame to the next."""
    for run in ticks(facts):
        if not run.exits:
            yield Unknown(
                reason="tick-without-exit",
                message="no end of the tick was explored",
                would_help="a tick that ends in an exception return on every path",
                places=(facts.at(run.entry),),
            )
        for leaving in run.exits:
            yield from _confined_memory(facts, leaving)
            yield from register_problems(facts, leaving)
    yield from floating_point_problems(facts)
    yield from _gate_memory(facts)


def ranges_at(state: MachineState, place: Range) -> Iterator[tuple[Range, MemoryRange]]:
    """The parts of `place` that the state describes, in order."""
    for item in state.memory:
        low, high = max(item.start, place[0]), min(item.end, place[1])
        if low < high:
            yield (low, high), item


def described(state: MachineState, places: tuple[Range, ...]) -> bool:
    """Whether the state says what every byte of `places` holds."""
    known = tuple((item.start, item.end) for item in state.memory)
    return not without(places, known)


def register_problems(facts: Facts, leaving: HandlerExit) -> Iterator[Problem]:
    """Registers and flags that are not constants when this return pops its frame."""
    where = (facts.at(leaving.site),)
    stacked = [(f"stacked word {index}", word) for index, word in enumerate(leaving.frame[: _LAST_GENERAL + 1])]
    saved = [(f"r{index}", leaving.state.registers[index]) for index in _CALLEE_SAVED]
    for name, word in (*stacked, *saved):
        if word.only is None or word.origins:
            yield Refusal(
                reason="registers-not-cleared",
                message=f"{name} is not one constant when the confined part starts",
                places=where,
            )
            return
    if len(leaving.frame) <= _STATUS or leaving.frame[_STATUS].only != PLAIN_STATUS:
        yield Refusal(
            reason="flags-not-cleared",
            message=f"the stacked program status is not 0x{PLAIN_STATUS:08X}",
            places=where,
        )


def floating_point_problems(facts: Facts) -> Iterator[Problem]:
    """A refusal unless the floating-point unit is off for everybody from the drop on (DDI 0403, B3.2.20)."""
    control = register(facts, "SCB", "CPACR")
    off = all(field(word, _COPROCESSORS) == frozenset({0}) for word in device_at_drops(facts, control))
    unit = facts.silicon.peripheral("FPU")
    written = [*stores(facts, handlers(facts), control), *stores(facts, handlers(facts), unit.base, unit.size)]
    if not off or written:
        yield Refusal(
            reason="fpu-on",
            message="CPACR is not 0 at the drop, or a handler writes a floating-point control register",
            places=tuple(facts.at(touch.access.site) for touch in written),
        )


def stack_area(facts: Facts, runs: tuple[Run, ...]) -> Range | None:
    """The main-stack addresses that these runs use; None where one of them has no bound."""
    lows = [run.stack_low for run in runs]
    highs = [run.stack_high for run in runs]
    known_lows = [low for low in lows if low is not None]
    known_highs = [high for high in highs if high is not None]
    if len(known_lows) != len(lows) or len(known_highs) != len(highs) or not known_lows:
        return None
    return min(known_lows), max(known_highs)


def handler_stacks(facts: Facts) -> Known[tuple[Range, ...]] | Unknown:
    """For each drop, the main-stack bytes that nested handlers can use below the stack pointer there.

    One handler of the priority that the tick and the configurable faults share, then HardFault, then NMI.
    """
    open_ended = [run for run in handlers(facts) if run.stack_low is None or run.stack_high is None]
    if open_ended:
        return unbounded_stack(facts, open_ended)
    levels = (
        [run for run in handlers(facts) if any(number not in (_HARD_FAULT, _NMI) for number in run.exceptions)],
        [run for run in handlers(facts) if _HARD_FAULT in run.exceptions],
        [run for run in handlers(facts) if _NMI in run.exceptions],
    )
    depth = sum(_EXCEPTION_FRAME + max((_depth(run) for run in level), default=0) for level in levels)
    found: list[Range] = []
    for drop in drops(facts):
        pointer = drop.state.main_stack.only
        if pointer is None:
            return Unknown(
                reason="stack-pointer-unknown",
                message="the main stack pointer is not one known number at the drop",
                would_help="a boot that returns its stack to the top before the drop",
                places=(facts.at(drop.site),),
            )
        found.append((pointer - depth, pointer))
    return Known(value=tuple(found))


def unbounded_stack(facts: Facts, runs: list[Run]) -> Unknown:
    return Unknown(
        reason="stack-unbounded",
        message="a run has no proved lowest stack address",
        would_help="no recursion, and stack pointers that are constants",
        places=tuple(facts.at(run.entry) for run in runs),
    )


def _depth(run: Run) -> int:
    return (run.stack_high or 0) - (run.stack_low or 0)


def _confined_memory(facts: Facts, leaving: HandlerExit) -> Iterator[Problem]:
    writable = unprivileged(facts, Use.WRITE)
    if not isinstance(writable, Known):
        yield writable
        return
    where = (facts.at(leaving.site),)
    if not described(leaving.state, writable.value):
        yield Unknown(
            reason="memory-not-described",
            message="the state at the end of the tick does not cover the confined memory",
            would_help="a silicon file that lists all RAM that the protection opens",
            places=where,
        )
    frame = facts.declaration.memory.frame
    for place in writable.value:
        for part, item in ranges_at(leaving.state, place):
            problem = _kept(part, item, frame, leaving)
            if problem is not None:
                yield Refusal(reason=problem[0], message=problem[1], places=where)
                return


def _kept(part: Range, item: MemoryRange, frame: DeclaredRange, leaving: HandlerExit) -> tuple[str, str] | None:
    """Why this memory may not be so. Two constants are not one: which of them is there may tell of the past."""
    if item.content is Content.CONSTANT and item.value.only is not None:
        return None
    outside = without((part,), ((frame.start, frame.end), *_stacked_counter(leaving)))
    if outside:
        return "wipe-incomplete", f"{span(*outside[0])} may hold {_sources(item)} when the confined part starts"
    if not without((part,), _stacked_counter(leaving)) or item.value.origins == frozenset({Origin.SENSOR}):
        return None
    return "frame-holds-more", f"the frame at {span(*part)} may hold {_sources(item)}"


def _stacked_counter(leaving: HandlerExit) -> tuple[Range, ...]:
    """Where the stacked program counter lies: the tick's two ends differ there, and run-handlers judges it."""
    pointer = leaving.state.process_stack.only
    return ((pointer + _COUNTER_OFFSET, pointer + _COUNTER_OFFSET + 4),) if pointer is not None else ()


def _gate_memory(facts: Facts) -> Iterator[Problem]:
    """What outlives a handler, the stack and followed words apart: what is not constant is anything to the next one.

    What lies on the stack is dead when a handler ends. The machine forgets it, the boot's too, so a handler that reads
    it gets a value from everywhere.
    """
    memory = gate_ram(facts)
    if not isinstance(memory, Known):
        yield memory
        return
    stack = stack_area(facts, (facts.exploration.boot, *handlers(facts)))
    followed = _followed_words(facts)
    watched = without(memory.value, (*(() if stack is None else (stack,)), *followed))
    before = [(part, item) for drop in drops(facts) for place in watched for part, item in ranges_at(drop.state, place)]
    for run in handlers(facts):
        for leaving in run.exits:
            after = [(part, item) for place in watched for part, item in ranges_at(leaving.state, place)]
            changed = _changed(before, after) or _not_of_answers(leaving.state, followed)
            if changed is not None:
                yield Refusal(
                    reason="gate-remembers",
                    message=f"gate memory at {span(*changed[0])} keeps {_sources(changed[1])} from frame to frame",
                    places=(facts.at(leaving.site),),
                )
                return


def _followed_words(facts: Facts) -> tuple[Range, ...]:
    """The words that smoothing remembers in; none where their states were not all followed."""
    remembered = smoothing_of(facts)
    return tuple((word, word + 4) for word in remembered.value.words) if isinstance(remembered, Known) else ()


def _not_of_answers(state: MachineState, followed: tuple[Range, ...]) -> Described | None:
    """The first of these words that holds something else than what was made of answers."""
    allowed = {Origin.CONFINED, Origin.GATE}
    found = ((part, item) for place in followed for part, item in ranges_at(state, place))
    return next(((part, item) for part, item in found if item.value.origins - allowed), None)


def _changed(before: list[Described], after: list[Described]) -> Described | None:
    """The first part that is not one constant, or another one than at a drop: which handler ran would show in it."""
    for part, item in after:
        if item.value.only is None or item.value.origins:
            return part, item
        for place, earlier in before:
            low, high = max(part[0], place[0]), min(part[1], place[1])
            if low < high and earlier.value.only != item.value.only:
                return (low, high), item
    return None


_WORDS = {
    Origin.CONFINED: "what the confined part wrote",
    Origin.REGISTER: "core registers of the confined part",
    Origin.DEVICE: "a device's data",
    Origin.SENSOR: "sensor data",
    Origin.GATE: "gate memory that is not known",
    Origin.RESET: "what was there before reset",
}


def _sources(item: MemoryRange) -> str:
    return ", ".join(_WORDS[origin] for origin in sorted(item.value.origins)) or "something that is not constant"
