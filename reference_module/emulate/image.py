"""What the harness must know of an image: where its vectors lead, and the addresses of symbols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

VECTOR_COUNT = 101


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    path: Path
    vectors: tuple[int, ...]
    """Handler of each exception number from 1 (reset) on, without Thumb bit, preceded by the initial stack pointer."""
    symbols: Mapping[str, int]
    """Addresses, without Thumb bit for functions."""

    def address(self, name: str) -> int:
        return self.symbols[name]


def read_image(path: Path) -> Image:
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        table = elf.get_section_by_name(".symtab")
        if table is None:
            raise ValueError(f"{path}: the harness needs symbols")
        assert isinstance(table, SymbolTableSection)
        symbols = {
            symbol.name: symbol["st_value"] & (~1 if symbol["st_info"]["type"] == "STT_FUNC" else ~0)
            for symbol in table.iter_symbols()
        }
        first = next(segment for segment in elf.iter_segments("PT_LOAD") if segment["p_paddr"] == 0x08000000)
        words = first.data()[: 4 * VECTOR_COUNT]
    table_words = [int.from_bytes(words[at : at + 4], "little") for at in range(0, len(words), 4)]
    return Image(path=path, vectors=(table_words[0], *(word & ~1 for word in table_words[1:])), symbols=symbols)
