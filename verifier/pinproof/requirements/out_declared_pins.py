"""From the drop on, a pin that is neither a declared output nor a declared sensor pin MUST NOT be an output or an
alternate function.

*How it is decided.* The mode and alternate function of every pin of every port are read from the values that the port
registers hold at the drop. A declared output must be the pin, channel and function that the silicon file gives for
the declared timer. Pins that something other than the port can drive must not be driven by a store of the gate. After
the drop no handler may store to a port, except a constant to a declared sensor line from the tick.

*False accepts.* Where a pin leads on the board, what the backup domain held before this firmware, and an external
reset are in the ledger. A declared sensor pin may have any alternate function but EVENTOUT, clock output, debug and
the output timer's: the block behind it is judged by out-no-other-peripheral.

*False rejects.* A port that is set after the drop to what it was before.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_BACKUP,
    ASSUMPTION_RESET_PIN,
    ASSUMPTION_ROUTING,
    MACHINE_REASONS,
    STEADY_REASONS,
    Facts,
    Mode,
    PinState,
    Problem,
    Refusal,
    all_runs,
    conclude,
    crystal_possible,
    declared_output,
    drops,
    may_set,
    output_timer,
    pin_state,
    pin_states,
    places,
    port_stores_after_drop,
    proved,
    reset_problems,
    stores,
)
from pinproof.outcome import Outcome
from pinproof.silicon import PinRole

REASONS: dict[str, str] = {
    **MACHINE_REASONS,
    **STEADY_REASONS,
    "undeclared-pin": "a pin that is not declared can be an output or an alternate function",
    "debug-pin-open": "a debug pin can keep its debug function",
    "eventout": "a pin can carry EVENTOUT, which any code can pulse",
    "clock-output": "a pin can carry a clock output",
    "output-pin-unknown": "a declared output is no output of the declared timer's channel, or no pin of the part",
    "handler-made-edge": "a declared output is not driven by the timer alone",
    "pin-written-after-drop": "a handler stores to a port",
    "output-copied": "a sensor pin can carry a channel of the output timer",
    "pin-driven-otherwise": "the gate lets the backup domain or an oscillator drive a pin",
}

_EVENTOUT = 15


def check(facts: Facts) -> Outcome:
    states = list(pin_states(facts))
    evidence = [
        proved(
            f"the modes of {len(states)} pins at the drop: only declared pins are outputs or alternate functions",
            *(facts.at(drop.site) for drop in drops(facts)),
        ),
        proved("no handler stores to a port except constants to sensor lines, and none causes a reset"),
    ]
    assumptions = [ASSUMPTION_ROUTING, ASSUMPTION_RESET_PIN, ASSUMPTION_BACKUP]
    return conclude(facts, _problems(facts, states), evidence, assumptions)


def _problems(facts: Facts, states: list[PinState]) -> Iterator[Problem]:
    if not drops(facts):
        return
    yield from _outputs(facts)
    for state in states:
        yield from _pin(facts, state)
    later = list(port_stores_after_drop(facts))
    if later:
        yield Refusal(
            reason="pin-written-after-drop",
            message=f"{len(later)} stores of handlers can change a pin",
            places=places(facts, later),
        )
    yield from _driven_otherwise(facts)
    yield from reset_problems(facts)


def _outputs(facts: Facts) -> Iterator[Problem]:
    for pin in facts.declaration.output.pins:
        expected, state = declared_output(facts, pin), pin_state(facts, pin)
        if expected is None or state is None:
            timer, channel = facts.declaration.output.timer, facts.declaration.output.channel_of(pin)
            yield Refusal(
                reason="output-pin-unknown",
                message=f"the silicon file knows no output of {timer} channel {channel} on {pin}",
            )
        elif state.modes != {Mode.ALTERNATE} or state.functions != {expected.alternate_function}:
            yield Refusal(
                reason="handler-made-edge",
                message=f"{pin} may not have alternate function {expected.alternate_function} at the drop",
            )


def _pin(facts: Facts, state: PinState) -> Iterator[Problem]:
    if state.name in facts.declaration.output.pins:
        return
    alternate = Mode.ALTERNATE in state.modes
    if alternate and _EVENTOUT in state.functions:
        yield Refusal(reason="eventout", message=f"{state.name} can have alternate function 15, EVENTOUT")
    for signal in facts.silicon.signals:
        if alternate and state.name in signal.pins and signal.alternate_function in state.functions:
            yield Refusal(reason="clock-output", message=f"{state.name} can carry {signal.name}")
    debug = {pin.name for pin in facts.silicon.pins if pin.role is PinRole.DEBUG}
    if alternate and state.name in debug and 0 in state.functions:
        yield Refusal(reason="debug-pin-open", message=f"{state.name} can keep its debug function")
    timer = output_timer(facts)
    own = frozenset(item.alternate_function for item in timer.outputs) if timer is not None else frozenset[int]()
    if alternate and state.name in facts.declaration.sensor.pins and own & state.functions:
        yield Refusal(reason="output-copied", message=f"{state.name} is a sensor pin and can carry the output timer")
    if state.name not in facts.declaration.sensor.pins and state.modes & {Mode.OUTPUT, Mode.ALTERNATE}:
        yield Refusal(
            reason="undeclared-pin",
            message=f"{state.name} is not declared and can be an output or an alternate function at the drop",
        )


def _driven_otherwise(facts: Facts) -> Iterator[Problem]:
    """The crystal's own pins are driven by the crystal, at its one frequency; everything else needs a store."""
    for pin in facts.silicon.pins:
        driver = pin.driven_by
        if driver is None or (pin.role is PinRole.OSCILLATOR and _is_crystal(facts, driver.register)):
            continue
        found = [
            touch
            for touch in stores(facts, all_runs(facts), driver.register)
            if touch.exact != driver.register or may_set(touch.access.value, driver.mask)
        ]
        if found:
            yield Refusal(
                reason="pin-driven-otherwise",
                message=f"{pin.name} can be driven by {driver.note}",
                places=places(facts, found),
            )


def _is_crystal(facts: Facts, register: int) -> bool:
    """Whether this is the main oscillator's register and the declaration states the crystal on its pins."""
    control = facts.silicon.peripheral("RCC").register("CR").address
    return register == control and (facts.declaration.clock.crystal_hz is not None or not crystal_possible(facts))
