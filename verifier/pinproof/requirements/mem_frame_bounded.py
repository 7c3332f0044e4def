"""Capture MUST write only inside the declared frame buffer, whose size is the size of the declared frame.

*How it is decided.* At every end of every handler, memory that can hold sensor data lies inside the declared frame,
which has the size of the declared sensor's, lies in confined memory apart from the mailbox, and is of the profile's
kind and no larger than its largest. Some sensor data must be there at some end of the tick, or nothing was captured.
Boot reads neither the sensor's lines nor what its bus received.

*False accepts.* Sensor data that is stored elsewhere and cleared again before the handler ends: nobody sees it.

*False rejects.* A store of which the machine only knows that it hits some byte near the frame; boot code that asks the
sensor who it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    MACHINE_REASONS,
    PROTECTION_REASONS,
    Facts,
    Known,
    Problem,
    Range,
    Refusal,
    Unknown,
    all_runs,
    boot,
    conclude,
    handlers,
    loads,
    name_of_access,
    places,
    proved,
    sensor_registers,
    span,
    stack_area,
    ticks,
    unprivileged,
    without,
)
from pinproof.machine.mpu import Use
from pinproof.machine.result import Origin, Run
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "frame-overrun": "sensor data can lie outside the declared frame",
    "frame-kind": "the declared sensor is not of the kind that the profile is for",
    "frame-size": "the declared frame has not the size of the sensor's",
    "frame-too-large": "the declared frame is larger than the profile allows",
    "frame-not-confined": "the declared frame lies outside the memory that the confined part can write",
    "capture-in-boot": "boot reads the sensor's lines or what its bus received, and no proof covers its pins yet",
    "no-capture": "no sensor data reaches the frame, so nothing is proved of the capture",
}

_BUS_DATA = "DR"
"""What a serial block calls the register with the byte that it received (RM0368 18.6.5)."""


def check(facts: Facts) -> Outcome:
    frame = facts.declaration.memory.frame
    evidence = [
        proved(
            f"sensor data stays inside the {frame.size} bytes of the frame at {span(frame.start, frame.end)}",
            *(facts.at(leaving.site) for run in ticks(facts) for leaving in run.exits),
        )
    ]
    return conclude(facts, [*_declared(facts), *_captured(facts), *_early(facts)], evidence)


def _early(facts: Facts) -> Iterator[Problem]:
    """Before the drop nothing keeps the gate from showing on a pin what it sees, at every start."""
    places_of_data = set(sensor_registers(facts.silicon, facts.declaration))
    name = facts.declaration.sensor.bus
    block = facts.silicon.peripheral(name) if facts.silicon.has_peripheral(name) else None
    places_of_data |= {each.address for each in block.registers if each.name == _BUS_DATA} if block else set()
    read = [touch for address in sorted(places_of_data) for touch in loads(facts, boot(facts), address)]
    if read:
        yield Refusal(
            reason="capture-in-boot",
            message=f"boot reads {name_of_access(facts, read[0].access)}",
            places=places(facts, read),
        )


def _declared(facts: Facts) -> Iterator[Problem]:
    sensor, frame, limit = facts.declaration.sensor, facts.declaration.memory.frame, facts.profile.frame
    if frame.size != sensor.frame_size:
        yield Refusal(
            reason="frame-size", message=f"{frame.size} bytes, but the sensor's frame has {sensor.frame_size}"
        )
    if sensor.kind.value != limit.kind.value:
        yield Refusal(
            reason="frame-kind", message=f"the sensor's kind is {sensor.kind}, the profile is for {limit.kind}"
        )
    if sensor.samples > limit.maximum_samples or sensor.bits_per_sample > limit.maximum_bits_per_sample:
        yield Refusal(
            reason="frame-too-large",
            message=f"{sensor.samples} samples of {sensor.bits_per_sample} bits are above the profile's limit",
        )
    writable = unprivileged(facts, Use.WRITE)
    if not isinstance(writable, Known):
        yield writable
    elif without(((frame.start, frame.end),), writable.value):
        yield Refusal(reason="frame-not-confined", message=f"{span(frame.start, frame.end)} is not confined memory")


def _captured(facts: Facts) -> Iterator[Problem]:
    frame = facts.declaration.memory.frame
    inside: Range = (frame.start, frame.end)
    captured = False
    for run in handlers(facts):
        for site, place in _sensor_data(facts, run):
            outside = without((place,), (inside,))
            captured |= outside != (place,)
            if outside:
                yield Refusal(
                    reason="frame-overrun",
                    message=f"sensor data can lie at {span(*outside[0])}",
                    places=(facts.at(site),),
                )
                return
    if not captured:
        yield Unknown(
            reason="no-capture",
            message="no end of a handler has sensor data in the frame",
            would_help="a tick that stores what it reads from the declared sensor pins",
        )


def _sensor_data(facts: Facts, run: Run) -> Iterator[tuple[int, Range]]:
    """Where sensor data can lie when the run ends; below the main stack pointer nothing is kept."""
    stack = stack_area(facts, all_runs(facts))
    for leaving in run.exits:
        for item in leaving.state.memory:
            if Origin.SENSOR in item.value.origins:
                for place in without(((item.start, item.end),), (stack,) if stack is not None else ()):
                    yield leaving.site.address, place
