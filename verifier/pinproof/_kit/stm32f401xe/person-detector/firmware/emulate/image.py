"""What the harness must know of an image: where its vectors lead, and the addresses of symbols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from firmware.emulate.errors import EmulationError

VECTOR_COUNT = 101
FLASH_START = 0x08000000


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    path: Path
    vectors: tuple[int, ...]
    """Handler of each exception number from 1 (reset) on, without Thumb bit, preceded by the initial stack pointer."""
    symbols: Mapping[str, int]
    """Addresses, without Thumb bit for functions."""

    def address(self, name: str) -> int:
        """Raises EmulationError where there is no such symbol."""
        if name not in self.symbols:
            raise EmulationError(f"{self.path}: has no symbol {name}")
        return self.symbols[name]


def read_image(path: Path) -> Image:
    """Raises EmulationError where that is no image, or one that tells too little."""
    try:
        with path.open("rb") as stream:
            return _read(path, ELFFile(stream))
    except OSError as error:
        raise EmulationError(f"{path}: {error.strerror}") from error
    except (ELFError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise EmulationError(f"{path}: not a readable ELF image: {error}") from error


def _read(path: Path, elf: ELFFile) -> Image:
    table = elf.get_section_by_name(".symtab")
    if not isinstance(table, SymbolTableSection):
        raise EmulationError(f"{path}: has no symbols, by which frame, mailbox and handlers are found")
    symbols = {
        symbol.name: symbol["st_value"] & (~1 if symbol["st_info"]["type"] == "STT_FUNC" else ~0)
        for symbol in table.iter_symbols()
    }
    first = next((segment for segment in elf.iter_segments("PT_LOAD") if segment["p_paddr"] == FLASH_START), None)
    if first is None:
        raise EmulationError(f"{path}: nothing is loaded at {FLASH_START:#x}, where the vectors must be")
    words = first.data()[: 4 * VECTOR_COUNT]
    table_words = [int.from_bytes(words[at : at + 4], "little") for at in range(0, len(words) & ~3, 4)]
    if len(table_words) < 2:
        raise EmulationError(f"{path}: no vector table at {FLASH_START:#x}")
    return Image(path=path, vectors=(table_words[0], *(word & ~1 for word in table_words[1:])), symbols=symbols)
