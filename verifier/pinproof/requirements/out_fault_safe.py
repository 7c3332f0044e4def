"""A fault of the confined part MUST count as the idle answer of its period and have no other effect.

*How it is decided.* The timer's exception alone leads to the tick. Every other handler ends with the idle word in the
mailbox, on every path, stores to no register of the output timer or of a port, causes no reset, and returns to the
idle loop, which the image shows to be a branch to itself. Every compare register is 0 at the drop, and a tick that
finds the idle word in the mailbox stores 0 there. Where the gate smooths over answers, the idle word is an answer like
another: in no state of the gate's memory does it raise a pin, and from each state idle answers alone lead to the idle
output, after a number of periods that the evidence states.

*False accepts.* That handlers cannot fault, lock up or run for ever is run-handlers and run-gate-proved; that the pin
is idle while the part is in reset is the board's pull-down (A-pull-down).

*False rejects.* An idle loop that sleeps before it branches to itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_PULL_DOWN,
    MACHINE_REASONS,
    PERIOD_REASONS,
    SMOOTHING_REASONS,
    STEADY_REASONS,
    Facts,
    Known,
    Problem,
    Refusal,
    Smoothed,
    TimerSetUp,
    Unknown,
    block_stores,
    conclude,
    device_at_drops,
    handlers,
    is_tick,
    name_of,
    output_timer,
    places,
    ports,
    proved,
    ranges_at,
    reset_problems,
    smoothing_of,
    state_words,
    stores,
    ticks,
    timer_set_up,
)
from pinproof.machine.result import Content, HandlerExit, Run
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **STEADY_REASONS,
    **PERIOD_REASONS,
    **SMOOTHING_REASONS,
    "no-fault-handler": "no handler other than the tick was explored",
    "fault-runs-tick": "an exception other than the timer's leads to the tick, so software chooses when it runs",
    "fault-moves-output": "a handler other than the tick stores to the output timer or to a port",
    "fault-leaves-output": "a handler other than the tick can end without the idle word in the mailbox",
    "fault-returns-to-detector": "a handler other than the tick does not return to the idle loop",
    "idle-not-a-loop": "the code at the idle address is not a branch to itself",
    "output-not-idle": "the compare register may not be 0 at the drop",
    "idle-word-not-idle": "the tick may make something else than idle of the idle word",
    "fault-raises-output": "after some answers the idle word can make the pin rise",
    "fault-keeps-output": "after some answers the pin can stay up however many idle words follow",
    "idle-word-unfollowed": "no tick was explored with the idle word in the mailbox",
}

_BRANCH_TO_ITSELF = bytes((0xFE, 0xE7))
"""`b .` in its 16-bit encoding (DDI 0403, A7.7.12, T2)."""
_IDLE_WORD = 0
_PROGRAM_COUNTER = 6


def check(facts: Facts) -> Outcome:
    others = [run for run in handlers(facts) if not is_tick(facts, run)]
    evidence = [
        proved(
            f"{len(others)} handlers beside the tick leave the idle word in the mailbox and return to the idle loop",
            *(facts.at(leaving.site) for run in others for leaving in run.exits),
        ),
        proved(
            "the idle loop is a branch to itself; nothing but the tick stores to the output",
            facts.at(facts.declaration.entry.idle),
        ),
    ]
    remembered = smoothing_of(facts)
    if isinstance(remembered, Known):
        idle = (
            f"no idle answer raises the pin, and {remembered.value.idle_after} of them in a row lead to the idle output"
        )
        evidence.append(proved(f"{idle} from each state that the gate's memory can be in"))
    problems = [*_output(facts, others), *_ends(facts, others), *_idle(facts), *reset_problems(facts)]
    return conclude(facts, problems, evidence, [ASSUMPTION_PULL_DOWN])


def _output(facts: Facts, others: list[Run]) -> Iterator[Problem]:
    set_up = timer_set_up(facts)
    if not isinstance(set_up, Known):
        yield set_up
        return
    watched = [facts.silicon.peripheral(set_up.value.timer.name), *ports(facts)]
    for block in watched:
        found = block_stores(facts, others, block)
        if found:
            yield Refusal(
                reason="fault-moves-output",
                message=f"a handler other than the tick stores to {block.name}",
                places=places(facts, found),
            )
    yield from _idle_word(facts, set_up.value)
    for channel in set_up.value.channels:
        if any(word.only != set_up.value.never for word in device_at_drops(facts, channel.compare)):
            yield Refusal(
                reason="output-not-idle",
                message=f"{name_of(facts, channel.compare)}, a compare register, may not be 0 at the drop",
            )


def _idle_word(facts: Facts, set_up: TimerSetUp) -> Iterator[Problem]:
    """What a fault leaves in the mailbox, and a confined part that does not answer, must mean "never"."""
    found = [run for run in facts.exploration.unanswered if is_tick(facts, run)]
    if not found:
        yield Unknown(
            reason="idle-word-unfollowed",
            message="no tick was explored with the idle word in the mailbox",
            would_help="a mailbox that is a word of the confined part's memory, and a vector for the timer's exception",
        )
    remembered = smoothing_of(facts)
    if isinstance(remembered, Known):
        yield from _smoothed_idle(remembered.value)
        return
    if remembered is not None:
        yield remembered
    compared = [touch for channel in set_up.channels for touch in stores(facts, found, channel.compare)]
    wrong = [touch for touch in compared if touch.access.value.only != set_up.never]
    if wrong:
        yield Refusal(
            reason="idle-word-not-idle",
            message="with 0 in the mailbox, the tick may store something else than 0 to a compare register",
            places=places(facts, wrong),
        )


def _smoothed_idle(remembered: Smoothed) -> Iterator[Problem]:
    if remembered.raised is not None:
        before = remembered.graph.nodes[remembered.raised.source]
        yield Refusal(
            reason="fault-raises-output",
            message=f"with {state_words(before)} in gate memory, the idle word in the mailbox raises the pin",
        )
    if remembered.idle_after is None:
        yield Refusal(
            reason="fault-keeps-output",
            message="from some state of gate memory, idle words alone may never lead to the idle output",
        )


def _ends(facts: Facts, others: list[Run]) -> Iterator[Problem]:
    if not others:
        yield Unknown(
            reason="no-fault-handler",
            message="no handler beside the tick was explored",
            would_help="vectors for the faults",
        )
    yield from _shared(facts)
    for run in others:
        for leaving in run.exits:
            where = (facts.at(leaving.site),)
            if not _mailbox_idle(facts, leaving):
                yield Refusal(
                    reason="fault-leaves-output", message="the mailbox may not hold the idle word", places=where
                )
            target = leaving.frame[_PROGRAM_COUNTER].only if len(leaving.frame) > _PROGRAM_COUNTER else None
            if target is None or target & ~1 != facts.declaration.entry.idle:
                yield Refusal(
                    reason="fault-returns-to-detector",
                    message="the stacked program counter may not be the idle loop",
                    places=where,
                )


def _shared(facts: Facts) -> Iterator[Problem]:
    timer = output_timer(facts)
    for run in ticks(facts):
        if timer is not None and set(run.exceptions) != {timer.exception}:
            yield Refusal(
                reason="fault-runs-tick",
                message=f"{len(run.exceptions)} exceptions lead to the tick",
                places=(facts.at(run.entry),),
            )


def _mailbox_idle(facts: Facts, leaving: HandlerExit) -> bool:
    mailbox = facts.declaration.memory.mailbox
    found = [item for _, item in ranges_at(leaving.state, (mailbox, mailbox + 4))]
    covered = sum(min(item.end, mailbox + 4) - max(item.start, mailbox) for item in found)
    return covered == 4 and all(item.content is Content.CONSTANT and item.value.only == _IDLE_WORD for item in found)


def _idle(facts: Facts) -> Iterator[Problem]:
    idle = facts.declaration.entry.idle
    if facts.image.read(idle, len(_BRANCH_TO_ITSELF)) != _BRANCH_TO_ITSELF:
        yield Refusal(
            reason="idle-not-a-loop",
            message=f"the code at 0x{idle:08X} is not a branch to itself",
            places=(facts.at(idle),),
        )
