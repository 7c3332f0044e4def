"""Between one frame and the next, the gate MUST clear everything that the confined part can write and start it again
at its entry point.

*How it is decided.* At every end of the tick, every byte that the decoded protection lets the confined part write is
a constant of the image, or sensor data inside the declared frame. The stacked registers, r4 to r11 and the program
status are constants, and the floating-point unit and the flash caches are off. No branch or division of a handler
depends on what the confined part wrote, on gate memory that changes or on a device, so that not even the path tells
of it; a fault that the last frame left pending is withdrawn; the tick reads no device but the sensor's lines, on a port
without a declared output, and its own timer's flags; but for the compare register, handlers store constants alone, to
status registers and sensor lines. Gate memory outside the stack is the same constant from the drop on. Excepted are the
words in which smoothing keeps what it made of answers: every state of them was followed, the confined part can reach
none of them, and the evidence states how many bits they hold.

*False accepts.* State that no manual names as memory: prefetch buffers (A-silicon-as-manual). The tick
begins some cycles later or earlier with what it interrupts. Windows of several periods are judged as one period. A
microphone's receiver holds what it could not hand over, so a window can begin with sound from before its period.

*False rejects.* Smoothing whose states are too many to follow; a wipe that stores the sensor's data outside the
frame and overwrites it later on some paths only.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_MANUAL,
    DEVICE_REASONS,
    FAULTS_ENABLED,
    MACHINE_REASONS,
    MEMORY_REASONS,
    PROTECTION_REASONS,
    SMOOTHING_REASONS,
    Facts,
    Known,
    Problem,
    Refusal,
    Unknown,
    conclude,
    device_problems,
    drops,
    handlers,
    hardware,
    leftovers,
    name_of_access,
    output_timer,
    places,
    proved,
    reach_problems,
    register,
    sensor_registers,
    smoothing_of,
    stores,
    ticks,
    touches,
    unprivileged,
    values_of,
)
from pinproof.machine.mpu import Use
from pinproof.machine.result import AccessKind
from pinproof.outcome import Evidence, Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    **MEMORY_REASONS,
    **DEVICE_REASONS,
    **SMOOTHING_REASONS,
    "no-tick": "no handler of the timer's exception was explored",
    "branch-on-confined": "the path of a handler depends on what the confined part wrote, gate memory or a device",
    "pending-fault-kept": "the tick does not withdraw a fault that the last frame left pending",
    "device-read": "the tick reads a device other than the sensor's lines and its own timer's flags",
    "gate-state-reachable": "the confined part can reach the memory in which smoothing keeps what it made of answers",
    "no-confined-memory": "the confined part can write no memory at all, so no frame can reach it",
}


def check(facts: Facts) -> Outcome:
    writable = unprivileged(facts, Use.WRITE)
    total = sum(end - start for start, end in writable.value) if isinstance(writable, Known) else 0
    found = ticks(facts)
    ends = [facts.at(leaving.site) for run in found for leaving in run.exits]
    evidence = [
        proved(
            f"{total} bytes that the confined part can write are constants or frame at {len(ends)} ends of the tick",
            *ends,
        ),
        proved("registers, flags and pending faults are cleared, and the floating-point unit is off"),
        proved("no branch of a handler depends on what the confined part wrote"),
        *_remembered_evidence(facts),
    ]
    problems = [
        *_memory(writable, total),
        *_tick(facts),
        *leftovers(facts),
        *_drops(facts),
        *_paths(facts),
        *_reads(facts),
        *_pending(facts),
        *device_problems(facts),
        *_remembered(facts),
    ]
    return conclude(facts, problems, evidence, [ASSUMPTION_MANUAL])


def _remembered_evidence(facts: Facts) -> Iterator[Evidence]:
    found = smoothing_of(facts)
    if isinstance(found, Known):
        yield hardware(
            f"nothing is remembered but {found.value.memory_bits} bits made of earlier answers, in "
            f"{len(found.value.words)} words of gate memory that the confined part cannot reach"
        )


def _remembered(facts: Facts) -> Iterator[Problem]:
    found = smoothing_of(facts)
    if isinstance(found, Known):
        words = tuple((word, word + 4) for word in found.value.words)
        yield from reach_problems(facts, words, "gate-state-reachable", "what the gate remembers of answers")
    elif found is not None:
        yield found


def _tick(facts: Facts) -> Iterator[Problem]:
    if not ticks(facts):
        yield Unknown(
            reason="no-tick",
            message="no handler of the timer's exception was explored",
            would_help="a vector for the timer's exception",
        )


def _memory(writable: object, total: int) -> Iterator[Problem]:
    if isinstance(writable, Known) and not total:
        yield Refusal(reason="no-confined-memory", message="the confined part can write no memory")


def _drops(facts: Facts) -> Iterator[Problem]:
    """Where the drop starts the entry itself, its registers reach the confined part as well."""
    for drop in drops(facts):
        starts = values_of(drop.target) or frozenset({facts.declaration.entry.detector})
        uneven = any(word.only is None for word in drop.state.registers)
        if uneven and facts.declaration.entry.detector in {value & ~1 for value in starts}:
            yield Refusal(
                reason="registers-not-cleared",
                message="a register is not one constant where the drop starts the confined part",
                places=(facts.at(drop.site),),
            )


def _paths(facts: Facts) -> Iterator[Problem]:
    for run in handlers(facts):
        if run.confined_branches:
            yield Refusal(
                reason="branch-on-confined",
                message=f"{len(run.confined_branches)} branches of a handler depend on what came before",
                places=tuple(facts.at(site) for site in run.confined_branches),
            )
            return


def _reads(facts: Facts) -> Iterator[Problem]:
    """A clock, a counter or a fault status is a memory too: it reads the sensor and its timer's flags alone."""
    allowed = set(sensor_registers(facts.silicon, facts.declaration))
    timer = output_timer(facts)
    if timer is not None:
        allowed.add(register(facts, timer.name, "SR"))
    devices = [(block.base, block.end) for block in facts.silicon.peripherals]
    for run in ticks(facts):
        found = [
            touch
            for start, end in devices
            for touch in touches(facts, [run], start, end, AccessKind.LOAD)
            if touch.exact is None or touch.exact & ~3 not in allowed
        ]
        if found:
            yield Refusal(
                reason="device-read",
                message=f"the tick reads {name_of_access(facts, found[0].access)}",
                places=places(facts, found),
            )


def _pending(facts: Facts) -> Iterator[Problem]:
    """A fault raised while the tick was being entered waits behind it, and would idle the next frame."""
    state = register(facts, "SCB", "SHCSR")
    for run in ticks(facts):
        withdrawn = [
            touch
            for touch in stores(facts, [run], state)
            if touch.exact == state and touch.access.must and touch.access.value.only == FAULTS_ENABLED
        ]
        if not withdrawn:
            yield Refusal(
                reason="pending-fault-kept",
                message="no store of the tick clears the pending bits of SCB.SHCSR on every path",
                places=places(facts, stores(facts, [run], state)) or (facts.at(run.entry),),
            )
