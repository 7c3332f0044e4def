"""The camera's lines as functions of time: what the HM01B0 is expected to send as the gate sets it up, and its faults.

Sizes and timing are those of the gate's table (reference_module/gate/sensor.c): 132 lines of 215 pixel clocks, of
which 122 lines of 162 carry pixels. Data and the valid signals change when the pixel clock falls, or would; the clock
is low outside pixels. That the sensor really does so is not known here: nothing has been tried on silicon.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WIDTH, HEIGHT = 162, 122
LINE_CLOCKS, FRAME_LINES = 215, 132
SIDE = 96
LEFT, TOP = (WIDTH - SIDE) // 2, (HEIGHT - SIDE) // 2
PIXEL_CLOCK, LINE_VALID, FRAME_VALID = 1 << 8, 1 << 9, 1 << 10


def pixel(frame: int, line: int, column: int) -> int:
    """Different from its neighbours in every direction, and from the same place of other frames."""
    return line * 7 + column * 3 + frame * 11 & 0xFF


def middle(frame: int) -> bytes:
    """What the gate is to keep of a frame."""
    return bytes(pixel(frame, TOP + row, LEFT + column) for row in range(SIDE) for column in range(SIDE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """Lines that hold a level from some place of some frame on."""

    mask: int
    level: int
    frame: int = 0
    line: int = 0


@dataclass(slots=True, kw_only=True)
class Camera:
    """`levels` gives port C at a time in cycles of the processor."""

    hertz: float
    """Of the pixel clock."""
    processor: float = 84e6
    frame: int = 0
    line: int = HEIGHT - 2
    """Where it is at time 0: by default in the last but one line of a frame, to keep runs short."""
    column: float = 0.0
    early: float = 0.5
    """By how many pixel clocks line valid precedes the clock's first rise."""
    widths: dict[tuple[int, int], int] = field(default_factory=dict)
    """Pixels of a line, by frame and line, where they are not WIDTH."""
    heights: dict[int, int] = field(default_factory=dict)
    """Lines of a frame, where they are not HEIGHT."""
    stuck: tuple[Stuck, ...] = ()
    reads: int = 0

    def levels(self, time: int) -> int:
        self.reads += 1
        begun = (self.frame * FRAME_LINES + self.line) * LINE_CLOCKS + self.column
        clocks = begun + time * self.hertz / self.processor
        at, column = divmod(clocks, LINE_CLOCKS)
        frame, line = divmod(int(at), FRAME_LINES)
        levels = self._sent(frame, line, column)
        for each in self.stuck:
            if (frame, line) >= (each.frame, each.line):
                levels = levels & ~each.mask | each.level & each.mask
        return levels

    def _sent(self, frame: int, line: int, column: float) -> int:
        if line >= self.heights.get(frame, HEIGHT):
            return 0
        width = self.widths.get((frame, line), WIDTH)
        levels = FRAME_VALID
        if 0.5 - self.early <= column < width:
            levels |= LINE_VALID
        if column < width:
            levels |= pixel(frame, line, int(column))
            if column % 1 >= 0.5:
                levels |= PIXEL_CLOCK
        return levels
