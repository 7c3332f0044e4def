"""Every byte that the gate sends to the sensor MUST be a constant of the image, sent before the first frame.

*How it is decided.* Every store to the declared bus is made before the drop, as a word whose value nothing outside
the image influences. A byte may be left out because of what the bus answers, never because of a picture or of what
RAM held. At the drop the bus is disabled and its clock off, or its port pins are released. After the drop a port bit
on a sensor line may be stored only in the tick, on every path, with constants.
A microphone's data bus sends nothing: before the drop constants make the block an I2S master that only receives, on
the declared pins, without DMA, interrupts or a master clock output; its clock is the part's own and runs in sleep as
well; from the drop on no handler stores to it, and the tick alone reads it, its data and status and nothing else.

*False accepts.* What the sensor itself does on its lines once it streams (A-materials). That a receiver clocks on
whether or not its data is read is the manual's word (A-silicon-as-manual).

*False rejects.* Read-modify-write of the bus's control register.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_MATERIALS,
    DATA_BUS_REASONS,
    MACHINE_REASONS,
    Facts,
    Problem,
    Refusal,
    Touch,
    all_runs,
    block_stores,
    boot,
    conclude,
    data_bus_problems,
    device_at_drops,
    drops,
    handlers,
    may_set,
    places,
    port_of,
    port_stores_after_drop,
    proved,
)
from pinproof.machine.result import Origin
from pinproof.outcome import Outcome
from pinproof.silicon import Capability, Peripheral

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **DATA_BUS_REASONS,
    "sensor-bus-unknown": "the declared sensor bus is no serial block of the part",
    "sensor-bytes-vary": "what is sent to the sensor depends on something outside the image",
    "sensor-written-after-drop": "a handler stores to the sensor's bus",
    "sensor-bus-on": "the sensor's bus may be enabled or clocked at the drop",
    "sensor-line-on-request": "a handler stores to the port of a sensor line, other than a constant in every tick",
}

_ENABLE = 1
_BUS_ANSWERS = frozenset({Origin.DEVICE})


def check(facts: Facts) -> Outcome:
    if facts.declaration.sensor.data_bus is not None:
        return _microphone(facts)
    name = facts.declaration.sensor.bus
    block = facts.silicon.peripheral(name) if facts.silicon.has_peripheral(name) else None
    if block is None or Capability.SERIAL not in block.capabilities:
        missing = Refusal(reason="sensor-bus-unknown", message=f"{name} is no serial block of {facts.silicon.part}")
        return conclude(facts, [missing], [])
    sent = block_stores(facts, boot(facts), block)
    evidence = [
        proved(f"{len(sent)} stores to {name}, all constant and before the drop", *places(facts, sent)),
        proved(
            f"{name} is off at the drop and no handler stores to it", *(facts.at(drop.site) for drop in drops(facts))
        ),
    ]
    problems = [*_before(facts, sent), *_at_drop(facts, block), *_after(facts, block)]
    return conclude(facts, problems, evidence, [ASSUMPTION_MATERIALS])


def _microphone(facts: Facts) -> Outcome:
    """Nothing is sent: the receiver's two clocks run from boot on, whatever anybody does."""
    name = facts.declaration.sensor.bus
    where = [facts.at(drop.site) for drop in drops(facts)]
    evidence = [
        proved(f"{name} only receives, and its clock lines run from the drop on, in sleep as well", *where),
        proved(f"no handler stores to {name}; the tick alone reads its data"),
    ]
    return conclude(facts, [*data_bus_problems(facts), *_port_stores(facts)], evidence, [ASSUMPTION_MATERIALS])


def _before(facts: Facts, sent: list[Touch]) -> Iterator[Problem]:
    for touch in sent:
        if touch.exact is None or touch.access.value.origins or touch.access.control - _BUS_ANSWERS:
            yield Refusal(
                reason="sensor-bytes-vary",
                message="a value sent to the sensor, or whether it is sent, depends on something outside the image",
                places=places(facts, [touch]),
            )


def _at_drop(facts: Facts, block: Peripheral) -> Iterator[Problem]:
    control = block.register("CR1").address
    on = any(may_set(word, _ENABLE) for word in device_at_drops(facts, control))
    clock = block.clock
    clocked = clock is None or any(may_set(word, 1 << clock.bit) for word in device_at_drops(facts, clock.register))
    if on or clocked:
        yield Refusal(
            reason="sensor-bus-on",
            message=f"{block.name} may be {'enabled' if on else 'clocked'} at the drop",
            places=tuple(facts.at(drop.site) for drop in drops(facts)),
        )


def _after(facts: Facts, block: Peripheral) -> Iterator[Problem]:
    later = block_stores(facts, handlers(facts), block)
    if later:
        yield Refusal(
            reason="sensor-written-after-drop",
            message=f"a handler stores to {block.name}",
            places=places(facts, later),
        )
    yield from _port_stores(facts)


def _port_stores(facts: Facts) -> Iterator[Problem]:
    sensor_ports = {port_of(facts, pin) for pin in facts.declaration.sensor.pins}
    lines = [
        touch
        for touch in port_stores_after_drop(facts)
        for port in sensor_ports
        if port is not None and touch in block_stores(facts, all_runs(facts), port)
    ]
    if lines:
        yield Refusal(
            reason="sensor-line-on-request",
            message="a handler stores to the port of a sensor line",
            places=places(facts, lines),
        )
