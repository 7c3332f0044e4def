"""What privileged code does with an image, over three runs in QEMU, and where a mutant does otherwise.

Stores with address, width, value and order; what is written to special registers; the registers that the confined part
starts with. A run: devices that answer and a confined part that tries everything; a camera that sends frames; devices
that never answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from tests.attacks.mutate.image import Base
from tests.emulation.privileged import READY, run_traced
from tests.emulation.puppet import STANDARD, with_puppet

_USUAL, _LONG = 8, 6
"""An instruction takes 2^8 ns, but 2^6 where frames arrive: a frame must leave time for the confined part."""
_SHORT = STANDARD[:2]
"""One tick: enough where the devices are what is varied."""
_MOST = 20_000_000
"""Instructions of a run; the original's longest has 3 million."""
_WINDOW = 200
"""Events behind the first that differs in which differences are looked for."""


@dataclass(frozen=True, slots=True)
class Store:
    """Alike stores that follow each other without a gap, whatever instructions made them."""

    exception: int
    """Of the handler; 0 in boot."""
    address: int
    width: int
    value: int
    count: int = 1

    def __str__(self) -> str:
        many = f" x{self.count}" if self.count > 1 else ""
        return f"[{self.exception}] {self.value:#x} to {self.address:#010x} ({8 * self.width} bits){many}"

    @property
    def end(self) -> int:
        """One past the last byte stored to."""
        return self.address + self.count * self.width


@dataclass(frozen=True, slots=True)
class Special:
    """MSR or CPS."""

    exception: int
    encoding: int
    """Both halfwords, the register that is the source left out."""
    value: int

    def __str__(self) -> str:
        return f"[{self.exception}] special {self.encoding:08x} {self.value:#x}"


@dataclass(frozen=True, slots=True)
class Start:
    """What the confined part, or the idle loop, begins with."""

    exception: int
    """Of the handler that returned; 0 for the drop."""
    registers: tuple[int, ...]
    """r0-r12, sp, lr, pc, xpsr."""

    def __str__(self) -> str:
        return f"[{self.exception}] start " + " ".join(f"{each:x}" for each in self.registers)


@dataclass(frozen=True, slots=True)
class End:
    """Why the run was over, which is what the machine came to."""

    why: str

    def __str__(self) -> str:
        return f"end: {self.why}"


@dataclass(frozen=True, slots=True)
class Pins:
    """What the driven pins are connected to: a projection's event, in place of stores to ports."""

    driven: tuple[tuple[int, int, int, int, int], ...]
    """Port, pin, mode, function or level, driver."""


Event = Store | Special | Start | End | Pins
RUNS = ("answering", "camera", "silent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    run: str
    missing: tuple[Event, ...]
    """What the original does there and the mutant does not."""
    added: tuple[Event, ...]

    def __str__(self) -> str:
        return f"{self.run}: " + "; ".join(
            [*(f"- {each}" for each in self.missing), *(f"+ {each}" for each in self.added)]
        )


def behaviour(image: Base, run: str) -> tuple[Event, ...]:
    """Raises EmulationError where QEMU fails, which no image should make it do."""
    acts = STANDARD if run == "answering" else _SHORT
    ready = () if run == "silent" else READY
    camera = run == "camera"
    shift = _LONG if camera else _USUAL
    text = run_traced(with_puppet(image.elf), acts, camera=camera, ready=ready, shift=shift, limit=_MOST)
    return tuple(_joined(_events(text)))


def behaviours(image: Base) -> tuple[tuple[Event, ...], ...]:
    """Of every run, in order."""
    return tuple(behaviour(image, run) for run in RUNS)


@lru_cache(maxsize=2)
def behaviours_of_original(image: bytes) -> tuple[tuple[Event, ...], ...]:
    return behaviours(Base(elf=image))


def differences(original: Sequence[tuple[Event, ...]], mutant: Sequence[tuple[Event, ...]]) -> Iterator[Difference]:
    """The first ones of each run, in order of time; nothing if the mutant does the same in all of them."""
    for run, before, after in zip(RUNS, original, mutant, strict=True):
        alike = next((at for at, (one, two) in enumerate(zip(before, after, strict=False)) if one != two), None)
        start = min(len(before), len(after)) if alike is None else alike
        before, after = before[start : start + _WINDOW], after[start : start + _WINDOW]
        for tag, first, end, second, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if tag != "equal":
                yield Difference(run=run, missing=before[first:end], added=after[second:last])


def _events(text: str) -> Iterator[Event]:
    """From the lines that plugin/privileged.c writes."""
    active, left, starting = [0], 0, False
    for line in text.splitlines():
        kind = line[0]
        if kind in "Lxd":
            continue
        word, *rest = line.split(" ")
        if word == "S":
            address, width, value, count, stride = rest[1:6]
            yield from _stores(active[-1], int(address, 16), int(width), int(value, 16), int(count), int(stride, 16))
        elif word == "m":
            yield _special(active[-1], int(rest[1], 16), int(rest[2], 16))
        elif word == "enter":
            active.append(int(rest[0], 16))
        elif word == "leave":
            left = active.pop() if len(active) > 1 else 0
        elif word == "r" and starting:
            yield Start(left, tuple(int(each, 16) for each in rest))
        elif word == "end":
            yield End(rest[0])
        starting = word == "user"


def _stores(exception: int, address: int, width: int, value: int, count: int, stride: int) -> Iterator[Store]:
    if count == 1 or stride == width:
        yield Store(exception, address, width, value, count)
        return
    for number in range(count):
        yield Store(exception, address + number * stride & 0xFFFFFFFF, width, value)


def _special(exception: int, encoding: int, value: int) -> Special:
    source = 0xF0000 if encoding >> 21 == 0xF380 >> 5 else 0
    return Special(exception, encoding & ~source, value)


def _joined(events: Iterator[Event]) -> Iterator[Event]:
    """Alike stores that follow each other without a gap become one, whichever instructions made them."""
    held: Store | None = None
    for event in events:
        joined = _together(held, event) if held is not None and isinstance(event, Store) else None
        if joined is not None:
            held = joined
            continue
        if held is not None:
            yield held
        held = event if isinstance(event, Store) else None
        if held is None:
            yield event
    if held is not None:
        yield held


def _together(one: Store, two: Store) -> Store | None:
    """The two as one, where the second goes on where the first ends."""
    if (one.exception, one.width, one.value) != (two.exception, two.width, two.value):
        return None
    if two.address != one.address + one.count * one.width:
        return None
    return Store(one.exception, one.address, one.width, one.value, one.count + two.count)
