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
    device_at_drops,
    drops,
    field,
    handlers,
    is_tick,
    period_counts,
    places,
    proved,
    register,
    stores,
    timer_set_up,
    values_of,
)
from pinproof.machine.result import HandlerExit, Origin, Run, Word
from pinproof.outcome import Outcome
from pinproof.silicon import Timer

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PERIOD_REASONS,
    "vector-unexplored": "an exception of the part has no explored handler",
    "vector-differs": "a vector of the loaded table is not the handler that was explored",
    "handler-without-exit": "a handler was explored to no end",
    "handler-may-not-end": "a handler contains an endless loop",
    "handler-unbounded": "a handler has no proved bound of its cycles",
    "handler-too-long": "handlers can take as long as a period",
    "exception-return": "a handler returns otherwise than to thread mode on the process stack",
    "return-privileged": "a handler can return to privileged thread mode",
    "return-target": "a handler can return elsewhere than to the entry or the idle loop",
    "return-frame": "the stacked frame of a return is not made of constants",
    "interrupts-masked": "interrupts may be masked when the confined part runs",
    "mask-register-written": "the gate writes BASEPRI or FAULTMASK",
    "main-stack-moved": "a handler writes the main stack pointer",
    "privilege-not-dropped": "a handler does not drop privilege itself, so preemption before the drop is open",
    "interrupts-open-in-boot": "boot does not mask interrupts before it enables one",
    "interrupt-enabled": "an interrupt other than the tick can be enabled",
    "tick-not-enabled": "the tick's interrupt is not enabled on every path to the drop",
    "systick-enabled": "the system timer's interrupt can be enabled",
    "interrupt-pended": "the gate can make an exception pending by software",
    "priorities-differ": "the tick and the exceptions that the confined part can cause differ in priority",
    "fault-not-enabled": "a configurable fault is not enabled, so it escalates above the tick",
    "system-handlers-written": "a handler changes which faults are enabled or active",
    "priority-written": "a handler changes a priority or an interrupt enable",
}

_RESET = 1
_RETURN_TO_PROCESS_STACK = 0xFFFFFFFD
_PROGRAM_COUNTER, _STATUS = 6, 7
_FAULTS = 0x70000
_TICK_INTERRUPT = 1 << 1


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
        *_enables(facts, set_up.value.timer),
        *_priorities(facts, set_up.value.timer),
        *_later(facts),
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
            yield Refusal(reason="handler-may-not-end", message="a handler has an endless loop", places=where)
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
    elif Origin.CONFINED in targets.origins:
        yield Refusal(reason="return-target", message="the confined part chooses where it returns", places=where)


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


def _enables(facts: Facts, timer: Timer) -> Iterator[Problem]:
    interrupt = timer.exception - 16
    enables = [each for each in facts.silicon.peripheral("NVIC").registers if each.name.startswith("ISER")]
    own = f"ISER{interrupt // 32}"
    for each in enables:
        wanted = 1 << interrupt % 32 if each.name == own else 0
        for word in device_at_drops(facts, each.address):
            if field(word, wanted) != frozenset({wanted}):
                yield Refusal(reason="tick-not-enabled", message=f"NVIC.{each.name} may lack the tick at the drop")
            if _others(word, wanted):
                yield Refusal(reason="interrupt-enabled", message=f"NVIC.{each.name} may enable another interrupt")
        early = [touch for touch in stores(facts, boot(facts), each.address) if _others(touch.access.value, wanted)]
        if early:
            yield Refusal(
                reason="interrupt-enabled",
                message=f"boot may enable another interrupt in NVIC.{each.name}",
                places=places(facts, early),
            )
    masked = [value for name, _, value in facts.exploration.boot.system_writes if name.lower() == "primask"]
    if drops(facts) and not any(word.only == 1 for word in masked):
        yield Refusal(reason="interrupts-open-in-boot", message="boot never sets PRIMASK")
    system = facts.silicon.peripheral("SysTick").register("CSR").address
    if any(field(word, _TICK_INTERRUPT) != frozenset({0}) for word in device_at_drops(facts, system)):
        yield Refusal(reason="systick-enabled", message="SysTick.CSR.TICKINT may be 1 at the drop")


def _others(word: Word, wanted: int) -> bool:
    return bool(~word.zeros & ~wanted & 0xFFFFFFFF)


def _priorities(facts: Facts, timer: Timer) -> Iterator[Problem]:
    interrupt = timer.exception - 16
    # DDI 0403, B3.2.10 to B3.2.12: one byte each; the reserved bytes and DebugMonitor are left out.
    bytes_used = [
        (register(facts, "SCB", "SHPR1"), 0x00FFFFFF),
        (register(facts, "SCB", "SHPR2"), 0xFF000000),
        (register(facts, "SCB", "SHPR3"), 0xFFFF0000),
        (register(facts, "NVIC", f"IPR{interrupt // 4}"), 0xFF << 8 * (interrupt % 4)),
    ]
    # Only the upper bits of a byte are implemented; the lower read as zero and are ignored.
    implemented = 0xFF << (8 - facts.silicon.exceptions.priority_bits) & 0xFF
    found: set[int | None] = set()
    for address, mask in bytes_used:
        for word in device_at_drops(facts, address):
            known = word.bits(mask)
            found |= {
                None if known is None else known >> shift & implemented
                for shift in range(0, 32, 8)
                if mask >> shift & 1
            }
    if len(found) != 1 or None in found:
        yield Refusal(reason="priorities-differ", message="tick, faults, SVCall, PendSV and SysTick differ in priority")
    state = register(facts, "SCB", "SHCSR")
    for word in device_at_drops(facts, state):
        if field(word, _FAULTS) != frozenset({_FAULTS}):
            yield Refusal(reason="fault-not-enabled", message="a fault enable of SCB.SHCSR may be 0 at the drop")


def _later(facts: Facts) -> Iterator[Problem]:
    runs = handlers(facts)
    state = register(facts, "SCB", "SHCSR")
    changed = [
        touch
        for touch in stores(facts, runs, state)
        if touch.exact != state or field(touch.access.value, 0xFFFFFFFF) != frozenset({_FAULTS})
    ]
    if changed:
        yield Refusal(
            reason="system-handlers-written",
            message="a handler writes SCB.SHCSR with something other than the three fault enables",
            places=places(facts, changed),
        )
    controller, control = facts.silicon.peripheral("NVIC"), register(facts, "SCB", "SHPR1")
    written = [*stores(facts, runs, controller.base, controller.size), *stores(facts, runs, control, 12)]
    if written:
        yield Refusal(
            reason="priority-written", message="a handler writes NVIC or SHPR registers", places=places(facts, written)
        )
    pended = [
        *stores(facts, (*boot(facts), *runs), register(facts, "SCB", "ICSR")),
        *stores(facts, (*boot(facts), *runs), register(facts, "STIR", "STIR")),
        *(
            touch
            for each in controller.registers
            if each.name.startswith("ISPR")
            for touch in stores(facts, (*boot(facts), *runs), each.address)
        ),
    ]
    if pended:
        yield Refusal(
            reason="interrupt-pended",
            message="the gate stores to a register that makes exceptions pending",
            places=places(facts, pended),
        )
