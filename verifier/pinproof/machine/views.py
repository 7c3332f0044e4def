"""What the requirements may see of a state: plain words and memory ranges, without symbols."""

from __future__ import annotations

from types import MappingProxyType

from ..silicon import Silicon
from .ranges import Range
from .result import Content, MachineState, MemoryRange, Word
from .state import CONTROL, MAIN_STACK, MPU_CONTROL, PRIMASK, PROCESS_STACK, State, region_slots


def machine_state(state: State, silicon: Silicon) -> MachineState:
    return MachineState(
        registers=tuple(state.known(number).word() for number in range(13)),
        main_stack=state.known(MAIN_STACK).word(),
        process_stack=state.known(PROCESS_STACK).word(),
        control=state.known(CONTROL).word(),
        primask=state.known(PRIMASK).word(),
        device=MappingProxyType({address: state.known(address).word() for address in sorted(silicon.registers)}),
        mpu_regions=tuple(_region(state, number) for number in range(silicon.mpu.regions)),
        mpu_control=state.known(MPU_CONTROL).word(),
        memory=_memory(state),
        barriers=state.barriers,
    )


def _region(state: State, number: int) -> tuple[Word, Word]:
    base, attributes = region_slots(number)
    return state.known(base).word(), state.known(attributes).word()


def _memory(state: State) -> tuple[MemoryRange, ...]:
    pieces: list[tuple[int, int, Range]] = []
    for start, end, content in state.segments:
        position = start
        for address in sorted(state.ram_slots(start, end)):
            if address > position:
                pieces.append((position, address, content))
            pieces.append((address, address + 4, state.known(address)))
            position = address + 4
        if position < end:
            pieces.append((position, end, content))
    return tuple(_memory_range(*piece) for piece in _runs(pieces))


def _runs(pieces: list[tuple[int, int, Range]]) -> list[tuple[int, int, Range]]:
    """Neighbours with the same contents put together."""
    runs: list[tuple[int, int, Range]] = []
    for start, end, content in pieces:
        if runs and runs[-1][1] == start and runs[-1][2] == content:
            runs[-1] = (runs[-1][0], end, content)
        else:
            runs.append((start, end, content))
    return runs


def _memory_range(start: int, end: int, content: Range) -> MemoryRange:
    fixed = not content.origins
    return MemoryRange(
        start=start, end=end, content=Content.CONSTANT if fixed else Content.VARIABLE, value=content.word()
    )
