"""Attacks on the one memory that the gate may have: what smoothing makes of earlier answers."""

from __future__ import annotations

from tests.attacks.danger import answers_present
from tests.attacks.variant import GateEdit, Kind, NotShown, Shown, Variant, gate

_HAND_OVER = "timer_preload(smoothing_step(tick_is_present(mailbox)));"
_KEPT = "    smoothing_answers = answers;"
_WANTED = "const uint32_t wanted = enough & (present | shown);"
_WAIT = "smoothing_wait = wait - waiting + change * (kDwell - 1);"
_PROTECTION = "(1u << 28) | (1u << 24) | (3u << 17) | (16u << 1) | 1u;"


def _message_kept(mask: str) -> tuple[GateEdit, ...]:
    """A second word takes in bits of the message, and they come out one a period."""
    return (
        *gate(
            "smoothing.c",
            "static uint32_t smoothing_wait; ",
            "static uint32_t smoothing_queue;\nstatic uint32_t smoothing_wait; ",
        ),
        *gate("smoothing.c", _KEPT, f"    smoothing_queue = (smoothing_queue >> 1) ^ (message & {mask});\n{_KEPT}"),
        *gate("smoothing.c", "    return shown ^ change;", "    return (shown ^ change) | (smoothing_queue & 1u);"),
        *gate(
            "smoothing.c",
            "uint32_t smoothing_step(uint32_t present)",
            "uint32_t smoothing_step(uint32_t present, uint32_t message)",
        ),
        *gate(
            "smoothing.h",
            "uint32_t smoothing_step(uint32_t present)",
            "uint32_t smoothing_step(uint32_t present, uint32_t message)",
        ),
        *gate(
            "tick.c",
            _HAND_OVER,
            "const uint32_t message = mailbox;\n    timer_preload(smoothing_step(tick_is_present(message), message));",
        ),
    )


NO_SMOOTHING = gate("tick.c", _HAND_OVER, "timer_preload(tick_is_present(mailbox));")
DWELL = gate("smoothing.c", "kDwell = 3,", "kDwell = 10,")
"""With it the gate keeps a dwell of ten seconds; it is no attack."""
DWELL_ONE_WAY = (
    *DWELL,
    *gate("smoothing.c", _WAIT, _WAIT.replace("change *", "(change & shown) *")),
)

VARIANTS = (
    Variant(
        name="message-played-out-later",
        gain="The gate takes in the whole word that the confined part left and plays it out, a bit a period.",
        edits=_message_kept("~1u"),
        requirement="out-one-write",
        reason="gate-state-unfollowed",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(
            what="speaks of the first frame when all later ones are dark",
            seen=lambda seen: 1 in seen.bits[4:],
            confined="mailbox = frame[0] == 200 ? 0xAA : 0;",
            frames=(200, 20, 20, 20, 20, 20, 20),
        ),
    ),
    Variant(
        name="two-bits-of-the-message-kept",
        gain="The gate takes in two bits of the word a period, and has one to spare for later.",
        edits=_message_kept("2u"),
        requirement="out-one-write",
        reason="answer-in-more-ways",
        danger=Shown(what="makes present of a word that is no answer", seen=answers_present, confined="mailbox = 2;"),
    ),
    Variant(
        name="smoothing-over-twenty-answers",
        gain="A memory of a million states, in which anything can be kept.",
        edits=gate("smoothing.c", "kOf = 3,", "kOf = 20,"),
        requirement="out-one-write",
        reason="gate-state-too-large",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(
            what="still speaks of two frames when six dark ones have followed",
            seen=lambda seen: seen.bits[8] == 1,
            frames=(200, 200, 20, 20, 20, 20, 20, 20),
        ),
    ),
    Variant(
        name="fault-clears-smoothing",
        gain="A fault forgets the dwell: the confined part changes the pin as often as it likes.",
        edits=(
            *gate("smoothing.h", "#endif", "void smoothing_reset(void);\n\n#endif"),
            *gate(
                "smoothing.c",
                "// REQ: out-budget",
                "void smoothing_reset(void)\n{\n    smoothing_wait = 0u;\n}\n\n// REQ: out-budget",
            ),
            *gate("fault.c", '#include "restart.h"', '#include "restart.h"\n#include "smoothing.h"'),
            *gate("fault.c", "    mailbox = 0u;\n", "    mailbox = 0u;\n    smoothing_reset();\n"),
        ),
        requirement="out-one-write",
        reason="gate-state-stored-elsewhere",
        danger=Shown(
            what="lets the pin fall two periods after it rose, because of a fault",
            seen=lambda seen: seen.bits[1:5] == (0, 1, 1, 0),
            confined='if (frame[0] == 20) asm volatile("udf #0"); mailbox = 1;',
            frames=(200, 200, 20, 20, 20),
        ),
    ),
    Variant(
        name="smoothing-open-to-reading",
        gain="The confined part reads what the gate remembers, and no longer forgets.",
        edits=gate("protection.c", _PROTECTION, _PROTECTION.replace("1u << 24", "2u << 24")),
        requirement="mem-forgetful",
        reason="gate-state-reachable",
        danger=Shown(
            what="lets the confined part read what the gate remembers",
            seen=answers_present,
            confined="mailbox = *(volatile uint32_t *)0x20008400 != 99;",
        ),
    ),
    Variant(
        name="fault-raises-pin",
        gain="Silence raises the pin: answers gather while the dwell holds it down, and a fault comes last.",
        edits=gate("smoothing.c", _WANTED, "const uint32_t wanted = enough;"),
        requirement="out-fault-safe",
        reason="fault-raises-output",
        danger=Shown(
            what="raises the pin on a period without an answer",
            seen=lambda seen: seen.bits[7:9] == (0, 1),
            frames=(200, 200, None, None, None, 200, 200, None),
        ),
    ),
    Variant(
        name="pin-latched",
        gain="Once somebody was there the pin stays up, whether the confined part runs or not.",
        edits=gate("smoothing.c", _WANTED, "const uint32_t wanted = (enough & present) | shown;"),
        requirement="out-fault-safe",
        reason="fault-keeps-output",
        danger=Shown(
            what="keeps the pin up when nothing answers any more",
            seen=lambda seen: seen.bits[8] == 1,
            frames=(200, 200, None, None, None, None, None, None),
        ),
    ),
    Variant(
        name="dwell-wraps-round",
        gain="The dwell counts down below zero: the pin stays as it is for 136 years.",
        edits=gate("smoothing.c", _WAIT, "smoothing_wait = wait - 1u + change * kDwell;"),
        requirement="out-fault-safe",
        reason="fault-keeps-output",
        danger=Shown(
            what="never raises the pin", seen=lambda seen: 1 not in seen.bits, frames=(20, 200, 200, 200, 200)
        ),
    ),
    Variant(
        name="smoothing-not-cleared-at-boot",
        gain="What was remembered before a reset steers the pin after it.",
        edits=gate("reset.c", '"ldr r1, =layout_ram_end\\n"', '"ldr r1, =layout_gate_stack_end\\n"'),
        requirement="mem-cleared",
        reason="not-cleared",
        danger=NotShown(why="QEMU's memory is zero at the start, and the harness starts each run there."),
    ),
)
