"""Bytes to `Image`: the only reader of firmware bytes in the trusted path.

An `Image` in hand is proof that the file parsed and that every flashing tool places the same bytes at the same
addresses. Whatever two tools could read in two ways is an `ImageError`. The ELF structures are read through pyelftools;
Intel HEX is read here, strictly, because a library would be one more dependency of the trusted path for 150 lines, and
those at hand are made to be lenient.
"""

from __future__ import annotations

from pinproof.image._elf import ELF_MAGIC, read_elf
from pinproof.image._hex import read_hex
from pinproof.image._image import Image, Moved, Segment, Symbol, error
from pinproof.image._sources import SourceMap, read_source_map

MAX_FILE_SIZE = 16 * 1024 * 1024
"""Bytes. The largest flash of a part in sight is 2 MiB; with debug information an ELF stays far below this."""


def read_image(data: bytes, name: str) -> Image:
    """Read a firmware image, ELF or Intel HEX by its first bytes.

    `name` is what messages call the file. Raises `ImageError`, one line, for anything malformed, ambiguous or not for
    this architecture, and nothing else.
    """
    if not data:
        raise error(name, "the file is empty")
    if len(data) > MAX_FILE_SIZE:
        raise error(name, f"the file has {len(data)} bytes, more than {MAX_FILE_SIZE}")
    if data.startswith(ELF_MAGIC):
        return read_elf(data, name)
    if data.startswith(b":"):
        return read_hex(data, name)
    raise error(name, "neither an ELF file nor Intel HEX")


__all__ = ["MAX_FILE_SIZE", "Image", "Moved", "Segment", "SourceMap", "Symbol", "read_image", "read_source_map"]
