"""The declaration MUST be complete and agree with the image in pins, memory, model and frame.

*How it is decided.* A declaration that is incomplete, or has a key that nobody knows, is not read at all. What the
image determines must equal what was derived: output pin and timer, period, entry and idle addresses, confined memory,
flash ranges, frame size, the sample rate of a microphone within one in a hundred, model digest and provisioning
digest; and the declaration names the profile and part of this verdict.

*False accepts.* What no image can confirm: names, versions, materials, life cycle. The ledger and the label say so.

*False rejects.* None known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction

from pinproof.facts import (
    MACHINE_REASONS,
    PROTECTION_REASONS,
    Facts,
    Known,
    Problem,
    Refusal,
    conclude,
    declared,
    declared_output,
    drops,
    handlers,
    minimum_period,
    proved,
    provisioning_problems,
    sample_rates,
    unprivileged,
    values_of,
)
from pinproof.machine.mpu import Use
from pinproof.outcome import Outcome

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **PROTECTION_REASONS,
    "part-differs": "the declaration is for another part or profile than this verdict",
    "output-differs": "the declared output is no output of the declared timer, or its period is longer than derived",
    "sample-rate-differs": "the microphone is not sampled as fast as declared, within one in a hundred",
    "sample-rate-unknown": "how fast the microphone is sampled does not follow from constants",
    "memory-differs": "the declared confined memory is not what the protection opens",
    "entry-differs": "no explored return leads to the declared entry, or one leads elsewhere",
    "model-differs": "the model's bytes do not have the declared digest",
    "provisioning-missing": "the provisioning file that the declaration names was not given",
    "provisioning-differs": "the provisioning file is not the one that the declaration names, or is for another part",
}

_PROGRAM_COUNTER = 6
_TOLERANCE = Fraction(1, 100)
"""Of a sample rate: dividers of whole numbers seldom meet one exactly."""


def check(facts: Facts) -> Outcome:
    evidence = [
        declared("the declaration is complete"),
        proved(
            "output, period, memory, entries and model are as declared", *(facts.at(drop.site) for drop in drops(facts))
        ),
    ]
    problems = [
        *_names(facts),
        *_output(facts),
        *_sound(facts),
        *_memory(facts),
        *_entries(facts),
        *_model(facts),
        *provisioning_problems(facts),
    ]
    return conclude(facts, problems, evidence)


def _names(facts: Facts) -> Iterator[Problem]:
    module = facts.declaration.module
    for stated, used in ((module.part, facts.silicon.part), (module.profile, facts.profile.name)):
        if stated != used:
            yield Refusal(reason="part-differs", message=f"declared is {stated}, judged was {used}")


def _output(facts: Facts) -> Iterator[Problem]:
    output = facts.declaration.output
    for pin in output.pins:
        if declared_output(facts, pin) is None:
            message = f"{pin} is no output of {output.timer} channel {output.channel_of(pin)}"
            yield Refusal(reason="output-differs", message=message)
    period = minimum_period(facts)
    # A period that cannot be derived is undecided in out-period; here it means only that there is nothing to compare.
    if isinstance(period, Known) and period.value < Fraction(facts.declaration.output.period_seconds):
        yield Refusal(reason="output-differs", message="the declared period is longer than the derived one")


def _sound(facts: Facts) -> Iterator[Problem]:
    claimed, bus = facts.declaration.sensor.samples_per_second, facts.declaration.sensor.data_bus
    # A receiver that the silicon file does not know is refused in out-sensor-lines-constant.
    if claimed is None or bus is None or facts.silicon.data_bus(bus) is None:
        return
    rates = sample_rates(facts)
    if not isinstance(rates, Known):
        yield rates
        return
    wrong = [rate for rate in sorted(rates.value) if abs(rate - claimed) > _TOLERANCE * claimed]
    if wrong:
        yield Refusal(
            reason="sample-rate-differs",
            message=f"{float(wrong[0]):.0f} samples a second, declared are {claimed}",
        )


def _memory(facts: Facts) -> Iterator[Problem]:
    writable = unprivileged(facts, Use.WRITE)
    if not isinstance(writable, Known):
        yield writable
        return
    confined = facts.declaration.memory.confined
    if writable.value != ((confined.start, confined.end),):
        shown = ", ".join(f"0x{start:08X}-0x{end - 1:08X}" for start, end in writable.value) or "nothing"
        yield Refusal(reason="memory-differs", message=f"the protection opens {shown}")


def _entries(facts: Facts) -> Iterator[Problem]:
    entry = facts.declaration.entry
    counters = [leaving.frame[_PROGRAM_COUNTER] for run in handlers(facts) for leaving in run.exits]
    if not counters:
        return
    targets = {value & ~1 for word in counters for value in values_of(word) or (word.low, word.high)}
    if entry.detector not in targets or not targets <= {entry.detector, entry.idle}:
        yield Refusal(
            reason="entry-differs", message=f"no return leads to 0x{entry.detector:08X}, or one leads elsewhere"
        )


def _model(facts: Facts) -> Iterator[Problem]:
    model = facts.declaration.model
    data = facts.image.read(model.range.start, model.range.size)
    if data is None or hashlib.sha256(data).hexdigest() != model.sha256:
        yield Refusal(reason="model-differs", message="the image does not hold the declared model where it says")
