"""A second ELF reader (lief) and the toolchain's own tools see what ours sees, on files that a linker made.

Ours is the only reader in the trusted path. Two readers that disagree there would be a way in; two that agree here are
a way to notice that ours is wrong.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import lief
import pytest
from pinproof.errors import ImageError
from pinproof.image import Image, read_image, read_source_map

from tests.unit.image.files import PLAIN, Elf

PREFIX = "arm-none-eabi-"
SOURCE = """
int initialised = 5;
int cleared[25];
static const char text[] = "constants";
__attribute__((section(".vectors"), used)) void *const vectors[2];
int answer(int value)
{
    cleared[value] = text[value];
    return initialised + value;
}
void start(void)
{
    for (;;) {
        initialised = answer(initialised);
    }
}
__attribute__((section(".vectors"), used)) void *const vectors[2] = {(void *)0x20001000, (void *)start};
"""
FILLED = """
ENTRY(start)
MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 512K  RAM (rw) : ORIGIN = 0x20000000, LENGTH = 96K }
SECTIONS
{
    .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) . = ALIGN(4); } > FLASH
    .data : { *(.data*) . = ALIGN(4); } > RAM AT > FLASH
    .bss : { *(.bss*) *(COMMON) } > RAM
    /DISCARD/ : { *(.ARM.exidx*) *(.comment) }
}
"""
GAP = FILLED.replace(
    "*(.text*) *(.rodata*) . = ALIGN(4); } > FLASH",
    "*(.text*) } > FLASH\n .rodata : ALIGN(256) { *(.rodata*) . = ALIGN(4); } > FLASH",
)
CODE_IN_RAM = FILLED.replace("*(.data*)", "*(.data*) *(.text.answer)").replace("*(.text*)", "*(.text.start)")


def run(*command: str | Path) -> str:
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def build(folder: Path, script: str, *options: str) -> Path:
    if shutil.which(f"{PREFIX}gcc") is None:
        pytest.fail(f"{PREFIX}gcc is not installed; deselect with -m 'not toolchain'")
    (folder / "program.c").write_text(SOURCE, encoding="utf-8")
    (folder / "program.ld").write_text(script, encoding="utf-8")
    run(
        f"{PREFIX}gcc", "-mcpu=cortex-m4", "-mthumb", "-Os", "-g", "-ffreestanding", "-nostdlib", "-ffunction-sections",
        f"-ffile-prefix-map={folder}=.", *options, "-T", folder / "program.ld", "-Wl,--build-id=none",
        folder / "program.c", "-o", folder / "program.elf",
    )  # fmt: skip
    return folder / "program.elf"


def image_of(path: Path) -> Image:
    return read_image(path.read_bytes(), path.name)


def lief_bytes(data: bytes) -> dict[int, int]:
    """Every loaded byte by load address, as lief reads the program headers."""
    binary = lief.ELF.parse(list(data))
    assert binary is not None
    found: dict[int, int] = {}
    for segment in binary.segments:
        if segment.type == lief.ELF.Segment.TYPE.LOAD:
            content = bytes(segment.content)
            assert len(content) == segment.physical_size
            found.update(enumerate(content, start=segment.physical_address))
    return found


def our_bytes(image: Image) -> dict[int, int]:
    return {
        address: byte for segment in image.segments for address, byte in enumerate(segment.data, start=segment.address)
    }


def test_lief_agrees_on_a_file_built_in_memory() -> None:
    for elf in (PLAIN, Elf(loads=PLAIN.loads, sections=())):
        data = elf.build()
        image = read_image(data, "fw.elf")
        assert our_bytes(image) == lief_bytes(data)
        binary = lief.ELF.parse(list(data))
        assert binary is not None
        assert binary.header.entrypoint == image.entry


@pytest.mark.toolchain
class TestLinkedFiles:
    @pytest.mark.parametrize("options", [(), ("-Wl,-n",), ("-O0",), ("-Wl,--emit-relocs",), ("-gdwarf-4",)], ids=str)
    def test_lief_agrees(self, tmp_path: Path, options: tuple[str, ...]) -> None:
        path = build(tmp_path, FILLED, *options)
        image = image_of(path)
        assert our_bytes(image) == lief_bytes(path.read_bytes())
        assert image.moved[0].run == 0x20000000
        binary = lief.ELF.parse(list(path.read_bytes()))
        assert binary is not None
        assert binary.header.entrypoint == image.entry
        named = {symbol.name: symbol.value & ~1 for symbol in binary.symbols if symbol.is_function}
        assert {symbol.name: symbol.address for symbol in image.symbols if symbol.function} == named

    def test_every_form_is_the_same_program(self, tmp_path: Path) -> None:
        path = build(tmp_path, FILLED)
        run(f"{PREFIX}strip", "-o", tmp_path / "stripped.elf", path)
        run(f"{PREFIX}objcopy", "-O", "ihex", path, tmp_path / "program.hex")
        run(f"{PREFIX}objcopy", "-O", "binary", path, tmp_path / "program.bin")
        image, stripped, text = (image_of(tmp_path / name) for name in ("program.elf", "stripped.elf", "program.hex"))
        assert image.segments == stripped.segments == text.segments
        assert image.entry == stripped.entry == text.entry
        assert image.symbols
        assert not stripped.symbols
        flash = image.flash_image(0x08000000, 0x80000)
        assert flash == stripped.flash_image(0x08000000, 0x80000) == text.flash_image(0x08000000, 0x80000)
        raw = (tmp_path / "program.bin").read_bytes()
        assert flash == raw.ljust(0x80000, b"\xff")
        assert len({image.sha256, stripped.sha256, text.sha256}) == 3

    @pytest.mark.parametrize("version", [2, 3, 4, 5])
    def test_lines_are_those_of_objdump(self, tmp_path: Path, version: int) -> None:
        path = build(tmp_path, FILLED, f"-gdwarf-{version}")
        sources = read_source_map(path.read_bytes(), image_of(path))
        shown = run(f"{PREFIX}objdump", "-d", "-l", "--no-show-raw-insn", path)
        compared, line = 0, None
        for row in shown.splitlines():
            if match := re.fullmatch(r"\S*program\.c:(\d+)(?: \(discriminator \d+\))?", row):
                line = f"program.c:{match[1]}"
            elif match := re.match(r"\s*([0-9a-f]{7,8}):\s", row):
                address = int(match[1], 16)
                if line is not None and not re.search(r"\.(word|short|byte)", row):
                    assert sources.lookup(address)[1] == line, row
                    compared += 1
            elif not row:
                line = None
        assert compared > 5

    def test_padding_between_sections_is_refused(self, tmp_path: Path) -> None:
        """objcopy leaves it erased, tools that follow the program headers write zeros: lief sees bytes, HEX none."""
        path = build(tmp_path, GAP, "-Wl,-n")
        run(f"{PREFIX}objcopy", "-O", "ihex", path, tmp_path / "program.hex")
        assert our_bytes(image_of(tmp_path / "program.hex")) != lief_bytes(path.read_bytes())
        with pytest.raises(ImageError, match="lie in no section"):
            image_of(path)

    def test_code_copied_to_memory_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ImageError, match=r"code is loaded at 0x08.* but linked to run at 0x20000000"):
            image_of(build(tmp_path, CODE_IN_RAM))

    def test_object_file_is_refused(self, tmp_path: Path) -> None:
        build(tmp_path, FILLED)
        run(f"{PREFIX}gcc", "-c", "-mcpu=cortex-m4", "-mthumb", tmp_path / "program.c", "-o", tmp_path / "program.o")
        with pytest.raises(ImageError, match="type ET_REL, must be ET_EXEC"):
            image_of(tmp_path / "program.o")

    def test_big_endian_is_refused(self, tmp_path: Path) -> None:
        build(tmp_path, FILLED)
        run(
            f"{PREFIX}gcc", "-c", "-mcpu=cortex-m4", "-mthumb", "-mbig-endian", tmp_path / "program.c",
            "-o", tmp_path / "program.o",
        )  # fmt: skip
        with pytest.raises(ImageError, match="byte order 2"):
            image_of(tmp_path / "program.o")
