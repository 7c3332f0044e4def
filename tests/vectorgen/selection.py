"""Which vectors there are: for each requirement the reference and others that pass, and attacks, which do not."""

from __future__ import annotations

from dataclasses import dataclass

from tests.attacks.arrays import ARRAY
from tests.attacks.memory import BY_PROTECTION
from tests.attacks.microphone import MICROPHONE
from tests.attacks.smoothing import DWELL, DWELL_ONE_WAY, NO_SMOOTHING
from tests.attacks.variant import Edit, Kind, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEdit:
    """A change of a text of the standard, for obligations that no image of a certifiable part can miss."""

    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A vector judged by another silicon file or profile; its image is the reference's but for the edits."""

    requirement: str
    name: str
    reason: str
    about: str
    silicon: TextEdit | None = None
    profile: TextEdit | None = None
    kind: Kind = Kind.FAIL
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A vector that passes, beside the reference: another module that the requirement allows."""

    requirement: str
    name: str
    about: str
    edits: tuple[Edit, ...]
    profile: TextEdit | None = None


_ARRAY = "Two pins on two channels of one timer, latched by the same update event."

_DWELL = TextEdit(old='# [budget]\n# dwell_seconds = "10"', new='[budget]\ndwell_seconds = "10"')

ACCEPTED: tuple[Accepted, ...] = (
    *(
        Accepted(requirement=requirement, name="array-of-two-pins", about=_ARRAY, edits=ARRAY)
        for requirement in ("out-declared-pins", "out-clocked", "out-one-write", "out-fault-safe", "out-capacity")
    ),
    Accepted(
        requirement="mem-writable-budget",
        name="budget-by-protection",
        about="The part has more memory than three seconds of sound; the protection leaves less in reach.",
        edits=BY_PROTECTION,
    ),
    *(
        Accepted(
            requirement=requirement,
            name="microphone",
            about="A microphone on a receiver of the part, which the tick alone reads.",
            edits=MICROPHONE,
        )
        for requirement in ("out-sensor-lines-constant", "mem-frame-bounded", "inp-none", "sns-declared")
    ),
    Accepted(
        requirement="out-budget",
        name="dwell-of-ten-seconds",
        about="The profile asks for ten seconds between changes, and the gate counts ten periods.",
        edits=DWELL,
        profile=_DWELL,
    ),
    Accepted(
        requirement="out-one-write",
        name="no-smoothing",
        about="The pin says each answer: the gate remembers nothing.",
        edits=NO_SMOOTHING,
    ),
)

ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(
        requirement="rad-none-on-silicon",
        name="part-with-radio",
        reason="radio-on-silicon",
        about="The part has a transceiver that nothing uses.",
        silicon=TextEdit(old="radio = false", new="radio = true"),
    ),
    Elsewhere(
        requirement="rad-no-access",
        name="bus-is-a-radio",
        reason="radio-used",
        about="The block that the gate calls the sensor's bus is a radio.",
        silicon=TextEdit(
            old='name = "I2C1"\nbase = 0x40005400\nsize = 0x400\nbus = "APB1"\ncapabilities = ["serial"]',
            new='name = "I2C1"\nbase = 0x40005400\nsize = 0x400\nbus = "APB1"\ncapabilities = ["serial", "radio"]',
        ),
    ),
    Elsewhere(
        requirement="out-budget",
        name="dwell-not-kept",
        reason="budget-not-enforced",
        about="The profile asks for ten seconds between changes, and the gate keeps one.",
        profile=_DWELL,
    ),
    Elsewhere(
        requirement="out-budget",
        name="dwell-kept-one-way",
        reason="budget-not-enforced",
        about="The gate waits ten seconds before the pin rises again, and none before it falls.",
        profile=_DWELL,
        edits=DWELL_ONE_WAY,
    ),
)

CHOSEN: tuple[str, ...] = (
    "second-pin-output", "trace-pin-left-on", "array-of-two-timers", "array-channels-swapped",
    "compare-mid-period", "preload-off", "update-in-tick", "compare-from-mailbox",
    "array-second-channel-not-preloaded", "array-third-channel-on",
    "deep-sleep", "clock-security-on",
    "period-short-by-one", "prescaler-of-17-bits", "crystal-undeclared", "pll-outside-limits",
    "two-mailbox-reads", "fault-stores-compare", "tick-not-acknowledged", "array-second-store-missing",
    "open-usb", "another-timer",
    "sensor-configured-again", "sensor-bytes-from-pins", "microphone-transmits", "microphone-sleeps-with-the-processor",
    "microphone-asks-for-dma", "microphone-stopped-in-tick", "microphone-read-by-fault",
    "fault-leaves-answer", "fault-restarts-detector", "idle-word-present", "array-idle-is-high",
    "message-played-out-later", "two-bits-of-the-message-kept", "smoothing-over-twenty-answers",
    "fault-clears-smoothing", "smoothing-open-to-reading", "fault-raises-pin", "pin-latched", "dwell-wraps-round",
    "smoothing-not-cleared-at-boot",
    "period-a-tenth", "array-of-a-detector", "supply-not-measured",
    "other-port-read", "reset-cause-read",
    "converter-read", "memory-in-materials",
    "no-wipe", "wipe-spares-last-word", "register-r4-kept", "answer-remembered", "pending-fault-kept-by-table",
    "caches-on",
    "budget-all-memory-confined", "budget-gate-stores-everywhere", "budget-dma-clocked",
    "frame-one-row-more", "no-capture", "microphone-window-too-long", "microphone-judged-as-camera",
    "backup-register-used",
    "memory-not-cleared-at-boot", "boot-tells-old-memory",
    "gate-stack-too-small",
    "gate-memory-executable",
    "model-altered", "model-in-memory",
    "flash-unlock",
    "read-out-level-1", "sector-unprotected",
    "debug-port-open", "breakpoint-unit-written",
    "loader-open",
    "boot-never-ends", "boot-never-ends-and-looks-at-times", "hidden-code-by-table", "recursion",
    "behind-a-branch-to-the-next-instruction",
    "compare-by-halfword", "array-second-pin-by-halfword", "loop-entered-in-the-middle",
    "region-one-size-up", "protection-never-on", "flash-as-device-memory", "protection-off-behind-mask-bit",
    "privilege-given-back",
    "return-to-handler-mode", "fault-marked-active", "fault-spins", "tick-too-slow", "tick-unbounded",
    "dma-armed",
    "hidden-code", "code-outside-flash",
    "barrier-left-out", "silicon-revision-unlisted",
    "flash-digest-wrong",
    "confined-memory-undeclared",
    "datasheet-without-privacy",
    "open-identity",
    "battery-not-stated",
)  # fmt: skip
"""Attacks that are vectors too, by name, in the order of the standard."""

NEVER_FAILS: frozenset[str] = frozenset({"out-supply"})
"""What no image can break: at the highest level a measurement is missing, and that is undecided."""


def chosen(attacks: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """Raises KeyError for a name that is no attack."""
    by_name = {variant.name: variant for variant in attacks}
    return tuple(by_name[name] for name in CHOSEN)
