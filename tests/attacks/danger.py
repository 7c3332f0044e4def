"""What counts as seen in a run of a variant: predicates over an observation, for the catalogue's `Shown`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from reference_module.emulate.emulator import Stop
from reference_module.emulate.events import ExceptionTaken, Origin
from tests.emulation.observation import Observation
from tests.emulation.pin import Cause, Level, pin_edges

Seen = Callable[[Observation], bool]

MEMORY_WORD = 0x20006000
"""A word of confined memory that nothing uses."""


def stored(address: int, value: int | None = None, *, width: int | None = None, after: int = 0) -> Seen:
    """The gate stores to the device register, from tick `after` on (0: boot included)."""

    def seen(observation: Observation) -> bool:
        return any(
            write.address == address
            and write.origin is not Origin.CONFINED
            and write.tick >= after
            and value in (None, write.value)
            and width in (None, write.width)
            for write in observation.writes
        )

    return seen


def in_handler(address: int, value: int | None = None, *, width: int | None = None) -> Seen:
    """A handler stores to the device register."""
    return stored(address, value, width=width, after=1)


def confined_reaches(address: int) -> Seen:
    """A store of the confined part to the device register is carried out."""
    return lambda observation: any(write.address == address for write in observation.from_confined())


def answers_present(observation: Observation) -> bool:
    """A level "present" is handed over: the confined part says it only if it found what must not be there."""
    return 1 in observation.bits


def silent(observation: Observation) -> bool:
    """No tick hands over one level as it must, from the second on."""
    return not any(bit is not None for bit in observation.bits[1:])


def locks_up(observation: Observation) -> bool:
    return observation.end is Stop.LOCKUP


def moves_in_mid_period(observation: Observation) -> bool:
    """After the first update event the pin changes by something else than an update event, if pin.py reads the manual
    right."""
    return any(edge.tick and edge.cause is not Cause.UPDATE for edge in pin_edges(observation.events))


def high_at_once(observation: Observation) -> bool:
    """The pin is high before any tick, if pin.py reads the manual right."""
    return any(edge.level is Level.HIGH and not edge.tick for edge in pin_edges(observation.events))


def level_unknown(observation: Observation) -> bool:
    """Something other than the timer's counter may decide about the pin, if pin.py reads the manual right."""
    return any(edge.level is Level.UNKNOWN for edge in pin_edges(observation.events))


def runs_outside_flash(observation: Observation) -> bool:
    return bool(observation.outside_flash)


def takes(number: int) -> Seen:
    """Exception `number` is taken."""
    return lambda observation: any(
        isinstance(event, ExceptionTaken) and event.number == number for event in observation.events
    )


def ticks_faster(observation: Observation) -> bool:
    """Two ticks are less than 80 virtual milliseconds apart; 84 are a period of the reference."""
    times = observation.tick_times
    return any(after - before < 80 for before, after in pairwise(times))


def timing_varies(address: int) -> Seen:
    """A store of the tick comes at different numbers of instructions after the tick began."""
    return lambda observation: len({write.since_entry for write in observation.written(address)}) > 1


def either(*parts: Seen) -> Seen:
    return lambda observation: any(part(observation) for part in parts)


# Bodies of confined parts. W is a word of confined memory that nothing else uses; R(address) is the word there.

REMEMBER = "mailbox = W != 0; W = 1;"
"""Says "present" if a word that it wrote for an earlier frame is still there."""


def remember_at(address: int) -> str:
    return f"mailbox = R({address:#x}) != 0; R({address:#x}) = 1;"


def attempt(statement: str) -> str:
    """Claims "present", then does something that the reference gate answers with a fault: the period is idle."""
    return f"mailbox = 1; {statement}"


def store(address: int, value: int = 1) -> str:
    return attempt(f"R({address:#x}) = {value:#x};")


def confined_text(body: str) -> str:
    """The C text of a confined part with this body."""
    return f"""#include <stdint.h>
#define R(address) (*(volatile uint32_t *)(address))
#define W R({MEMORY_WORD:#x})
extern const uint8_t frame[9216];
extern volatile uint32_t mailbox;
__attribute__((section(".model"), used)) const uint32_t model[16] = {{128u}};
void confined_entry(void);
void confined_entry(void) {{ {body} for (;;) {{ }} }}
"""
