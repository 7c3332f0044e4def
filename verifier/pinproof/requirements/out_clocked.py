"""Each edge of the output MUST be made by a timer's hardware at its update event, from a preloaded compare register
whose only possible values are "never" and "always" within a period.

*How it is decided.* At the drop the declared timer must count up, edge-aligned, without one-pulse mode, with updates
on and its reload buffered; each declared channel an output in PWM mode 1 with preload on and clear-by-trigger off; no
slave mode, positive polarity, no other channel on or in a mode, no DMA request, no other interrupt; one software
update after all of that and before the counter starts. After the start only the declared channels' compare registers
may be stored to, as words that are 0 or above the reload value, and the status register. Each declared pin must be
given to its channel. All channels are one timer's, so one update event latches all of them: the tick ends, with what
can hold it up, before the next one (run-handlers).

*False accepts.* None known in the model of RM0368 chapter 13; that the output does not glitch at an update is the
manual's word (A-silicon-as-manual).

*False rejects.* Handler-made edges, even with bounded jitter: no jitter bound is derived, so they are refused here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_MANUAL,
    MACHINE_REASONS,
    TIMER_REASONS,
    Channel,
    Facts,
    Known,
    Mode,
    Problem,
    Refusal,
    TimerSetUp,
    Touch,
    Unknown,
    boot,
    conclude,
    declared_output,
    device_at_drops,
    drops,
    field,
    hardware,
    is_start,
    name_of,
    name_of_access,
    pin_state,
    places,
    register,
    stores,
    timer_set_up,
    timer_stores_after_start,
    values_of,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Timer

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **TIMER_REASONS,
    "handler-made-edge": "the declared pin is not given to the timer, so a program makes its edges",
    "timer-mode": "the counter is not plain up-counting with updates on and a buffered reload",
    "timer-not-started": "the counter is not running at the drop",
    "compare-mode": "the channel is not an output in PWM mode 1",
    "forced-mode": "the channel is forced to a level, which acts at once",
    "preload-off": "the compare register is not preloaded: a store makes the edge",
    "external-clear": "the trigger input can clear the output",
    "slave-mode": "a slave mode or external trigger can move the counter",
    "polarity": "the output's polarity is inverted, a declared channel is off, or another one is enabled",
    "other-channel-set-up": "a channel that is not declared is not as after reset",
    "timer-dma": "the timer can request DMA",
    "timer-interrupt": "the timer can interrupt at something other than its update",
    "no-initial-update": "what is preloaded is not loaded by one software update before the counter starts",
    "reload-too-large": "no compare value is above the reload value, so 'always' does not exist",
    "output-not-idle": "the compare register is not 0 at the drop",
    "compare-value": "a value between 1 and the reload value can reach the compare register: an edge in mid-period",
    "narrow-compare-store": "the compare register is stored to with less than a word",
    "multiple-compare-store": "an instruction that can restart stores to the timer",
    "update-forced": "an update is forced after the counter started",
    "counter-written": "the counter is written after it started",
    "prescaler-written": "the prescaler is written after the counter started",
    "reload-written": "the reload value is written after the counter started",
    "timer-mode-written": "the mode is written after the counter started",
    "slave-mode-written": "the slave mode is written after the counter started",
    "compare-mode-written": "the channel's mode is written after the counter started",
    "polarity-written": "the channel's enable or polarity is written after the counter started",
    "timer-interrupt-written": "the timer's interrupt and DMA enables are written after the counter started",
    "timer-dma-window": "the timer's DMA window is written, through which any of its registers can change",
    "other-channel-written": "another channel's compare register is written after the counter started",
    "timer-register-written": "another register of the timer is written after the counter started",
    "timer-store-inexact": "a store can reach the timer at an address that is not known",
}

_WRITTEN = {
    "EGR": "update-forced",
    "CNT": "counter-written",
    "PSC": "prescaler-written",
    "ARR": "reload-written",
    "CR1": "timer-mode-written",
    "CR2": "timer-mode-written",
    "SMCR": "slave-mode-written",
    "CCMR1": "compare-mode-written",
    "CCMR2": "compare-mode-written",
    "CCER": "polarity-written",
    "DIER": "timer-interrupt-written",
    "DCR": "timer-dma-window",
    "DMAR": "timer-dma-window",
}
_MODE_REGISTERS = ("CCMR1", "CCMR2")
_ALL = 0xFFFFFFFF
_UPDATE = 1


def check(facts: Facts) -> Outcome:
    set_up = timer_set_up(facts)
    if not isinstance(set_up, Known):
        return conclude(facts, [set_up], [])
    timer, channels = set_up.value.timer, set_up.value.channels
    where = [facts.at(drop.site) for drop in drops(facts)]
    named = " and ".join(str(channel.number) for channel in channels)
    makes = f"channel {named} makes" if len(channels) == 1 else f"channels {named} make"
    together = "" if len(channels) == 1 else ", all at the same one"
    evidence = [
        hardware(f"{timer.name} {makes} each edge at its update event{together}, preloaded", *where),
        hardware("after the counter started only the compare and status registers are stored to, as whole words"),
    ]
    problems = [
        *_pins(facts),
        *_registers(facts, set_up.value),
        *_later(facts, set_up.value),
        *_start(facts, set_up.value),
    ]
    return conclude(facts, problems, evidence, [ASSUMPTION_MANUAL])


def _pins(facts: Facts) -> Iterator[Problem]:
    for pin in facts.declaration.output.pins:
        expected, state = declared_output(facts, pin), pin_state(facts, pin)
        functions = frozenset({expected.alternate_function}) if expected is not None else frozenset[int]()
        if state is None or state.modes != {Mode.ALTERNATE} or state.functions != functions:
            yield Refusal(
                reason="handler-made-edge", message=f"{pin} is not given to the declared timer's channel at the drop"
            )


def _registers(facts: Facts, set_up: TimerSetUp) -> Iterator[Problem]:
    """RM0368 13.4. CR1: CEN 0, UDIS 1, URS 2, OPM 3, DIR 4, CMS 5-6, ARPE 7, CKD 8-9. URS may be either."""
    rules: list[tuple[str, int, int, str]] = [
        ("CR1", 1, 1, "timer-not-started"),
        ("CR1", _ALL & ~0b101, 0x80, "timer-mode"),
        ("CR2", _ALL, 0, "timer-mode"),
        ("SMCR", _ALL, 0, "slave-mode"),
        ("DIER", 0x7F00, 0, "timer-dma"),
        ("DIER", _ALL & ~0x7F00, 1, "timer-interrupt"),
    ]
    for channel in set_up.channels:
        rules += _channel_rules(facts, set_up.timer, channel)
    rules += _unused_rules(set_up.channels)
    rules.append(("CCER", _ALL, sum(channel.enable for channel in set_up.channels), "polarity"))
    for name, mask, wanted, reason in rules:
        for word in device_at_drops(facts, register(facts, set_up.timer.name, name)):
            if field(word, mask) != frozenset({wanted}):
                yield Refusal(
                    reason=reason,
                    message=f"{set_up.timer.name}.{name} may not be 0x{wanted:X} in its bits 0x{mask:X} at the drop",
                )
                break
    if set_up.reload_high >= (1 << set_up.timer.bits) - 1:
        yield Refusal(
            reason="reload-too-large", message=f"{set_up.timer.name}.ARR may be the largest that the counter holds"
        )
    for channel in set_up.channels:
        if any(word.only != set_up.never for word in device_at_drops(facts, channel.compare)):
            yield Refusal(
                reason="output-not-idle",
                message=f"{name_of(facts, channel.compare)}, a compare register, may not be 0 at the drop",
            )


def _channel_rules(facts: Facts, timer: Timer, channel: Channel) -> list[tuple[str, int, int, str]]:
    """Of a declared channel, OCxCE 7, OCxM 4-6, OCxPE 3, OCxFE 2, CCxS 0-1 (13.4.7)."""
    name, shift = channel.mode_register, channel.mode_shift
    return [
        (name, 0x80 << shift, 0, "external-clear"),
        (name, 0x08 << shift, 0x08 << shift, "preload-off"),
        (name, 0x70 << shift, 0x60 << shift, _mode_reason(facts, timer, channel)),
        (name, 0x07 << shift, 0, "compare-mode"),
    ]


def _unused_rules(channels: tuple[Channel, ...]) -> list[tuple[str, int, int, str]]:
    """What the mode registers hold beside the declared channels is what reset leaves: nothing is captured or made."""
    used = dict.fromkeys(_MODE_REGISTERS, 0)
    for channel in channels:
        used[channel.mode_register] |= 0xFF << channel.mode_shift
    return [(name, _ALL & ~mask, 0, "other-channel-set-up") for name, mask in used.items()]


def _mode_reason(facts: Facts, timer: Timer, channel: Channel) -> str:
    """Modes 100 and 101 force the level at once, without preload (13.4.7)."""
    shift = channel.mode_shift
    forced = {0x40 << shift, 0x50 << shift}
    words = device_at_drops(facts, register(facts, timer.name, channel.mode_register))
    possible = [field(word, 0x70 << shift) for word in words]
    return "forced-mode" if any(values and values & forced for values in possible) else "compare-mode"


def _start(facts: Facts, set_up: TimerSetUp) -> Iterator[Problem]:
    """One software update after the set-up and before the first store that may enable the counter."""
    name = set_up.timer.name
    block = facts.silicon.peripheral(name)
    in_boot = stores(facts, boot(facts), block.base, block.size)
    updates = [touch for touch in in_boot if touch.exact == register(facts, name, "EGR")]
    starts = [touch.access.order for touch in in_boot if is_start(facts, set_up.timer, touch)]
    buffered = {register(facts, name, each) for each in ("PSC", "ARR", *_MODE_REGISTERS)}
    buffered |= {channel.compare for channel in set_up.channels}
    prepared = [touch.access.order for touch in in_boot if touch.exact in buffered]
    good = (
        len(updates) == 1
        and updates[0].access.value.only == _UPDATE
        and updates[0].access.must
        and not updates[0].access.in_loop
        and prepared
        and max(prepared) < updates[0].access.order
        and bool(starts)
        and updates[0].access.order < min(starts)
    )
    if not good:
        yield Refusal(
            reason="no-initial-update",
            message=f"{name}.EGR is not written with 1 exactly once, after the set-up and before the counter starts",
            places=places(facts, updates),
        )


def _later(facts: Facts, set_up: TimerSetUp) -> Iterator[Problem]:
    name = set_up.timer.name
    status = register(facts, name, "SR")
    for touch in timer_stores_after_start(facts, set_up.timer):
        where = (facts.at(touch.access.site),)
        what = name_of_access(facts, touch.access)
        if touch.access.multiple:
            yield Refusal(reason="multiple-compare-store", message=f"a multiple store reaches {what}", places=where)
        elif touch.exact is None:
            yield Refusal(reason="timer-store-inexact", message=f"a store reaches {what}", places=where)
        elif any(channel.compare <= touch.exact < channel.compare + 4 for channel in set_up.channels):
            yield from _compare(facts, set_up, touch)
        elif touch.exact != status or touch.access.width != 4:
            yield Refusal(reason=_written_reason(facts, touch.exact), message=f"a store to {what}", places=where)


def _compare(facts: Facts, set_up: TimerSetUp, touch: Touch) -> Iterator[Problem]:
    where = (facts.at(touch.access.site),)
    value = touch.access.value
    if touch.access.width != 4:
        # The bus bridge repeats a byte or halfword over the whole word (RM0368 2.1).
        yield Refusal(
            reason="narrow-compare-store",
            message=f"a store of {touch.access.width} bytes to {name_of_access(facts, touch.access)}",
            places=where,
        )
    elif (values := values_of(value)) is None:
        yield Unknown(
            reason="compare-value-unknown",
            message=f"a value between 0x{value.low:X} and 0x{value.high:X} may reach the compare register",
            would_help="compute the value from one comparison, without a branch: 0 or all ones",
            places=where,
        )
    else:
        bad = sorted(item for item in values if item != set_up.never and not set_up.always(item))
        if bad:
            yield Refusal(
                reason="compare-value",
                message=f"0x{bad[0]:X} may reach the compare register; the reload value is 0x{set_up.reload_high:X}",
                places=where,
            )


def _written_reason(facts: Facts, address: int) -> str:
    known = facts.silicon.register_at(address & ~3)
    if known is None:
        return "timer-register-written"
    if known.name.startswith("CCR"):
        return "other-channel-written"
    return _WRITTEN.get(known.name, "timer-register-written")
