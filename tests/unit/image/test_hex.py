"""Intel HEX: what is accepted, and the one line that refuses everything else."""

from __future__ import annotations

import pytest
from pinproof.errors import ImageError
from pinproof.image import Segment, read_image, read_source_map

from tests.unit.image.files import CODE, DATA, PLAIN, hex_file, hex_record

END = hex_record(1, 0, b"")
ROW = hex_record(0, 0x10, b"abcd")


def read(*records: str, end: str = "\n") -> tuple[Segment, ...]:
    return read_image(end.join(records).encode(), "fw.hex").segments


def refused(*records: str) -> str:
    with pytest.raises(ImageError) as caught:
        read_image("\n".join(records).encode(), "fw.hex")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("fw.hex: ")
    return message.removeprefix("fw.hex: ")


class TestGoodHex:
    def test_linear_base(self) -> None:
        image = read_image(hex_file([(0x0800FFF0, CODE), (0x08020000, DATA)], entry=0x08000009), "fw.hex")
        assert image.segments == (Segment(address=0x0800FFF0, data=CODE), Segment(address=0x08020000, data=DATA))
        assert (image.entry, image.kind, image.uninitialised, image.symbols) == (0x08000009, "intel-hex", (), ())

    def test_segment_base(self) -> None:
        assert read(hex_record(2, 0, b"\x10\x00"), ROW, END) == (Segment(address=0x10010, data=b"abcd"),)

    def test_segment_start(self) -> None:
        text = "\n".join([ROW, hex_record(3, 0, b"\x12\x34\x00\x05"), END]).encode()
        assert read_image(text, "fw.hex").entry == 0x12345

    def test_without_a_base_addresses_are_small(self) -> None:
        assert read(ROW, END) == (Segment(address=0x10, data=b"abcd"),)

    def test_any_order_of_records(self) -> None:
        assert read(hex_record(0, 0x14, b"ef"), ROW, END) == (Segment(address=0x10, data=b"abcdef"),)

    def test_lower_case_and_both_line_ends(self) -> None:
        assert read(ROW.lower(), END.lower(), "", end="\r\n") == read(ROW, END)

    def test_last_byte_of_the_address_space(self) -> None:
        segments = read(hex_record(4, 0, b"\xff\xff"), hex_record(0, 0xFFFF, b"x"), END)
        assert segments == (Segment(address=0xFFFFFFFF, data=b"x"),)

    def test_same_segments_as_the_elf_file(self) -> None:
        elf = read_image(PLAIN.build(), "fw.elf")
        runs = [(segment.address, segment.data) for segment in elf.segments]
        text = read_image(hex_file(runs, entry=elf.entry), "fw.hex")
        assert text.segments == elf.segments
        assert text.flash_image(0x08000000, 0x2000) == elf.flash_image(0x08000000, 0x2000)
        assert text.sha256 != elf.sha256

    def test_no_sources(self) -> None:
        data = hex_file([(0x08000000, CODE)])
        assert read_source_map(data, read_image(data, "fw.hex")).lookup(0x08000000) == (None, None)


class TestRefusedHex:
    @pytest.mark.parametrize(
        ("records", "message"),
        [
            ((ROW,), "no end-of-file record: the file is truncated"),
            ((ROW, END, ROW), "line 3: a record after the end-of-file record"),
            ((ROW, END, END), "line 3: a record after the end-of-file record"),
            ((END,), "the file holds no data"),
            ((ROW, ROW, END), "bytes 0x00000010-0x00000013 are given twice"),
            ((ROW, hex_record(0, 0x13, b"xyz"), END), "bytes 0x00000013-0x00000013 are given twice"),
            ((hex_record(0, 0x12, b"x"), ROW, END), "bytes 0x00000012-0x00000012 are given twice"),
            ((ROW, "0400", END), "line 2: a record must begin with ':'"),
            ((ROW, " " + END), "line 2: a record must begin with ':'"),
            ((":",), "line 1: the record is not as long as its length says"),
            ((":00",), "line 1: the record is not as long as its length says"),
            ((":0000000",), "line 1: not pairs of hexadecimal digits"),
            ((":0000GG01FF",), "line 1: not pairs of hexadecimal digits"),
            ((":00000001é",), "line 1: not pairs of hexadecimal digits"),
            ((ROW[:-2],), "line 1: the record is not as long as its length says"),
            ((ROW + "00",), "line 1: the record is not as long as its length says"),
            ((ROW + " ",), "line 1: white space inside the record"),
            ((ROW[:5] + " " + ROW[5:],), "line 1: white space inside the record"),
            ((ROW[:-2] + "00",), "line 1: checksum is 0x00, must be 0x62"),
            ((ROW, ROW[:9] + "62" + ROW[11:]), "line 2: checksum is 0x62, must be 0x61"),
            ((hex_record(0, 0, b""),), "line 1: a data record without data"),
            ((hex_record(0, 0xFFFF, b"ab"),), "line 1: the data runs past offset 0xFFFF, which tools wrap differently"),
            ((hex_record(2, 0, b"\x10"),), "line 1: a record of type 02 must hold 2 bytes, this holds 1"),
            ((hex_record(4, 0, b"\x08\x00\x00"),), "line 1: a record of type 04 must hold 2 bytes, this holds 3"),
            ((hex_record(5, 0, b"\x08\x00"),), "line 1: a record of type 05 must hold 4 bytes, this holds 2"),
            ((hex_record(3, 0, b""),), "line 1: a record of type 03 must hold 4 bytes, this holds 0"),
            ((ROW, hex_record(1, 0, b"x")), "line 2: a record of type 01 must hold 0 bytes, this holds 1"),
            ((hex_record(4, 2, b"\x08\x00"),), "line 1: a record of type 04 must have offset 0"),
            ((ROW, hex_record(1, 2, b"")), "line 2: a record of type 01 must have offset 0"),
            ((hex_record(6, 0, b""),), "line 1: record type 06 is unknown: only 00 to 05 are Intel HEX"),
            ((hex_record(0xD, 0, b"x"),), "line 1: record type 0D is unknown: only 00 to 05 are Intel HEX"),
            (
                (hex_record(2, 0, b"\0\0"), hex_record(4, 0, b"\0\0")),
                "line 2: segment and linear base addresses are mixed, which tools read differently",
            ),
            ((hex_record(5, 0, b"\0\0\0\1"), hex_record(5, 0, b"\0\0\0\1")), "line 2: a second start address"),
            ((hex_record(5, 0, b"\0\0\0\0"), hex_record(3, 0, b"\0\0\0\0")), "line 2: a second start address"),
        ],
    )
    def test_refused(self, records: tuple[str, ...], message: str) -> None:
        assert refused(*records) == message

    def test_a_carriage_return_alone_is_no_line_end(self) -> None:
        assert refused(ROW + "\r" + END) == "line 1: not pairs of hexadecimal digits"

    def test_every_wrong_digit_is_seen(self) -> None:
        """One changed digit is always refused: that is what the checksum is for."""
        text = "\n".join([ROW, END])
        for index, digit in enumerate(ROW[1:], start=1):
            for other in "0123456789ABCDEF":
                if other != digit:
                    with pytest.raises(ImageError):
                        read_image((text[:index] + other + text[index + 1 :]).encode(), "fw.hex")
