"""A drawing: rectangles, lines and text with a class each, on a panel of its own, readable on light and dark pages."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

_STYLE = """
svg { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
text { fill: #1b2430; }
.panel { fill: #ffffff; stroke: #c9d1da; }
.title { font-size: 17px; font-weight: 600; }
.head { font-weight: 600; }
.small { font-size: 11px; fill: #55616f; }
.mono { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.fine { font: 11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #55616f; }
.no { fill: #8a95a1; }
.gate { fill: #cfe0f7; stroke: #3d6fb4; }
.confined { fill: #fbe3bf; stroke: #b9770e; }
.model { fill: #e4d8f3; stroke: #7a53ad; }
.frame { fill: #d3ecd2; stroke: #3f8a3d; }
.stack { fill: #f6d6d3; stroke: #b5483c; }
.unused { fill: #f3f5f7; stroke: #c9d1da; }
.device { fill: #e3e8ed; stroke: #7b8794; }
.axis { stroke: #7b8794; fill: none; }
.grid { stroke: #dbe1e7; fill: none; }
.edge { stroke: #b5483c; stroke-dasharray: 4 3; fill: none; }
.pin { stroke: #b5483c; stroke-width: 2.5; fill: none; }
.signal { stroke: #3d6fb4; stroke-width: 2; fill: none; }
.dot { fill: #b5483c; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6ebf0; }
  .panel { fill: #161b22; stroke: #3a434d; }
  .small, .fine { fill: #a3afbb; }
  .no { fill: #76818d; }
  .gate { fill: #1f3a5f; stroke: #79a8e6; }
  .confined { fill: #57401a; stroke: #e3a94a; }
  .model { fill: #3f2f5a; stroke: #b392e0; }
  .frame { fill: #234a25; stroke: #7cc97a; }
  .stack { fill: #5a2a26; stroke: #ec8b80; }
  .unused { fill: #1e252d; stroke: #3a434d; }
  .device { fill: #2b333c; stroke: #8b98a5; }
  .axis { stroke: #8b98a5; }
  .grid { stroke: #2e3740; }
  .edge { stroke: #ec8b80; }
  .pin { stroke: #ec8b80; }
  .signal { stroke: #79a8e6; }
  .dot { fill: #ec8b80; }
}
"""


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


@dataclass(slots=True)
class Drawing:
    """Measures are in pixels from the top left corner."""

    width: int
    title: str
    description: str
    """The figure in words, for whoever does not see it."""
    _root: ElementTree.Element = field(init=False)

    def __post_init__(self) -> None:
        self._root = ElementTree.Element("g")
        self.text(24, 36, self.title, "title")

    def rectangle(self, x: float, y: float, width: float, height: float, kind: str, tip: str = "") -> None:
        made = self._add("rect", kind, x=x, y=y, width=width, height=height)
        if tip:
            ElementTree.SubElement(made, "title").text = tip

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        made = self._add("text", kind, x=x, y=y)
        if anchor != "start":
            made.set("text-anchor", anchor)
        made.text = words

    def line(self, points: list[tuple[float, float]], kind: str) -> None:
        made = self._add("polyline", kind)
        made.set("points", " ".join(f"{_number(x)},{_number(y)}" for x, y in points))

    def dot(self, x: float, y: float) -> None:
        self._add("circle", "dot", cx=x, cy=y, r=4)

    def finished(self, height: float) -> str:
        """The file's text: always the same for the same calls."""
        top = ElementTree.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
        top.set("viewBox", f"0 0 {self.width} {_number(height)}")
        top.set("width", str(self.width))
        top.set("height", _number(height))
        ElementTree.SubElement(top, "title").text = self.title
        ElementTree.SubElement(top, "desc").text = self.description
        ElementTree.SubElement(top, "style").text = _STYLE
        panel = {"x": "0.5", "y": "0.5", "rx": "8", "class": "panel"}
        size = {"width": str(self.width - 1), "height": _number(height - 1)}
        ElementTree.SubElement(top, "rect", {**panel, **size})
        top.append(self._root)
        ElementTree.indent(top)
        return ElementTree.tostring(top, encoding="unicode") + "\n"

    def _add(self, tag: str, kind: str, **numbers: float) -> ElementTree.Element:
        made = ElementTree.SubElement(self._root, tag, {name: _number(value) for name, value in numbers.items()})
        if kind:
            made.set("class", kind)
        return made
