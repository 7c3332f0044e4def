"""Attacks on an array of pins: two channels of one timer, which one update event latches, and one more deviation.

The array itself conforms (`ARRAY`, judged by the profile of a sensor with four values): each attack is the array with
one thing changed.
"""

from __future__ import annotations

from tests.attacks.danger import in_handler, stored
from tests.attacks.smoothing import NO_SMOOTHING
from tests.attacks.variant import Edit, Kind, NotShown, Shown, Variant, declaration, gate

_CCMR1 = "static const uint32_t kCcmr1Setup = (6u << 4) | (1u << 3);"
_CCER = "static const uint32_t kCcerSetup = 1u << 0;"
_PRELOAD = "word_write(kTim2Ccr1, 0u - present);"
_PINS = "static const uint32_t kPortAOutput = 0xFFFFFBFFu;"
_FUNCTIONS = "static const uint32_t kPortAOutputTimer = 1u << 20;"
_CLAIM = "What is wrong is what the pins are claimed to be; QEMU has no pins."

_BOTH_MODES = "(6u << 4) | (1u << 3) | (6u << 12) | (1u << 11)"
_BOTH_ON = "(1u << 0) | (1u << 4)"
_BOTH_STORES = "word_write(kTim2Ccr1, 0u - present); word_write(0x40000038u, 0u - present);"
_SECOND_PIN = "0xFFFFFBFBu"
_SECOND_FUNCTION = "(1u << 20) | (1u << 4)"
_DECLARED = 'pins = ["PA5", "PA1"]\ntimer = "TIM2"\nchannels = [1, 2]'


def array(
    *,
    modes: str = _BOTH_MODES,
    enables: str = _BOTH_ON,
    stores: str = _BOTH_STORES,
    pins: str = _SECOND_PIN,
    functions: str = _SECOND_FUNCTION,
    declared: str = _DECLARED,
    profile: str = "gesture",
) -> tuple[Edit, ...]:
    """PA5 and PA1 on channels 1 and 2 of TIM2, but for what is given."""
    return (
        *gate("timer.c", _CCMR1, f"static const uint32_t kCcmr1Setup = {modes};"),
        *gate("timer.c", _CCER, f"static const uint32_t kCcerSetup = {enables};"),
        *gate("timer.c", _PRELOAD, stores),
        *gate("product.h", _PINS, f"static const uint32_t kPortAOutput = {pins};"),
        *gate("product.h", _FUNCTIONS, f"static const uint32_t kPortAOutputTimer = {functions};"),
        *declaration('pins = ["PA5"]\ntimer = "TIM2"\nchannel = 1', declared),
        *declaration('profile = "person-detector"', f'profile = "{profile}"'),
    )


ARRAY = array()
"""The array that conforms."""

VARIANTS = (
    Variant(
        name="array-second-channel-not-preloaded",
        gain="The second pin moves at the store, when the tick gets to it.",
        edits=array(modes="(6u << 4) | (1u << 3) | (6u << 12)"),
        requirement="out-clocked",
        reason="preload-off",
        danger=Shown(what="runs channel 2 without preload", seen=stored(0x40000018, 0x6068)),
    ),
    Variant(
        name="array-second-channel-inverted",
        gain="The second pin is high when it should be idle.",
        edits=array(enables="(1u << 0) | (3u << 4)"),
        requirement="out-clocked",
        reason="polarity",
        danger=Shown(what="inverts channel 2", seen=stored(0x40000020, 0x31)),
    ),
    Variant(
        name="array-third-channel-on",
        gain="A third pin that nobody declared shows what its compare register holds.",
        edits=array(enables="(1u << 0) | (1u << 4) | (1u << 8)"),
        requirement="out-clocked",
        reason="polarity",
        danger=Shown(what="enables channel 3", seen=stored(0x40000020, 0x111)),
    ),
    Variant(
        name="array-third-channel-captures",
        gain="A channel that captures is a register that an edge from outside fills.",
        edits=(
            *array(),
            *gate(
                "timer.c",
                "    word_write(kTim2Cr1, kCr1Setup);",
                "    word_write(0x4000001Cu, 1u);\n    word_write(kTim2Cr1, kCr1Setup);",
            ),
        ),
        requirement="out-clocked",
        reason="other-channel-set-up",
        danger=Shown(what="makes channel 3 an input", seen=stored(0x4000001C, 1)),
    ),
    Variant(
        name="array-third-channel-written",
        gain="A compare register that nothing wipes keeps what the tick puts there.",
        edits=array(stores=f"{_BOTH_STORES} word_write(0x4000003Cu, 1u);"),
        requirement="out-clocked",
        reason="other-channel-written",
        danger=Shown(what="stores to the third compare register", seen=in_handler(0x4000003C)),
    ),
    Variant(
        name="array-second-store-missing",
        gain="The second pin keeps its level for as long as the mailbox wants: it remembers.",
        edits=array(stores="word_write(kTim2Ccr1, 0u - present); if (present) { word_write(0x40000038u, 0u); }"),
        requirement="out-one-write",
        reason="output-not-written",
        danger=Shown(
            what="leaves a tick without a store to the second compare register",
            seen=lambda seen: 0 < len(seen.written(0x40000038)) < seen.ticks,
        ),
    ),
    Variant(
        name="array-second-channel-never-written",
        gain="The second pin is declared and never says anything; a later image could.",
        edits=array(stores=_PRELOAD),
        requirement="out-one-write",
        reason="output-not-written",
        danger=NotShown(why="A pin that says nothing is no danger; a proof of what it says is none either."),
    ),
    Variant(
        name="array-second-store-twice",
        gain="Two values on the second pin within one tick.",
        edits=array(stores=f"{_BOTH_STORES} word_write(0x40000038u, 0u);"),
        requirement="out-one-write",
        reason="second-output-write",
        danger=Shown(
            what="stores twice to the second compare register",
            seen=lambda seen: len(seen.written(0x40000038)) >= 2 * seen.ticks > 2,
        ),
    ),
    Variant(
        name="array-second-pin-by-halfword",
        gain="The bus repeats a halfword over the word: an edge at a cycle that the value chooses.",
        edits=array(stores=f"{_PRELOAD} *(volatile uint16_t *)0x40000038u = (uint16_t)(0u - present);"),
        requirement="run-gate-proved",
        reason="narrow-device-store",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(what="stores a halfword to the second compare register", seen=in_handler(0x40000038, width=2)),
    ),
    Variant(
        name="array-second-pin-in-mid-period",
        gain="The second pin's edge comes at a cycle that the compare value chooses.",
        edits=array(stores=f"{_PRELOAD} word_write(0x40000038u, present * 42000000u);"),
        requirement="out-clocked",
        reason="compare-value",
        danger=Shown(
            what="gives the second pin an edge in mid-period",
            seen=in_handler(0x40000038, 42000000),
            confined="mailbox = 1; for (;;) { }",
        ),
    ),
    Variant(
        name="array-idle-is-high",
        gain="A fault, or no answer, raises the second pin: crashing says something.",
        edits=(*array(stores=f"{_PRELOAD} word_write(0x40000038u, present - 1u);"), *NO_SMOOTHING),
        requirement="out-fault-safe",
        reason="idle-word-not-idle",
        danger=Shown(
            what="raises the second pin when the confined part says nothing",
            seen=in_handler(0x40000038, 0xFFFFFFFF),
            confined="for (;;) { }",
        ),
    ),
    Variant(
        name="array-of-the-frame",
        gain="The second pin shows a pixel.",
        edits=array(stores=f"{_PRELOAD} word_write(0x40000038u, 0u - (word_read(kGpioC + kGpioIdr) & 1u));"),
        requirement="out-one-write",
        reason="output-not-from-mailbox",
        danger=NotShown(why="QEMU has no ports: every pixel reads 0."),
    ),
    Variant(
        name="array-of-two-timers",
        gain="PA6 is another timer's output: its edges come when that timer wants.",
        edits=array(
            pins="0xFFFFEBFFu",
            functions="(1u << 20) | (2u << 24)",
            declared='pins = ["PA5", "PA6"]\ntimer = "TIM2"\nchannels = [1, 2]',
        ),
        requirement="out-declared-pins",
        reason="output-pin-unknown",
        danger=Shown(what="gives PA6 to another timer", seen=stored(0x40020020, 0x02100000)),
    ),
    Variant(
        name="array-channels-swapped",
        gain="Each pin is declared as the other's channel: what the label says of one is true of the other.",
        edits=array(declared='pins = ["PA5", "PA1"]\ntimer = "TIM2"\nchannels = [2, 1]'),
        requirement="out-declared-pins",
        reason="output-pin-unknown",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="array-undeclared",
        gain="Two pins speak and one is declared.",
        edits=array(declared='pins = ["PA5"]\ntimer = "TIM2"\nchannel = 1'),
        requirement="out-declared-pins",
        reason="undeclared-pin",
        danger=Shown(what="gives PA1 to channel 2", seen=stored(0x40020000, 0xFFFFFBFB)),
    ),
    Variant(
        name="array-of-a-detector",
        gain="Two bits a second where the profile allows one.",
        edits=(*array(profile="person-detector"), *NO_SMOOTHING),
        requirement="out-capacity",
        reason="capacity-exceeded",
        danger=Shown(what="has a second pin", seen=stored(0x40020000, 0xFFFFFBFB)),
    ),
)
