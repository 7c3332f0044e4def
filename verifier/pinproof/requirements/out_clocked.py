"""Each edge of the output MUST be made by a timer's hardware at its update event, from a preloaded compare register
whose only possible values are "never" and "always" within a period.

*How it is decided.* At the drop the declared timer must count up, edge-aligned, without one-pulse mode, with updates
on and its reload buffered; its channel an output in PWM mode 1 with preload on and clear-by-trigger off; no slave
mode, positive polarity, no other channel, no DMA request, no other interrupt; one software update after all of that
and before the counter starts. After the start only the compare register may be stored to, as a word that is 0 or
above the reload value, and the status register. The declared pin must be given to the timer.

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
    "polarity": "the output's polarity is inverted, or another channel is enabled",
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
_ALL = 0xFFFFFFFF
_UPDATE = 1


def check(facts: Facts) -> Outcome:
    set_up = timer_set_up(facts)
    if not isinstance(set_up, Known):
        return conclude(facts, [set_up], [])
    timer = set_up.value.timer
    where = [facts.at(drop.site) for drop in drops(facts)]
    evidence = [
        hardware(f"{timer.name} channel {set_up.value.channel} makes each edge at its update event, preloaded", *where),
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
    channel = set_up.channel
    mode_register = "CCMR1" if channel <= 2 else "CCMR2"
    shift = 8 * ((channel - 1) % 2)
    enable = 1 << 4 * (channel - 1)
    rules: list[tuple[str, int, int, str]] = [
        ("CR1", 1, 1, "timer-not-started"),
        ("CR1", _ALL & ~0b101, 0x80, "timer-mode"),
        ("CR2", _ALL, 0, "timer-mode"),
        ("SMCR", _ALL, 0, "slave-mode"),
        ("DIER", 0x7F00, 0, "timer-dma"),
        ("DIER", _ALL & ~0x7F00, 1, "timer-interrupt"),
        (mode_register, 0x80 << shift, 0, "external-clear"),
        (mode_register, 0x08 << shift, 0x08 << shift, "preload-off"),
        (mode_register, 0x70 << shift, 0x60 << shift, _mode_reason(facts, set_up, mode_register, shift)),
        (mode_register, 0x07 << shift, 0, "compare-mode"),
        ("CCER", _ALL, enable, "polarity"),
    ]
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
    for word in device_at_drops(facts, set_up.compare):
        if word.only != set_up.never:
            yield Refusal(
                reason="output-not-idle",
                message=f"{name_of(facts, set_up.compare)}, the compare register, may not be 0 at the drop",
            )


def _mode_reason(facts: Facts, set_up: TimerSetUp, name: str, shift: int) -> str:
    """Modes 100 and 101 force the level at once, without preload (13.4.7)."""
    forced = {0x40 << shift, 0x50 << shift}
    words = device_at_drops(facts, register(facts, set_up.timer.name, name))
    possible = [field(word, 0x70 << shift) for word in words]
    return "forced-mode" if any(values and values & forced for values in possible) else "compare-mode"


def _start(facts: Facts, set_up: TimerSetUp) -> Iterator[Problem]:
    """One software update after the set-up and before the first store that may enable the counter."""
    name = set_up.timer.name
    block = facts.silicon.peripheral(name)
    in_boot = stores(facts, boot(facts), block.base, block.size)
    updates = [touch for touch in in_boot if touch.exact == register(facts, name, "EGR")]
    starts = [touch.access.order for touch in in_boot if is_start(facts, set_up.timer, touch)]
    mode_register = "CCMR1" if set_up.channel <= 2 else "CCMR2"
    buffered = {register(facts, name, each) for each in ("PSC", "ARR", mode_register)} | {set_up.compare}
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
        elif set_up.compare <= touch.exact < set_up.compare + 4:
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
            message=f"a store of {touch.access.width} bytes to the compare register",
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
