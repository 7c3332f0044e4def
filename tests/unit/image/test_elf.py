"""ELF: what is accepted, and for each way to be ambiguous or malformed the one line that refuses it."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from pinproof.errors import ImageError
from pinproof.image import MAX_FILE_SIZE, Image, Moved, Segment, Symbol, read_image

from tests.unit.image.files import (
    ALLOCATE,
    CODE,
    DATA,
    HEADER,
    PLAIN,
    PT_DYNAMIC,
    PT_INTERP,
    PT_NOTE,
    PT_NULL,
    PT_TLS,
    READ,
    READ_EXECUTE,
    READ_WRITE,
    SECTION,
    SEGMENT,
    SHT_NOBITS,
    SHT_STRTAB,
    SHT_SYMTAB,
    Elf,
    Load,
    Section,
    patch,
)

GOOD = PLAIN.build()


def refusal(data: bytes, name: str = "fw.elf") -> str:
    with pytest.raises(ImageError) as caught:
        read_image(data, name)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{name}: ")
    return message.removeprefix(f"{name}: ")


def refused(*loads: Load, sections: tuple[Section, ...] | None = None) -> str:
    return refusal(Elf(loads=loads, sections=sections).build())


class TestGoodElf:
    def test_segments_are_the_loaded_bytes(self) -> None:
        image = read_image(GOOD, "fw.elf")
        assert image.segments == (
            Segment(address=0x08000000, data=CODE),
            Segment(address=0x08001000, data=DATA),
        )
        assert image.uninitialised == ((0x20000000, 0x20000100),)
        assert (image.entry, image.kind, image.moved, image.symbols) == (0x08000009, "elf", (), ())

    def test_digest_is_of_the_whole_file(self) -> None:
        assert read_image(GOOD, "a").sha256 != read_image(patch(GOOD, 24, "I", 0x08000001), "a").sha256

    def test_entry_zero_is_none(self) -> None:
        assert read_image(patch(GOOD, 24, "I", 0), "fw.elf").entry is None

    def test_adjacent_segments_are_one_run_in_any_order(self) -> None:
        loads = (Load(address=0x08000040, data=DATA), Load(address=0x08000000, data=CODE))
        assert read_image(Elf(loads=loads).build(), "a").segments == (Segment(address=0x08000000, data=CODE + DATA),)

    def test_without_section_headers_the_segments_alone_count(self) -> None:
        image = read_image(replace(PLAIN, sections=()).build(), "fw.elf")
        assert image.segments == read_image(GOOD, "fw.elf").segments

    def test_initialised_data_is_at_its_load_address(self) -> None:
        data = Load(address=0x20000000, physical=0x08000040, data=DATA, memory_size=12, flags=READ_WRITE)
        image = read_image(Elf(loads=(Load(address=0x08000000, data=CODE), data)).build(), "fw.elf")
        assert image.segments == (Segment(address=0x08000000, data=CODE + DATA),)
        assert image.moved == (Moved(load=0x08000040, run=0x20000000, size=4),)
        assert image.uninitialised == ((0x20000004, 0x2000000C),)

    @pytest.mark.parametrize("kind", [PT_NULL, PT_NOTE, 0x6474E551, 0x70000001])
    def test_headers_that_load_nothing_are_passed_over(self, kind: int) -> None:
        loads = (*PLAIN.loads, Load(address=0x08000000, file_size=8, offset=0, type=kind))
        assert len(read_image(Elf(loads=loads).build(), "fw.elf").segments) == 2

    def test_empty_segments_are_passed_over_wherever_they_point(self) -> None:
        loads = (*PLAIN.loads, Load(address=0x08000010, offset=0xFFFFFF))
        assert read_image(Elf(loads=loads).build(), "fw.elf").segments == read_image(GOOD, "fw.elf").segments

    def test_sections_that_are_not_loaded_may_lie_anywhere(self) -> None:
        sections = (
            Section(name=".code", address=0x08000000, size=64, load=0),
            Section(name=".const", address=0x08001000, size=4, load=1),
            Section(name=".bss", address=0x20000000, size=256, type=SHT_NOBITS),
            Section(name=".comment", address=0, data=b"text", flags=0),
            Section(name=".empty", address=0x08009000),
        )
        assert read_image(replace(PLAIN, sections=sections).build(), "fw.elf").segments == (
            Segment(address=0x08000000, data=CODE),
            Segment(address=0x08001000, data=DATA),
        )


class TestReadingBytes:
    image = read_image(GOOD, "fw.elf")

    def test_read(self) -> None:
        assert self.image.read(0x08000004, 4) == CODE[4:8]
        assert self.image.read(0x08000000, 64) == CODE
        assert self.image.read(0x08001003, 1) == DATA[3:]

    @pytest.mark.parametrize(
        ("address", "length"),
        [
            (0x08000000, 65),
            (0x07FFFFFF, 2),
            (0x0800003F, 2),
            (0x08001004, 1),
            (0, 1),
            (0xFFFFFFFF, 1),
            (0x08000000, -1),
        ],
    )
    def test_read_is_none_where_any_byte_is_missing(self, address: int, length: int) -> None:
        assert self.image.read(address, length) is None

    def test_flash_image_is_filled_as_erased(self) -> None:
        flash = self.image.flash_image(0x08000000, 0x2000)
        assert flash == CODE + b"\xff" * (0x1000 - 64) + DATA + b"\xff" * (0x1000 - 4)
        assert self.image.flash_image(0x08000004, 8) == CODE[4:12]
        assert self.image.flash_image(0x09000000, 4) == b"\xff" * 4

    def test_outside(self) -> None:
        assert self.image.outside(0x08000000, 0x2000) == ()
        assert self.image.outside(0x08000000, 0x1000) == ((0x08001000, 0x08001004),)
        assert self.image.outside(0x08000010, 0x10) == (
            (0x08000000, 0x08000010),
            (0x08000020, 0x08000040),
            (0x08001000, 0x08001004),
        )

    @pytest.mark.parametrize(
        "segments",
        [
            [(4, b"")],
            [(4, b"ab"), (5, b"c")],
            [(4, b"ab"), (6, b"c")],
            [(6, b"a"), (4, b"b")],
            [(0xFFFFFFFF, b"ab")],
            [(-1, b"a")],
        ],
    )
    def test_an_image_that_breaks_its_invariant_cannot_be_made(self, segments: list[tuple[int, bytes]]) -> None:
        with pytest.raises(ValueError, match="segment"):
            Image(
                segments=tuple(Segment(address=address, data=data) for address, data in segments),
                entry=None,
                sha256="",
                kind="elf",
            )


class TestSymbols:
    @staticmethod
    def with_symbols(*rows: tuple[int, int, int, int, int], names: bytes, **changes: int) -> Image:
        table = b"".join(struct.pack("<IIIBBH", *row[:3], row[3], 0, row[4]) for row in rows)
        sections = [
            Section(name=".code", address=0x08000000, size=64, load=0),
            Section(name=".const", address=0x08001000, size=4, load=1),
            Section(name=".symtab", data=table, type=SHT_SYMTAB, flags=0, link=changes.get("link", 4)),
            Section(name=".strtab", data=names, type=SHT_STRTAB, flags=0),
        ]
        return read_image(replace(PLAIN, sections=tuple(sections)).build(), "fw.elf")

    def test_functions_lose_the_thumb_bit_and_stand_by_address(self) -> None:
        image = self.with_symbols((1, 0x08001000, 4, 1, 2), (6, 0x08000009, 8, 2, 1), names=b"\0data\0code\0")
        assert image.symbols == (
            Symbol(name="code", address=0x08000008, size=8, function=True),
            Symbol(name="data", address=0x08001000, size=4, function=False),
        )

    def test_other_kinds_and_undefined_ones_are_left_out(self) -> None:
        image = self.with_symbols((1, 0, 0, 3, 1), (1, 0, 0, 4, 1), (1, 8, 0, 2, 0), names=b"\0x\0")
        assert image.symbols == ()

    def test_names_cannot_carry_control_characters(self) -> None:
        image = self.with_symbols((1, 0x08000001, 4, 2, 1), names="\0a\x1b[2K\nb\u202e\0".encode())
        assert image.symbols[0].name == "a?[2K?b?"

    @pytest.mark.parametrize("link", [0, 3, 77])
    def test_a_broken_table_gives_no_names_and_no_error(self, link: int) -> None:
        assert self.with_symbols((9999, 0x08000001, 4, 2, 1), names=b"\0x\0", link=link).symbols == ()

    def test_a_name_without_end_is_left_out(self) -> None:
        assert self.with_symbols((1, 0x08000001, 4, 2, 1), names=b"\0" + b"x" * 300).symbols == ()


class TestRefusedFiles:
    def test_empty(self) -> None:
        assert refusal(b"") == "the file is empty"

    def test_huge(self) -> None:
        assert refusal(bytes(MAX_FILE_SIZE + 1)) == "the file has 16777217 bytes, more than 16777216"

    @pytest.mark.parametrize("data", [b"\x7fEL", b"hello", b"\x00" * 64, b"UF2\n", b" :00000001FF"])
    def test_neither_format(self, data: bytes) -> None:
        assert refusal(data) == "neither an ELF file nor Intel HEX"

    def test_a_name_cannot_break_the_line(self) -> None:
        with pytest.raises(ImageError, match=r"^a\?b: the file is empty$"):
            read_image(b"", "a\nb")

    @pytest.mark.parametrize("length", [4, 20, HEADER - 1])
    def test_truncated_header(self, length: int) -> None:
        assert refusal(GOOD[:length]) == f"the file is truncated: {length} bytes, an ELF header has 52"

    @pytest.mark.parametrize(
        ("offset", "layout", "value", "message"),
        [
            (4, "B", 2, "ELF header: class 2, must be 1 (32-bit)"),
            (5, "B", 2, "ELF header: byte order 2, must be 1 (little-endian)"),
            (6, "B", 0, "ELF header: version 0, must be 1"),
            (16, "H", 1, "ELF header: type ET_REL, must be ET_EXEC (linked, at fixed addresses)"),
            (16, "H", 3, "ELF header: type ET_DYN, must be ET_EXEC (linked, at fixed addresses)"),
            (16, "H", 0x1234, "ELF header: type 4660, must be ET_EXEC (linked, at fixed addresses)"),
            (18, "H", 62, "ELF header: machine EM_X86_64, must be EM_ARM"),
            (18, "H", 0xBEEF, "ELF header: machine 48879, must be EM_ARM"),
            (20, "I", 2, "ELF header: version is not 1"),
            (36, "I", 0, "ELF header: flags 0x00000000, must be little-endian Arm EABI version 5"),
            (36, "I", 0x05800000, "ELF header: flags 0x05800000, must be little-endian Arm EABI version 5"),
            (40, "H", 64, "ELF header: size 64, must be 52"),
            (42, "H", 56, "ELF header: program header size 56, must be 32"),
            (44, "H", 0, "ELF header: no program headers, so nothing is loaded"),
            (44, "H", 65, "ELF header: 65 program headers, more than 64"),
            (46, "H", 64, "ELF header: section header size 64, must be 40"),
            (48, "H", 4097, "ELF header: 4097 section headers, more than 4096"),
            (48, "H", 0, "ELF header: number and offset of the section headers disagree"),
            (32, "I", 0, "ELF header: number and offset of the section headers disagree"),
            (28, "I", 0xFFFFFFF0, "ELF header: the program headers run past the end of the file"),
            (32, "I", 0xFFFFFFF0, "ELF header: the section headers run past the end of the file"),
        ],
    )
    def test_header(self, offset: int, layout: str, value: int, message: str) -> None:
        assert refusal(patch(GOOD, offset, layout, value)) == message

    def test_truncated_section_headers(self) -> None:
        assert refusal(GOOD[:-1]) == "ELF header: the section headers run past the end of the file"


class TestRefusedSegments:
    @pytest.mark.parametrize(
        ("kind", "shown"),
        [(PT_INTERP, "PT_INTERP"), (PT_DYNAMIC, "PT_DYNAMIC"), (PT_TLS, "PT_TLS"), (0x12345, "0x12345")],
    )
    def test_type_that_needs_a_loader(self, kind: int, shown: str) -> None:
        message = refused(Load(address=0x08000000, data=CODE, type=kind))
        assert message == f"program header 0: type {shown} is not for a module that has no loader"

    def test_less_memory_than_bytes(self) -> None:
        message = refused(Load(address=0x08000000, data=CODE, memory_size=63))
        assert message == "program header 0: 64 bytes in the file, 63 in memory"

    def test_past_the_file(self) -> None:
        message = refused(Load(address=0x08000000, data=CODE), Load(address=0x08001000, file_size=4, offset=0xFFFFFFFF))
        assert message == "program header 1: bytes past the end of the file"

    @pytest.mark.parametrize(
        "load",
        [
            Load(address=0xFFFFFFC1, data=CODE),
            Load(address=0x20000000, physical=0xFFFFFFC1, data=CODE, flags=READ),
            Load(address=0xFFFFFFFF, memory_size=2),
        ],
    )
    def test_past_the_address_space(self, load: Load) -> None:
        assert refused(load) == "program header 0: addresses past the end of the address space"

    def test_up_to_the_end_of_the_address_space_is_possible(self) -> None:
        data = Elf(loads=(Load(address=0xFFFFFFC0, data=CODE),)).build()
        assert read_image(data, "fw.elf").segments[0].end == 1 << 32

    def test_code_that_runs_elsewhere(self) -> None:
        message = refused(Load(address=0x20000000, physical=0x08000000, data=CODE, flags=READ_EXECUTE))
        assert message == "program header 0: code is loaded at 0x08000000 but linked to run at 0x20000000"

    def test_overlap(self) -> None:
        message = refused(Load(address=0x08000000, data=CODE), Load(address=0x0800003C, data=CODE))
        assert message == "program header 0 and program header 1: bytes 0x0800003C-0x0800003F are loaded twice"

    def test_overlap_of_equal_bytes_is_no_better(self) -> None:
        twice = Load(address=0x08000000, data=CODE)
        assert refused(twice, twice).endswith("bytes 0x08000000-0x0800003F are loaded twice")

    def test_overlap_inside_a_larger_segment(self) -> None:
        message = refused(Load(address=0x08000010, data=DATA), Load(address=0x08000000, data=CODE))
        assert message == "program header 1 and program header 0: bytes 0x08000010-0x08000013 are loaded twice"

    def test_overlap_of_load_addresses_alone(self) -> None:
        message = refused(
            Load(address=0x08000000, data=CODE),
            Load(address=0x20000000, physical=0x0800003F, data=DATA, flags=READ_WRITE),
        )
        assert message == "program header 0 and program header 1: bytes 0x0800003F-0x0800003F are loaded twice"

    def test_overlap_at_run_time(self) -> None:
        message = refused(
            Load(address=0x08000000, data=CODE),
            Load(address=0x20000000, memory_size=16, flags=READ_WRITE),
            Load(address=0x2000000F, memory_size=16, flags=READ_WRITE),
        )
        assert message == "program header 1 and program header 2: bytes 0x2000000F-0x2000000F are used twice"

    def test_cleared_memory_over_loaded_bytes(self) -> None:
        message = refused(
            Load(address=0x20000000, physical=0x08000100, data=DATA, flags=READ_WRITE),
            Load(address=0x08000100, memory_size=2, flags=READ_WRITE),
        )
        assert message == (
            "program header 1 and program header 0: bytes 0x08000100-0x08000101 are loaded, and used for something else"
        )

    def test_data_moved_onto_its_own_load_address(self) -> None:
        message = refused(Load(address=0x08000002, physical=0x08000000, data=DATA, flags=READ_WRITE))
        assert message == "program header 0: bytes 0x08000002-0x08000003 are loaded, and used for something else"

    def test_nothing_loaded(self) -> None:
        assert refused(Load(address=0x20000000, memory_size=4)) == "the program headers load no bytes"


class TestRefusedSections:
    def test_section_outside_every_segment(self) -> None:
        sections = (
            Section(name=".code", address=0x08000000, size=64, load=0),
            Section(name=".more", address=0x08004000, data=DATA),
        )
        message = refused(Load(address=0x08000000, data=CODE), sections=sections)
        assert message == "section header 2: bytes 0x08004000-0x08004003 are in no loadable segment"

    def test_section_that_runs_out_of_its_segment(self) -> None:
        sections = (Section(name=".code", address=0x08000000, size=65, load=0),)
        message = refused(Load(address=0x08000000, data=CODE), sections=sections)
        assert message == "section header 1: bytes 0x08000000-0x08000040 are in no loadable segment"

    def test_section_in_the_cleared_part_of_a_segment(self) -> None:
        sections = (
            Section(name=".code", address=0x08000000, size=64, load=0),
            Section(name=".data", address=0x08000040, data=DATA),
        )
        message = refused(Load(address=0x08000000, data=CODE, memory_size=128), sections=sections)
        assert message == "section header 2: bytes 0x08000040-0x08000043 are in no loadable segment"

    def test_section_with_other_bytes(self) -> None:
        sections = (
            Section(name=".code", address=0x08000000, size=60, load=0),
            Section(name=".fake", address=0x0800003C, data=DATA),
        )
        message = refused(Load(address=0x08000000, data=CODE), sections=sections)
        assert message == "section header 2 and program header 0: different bytes at 0x0800003C"

    @pytest.mark.parametrize(
        ("ranges", "gap"),
        [
            ([(0, 60)], "0x0800003C-0x0800003F"),
            ([(4, 60)], "0x08000000-0x08000003"),
            ([(0, 20), (24, 40)], "0x08000014-0x08000017"),
            ([(32, 32), (0, 31)], "0x0800001F-0x0800001F"),
        ],
    )
    def test_bytes_that_no_section_has(self, ranges: list[tuple[int, int]], gap: str) -> None:
        sections = tuple(
            Section(name=f".{at}", address=0x08000000 + at, size=size, load=0, at=at) for at, size in ranges
        )
        message = refused(Load(address=0x08000000, data=CODE), sections=sections)
        assert message == (
            f"program header 0: bytes {gap} lie in no section, so tools that program sections leave them erased; "
            "let the linker script fill them inside a section"
        )

    def test_only_the_elf_header_is_loaded(self) -> None:
        """A linker that maps its own header into the first segment: tools by segment would program it."""
        header = Load(address=0x08000000 - HEADER, offset=0, file_size=HEADER, flags=READ)
        message = refused(header, *PLAIN.loads, sections=tuple(
            Section(name=f".{index}", address=load.address, size=len(load.data), load=index + 1)
            for index, load in enumerate(PLAIN.loads) if load.data
        ))  # fmt: skip
        assert message.startswith("program header 0: bytes 0x07FFFFCC-0x07FFFFFF lie in no section")

    def test_compressed(self) -> None:
        sections = (Section(name=".code", address=0x08000000, size=64, load=0, flags=ALLOCATE | 0x800),)
        message = refused(Load(address=0x08000000, data=CODE), sections=sections)
        assert message == "section header 1: a compressed section cannot be loaded"


def test_field_offsets_of_the_builder_are_those_of_the_format() -> None:
    """So that the parametrised offsets above hit what they name."""
    assert (struct.calcsize("<16sHHIIIIIHHHHHH"), 32, 40) == (HEADER, SEGMENT, SECTION)
    assert struct.unpack_from("<HH", GOOD, 16) == (2, 40)
    assert struct.unpack_from("<HHHHHH", GOOD, 40) == (52, 32, 3, 40, 4, 3)
