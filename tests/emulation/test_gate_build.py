"""The build of the reference module: same bytes from anywhere, nothing in the gate that could defeat the verifier."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from pinproof.catalogue import load_catalogue
from pinproof.image import Image, read_image

from reference_module.build import HERE, BuildError, Recipe, build, comparable, gate_text, patched
from reference_module.declare import refreshed
from tests.emulation.tools import require

pytestmark = pytest.mark.toolchain

_LARGEST_VECTOR = 16 * 1024
_LARGEST_GATE = 2816
"""Bytes: vectors (404), code and constants."""


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    require("arm-none-eabi-gcc")


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("stub") / "stub.elf")


def _image(path: Path) -> Image:
    return read_image(path.read_bytes(), path.name)


def _gate_instructions(path: Path) -> list[str]:
    """Mnemonic and operands of each gate instruction, as objdump prints them."""
    command = ["arm-none-eabi-objdump", "-d", "-j", ".gate", "--no-show-raw-insn", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line.split("\t", 1)[1] for line in text.splitlines() if re.match(r"\s*8[0-9a-f]{6}:\t", line)]
    code = [line.split("@")[0].strip() for line in lines]
    return [line for line in code if re.match(r"[a-z]", line)]


def test_the_bytes_do_not_depend_on_where_it_is_built(stub: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "elsewhere" / "other.elf").read_bytes()
    assert again == stub.read_bytes()
    assert b"/tmp" not in again and str(HERE).encode() not in again


def test_without_debugging_information_it_is_the_same_image_and_small(stub: Path, tmp_path: Path) -> None:
    small = build(tmp_path / "small.elf", Recipe(small=True))
    assert _image(small).segments == _image(stub).segments
    assert small.stat().st_size <= _LARGEST_VECTOR


def test_only_the_known_sections_are_loaded(stub: Path) -> None:
    with stub.open("rb") as file:
        loaded = {section.name for section in ELFFile(file).iter_sections() if section["sh_flags"] & 2}
    assert loaded == {".gate", ".confined", ".model", ".mailbox", ".arena", ".bss", ".gate_stack", ".gate_state"}


def test_the_gate_is_small(stub: Path) -> None:
    assert 1024 < len(_image(stub).segments[0].data) <= _LARGEST_GATE


def test_the_gate_has_no_computed_branch(stub: Path) -> None:
    code = _gate_instructions(stub)
    assert len(code) > 300
    allowed = {"bx\tlr"}
    computed = [line for line in code if re.match(r"(bx|blx|tbb|tbh)\b", line) and line not in allowed]
    computed += [
        line for line in code if "pc" in line and not re.match(r"(pop|ldmia\.w\tsp!|ldr(\.w)?\t\w+, \[pc)", line)
    ]
    assert computed == []


def test_the_gate_moves_several_words_on_its_own_stack_alone(stub: Path) -> None:
    several = [line for line in _gate_instructions(stub) if re.match(r"(ldm|stm|ldrd|strd|vldm|vstm)", line)]
    assert [line for line in several if not re.match(r"(ldmia|stmdb)(\.w)?\tsp!", line)] == []


def test_the_gate_stores_bytes_into_the_frame_alone(stub: Path) -> None:
    narrow = [line for line in _gate_instructions(stub) if re.match(r"(strb|strh)", line)]
    assert len(narrow) == 1


def test_a_patch_that_does_not_take_is_refused() -> None:
    with pytest.raises(BuildError, match="exactly one"):
        patched(gate_text("tick.c"), "no such text", "")


def test_initialised_variables_are_refused(tmp_path: Path) -> None:
    stub = (HERE / "stub" / "stub.c").read_text(encoding="utf-8")
    remembering = "#include <stdint.h>\nvolatile uint32_t remembered = 7;\n" + patched(
        stub, "uint32_t sum = 0;", "uint32_t sum = remembered;"
    )
    with pytest.raises(BuildError, match="initialised variables are not possible"):
        build(tmp_path / "data.elf", Recipe(confined_files={"stub.c": remembering}))


def test_a_gate_that_calls_the_confined_part_is_refused(tmp_path: Path) -> None:
    calling = patched(gate_text("reset.c"), "timer_start();", "helper();\n    timer_start();")
    calling = "void helper(void);\n" + calling
    with pytest.raises(BuildError, match="not its own: helper"):
        build(
            tmp_path / "call.elf",
            Recipe(gate_files={"reset.c": calling}, confined_files={"help.c": "void helper(void);"}),
        )


def test_the_declaration_names_the_addresses_of_the_layout(stub: Path) -> None:
    declared = tomllib.loads((HERE / "module.toml").read_text(encoding="utf-8"))
    with stub.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        symbols = {symbol.name: symbol["st_value"] & ~1 for symbol in table.iter_symbols()}
    assert declared["memory"]["confined"]["start"] == symbols["layout_confined_start"]
    assert sum(declared["memory"]["confined"].values()) == symbols["layout_confined_end"]
    assert declared["memory"]["mailbox"] == symbols["mailbox"]
    assert declared["memory"]["frame"]["start"] == symbols["frame"]
    assert declared["entry"] == {"detector": symbols["confined_entry"], "idle": symbols["confined_idle"]}
    assert declared["flash"]["gate"]["start"] == symbols["vectors"]


def test_the_declaration_is_fresh() -> None:
    text = (HERE / "module.toml").read_text(encoding="utf-8")
    assert refreshed(text, _image(HERE / "person_detector.elf"), HERE) == text


def test_the_checked_in_image_is_reproduced(tmp_path: Path) -> None:
    if not comparable():
        pytest.skip("not comparable: another toolchain than the recorded one")
    require("python:numpy", "python:tflite", "python:flatbuffers")
    assert (
        build(tmp_path / "detector.elf", Recipe(confined="detector")).read_bytes()
        == (HERE / "person_detector.elf").read_bytes()
    )


def test_the_gate_names_requirements_that_exist() -> None:
    named = {
        requirement
        for source in (HERE / "gate").iterdir()
        for requirement in re.findall(r"// REQ: ([a-z-]+)", source.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert named <= {requirement.id for requirement in load_catalogue().requirements}
