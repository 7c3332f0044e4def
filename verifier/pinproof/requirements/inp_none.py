"""A pin outside the declared sensor pins, a reset cause or a supply monitor MUST NOT influence the confined part.

*How it is decided.* Every load of the gate from a port's input register is from a port with declared sensor pins, and
the other pins of that port are analogue, which reads as 0. No load reaches reset flags, the power block,
external-interrupt flags or another block's data. No interrupt but the tick is enabled. The confined part reaches no
port.

*False accepts.* The reset and boot pins (A-reset-pin); what the sensor's own lines carry is the frame.

*False rejects.* A port with declared sensor pins whose other inputs the gate masks off.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_RESET_PIN,
    ASSUMPTION_ROUTING,
    MACHINE_REASONS,
    PROTECTION_REASONS,
    Facts,
    Mode,
    Problem,
    Refusal,
    Touch,
    all_runs,
    block_reach_problems,
    blocks_with,
    conclude,
    loads,
    name_of_access,
    pin_states,
    places,
    ports,
    proved,
    sensor_registers,
    touches,
)
from pinproof.outcome import Outcome
from pinproof.silicon import Capability

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "undeclared-input": "the gate reads the input register of a port without declared sensor pins",
    "input-pin-open": "a port that the gate reads has an undeclared pin that is not analogue",
    "reset-cause-read": "the gate reads the reset flags",
    "supply-monitor-read": "the gate reads the power block, which has the supply monitor",
    "external-interrupt-used": "the gate reads or writes external-interrupt lines, whose events reach any code",
    "input-reachable": "the confined part can reach a port or an external-interrupt block",
}

_RESET_FLAGS = "CSR"


def check(facts: Facts) -> Outcome:
    read = _input_loads(facts)
    evidence = [
        proved(f"{len(read)} loads of input registers, all of the sensor's ports", *places(facts, read)),
        proved("no load of reset flags, supply monitor or external-interrupt lines"),
    ]
    problems = [*_ports(facts, read), *_causes(facts), *_reach(facts)]
    return conclude(facts, problems, evidence, [ASSUMPTION_RESET_PIN, ASSUMPTION_ROUTING])


def _input_loads(facts: Facts) -> list[Touch]:
    return [touch for block in ports(facts) for touch in loads(facts, all_runs(facts), block.register("IDR").address)]


def _ports(facts: Facts, read: list[Touch]) -> Iterator[Problem]:
    allowed = sensor_registers(facts.silicon, facts.declaration)
    for touch in read:
        if touch.exact is None or touch.exact & ~3 not in allowed:
            yield Refusal(
                reason="undeclared-input",
                message=f"the gate reads {name_of_access(facts, touch.access)}",
                places=places(facts, [touch]),
            )
    letters = {block.name[-1] for block in ports(facts) if loads(facts, all_runs(facts), block.register("IDR").address)}
    declared = {*facts.declaration.sensor.pins, *facts.declaration.output.pins}
    for state in pin_states(facts):
        if state.name[1] in letters and state.name not in declared and state.modes - {Mode.ANALOG}:
            yield Refusal(
                reason="input-pin-open",
                message=f"{state.name} is on a port that the gate reads, and may not be analogue at the drop",
            )
            return


def _causes(facts: Facts) -> Iterator[Problem]:
    clock = facts.silicon.peripheral("RCC").register(_RESET_FLAGS).address
    power, lines = facts.silicon.peripheral("PWR"), facts.silicon.peripheral("EXTI")
    watched = (
        ("reset-cause-read", "reads the reset flags", loads(facts, all_runs(facts), clock)),
        ("supply-monitor-read", "reads PWR", loads(facts, all_runs(facts), power.base, power.size)),
        ("external-interrupt-used", "reaches EXTI", list(touches(facts, all_runs(facts), lines.base, lines.end))),
    )
    for reason, what, found in watched:
        if found:
            yield Refusal(reason=reason, message=f"the gate {what}", places=places(facts, found))


def _reach(facts: Facts) -> Iterator[Problem]:
    return block_reach_problems(facts, blocks_with(facts, Capability.GPIO), "input-reachable")
