"""The projections of explaining.py, but for that of the pins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.attacks.mutate.behaviour import End, Event, Special, Start, Store

Trace = tuple[Event, ...]
_CONFINED = range(0x20000000, 0x20008000)
_GATE = range(0x20008000, 0x20018000)
_MEMORY = (0x20000000, 0x20018000)
_FRAME = range(0x20000100, 0x20000100 + 9216)
_STARTS = frozenset({0x08001000, 0x08001004})
"""The idle loop and the entry of the confined part."""
_STACKED = range(0x20007FE0, 0x20007FF4)
"""Where r0 to r3 and r12 of the frame lie that the confined part starts from."""
_RESTART = range(0x20007FE0, 0x20008000)
"""The whole frame."""
_STACKED_PROGRAM_COUNTER = 0x20007FF8
_I2C1 = range(0x40005400, 0x40005800)
_TIM2 = range(0x40000000, 0x40000400)
_CR1, _SR, _PSC, _ARR, _CCR1 = 0x40000000, 0x40000010, 0x40000028, 0x4000002C, 0x40000034
_RCC_CR, _RCC_CFGR, _FLASH_ACR = 0x40023800, 0x40023808, 0x40023C00
_RCC = range(0x40023800, 0x40023C00)
_PLAIN = (
    range(0x40023800, 0x40023890),
    range(0x40023C00, 0x40023C04),
    range(0xE000ED08, 0xE000ED28),
    range(0xE000E400, 0xE000E4F0),
)
"""RCC, FLASH_ACR, and of the system control space what a store merely sets: VTOR to SHCSR and interrupt priorities."""
_TIMER_SETTINGS = frozenset(0x40000000 + offset for offset in (0x00, 0x04, 0x08, 0x18, 0x1C, 0x20, 0x28, 0x2C, 0x34))
"""Of timer 2: control, modes, prescaler, reload, compare."""
_EGR = 0x40000014
_BUFFERING = 1 << 7 | 1 << 2
"""CR1 without the counter enabled: ARPE and URS are stored once more by the start and mean nothing before."""
_ZERO_AFTER_RESET = frozenset(0x40023800 + offset for offset in (0x10, 0x14, 0x20, 0x24, 0x30, 0x34, 0x40, 0x44))
"""Resets and clocks of devices: all off after reset (RM0368 6.3.5 to 6.3.12)."""
_ZERO_AFTER_RESET |= {0xE000ED10}
"""SCR (DDI 0403 B3.2.7)."""
_FAULT_STATUS = frozenset({0xE000ED28, 0xE000ED2C, 0xE000ED30, 0xE000ED3C})
_TICK = 44
_MSP, _PSP, _CONTROL = 8, 9, 20
_STATUS = range(8)
_CPS_INTERRUPTS = {0xB6620000: 0, 0xB6720000: 1}
"""CPSIE i and CPSID i, and what they make of PRIMASK."""
_REFERENCE_RELOAD = 84_008_399


def without_gate_memory(trace: Trace) -> Trace:
    return _kept(trace, lambda store: not (store.address in _GATE and store.end <= _GATE.stop))


def without_sensor_bus(trace: Trace) -> Trace:
    """Of boot alone. The bus's clock and pins stay."""
    return _kept(trace, lambda store: store.exception != 0 or store.address not in _I2C1)


def without_camera(trace: Trace) -> Trace:
    """No stores to the frame, and the idle loop stands for the entry."""
    kept = _kept(trace, lambda store: store.width != 1 or store.address not in _FRAME or store.end > _FRAME.stop)
    return tuple(_either_start(event) for event in kept)


def aligned_stacks(trace: Trace) -> Trace:
    """MSR to a stack pointer without bits 0 and 1; of boot only the last to that of the process."""
    kept: list[Event] = []
    for event in trace:
        if isinstance(event, Special) and event.encoding & 0xFF in (_MSP, _PSP):
            event = replace(event, value=event.value & ~3)
            if not event.exception and event.encoding & 0xFF == _PSP:
                kept = [each for each in kept if not (isinstance(each, Special) and each.encoding == event.encoding)]
        kept.append(event)
    return tuple(kept)


def without_status(trace: Trace) -> Trace:
    """No MSR to the program status registers, nor to CONTROL or PRIMASK what it holds already."""
    kept: list[Event] = []
    control, masked = 0, 0
    for event in trace:
        if isinstance(event, Special) and event.encoding in _CPS_INTERRUPTS:
            if masked == _CPS_INTERRUPTS[event.encoding]:
                continue
            masked = _CPS_INTERRUPTS[event.encoding]
        if isinstance(event, Special) and event.encoding >> 21 == 0xF380 >> 5:
            number = event.encoding & 0xFF
            if number in _STATUS or (number == _CONTROL and event.exception == 0 and event.value == control):
                continue
            control = event.value if number == _CONTROL else control
        kept.append(event)
    return tuple(kept)


def once(trace: Trace) -> Trace:
    """Without stores of what was stored last to that register, where a store does nothing else."""
    kept: list[Event] = []
    held: dict[int, int] = {}
    for event in trace:
        if isinstance(event, Store) and _plain(event):
            if held.get(event.address) == event.value:
                continue
            held[event.address] = event.value
        kept.append(event)
    return tuple(kept)


def highest_compare(trace: Trace) -> Trace:
    reload = max((each.value for each in _stores(trace) if each.address == _ARR), default=0xFFFFFFFF)

    def value(store: Store) -> Store:
        above = store.address == _CCR1 and store.width == 4 and store.value > reload
        return replace(store, value=0xFFFFFFFF) if above else store

    return _mapped(trace, value)


def answers(trace: Trace) -> Trace:
    """Never and always count alike in a tick, but not in one before which nothing was said, or a fault taken."""
    kept: list[Event] = []
    silent = True
    for event in trace:
        if isinstance(event, Store | Special) and event.exception not in (0, _TICK):
            silent = True
        if isinstance(event, Store) and event.exception == _TICK and event.address == _CCR1 and event.width == 4:
            kept.append(replace(event, value=0) if not silent and event.value == 0xFFFFFFFF else event)
        else:
            kept.append(event)
        if isinstance(event, Start) and event.exception == _TICK:
            silent = False
    return tuple(kept)


def shortest_period(trace: Trace) -> Trace:
    """A reload or prescaler value larger than the reference's counts as the reference's."""

    def value(store: Store) -> Store:
        if store.exception or store.width != 4:
            return store
        if store.address == _ARR:
            return replace(store, value=min(store.value, _REFERENCE_RELOAD))
        return replace(store, value=0) if store.address == _PSC and store.value < 1 << 16 else store

    return _mapped(trace, value)


def acknowledged(trace: Trace) -> Trace:
    """The first store to the status register in each handler run that clears the update flag stays, as one of 0."""
    kept: list[Event] = []
    done = False
    for event in trace:
        if isinstance(event, Start):
            done = False
        if isinstance(event, Store) and event.address == _SR and event.width == 4:
            if done or event.value & 1:
                continue
            done = True
            event = replace(event, value=0)
        kept.append(event)
    return tuple(kept)


def without_fault_status(trace: Trace) -> Trace:
    return _kept(trace, lambda store: store.address not in _FAULT_STATUS or store.width != 4)


def constant_registers(trace: Trace) -> Trace:
    """Registers r0 to r12 that have one value in all starts after an exception count as 0, with their stacked words.

    At the drop the flags too: what starts then is the idle loop.
    """
    starts = [event for event in trace if isinstance(event, Start)]
    values = {
        (each.exception, number): {start.registers[number] for start in starts if start.exception == each.exception}
        for each in starts
        for number in range(13)
    }
    kept: list[Event] = []
    for event in trace:
        if isinstance(event, Start):
            kept.append(_zeroed(event, [len(values[event.exception, number]) == 1 for number in range(13)]))
        elif isinstance(event, Store) and event.exception:
            kept += _outside(event, _STACKED)
        else:
            kept.append(event)
    return tuple(kept)


def without_clock_switch(trace: Trace) -> Trace:
    """Without boot's stores to RCC_CR, RCC_CFGR and FLASH_ACR from the first on that the original makes after a wait.

    They turn on one after another crystal, wait states, PLL, and the switch to it. A trace that stores other values
    than these, or the same in another order, keeps them.
    """
    steps = [(_RCC_CR, 0x00010081), (_FLASH_ACR, 0x102), (_RCC_CR, 0x01010081), (_RCC_CFGR, 0x1002)]
    found = [each for each in _stores(trace) if not each.exception and (each.address, each.value) in steps]
    in_order = [(each.address, each.value) for each in found]
    if in_order != steps[: len(found)]:
        return trace
    return tuple(event for event in trace if event not in found)


def final_values(trace: Trace) -> Trace:
    """Boot's stores to plain registers, as the values at the end of boot."""
    boot = next((at for at, event in enumerate(trace) if isinstance(event, Start)), len(trace))
    values: dict[int, int] = {}
    kept: list[Event] = []
    for event in trace[:boot]:
        if isinstance(event, Store) and _plain(event):
            values[event.address] = event.value
        else:
            kept.append(event)
    same = {address: value for address, value in values.items() if value or address not in _ZERO_AFTER_RESET}
    return (*(Store(0, address, 4, same[address]) for address in sorted(same)), *kept, *trace[boot:])


def cleared(trace: Trace) -> Trace:
    """Boot's store of one value to all memory counts as one of zeros."""
    everywhere = [event for event in _stores(trace) if not event.exception and (event.address, event.end) == _MEMORY]
    return _mapped(trace, lambda store: replace(store, value=0) if store in everywhere else store)


def timer_settings(trace: Trace) -> Trace:
    """Boot's stores to the timer's settings before the update that loads them, as their values at that update."""
    values: dict[int, int] = {}
    kept: list[Event] = []
    loaded = False
    for event in trace:
        if isinstance(event, Store) and not loaded and not event.exception and event.width == 4:
            if event.address == _CR1 and not event.value & ~_BUFFERING:
                continue
            if (
                event.address in _TIMER_SETTINGS
                and event.count == 1
                and not (event.address == _CR1 and event.value & 1)
            ):
                values[event.address] = event.value
                continue
            if event.address in (_EGR, _CR1):
                kept += [Store(0, address, 4, values[address]) for address in sorted(values)]
                loaded = True
        kept.append(event)
    left = () if loaded else (Store(0, address, 4, values[address]) for address in sorted(values))
    return (*kept, *left)


def last_restart(trace: Trace) -> Trace:
    """Of what a handler makes ready for its return, stacked words and special registers, what is there at the end."""
    kept: list[Event] = []
    words: dict[int, Store] = {}
    special: dict[int, Event] = {}
    for event in trace:
        if isinstance(event, Store) and event.exception and event.width == 4 and event.end > _RESTART.start:
            for word in _words(event):
                if word.address in _RESTART:
                    words[word.address] = word
                else:
                    kept.append(word)
        elif isinstance(event, Special) and event.exception:
            special[event.encoding] = event
        elif isinstance(event, Start):
            kept += [*(words[at] for at in sorted(words)), *(special[at] for at in sorted(special)), event]
            words, special = {}, {}
        else:
            kept.append(event)
    return tuple(kept)


def _words(store: Store) -> list[Store]:
    """Those of a long run of words that lie in _RESTART, one by one, and the rest before them."""
    if store.address >= _RESTART.stop or store.address % 4:
        return [store]
    before = max(0, (_RESTART.start - store.address) // 4)
    whole = [replace(store, count=before)] if before else []
    single = [replace(store, address=store.address + 4 * at, count=1) for at in range(before, store.count)]
    return [*whole, *single]


def wiped(trace: Trace) -> Trace:
    """Zeros stored to confined memory in one handler run, one after another, as the set of their places."""
    kept: list[Event] = []
    zeros: list[Store] = []
    for event in (*trace, End("")):
        if isinstance(event, Store) and event.value == 0 and event.address in _CONFINED and event.end <= _CONFINED.stop:
            zeros.append(event)
            continue
        kept += _united(zeros)
        zeros = []
        kept.append(event)
    return tuple(kept[:-1])


def _united(zeros: list[Store]) -> list[Event]:
    found: list[Event] = []
    start = end = 0
    for store in sorted(zeros, key=lambda each: each.address):
        if not found or store.address > end:
            start = store.address
            found.append(store)
            end = store.end
        end = max(end, store.end)
        found[-1] = Store(store.exception, start, 1, 0, end - start)
    return found


def _outside(store: Store, places: range) -> list[Event]:
    """What of a store lies outside some places."""
    if store.end <= places.start or places.stop <= store.address:
        return [store]
    found: list[Event] = []
    for number in range(store.count):
        address = store.address + number * store.width
        if address + store.width <= places.start or places.stop <= address:
            found.append(replace(store, address=address, count=1))
    return found


def _plain(store: Store) -> bool:
    return store.width == 4 and store.count == 1 and any(store.address in each for each in _PLAIN)


def _either_start(event: Event) -> Event:
    if isinstance(event, Start) and event.registers[15] in _STARTS:
        return replace(event, registers=(*event.registers[:15], min(_STARTS), *event.registers[16:]))
    if isinstance(event, Store) and event.address == _STACKED_PROGRAM_COUNTER and event.value in _STARTS:
        return replace(event, value=min(_STARTS))
    return event


def _zeroed(start: Start, alike: list[bool]) -> Start:
    general = (0 if same else value for same, value in zip(alike, start.registers[:13], strict=True))
    flags = start.registers[16] if start.exception else start.registers[16] & 0x07FFFFFF
    return replace(start, registers=(*general, *start.registers[13:16], flags))


def _stores(trace: Trace) -> list[Store]:
    return [event for event in trace if isinstance(event, Store)]


def _kept(trace: Trace, wanted: Callable[[Store], bool]) -> Trace:
    return tuple(event for event in trace if not isinstance(event, Store) or wanted(event))


def _mapped(trace: Trace, value: Callable[[Store], Store]) -> Trace:
    return tuple(value(event) if isinstance(event, Store) else event for event in trace)
