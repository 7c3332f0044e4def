"""ELF for the Arm architecture: what is loaded where, and no doubt about it.

Flashing tools disagree about an ELF file: some program what the program headers say, some what the sections say; some
put it at load addresses, some at run addresses. The rules here leave only files that all of them read alike:

- the bytes of the loadable segments and of the allocated sections are the same bytes at the same load addresses, with
  no padding between sections that only one of the two views contains;
- no two segments overlap, in load addresses, in run addresses, or in one and the other;
- code runs where it is loaded. Data may be loaded elsewhere (`.data`): the image has it at its load address, which is
  all that the flash holds and all that the machine starts from.
"""

from __future__ import annotations

from itertools import pairwise

from pinproof.image._headers import ELF_MAGIC, Headers, SectionHeader, SegmentHeader, read_headers
from pinproof.image._image import ADDRESS_SPACE, Image, Moved, digest, error, merge, span
from pinproof.image._symbols import read_symbols

_EXECUTABLE = 1
_ALLOCATED, _COMPRESSED = 0x2, 0x800
_IGNORED = frozenset({"PT_NULL", "PT_NOTE", "PT_ARM_EXIDX", "PT_GNU_STACK", "PT_GNU_EH_FRAME"})
"""Segment types that describe and load nothing."""
_BYTELESS = frozenset({"SHT_NULL", "SHT_NOBITS"})

_Range = tuple[int, int, str]
"""Start, end, and which header says so."""


def read_elf(data: bytes, name: str) -> Image:
    """Read an ELF file. Raises `ImageError`."""
    headers = read_headers(data, name)
    loaded = [_checked(segment, len(data), name) for segment in headers.segments if segment.type not in _IGNORED]
    loaded = [segment for segment in loaded if segment.memory_size]
    _refuse_overlap(loaded, name)
    if headers.sections:
        _refuse_disagreement(headers, loaded, name)
    runs = [(segment.physical, data[segment.offset : segment.offset + segment.file_size]) for segment in loaded]
    segments = merge(runs)
    if not segments:
        raise error(name, "the program headers load no bytes")
    return Image(
        segments=segments,
        entry=headers.elf.entry or None,
        sha256=digest(data),
        kind="elf",
        uninitialised=tuple(sorted(_tail(segment) for segment in loaded if segment.memory_size > segment.file_size)),
        moved=tuple(
            Moved(load=segment.physical, run=segment.virtual, size=segment.file_size)
            for segment in loaded
            if segment.file_size and segment.physical != segment.virtual
        ),
        symbols=read_symbols(data, headers),
    )


def _checked(segment: SegmentHeader, length: int, name: str) -> SegmentHeader:
    """`segment`, which is one to load and is possible on its own."""
    where = segment.where
    if segment.type != "PT_LOAD":
        raise error(name, f"{where}: type {segment.type} is not for a module that has no loader")
    if segment.memory_size < segment.file_size:
        raise error(name, f"{where}: {segment.file_size} bytes in the file, {segment.memory_size} in memory")
    if segment.file_size and segment.offset + segment.file_size > length:
        raise error(name, f"{where}: bytes past the end of the file")
    if segment.virtual + segment.memory_size > ADDRESS_SPACE or segment.physical + segment.file_size > ADDRESS_SPACE:
        raise error(name, f"{where}: addresses past the end of the address space")
    if segment.file_size and segment.flags & _EXECUTABLE and segment.physical != segment.virtual:
        raise error(
            name, f"{where}: code is loaded at 0x{segment.physical:08X} but linked to run at 0x{segment.virtual:08X}"
        )
    return segment


def _tail(segment: SegmentHeader) -> tuple[int, int]:
    """Start and end of the part of a segment that has no bytes in the file, where it is at run time."""
    return segment.virtual + segment.file_size, segment.virtual + segment.memory_size


def _refuse_overlap(loaded: list[SegmentHeader], name: str) -> None:
    """No two segments may claim one address: in the flash, at run time, or one in the flash and one at run time."""
    flash = [(s.physical, s.physical + s.file_size, s.where) for s in loaded if s.file_size]
    run_time = [(s.virtual, s.virtual + s.memory_size, s.where) for s in loaded]
    not_loaded_here = [(*_tail(s), s.where) for s in loaded if s.memory_size > s.file_size]
    not_loaded_here += [
        (s.virtual, s.virtual + s.file_size, s.where) for s in loaded if s.file_size and s.physical != s.virtual
    ]
    checks = (
        (flash, "loaded twice"),
        (run_time, "used twice"),
        (flash + not_loaded_here, "loaded, and used for something else"),
    )
    for ranges, what in checks:
        for (_, end, first), (start, second_end, second) in pairwise(sorted(ranges)):
            if start < end:
                both = first if first == second else f"{first} and {second}"
                raise error(name, f"{both}: bytes {span(start, min(end, second_end))} are {what}")


def _refuse_disagreement(headers: Headers, loaded: list[SegmentHeader], name: str) -> None:
    """Segments and sections must hold the same bytes at the same addresses."""
    covered: list[_Range] = []
    for section in headers.sections:
        if not section.flags & _ALLOCATED or section.type in _BYTELESS or not section.size:
            continue
        if section.flags & _COMPRESSED:
            raise error(name, f"{section.where}: a compressed section cannot be loaded")
        home = _home(section, loaded, name)
        start = section.address - home.virtual + home.physical
        covered.append((start, start + section.size, section.where))
    covered.sort()
    for segment in loaded:
        gap = _first_gap(segment.physical, segment.physical + segment.file_size, covered)
        if gap is not None:
            raise error(
                name,
                f"{segment.where}: bytes {span(*gap)} lie in no section, so tools that program sections leave them "
                "erased; let the linker script fill them inside a section",
            )


def _home(section: SectionHeader, loaded: list[SegmentHeader], name: str) -> SegmentHeader:
    """The segment that holds the bytes of `section`, from the same place in the file."""
    end = section.address + section.size
    for segment in loaded:
        if segment.virtual <= section.address and end <= segment.virtual + segment.file_size:
            if section.offset - segment.offset != section.address - segment.virtual:
                raise error(name, f"{section.where} and {segment.where}: different bytes at 0x{section.address:08X}")
            return segment
    raise error(name, f"{section.where}: bytes {span(section.address, end)} are in no loadable segment")


def _first_gap(start: int, end: int, covered: list[_Range]) -> tuple[int, int] | None:
    """The first bytes of `start` to `end` that no range of `covered` (sorted) contains."""
    for low, high, _ in covered:
        if low > start:
            return start, min(low, end)
        start = max(start, high)
        if start >= end:
            return None
    return (start, end) if start < end else None


__all__ = ["ELF_MAGIC", "read_elf"]
