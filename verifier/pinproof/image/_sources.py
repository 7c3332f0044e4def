"""Function and source line of an address: for messages only."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter

from pinproof.errors import ImageError
from pinproof.image._image import Image, Symbol
from pinproof.image._lines import LineRow, read_lines

_address = attrgetter("address")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMap:
    """What the image says about where its code comes from. An empty map answers None to everything."""

    functions: tuple[Symbol, ...] = ()
    """By address."""
    rows: tuple[LineRow, ...] = ()
    """By address."""

    def lookup(self, address: int) -> tuple[str | None, str | None]:
        """The function that contains `address`, and its source line as "file:number"; each None where unknown."""
        return self._function(address), self._line(address)

    def _function(self, address: int) -> str | None:
        index = bisect_right(self.functions, address, key=_address) - 1
        if index < 0:
            return None
        symbol = self.functions[index]
        # A handler in assembly often has size 0: its name then counts for its first instruction.
        return symbol.name if address < symbol.address + max(symbol.size, 2) else None

    def _line(self, address: int) -> str | None:
        index = bisect_right(self.rows, address, key=_address) - 1
        return self.rows[index].line if index >= 0 and address < self.rows[index].end else None


def read_source_map(data: bytes, image: Image) -> SourceMap:
    """The map of `image`, which was read from `data`. Never raises: what cannot be read is not in the map."""
    functions = tuple(symbol for symbol in image.symbols if symbol.function)
    try:
        rows = read_lines(data, "image") if image.kind == "elf" else ()
    except ImageError:
        rows = ()
    # Functions that the linker dropped keep their lines, at addresses that nothing is loaded to.
    loaded = tuple(row for row in rows if image.read(row.address, 1) is not None)
    return SourceMap(functions=functions, rows=loaded)
