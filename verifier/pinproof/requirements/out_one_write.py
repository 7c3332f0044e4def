"""Between two ticks, the pending output value MUST be written by the gate alone, from one read of the mailbox, as one
value of the declared alphabet.

*How it is decided.* In the tick there is one load of the mailbox and one store to the compare register of each
declared channel, each a whole word at one instruction, on every path, outside loops and under no condition that
anything outside the image influences. On every path the tick also clears the timer's update flag, or it would be
taken again at once and come more than once a period. The stored values, of several channels multiplied, are as many
as the profile's alphabet, or fewer, and come from the mailbox and followed gate memory alone. No other handler loads
from the confined part's memory or stores to a declared compare register. Gate memory that has a part in the value is
followed through every state that it can reach: each tick stores it, on every path and in no loop, no other handler
does, and one answer can change it in no more ways than the alphabet has values.

*False accepts.* None known.

*False rejects.* Channels that never say certain things together. Smoothing that is stored on some paths only, in more
states than can be followed, or in words of many values that change otherwise than by a constant.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    MACHINE_REASONS,
    PROTECTION_REASONS,
    SMOOTHING_REASONS,
    TIMER_REASONS,
    Channel,
    Facts,
    Known,
    Problem,
    Refusal,
    TimerSetUp,
    Touch,
    Unknown,
    alphabet,
    compare_stores,
    conclude,
    handlers,
    is_tick,
    loads,
    name_of,
    places,
    proved,
    register,
    smoothing_of,
    stores,
    ticks,
    timer_set_up,
    touches,
    unprivileged,
)
from pinproof.machine.mpu import Use
from pinproof.machine.result import AccessKind, Origin, Run
from pinproof.outcome import Evidence, Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    "mpu-words-unknown": PROTECTION_REASONS["mpu-words-unknown"],
    **TIMER_REASONS,
    **SMOOTHING_REASONS,
    "no-tick": "no handler of the timer's exception was explored",
    "two-mailbox-reads": "the mailbox is read more than once, or in a loop",
    "mailbox-not-read": "the mailbox is not read as one word on every path of the tick",
    "confined-memory-read": "a handler reads other memory that the confined part can write",
    "second-output-write": "the compare register is stored to more than once, or by another handler",
    "output-not-written": "the compare register is not stored to on every path of the tick",
    "tick-not-acknowledged": "the tick may leave the timer's flag set, and so be taken again in the same period",
    "output-conditional": "whether the compare register is stored to depends on something outside the image",
    "output-not-from-mailbox": "the pending value comes from something other than the mailbox",
    "answer-in-more-ways": "one answer can change what the gate remembers in more ways than the alphabet has values",
    "alphabet-too-large": "the compare register can have more values than the profile's alphabet",
}

_UPDATE = 1
"""TIMx_SR.UIF."""


def check(facts: Facts) -> Outcome:
    set_up = timer_set_up(facts)
    if not isinstance(set_up, Known):
        return conclude(facts, [set_up], [])
    found = ticks(facts)
    written = [touch for channel in set_up.value.channels for touch in compare_stores(facts, channel)]
    registers = "the compare register" if len(set_up.value.channels) == 1 else "each channel's compare register"
    evidence = [
        proved(
            f"the tick reads the mailbox once and stores {registers} once",
            *places(facts, [*_mailbox_reads(facts, found), *written]),
        ),
        proved(f"no other handler reads confined memory or stores to {registers}"),
        *_remembered_evidence(facts),
    ]
    return conclude(
        facts, [*_reads(facts), *_writes(facts, set_up.value), *_values(facts), *_remembered(facts)], evidence
    )


def _mailbox_reads(facts: Facts, runs: tuple[Run, ...]) -> list[Touch]:
    return loads(facts, runs, facts.declaration.memory.mailbox)


def _reads(facts: Facts) -> Iterator[Problem]:
    if not ticks(facts):
        yield Unknown(
            reason="no-tick",
            message="no handler of the timer's exception was explored",
            would_help="a vector for the timer's exception",
        )
    writable = unprivileged(facts, Use.WRITE)
    if not isinstance(writable, Known):
        yield writable
        return
    mailbox = facts.declaration.memory.mailbox
    for run in handlers(facts):
        loaded = [
            touch for start, end in writable.value for touch in touches(facts, [run], start, end, AccessKind.LOAD)
        ]
        reads = [touch for touch in loaded if touch.exact is not None and touch.exact & ~3 == mailbox]
        others = [touch for touch in loaded if touch not in reads]
        if others or (reads and not is_tick(facts, run)):
            yield Refusal(
                reason="confined-memory-read",
                message="a handler reads memory that the confined part can write, beside the tick's mailbox",
                places=places(facts, others or reads),
            )
        elif is_tick(facts, run):
            yield from _one(facts, reads, "two-mailbox-reads", "mailbox-not-read", "read of the mailbox")


def _writes(facts: Facts, set_up: TimerSetUp) -> Iterator[Problem]:
    for channel in set_up.channels:
        yield from _channel_writes(facts, channel)
    for run in ticks(facts):
        yield from _acknowledged(facts, set_up, run)


def _channel_writes(facts: Facts, channel: Channel) -> Iterator[Problem]:
    written = compare_stores(facts, channel)
    elsewhere = [touch for touch in written if not is_tick(facts, touch.run)]
    if elsewhere:
        yield Refusal(
            reason="second-output-write",
            message="a handler other than the tick stores to the compare register",
            places=places(facts, elsewhere),
        )
    for run in ticks(facts):
        own = [touch for touch in written if touch.run is run]
        what = f"store to {name_of(facts, channel.compare)}, the compare register"
        yield from _one(facts, own, "second-output-write", "output-not-written", what)
        for touch in own:
            if touch.access.control:
                yield Refusal(
                    reason="output-conditional",
                    message="a branch on something outside the image decides about the store",
                    places=places(facts, [touch]),
                )
            if touch.access.value.origins - _allowed(facts):
                yield Refusal(
                    reason="output-not-from-mailbox",
                    message="the stored value depends on more than the mailbox",
                    places=places(facts, [touch]),
                )


def _allowed(facts: Facts) -> set[Origin]:
    """The mailbox; gate memory too where it was followed, or where it is said elsewhere why it was not."""
    return {Origin.CONFINED} if smoothing_of(facts) is None else {Origin.CONFINED, Origin.GATE}


def _remembered(facts: Facts) -> Iterator[Problem]:
    found = smoothing_of(facts)
    if found is None:
        return
    if not isinstance(found, Known):
        yield found
    elif found.value.outcomes > len(facts.profile.alphabet):
        yield Refusal(
            reason="answer-in-more-ways",
            message=f"one answer can change what the gate remembers in {found.value.outcomes} ways, "
            f"but the profile's alphabet has {len(facts.profile.alphabet)} values",
        )


def _remembered_evidence(facts: Facts) -> Iterator[Evidence]:
    found = smoothing_of(facts)
    if isinstance(found, Known):
        yield proved(
            f"the value is made of the answers alone: {len(found.value.graph.nodes)} states of gate memory and pin "
            f"were followed, and one answer goes on from each in {found.value.outcomes} ways at the most"
        )


def _acknowledged(facts: Facts, set_up: TimerSetUp, run: Run) -> Iterator[Problem]:
    """Writing 0 to SR.UIF clears it, writing 1 does nothing (RM0368 13.4.5)."""
    found = stores(facts, [run], register(facts, set_up.timer.name, "SR"))
    cleared = [
        touch for touch in found if touch.exact is not None and touch.access.must and touch.access.value.zeros & _UPDATE
    ]
    if not cleared:
        yield Refusal(
            reason="tick-not-acknowledged",
            message=f"the tick does not clear {set_up.timer.name}.SR.UIF on every path",
            places=places(facts, found) or (facts.at(run.entry),),
        )


def _one(facts: Facts, found: list[Touch], many: str, none: str, what: str) -> Iterator[Problem]:
    """Exactly one site, one word wide, on every path, outside loops."""
    sites = {touch.access.site for touch in found}
    if len(sites) > 1 or any(touch.access.in_loop for touch in found):
        yield Refusal(reason=many, message=f"there is more than one {what}", places=places(facts, found))
    elif not all(touch.access.must and touch.access.width == 4 for touch in found) or not sites:
        yield Refusal(reason=none, message=f"no whole-word {what} on every path", places=places(facts, found))


def _values(facts: Facts) -> Iterator[Problem]:
    size = alphabet(facts)
    if not isinstance(size, Known):
        yield size
    elif size.value > len(facts.profile.alphabet):
        yield Refusal(
            reason="alphabet-too-large",
            message=f"{size.value} values, but the profile's alphabet has {len(facts.profile.alphabet)}",
        )
