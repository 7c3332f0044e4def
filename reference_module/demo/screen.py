"""What is seen while the module runs: plain lines, or on a terminal a small picture beside the latest ones."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from reference_module.demo.video import SIDE

_COLUMNS = (48, 32, 24)
"""Of the picture, the first for which there is room; a character shows two of its rows, one above the other."""
_BESIDE = 54
"""Columns that the lines need at the least; what is longer is cut."""


class Screen:
    """A context manager: a terminal is left as it was found."""

    def __init__(self, console: Console) -> None:
        self._console = console
        room = [columns for columns in _COLUMNS if console.width >= columns + 2 + _BESIDE]
        self._columns = room[0] if room and console.is_terminal and not console.no_color else 0
        self._live = Live(console=console, auto_refresh=False) if self._columns else None
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, line: str, pixels: bytes) -> None:
        if self._live is None:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
            return
        self._lines = [*self._lines, line][-self._columns // 2 :]
        beside = Table.grid(padding=(0, 2))
        words = Text("\n".join(self._lines), no_wrap=True, overflow="crop")
        beside.add_row(half_blocks(pixels, self._columns), words)
        self._live.update(beside, refresh=True)


def half_blocks(pixels: bytes, columns: int) -> Text:
    """The picture in characters of two pixels each, the upper one the foreground's colour."""
    step = SIDE // columns
    text = Text(no_wrap=True)
    for row in range(0, SIDE, 2 * step):
        for column in range(0, SIDE, step):
            upper = pixels[row * SIDE + column]
            lower = pixels[(row + step) * SIDE + column]
            text.append("▀", style=f"rgb({upper},{upper},{upper}) on rgb({lower},{lower},{lower})")
        if row + 2 * step < SIDE:
            text.append("\n")
    return text
