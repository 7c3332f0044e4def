"""The three kinds of header of an ELF file, read through pyelftools into frozen types.

Everything that pyelftools does happens here, before these functions return, and every exception of it ends here.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from elftools.common.exceptions import DWARFError, ELFError
from elftools.common.utils import struct_parse
from elftools.construct import ConstructError
from elftools.elf.structs import ELFStructs

from pinproof.image._image import error

ELF_MAGIC = b"\x7fELF"
MAX_SEGMENTS = 64
MAX_SECTIONS = 4096
_HEADER_SIZE, _SEGMENT_HEADER_SIZE, _SECTION_HEADER_SIZE = 52, 32, 40
_CLASS_32, _LITTLE_ENDIAN = 1, 1
_EABI_MASK, _EABI_5, _BE8 = 0xFF000000, 0x05000000, 0x00800000
"""`e_flags` of ELF for the Arm Architecture (IHI 0044), 5.2: EABI version, and code in big-endian data."""
_PYELFTOOLS_ERRORS = (
    ELFError,
    DWARFError,
    ConstructError,
    struct.error,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfHeader:
    entry: int
    segments_at: int
    segments: int
    sections_at: int
    sections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentHeader:
    index: int
    type: str
    """Name of the type, or its number in hex where pyelftools has no name."""
    offset: int
    virtual: int
    """Where the bytes are meant to be used (VMA)."""
    physical: int
    """Where the bytes are loaded (LMA)."""
    file_size: int
    memory_size: int
    flags: int

    @property
    def where(self) -> str:
        return f"program header {self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionHeader:
    index: int
    type: str
    flags: int
    address: int
    offset: int
    size: int
    link: int
    entry_size: int
    name_at: int
    """Offset of the name in the section name table."""

    @property
    def where(self) -> str:
        return f"section header {self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    elf: ElfHeader
    segments: tuple[SegmentHeader, ...]
    sections: tuple[SectionHeader, ...]
    names: int
    """Index of the section that holds the section names, 0 for none."""


def read_headers(data: bytes, name: str) -> Headers:
    """All headers of `data`, each table wholly inside the file. Raises `ImageError`."""
    _refuse_other_ident(data, name)
    structs = ELFStructs(little_endian=True, elfclass=32)
    try:
        structs.create_basic_structs()
        fields = struct_parse(structs.Elf_Ehdr, BytesIO(data), 0)
        _refuse_other_machine(fields, name)
        structs.create_advanced_structs("ET_EXEC", "EM_ARM", "ELFOSABI_SYSV")
        elf = _elf_header(fields, len(data), name)
        stream = BytesIO(data)
        segments = tuple(
            _segment_header(
                index, struct_parse(structs.Elf_Phdr, stream, elf.segments_at + index * _SEGMENT_HEADER_SIZE)
            )
            for index in range(elf.segments)
        )
        sections = tuple(
            _section_header(
                index, struct_parse(structs.Elf_Shdr, stream, elf.sections_at + index * _SECTION_HEADER_SIZE)
            )
            for index in range(elf.sections)
        )
        return Headers(elf=elf, segments=segments, sections=sections, names=int(fields["e_shstrndx"]))
    except _PYELFTOOLS_ERRORS as cause:
        raise error(name, f"ELF headers cannot be read ({type(cause).__name__})") from cause


def _refuse_other_ident(data: bytes, name: str) -> None:
    if len(data) < _HEADER_SIZE:
        raise error(name, f"the file is truncated: {len(data)} bytes, an ELF header has {_HEADER_SIZE}")
    if data[4] != _CLASS_32:
        raise error(name, f"ELF header: class {data[4]}, must be 1 (32-bit)")
    if data[5] != _LITTLE_ENDIAN:
        raise error(name, f"ELF header: byte order {data[5]}, must be 1 (little-endian)")
    if data[6] != 1:
        raise error(name, f"ELF header: version {data[6]}, must be 1")


def _refuse_other_machine(fields: Mapping[str, object], name: str) -> None:
    if fields["e_machine"] != "EM_ARM":
        raise error(name, f"ELF header: machine {fields['e_machine']}, must be EM_ARM")
    if fields["e_type"] != "ET_EXEC":
        raise error(name, f"ELF header: type {fields['e_type']}, must be ET_EXEC (linked, at fixed addresses)")
    if fields["e_version"] != "EV_CURRENT":
        raise error(name, "ELF header: version is not 1")
    flags = fields["e_flags"]
    if not isinstance(flags, int) or flags & _EABI_MASK != _EABI_5 or flags & _BE8:
        raise error(name, f"ELF header: flags 0x{flags:08X}, must be little-endian Arm EABI version 5")


def _elf_header(fields: Mapping[str, int], length: int, name: str) -> ElfHeader:
    if fields["e_ehsize"] != _HEADER_SIZE:
        raise error(name, f"ELF header: size {fields['e_ehsize']}, must be {_HEADER_SIZE}")
    header = ElfHeader(
        entry=fields["e_entry"],
        segments_at=fields["e_phoff"],
        segments=fields["e_phnum"],
        sections_at=fields["e_shoff"],
        sections=fields["e_shnum"],
    )
    if not header.segments:
        raise error(name, "ELF header: no program headers, so nothing is loaded")
    if header.segments > MAX_SEGMENTS:
        raise error(name, f"ELF header: {header.segments} program headers, more than {MAX_SEGMENTS}")
    if header.sections > MAX_SECTIONS:
        raise error(name, f"ELF header: {header.sections} section headers, more than {MAX_SECTIONS}")
    if bool(header.sections) != bool(header.sections_at):
        raise error(name, "ELF header: number and offset of the section headers disagree")
    if fields["e_phentsize"] != _SEGMENT_HEADER_SIZE:
        raise error(name, f"ELF header: program header size {fields['e_phentsize']}, must be {_SEGMENT_HEADER_SIZE}")
    if header.sections and fields["e_shentsize"] != _SECTION_HEADER_SIZE:
        raise error(name, f"ELF header: section header size {fields['e_shentsize']}, must be {_SECTION_HEADER_SIZE}")
    if header.segments_at + header.segments * _SEGMENT_HEADER_SIZE > length:
        raise error(name, "ELF header: the program headers run past the end of the file")
    if header.sections_at + header.sections * _SECTION_HEADER_SIZE > length:
        raise error(name, "ELF header: the section headers run past the end of the file")
    return header


def _type_name(value: object) -> str:
    return f"0x{value:X}" if isinstance(value, int) else str(value)


def _segment_header(index: int, fields: Mapping[str, int]) -> SegmentHeader:
    return SegmentHeader(
        index=index,
        type=_type_name(fields["p_type"]),
        offset=fields["p_offset"],
        virtual=fields["p_vaddr"],
        physical=fields["p_paddr"],
        file_size=fields["p_filesz"],
        memory_size=fields["p_memsz"],
        flags=fields["p_flags"],
    )


def _section_header(index: int, fields: Mapping[str, int]) -> SectionHeader:
    return SectionHeader(
        index=index,
        type=_type_name(fields["sh_type"]),
        flags=fields["sh_flags"],
        address=fields["sh_addr"],
        offset=fields["sh_offset"],
        size=fields["sh_size"],
        link=fields["sh_link"],
        entry_size=fields["sh_entsize"],
        name_at=fields["sh_name"],
    )
