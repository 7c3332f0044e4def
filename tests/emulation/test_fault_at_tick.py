"""A fault in the very instructions around a tick: whichever comes first, the next frame is answered as ever.

Under -icount a run repeats exactly, so a first run says how many instructions a period has, and a second one faults
that many, a few more or a few less after its start. Whether the fault or the tick comes first is visible in the bit.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_module.build import Recipe, build
from reference_module.emulate.events import TICK_EXCEPTION, Event, Reached
from reference_module.emulate.image import read_image
from tests.emulation.answers import unsmoothed
from tests.emulation.observation import FRAME_SIZE, run_variant
from tests.emulation.oracle import judge

pytestmark = [pytest.mark.emulation, pytest.mark.toolchain]

_OFFSETS = range(-6, 7)
"""Instructions by which the fault comes after the tick."""
_LONG = 0x7FFFFFFF

# The loop takes two instructions a turn; the rest of the wait is made of one-instruction steps.
_SOURCE = """
#include <stdint.h>
extern const uint32_t frame[2304];
extern volatile uint32_t mailbox;
__attribute__((section(".model"), used)) const uint32_t model[4] = {0};

__attribute__((naked, section(".text.confined_entry"))) void confined_entry(void)
{
    __asm volatile("ldr r0, =frame\\n ldr r1, [r0]\\n ldr r2, [r0, #4]\\n"
                   "ldr r3, =mailbox\\n mov r4, #1\\n str r4, [r3]\\n"
                   "cbz r2, 2f\\n nop\\n"
                   "2: 1: subs r1, #1\\n bne 1b\\n udf #0\\n .ltorg");
}
"""


def _frame(turns: int, odd: bool) -> bytes:
    return turns.to_bytes(4, "little") + int(odd).to_bytes(4, "little") + bytes(FRAME_SIZE - 8)


def _starts_and_ticks(events: tuple[Event, ...], entry: int, tick_handler: int) -> list[tuple[int, int]]:
    """For each start of the confined part: its instruction count, and that of the tick handler's next entry."""
    starts = [event.instructions for event in events if isinstance(event, Reached) and event.address == entry]
    ticks = [event.instructions for event in events if isinstance(event, Reached) and event.address == tick_handler]
    return [(start, min(tick for tick in ticks if tick > start)) for start in starts if start < ticks[-1]]


@pytest.mark.usefixtures("emulation_tools")
def test_the_next_frame_is_answered_whatever_the_order(tmp_path: Path) -> None:
    recipe = Recipe(gate_files=unsmoothed(), confined_files={"stub.c": _SOURCE}, confined_options=("-w", "-std=gnu11"))
    image = build(tmp_path / "late.elf", recipe)
    symbols = read_image(image)
    entry, handler = symbols.address("confined_entry"), symbols.vectors[TICK_EXCEPTION]
    calm = run_variant(image, [_frame(_LONG, False)] * (2 * len(_OFFSETS)), reached=[entry])
    periods = [tick - start for start, tick in _starts_and_ticks(calm.events, entry, handler)]
    assert len(periods) == 2 * len(_OFFSETS)

    frames = []
    for number, offset in enumerate(_OFFSETS):
        frames += [_late(periods[2 * number], offset), _frame(_LONG, False)]
    observation = run_variant(image, frames, reached=[entry])

    assert observation.bits[2::2][: len(_OFFSETS)] == (1,) * len(_OFFSETS)
    judgement = judge(observation)
    assert judgement.findings == ()
    assert judgement.moved_outside_updates == ()
    late = observation.bits[1::2][: len(_OFFSETS)]
    assert set(late) == {0, 1}, "no offset was on each side of the tick"


def _late(period: int, offset: int) -> bytes:
    """Eight instructions come before the loop's first turn (seven with a nop less), two make a turn."""
    wanted = period + offset - 7
    return _frame((wanted - wanted % 2) // 2, odd=bool(wanted % 2))
