"""From reset to the drop: which part of the gate stores to which devices, in order, and after how many instructions."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pinproof.silicon import Silicon

from reference_module.emulate.events import DeviceWrite
from reference_module.emulate.measure import Start
from reference_module.figures.svg import Drawing
from reference_module.products import Product

_DOES = {
    "pins_isolate": "pins: analogue but for the declared",
    "pins_release_control_bus": "pins: the sensor's control bus let go",
    "pins_connect_output": "pins: the output handed to the timer",
    "pins_lock": "pins: locked",
    "clocks": "clocks: crystal and PLL, or the slow fall-back",
    "sensor": "sensor: its constant table over the control bus",
    "microphone": "microphone: its bus receives from now on",
    "protection": "protection unit: what the confined part may reach",
    "exceptions": "exceptions: one priority for all of them",
    "timer_configure": "timer: output held low, period loaded",
    "timer_start": "timer: started, a whole period before the first tick",
}
"""By the gate's functions, or what their names begin with. One that is not here stands under its name alone."""
_WIDTH, _BAR, _BAR_END, _ROW = 880, 630, 856, 46
_CAPTION = (
    "Under each step the gate's function, and its stores to each block. Counted in QEMU, which has no crystal",
    "and no sensor: waits for them take their longest, and a silent sensor is tried 200 times.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    function: str
    words: str
    blocks: tuple[tuple[str, int], ...]
    """Device blocks and the stores to each, in the order of the first."""
    end: int
    """Instructions from reset to its last store."""
    taken: int
    """Instructions since the step before."""


def steps(start: Start, symbols: Mapping[str, int], silicon: Silicon) -> list[Step]:
    """The start in steps, a function of the gate each; the first clears memory, the last is the drop."""
    groups = list(_by_function(start.writes, symbols))
    begins = [start.entered.get(name, writes[0].instructions or 0) for name, writes in groups]
    last = groups[-1][1][-1].instructions or 0 if groups else 0
    ends = [*begins[1:], last]
    made = [_quiet("memory and registers cleared", begins[0] if begins else 0, 0)]
    for (name, writes), begin, end in zip(groups, begins, ends, strict=True):
        blocks = Counter(_block(silicon, write.address) for write in writes)
        made.append(
            Step(function=name, words=_words(name), blocks=tuple(blocks.items()), end=end, taken=max(end - begin, 0))
        )
    made.append(_quiet("the drop: privilege given up for good, idle until the first tick", start.instructions, last))
    return made


def _quiet(words: str, end: int, begin: int) -> Step:
    return Step(function="reset_handler", words=words, blocks=(), end=end, taken=end - begin)


def _words(function: str) -> str:
    known = [words for start, words in _DOES.items() if function.startswith(start)]
    return known[0] if known else function


def _by_function(writes: Sequence[DeviceWrite], symbols: Mapping[str, int]) -> Iterator[tuple[str, list[DeviceWrite]]]:
    """Neighbours by the function that the store stands in; helpers go with whatever has their prefix."""
    places = sorted((address, name) for name, address in symbols.items() if name and name[0] != "$")
    addresses = [address for address, _ in places]

    def function(write: DeviceWrite) -> str:
        return places[bisect_right(addresses, write.program_counter or 0) - 1][1]

    for _, group in groupby(writes, key=lambda write: _known(function(write))):
        stores = list(group)
        yield function(stores[0]), stores


def _known(function: str) -> str:
    """The beginning under which _DOES knows it, or all of its name: a wait that is tried 200 times is one step."""
    return next((start for start in _DOES if function.startswith(start)), function)


def _block(silicon: Silicon, address: int) -> str:
    block = silicon.peripheral_at(address)
    return "another device" if block is None else block.name


def draw(product: Product, start: Start, symbols: Mapping[str, int], silicon: Silicon) -> str:
    """The figure as a file's text."""
    drawing = Drawing(
        width=_WIDTH,
        title=f"From reset to the drop: the {product.title}",
        description="The steps of the gate's start in order, the device blocks that each stores to, and the "
        "instructions that it takes.",
    )
    made = steps(start, symbols, silicon)
    drawing.text(24, 66, "step", "head")
    drawing.text(_BAR, 66, "instructions, bars logarithmic", "head")
    y = 78.0
    scale = (_BAR_END - _BAR) / math.log10(max(step.taken for step in made) + 1)
    for number, step in enumerate(made, start=1):
        drawing.line([(24, y), (_BAR_END, y)], "grid")
        drawing.text(24, y + 19, f"{number}")
        drawing.text(48, y + 19, step.words)
        drawing.text(48, y + 36, _stores(step), "fine")
        drawing.rectangle(_BAR, y + 9, max(1.0, scale * math.log10(step.taken + 1)), 12, "gate")
        drawing.text(_BAR, y + 36, f"{step.taken:,}, at the end {step.end:,}", "fine")
        y += _ROW
    drawing.line([(24, y), (_BAR_END, y)], "grid")
    for line in _CAPTION:
        y += 16
        drawing.text(24, y, line, "small")
    return drawing.finished(y + 16)


def _stores(step: Step) -> str:
    if not step.blocks:
        return f"{step.function}: no device"
    return f"{step.function}: " + ", ".join(f"{name} {count}" for name, count in step.blocks)
