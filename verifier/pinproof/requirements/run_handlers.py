"""Every vector MUST lead to gate code that is proved for any register, any unprivileged memory, and gate memory under
an invariant that every handler keeps, preempted or not.

*How it is decided.* Every exception that the silicon file names leads, through the table as loaded, to a run that was
explored. Each run ends, in fewer cycles than the timer counts in a period together with the longest other, and only
by an exception return of 0xFFFFFFFD through a frame of constants (the tick's program counter may be either of its
two), unprivileged, with interrupts on, to the entry or the idle loop; only the tick starts the entry. The tick, the
configurable faults, SVCall, PendSV and SysTick have one priority, the three faults are enabled, and of all interrupts
the tick alone. Boot masks interrupts first, and each handler drops privilege itself, so that an exception in the last
instructions before the drop ends like any other.

*False accepts.* The induction over handlers is the machine's: its invariant is not checked again here.

*False rejects.* Handlers at different priorities, even where the difference does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    EXCEPTION_REASONS,
    MACHINE_REASONS,
    PERIOD_REASONS,
    PLAIN_STATUS,
    Facts,
    Known,
    Problem,
    Refusal,
    Unknown,
    boot,
    conclude,
    drops,
    exception_problems,
    handlers,
    is_tick,
    period_counts,
    proved,
    timer_set_up,
    values_of,
)
from pinproof.machine.result import HandlerExit, Origin, Run
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PERIOD_REASONS,
    **EXCEPTION_REASONS,
    "vector-unexplored": "an exception of the part has no explored handler",
    "vector-differs": "a vector of the loaded table is not the handler that was explored",
    "handler-without-exit": "a handler was explored to no end",
    "handler-may-not-end": "a handler contains an endless loop, or sleeps",
    "handler-unbounded": "a handler has no proved bound of its cycles",
    "handler-too-long": "handlers can take as long as a period, or hold up the tick for a thousandth of one",
    "exception-return": "a handler returns otherwise than to thread mode on the process stack",
    "return-privileged": "a handler can return to privileged thread mode",
    "return-target": "a handler can return elsewhere than to the entry or the idle loop",
    "return-frame": "the stacked frame of a return is not made of constants",
    "interrupts-masked": "interrupts may be masked when the confined part runs",
    "mask-register-written": "the gate writes BASEPRI or FAULTMASK",
    "main-stack-moved": "a handler writes the main stack pointer",
    "privilege-not-dropped": "a handler does not drop privilege itself, so preemption before the drop is open",
}

_RESET = 1
_SHORT = 1000
"""A handler other than the tick may take this part of a period."""
_SLEEPS = frozenset({"WFI", "WFE"})
_RETURN_TO_PROCESS_STACK = 0xFFFFFFFD
_PROGRAM_COUNTER, _STATUS = 6, 7


def check(facts: Facts) -> Outcome:
    set_up = timer_set_up(facts)
    if not isinstance(set_up, Known):
        return conclude(facts, [set_up], [])
    runs = handlers(facts)
    longest = max((run.cycles or 0 for run in runs), default=0)
    counts = period_counts(set_up.value)
    ends = [facts.at(leaving.site) for run in runs for leaving in run.exits]
    evidence = [
        proved(f"{len(runs)} handlers cover every vector and end in at most {longest} cycles of {counts}", *ends),
        proved("each returns unprivileged through a frame of constants to the entry or the idle loop"),
        proved("one priority, three faults and one interrupt enabled", *(facts.at(drop.site) for drop in drops(facts))),
    ]
    problems = [
        *_vectors(facts),
        *_lengths(facts, counts),
        *(problem for run in runs for leaving in run.exits for problem in _exit(facts, run, leaving)),
        *_masks(facts),
        *exception_problems(facts, set_up.value.timer),
    ]
    return conclude(facts, problems, evidence)


def _vectors(facts: Facts) -> Iterator[Problem]:
    table = facts.exploration.vectors
    by_exception = {number: run for run in handlers(facts) for number in run.exceptions}
    for number in sorted(facts.silicon.exceptions.names):
        if number <= _RESET:
            continue
        name = facts.silicon.exceptions.names[number]
        run = by_exception.get(number)
        if run is None or number >= len(table):
            yield Unknown(
                reason="vector-unexplored",
                message=f"no handler of {name} was explored",
                would_help="a vector for every exception of the part, to gate code",
            )
            return
        if table[number] & ~1 != run.entry & ~1 or not table[number] & 1:
            yield Refusal(
                reason="vector-differs",
                message=f"the vector of {name} is 0x{table[number]:08X}",
                places=(facts.at(run.entry),),
            )


def _lengths(facts: Facts, counts: int) -> Iterator[Problem]:
    runs = handlers(facts)
    for run in runs:
        where = (facts.at(run.entry),)
        if run.endless:
            yield Refusal(
                reason="handler-may-not-end",
                message="a handler has an endless loop",
                places=tuple(facts.at(loop.site) for loop in run.endless),
            )
        elif sleeps := [site for name, site, _ in run.system_writes if name in _SLEEPS]:
            # What would wake it has its own priority and does not (DDI 0403, B1.5.19).
            yield Refusal(
                reason="handler-may-not-end",
                message="a handler sleeps",
                places=tuple(facts.at(site) for site in sleeps),
            )
        elif not run.exits:
            yield Unknown(
                reason="handler-without-exit",
                message="a handler was explored to no end",
                would_help="a handler that ends in an exception return",
                places=where,
            )
        elif run.cycles is None:
            yield Unknown(
                reason="handler-unbounded",
                message="a handler has no bound of its cycles",
                would_help="loops with constant bounds",
                places=where,
            )
    # The confined part chooses when it faults, and with that when the tick can begin.
    slow = [run.entry for run in runs if not is_tick(facts, run) and (run.cycles or 0) > counts // _SHORT]
    if slow:
        yield Refusal(
            reason="handler-too-long",
            message=f"a handler that can hold up the tick takes more than 1/{_SHORT} of a period",
            places=tuple(facts.at(entry) for entry in slow),
        )
    ordered = sorted(((run.cycles or 0, run.entry) for run in runs), reverse=True)
    both = sum(cycles for cycles, _ in ordered[:2])
    if both >= counts:
        yield Refusal(
            reason="handler-too-long",
            message=f"the two longest handlers take up to {both} cycles of {counts}",
            places=tuple(facts.at(entry) for _, entry in ordered[:2]),
        )


def _exit(facts: Facts, run: Run, leaving: HandlerExit) -> Iterator[Problem]:
    where = (facts.at(leaving.site),)
    entry = facts.declaration.entry
    if leaving.exception_return.only != _RETURN_TO_PROCESS_STACK:
        yield Refusal(reason="exception-return", message="the return value may not be 0xFFFFFFFD", places=where)
    if leaving.state.control.bits(0b101) != 1:
        yield Refusal(reason="return-privileged", message="CONTROL.nPRIV may be 0 at the return", places=where)
    if leaving.state.primask.only != 0:
        yield Refusal(reason="interrupts-masked", message="PRIMASK may be 1 at the return", places=where)
    frame = leaving.frame
    if len(frame) <= _STATUS:
        yield Refusal(reason="return-frame", message="the stacked frame is not known", places=where)
        return
    others = [word for index, word in enumerate(frame) if index != _PROGRAM_COUNTER]
    if any(word.only is None or word.origins for word in others) or frame[_STATUS].only != PLAIN_STATUS:
        yield Refusal(
            reason="return-frame", message="a word of the stacked frame is not the constant it must be", places=where
        )
    # Which of its two ends the tick takes may depend on whether the sensor answered, never on the confined part.
    allowed = frozenset({entry.detector, entry.idle} if is_tick(facts, run) else {entry.idle})
    targets = frame[_PROGRAM_COUNTER]
    if not {value & ~1 for value in values_of(targets) or (-1,)} <= allowed:
        yield Refusal(
            reason="return-target",
            message=f"it can return to 0x{targets.low:08X} up to 0x{targets.high:08X}",
            places=where,
        )
    elif targets.origins - {Origin.SENSOR}:
        yield Refusal(reason="return-target", message="more than the sensor chooses where it returns", places=where)


def _masks(facts: Facts) -> Iterator[Problem]:
    for drop in drops(facts):
        if drop.state.primask.only != 0:
            yield Refusal(
                reason="interrupts-masked", message="PRIMASK may be 1 at the drop", places=(facts.at(drop.site),)
            )
    for run in (*boot(facts), *handlers(facts)):
        for name, site, _ in run.system_writes:
            if name.lower() in ("basepri", "basepri_max", "faultmask"):
                yield Refusal(
                    reason="mask-register-written", message=f"the gate writes {name}", places=(facts.at(site),)
                )
    for run in handlers(facts):
        written = [(name.lower(), site, value) for name, site, value in run.system_writes]
        moved = [site for name, site, _ in written if name == "msp"]
        if moved:
            yield Refusal(reason="main-stack-moved", message="a handler writes MSP", places=(facts.at(moved[0]),))
        if run.exits and not any(name == "control" and value.bits(1) == 1 for name, _, value in written):
            yield Refusal(
                reason="privilege-not-dropped",
                message="a handler relies on CONTROL.nPRIV being 1 already",
                places=(facts.at(run.entry),),
            )
