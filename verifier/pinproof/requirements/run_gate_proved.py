"""Every path from reset MUST reach the drop or a proved-idle end, with every instruction decoded, every branch
resolved, and every store's address and value bounded.

*How it is decided.* The image was executed abstractly from reset, and every vector from any state, with an empty list
of obstacles. At least one path reaches the drop, and an endless loop before the drop is an end only if it touches no
device. The first obstacle gives the reason code.

*False accepts.* A fault in the machine's model of an instruction: it is tested against processors and other models,
not proved.

*False rejects.* Whatever the machine refuses and a person could follow: computed branches, unbounded loops, wide
tables.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import MACHINE_REASONS, Facts, Problem, Refusal, Unknown, conclude, drops, proved
from pinproof.machine.result import Obstacle
from pinproof.outcome import Outcome

_OBSTACLES: dict[str, str] = {
    "undefined-instruction": "execution reaches bytes that are no instruction",
    "unmodelled-instruction": "execution reaches an instruction that the machine does not model",
    "computed-branch": "where a branch leads is not known",
    "irreducible-loop": "a loop is entered in its middle, beside its head",
    "recursion": "a function can call itself",
    "unbounded-store": "a store can reach any address",
    "unbounded-load": "a load can reach any address",
    "unlisted-address": "an access reaches an address that the silicon file does not list",
    "narrow-device-store": "a store narrower than a word reaches a device register",
    "multiple-device-access": "one instruction makes several accesses to devices, and can be restarted",
    "mpu-alias": "the protection unit is written through its alias registers",
    "mpu-region-unknown": "a region of the protection unit is written whose number is not known",
    "unpredictable": "an instruction or access is unpredictable by the architecture",
    "loop-without-bound": "a loop has no proved bound",
    "step-budget": "the machine's budget of steps is spent",
    "return-address-changed": "a function may return elsewhere than to its caller",
    "exception-return-in-boot": "an exception return outside a handler",
    "code-not-in-image": "execution or a gate load reaches flash that the image does not fill",
    "fault-possible": "the gate may fault",
    "too-few-wait-states": "flash may be read faster than it can be, so that other instructions run than it holds",
    "deferred": "the machine put something off that it did not come back to",
    "preemption-before-drop": "an exception can be taken before the drop while the boot runs on the main stack",
    "peripheral-reset": "the gate resets a device through RCC, which undoes what it set up before",
    "protection-changes": "a handler changes the protection, so what the confined part can write is no one set",
    "no-invariant": "what handlers leave in gate memory and devices does not settle",
}
"""What the machine can stumble over, by the codes that it gives."""

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **_OBSTACLES,
    "other-obstacle": "something else could not be analysed",
    "endless-in-boot": "before the drop an endless loop touches devices",
    "entry-differs": "the exploration did not begin where the reset vector points",
}

_RESET = 1


def check(facts: Facts) -> Outcome:
    exploration = facts.exploration
    instructions = sum(run.instructions for run in (exploration.boot, *exploration.handlers))
    evidence = [
        proved(
            f"{instructions} instructions, {len(exploration.handlers) + 1} runs, no obstacle",
            *(facts.at(drop.site) for drop in drops(facts)),
        )
    ]
    return conclude(facts, [*_paths(facts), *_obstacles(facts)], evidence)


def _paths(facts: Facts) -> Iterator[Problem]:
    boot = facts.exploration.boot
    for loop in boot.endless:
        if loop.touches_devices:
            yield Refusal(
                reason="endless-in-boot",
                message="a path from reset ends in a loop that touches devices",
                places=(facts.at(loop.site),),
            )
    vectors = facts.exploration.vectors
    if boot.instructions and (len(vectors) <= _RESET or vectors[_RESET] & ~1 != boot.entry & ~1):
        yield Refusal(reason="entry-differs", message=f"the exploration began at 0x{boot.entry:08X}")


def _obstacles(facts: Facts) -> Iterator[Problem]:
    for obstacle in facts.exploration.obstacles:
        yield Unknown(
            reason=_reason(obstacle),
            message=obstacle.message,
            would_help=obstacle.would_help,
            places=(facts.at(obstacle.site),),
        )


def _reason(obstacle: Obstacle) -> str:
    return obstacle.code if obstacle.code in _OBSTACLES else "other-obstacle"
