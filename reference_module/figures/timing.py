"""When the pin may move: some periods with their answers, and one period's instructions on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reference_module.emulate.measure import Measured
from reference_module.emulate.periods import Period
from reference_module.figures.svg import Drawing
from reference_module.products import Product

_WIDTH, _LEFT, _RIGHT = 880, 150, 856
_LANE = 44
_AXIS, _ROW = 330, 42


def draw(
    product: Product, periods: Sequence[Period], measured: Measured, tick_cycles: int | None, pins: Sequence[str]
) -> str:
    """The figure as a file's text. `tick_cycles`: the proved bound of the tick's handler."""
    drawing = Drawing(
        width=_WIDTH,
        title=f"When the pin may move: the {product.title}",
        description="Above: in each period the answer to the frame of the period before is preloaded, and the pin "
        "takes it over at the next update event of the timer, at no other time. Below: what happens within one period, "
        "by instructions since the update event.",
    )
    y = _periods(drawing, periods, pins, 62)
    y = _within(drawing, measured, tick_cycles, y + 18)
    return drawing.finished(y)


def _periods(drawing: Drawing, periods: Sequence[Period], pins: Sequence[str], top: float) -> float:
    width = (_RIGHT - _LEFT) / len(periods)
    edges = [_LEFT + width * number for number in range(len(periods) + 1)]
    bottom = top + 20 + _LANE * (1 + 2 * len(pins))
    for number, x in enumerate(edges):
        drawing.line([(x, top + 16), (x, bottom)], "edge")
        if number < len(periods):
            drawing.text(x + 4, top + 10, f"{'period ' if width > 64 else ''}{periods[number].number}", "small")
    y = top + 20
    _marks(drawing, y, ("answer", "in the mailbox"), edges, [str(period.mailbox) for period in periods])
    for number, pin in enumerate(pins):
        y += _LANE
        words = [_level(period, period.compares[number]) for period in periods]
        _marks(drawing, y, ("preloaded", f"for {pin}, by the tick"), edges, words)
        y += _LANE
        _lane(drawing, y, pin, "the pin")
        points: list[tuple[float, float]] = []
        for index, period in enumerate(periods):
            level = y + (10 if period.levels[number] else 34)
            points += [(edges[index], level), (edges[index + 1], level)]
        drawing.line(points, "pin")
    for line in _RUN:
        bottom += 15
        drawing.text(_LEFT, bottom, line, "small")
    return bottom


def _marks(
    drawing: Drawing, y: float, name: tuple[str, str], edges: Sequence[float], words: Sequence[str]
) -> None:
    """A lane of what happens once, right after each update event."""
    _lane(drawing, y, *name)
    for x, word in zip(edges, words, strict=False):
        drawing.dot(x + 3, y + 22)
        drawing.text(x + 10, y + 26, word, "mono")


def _lane(drawing: Drawing, y: float, name: str, remark: str) -> None:
    drawing.text(24, y + 20, name, "head")
    drawing.text(24, y + 35, remark, "small")
    drawing.line([(_LEFT, y + _LANE), (_RIGHT, y + _LANE)], "grid")


_RUN = (
    "Dashed: the timer's update events. From a run in QEMU, answers put into the mailbox by the debugger;",
    "the levels follow from the compare value in force, since QEMU has no pin.",
)


def _level(period: Period, compare: int) -> str:
    return "never" if compare == 0 else "always" if compare > period.reload else f"at {compare:,}"


def _within(drawing: Drawing, measured: Measured, tick_cycles: int | None, top: float) -> float:
    tick, period = measured.tick, measured.start.period
    rows = [
        _Row("mailbox read, answer preloaded", tick.mailbox_read, tick.preloaded, "gate"),
        _Row("confined memory wiped", tick.wipe, tick.capture, "gate"),
    ]
    if tick_cycles is not None:
        rows.append(_Row("frame captured, at the latest", tick.capture, tick_cycles, "frame", proved=True))
    drawing.text(24, top + 14, "within one tick", "head")
    drawing.text(_AXIS, top + 14, "instructions since the update event, logarithmic", "small")
    y = top + 26
    bottom = y + _ROW * len(rows)
    scale = (_RIGHT - _AXIS) / math.log10(period)
    for power in range(int(math.log10(period)) + 1):
        x = _AXIS + scale * power
        drawing.line([(x, y), (x, bottom)], "grid")
        words = f"{10**power:,}" if power < 6 else f"{10 ** (power - 6)} million"
        drawing.text(x, bottom + 14, words, "small", "middle")
    drawing.line([(_RIGHT, y), (_RIGHT, bottom)], "edge")
    for row in rows:
        left, right = (_AXIS + scale * math.log10(max(count, 1)) for count in (row.begin, min(row.end, period)))
        drawing.text(24, y + 18, row.words)
        drawing.text(24, y + 33, row.amount(period), "fine")
        drawing.rectangle(left, y + 9, max(2.0, right - left), 22, row.kind, tip=f"{row.begin:,} to {row.end:,}")
        y += _ROW
    y = _whole(drawing, tick_cycles or tick.entry, tick.inference, period, y + 34)
    for line in _CAPTION:
        y += 16
        drawing.text(24, y, line.format(period=f"{period:,}"), "small")
    return y + 16


def _whole(drawing: Drawing, tick: int, inference: int, period: int, top: float) -> float:
    """The period as one bar: the tick as long as it can be, the inference after it, the rest."""
    drawing.text(24, top + 14, "one period", "head")
    drawing.text(_AXIS, top + 14, "linear, tick at its longest", "small")
    rest = max(0, period - tick - inference)
    left = 24.0
    parts = (("tick", tick, "frame"), ("inference", inference, "confined"), ("idle", rest, "unused"))
    shares = ", ".join(f"{words} {_percent(count, period)}" for words, count, _ in parts)
    drawing.text(_RIGHT, top + 14, shares, "fine", "end")
    for words, count, kind in parts:
        width = min((_RIGHT - 24) * count / period, _RIGHT - left)
        if width <= 0:
            continue
        drawing.rectangle(left, top + 26, width, 26, kind, tip=f"{words}: {count:,}")
        drawing.text(left + 6, top + 44, words if width > 8 * len(words) + 12 else "")
        left += width
    drawing.line([(_RIGHT, top + 22), (_RIGHT, top + 56)], "edge")
    return top + 64


@dataclass(frozen=True, slots=True)
class _Row:
    words: str
    begin: int
    end: int
    kind: str
    proved: bool = False
    """Cycles, an upper bound from the proof, counted from the update event; otherwise instructions from a run."""

    def amount(self, period: int) -> str:
        taken = self.end if self.proved else self.end - self.begin
        return f"{taken:,} {'cycles, proved' if self.proved else 'instructions'}, {_percent(taken, period)}"


_CAPTION = (
    "The dashed line is the next update event: a period is {period} counts of the clock. Instructions are counted in",
    "QEMU and are not cycles: on silicon each takes one or more. QEMU has no sensor: the capture is drawn as long as",
    "the whole tick can be, by its proved bound.",
)


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return f"{share:.1f} %" if share >= 1 else f"{share:.2f} %" if share >= 0.01 else "under 0.01 %"
