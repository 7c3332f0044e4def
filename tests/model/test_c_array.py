"""A .tflite as an array in C and back: byte for byte, and one line for what is no such array."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from reference_module.model.c_array import from_c, to_c
from reference_module.model.cli import main
from reference_module.model.errors import ModelError
from tests.model.support import MODEL

SMALL = b"\x1c\x00\x00\x00TFL3" + bytes(range(256))
LISTED = ", ".join(f"0x{byte:02x}" for byte in SMALL)


def test_the_checked_in_network_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, back = tmp_path / "model.h", tmp_path / "model.tflite"
    assert main(["to-c", str(MODEL), "-o", str(header)]) == 0
    assert main(["from-c", str(header), "-o", str(back)]) == 0
    assert back.read_bytes() == MODEL.read_bytes()
    assert "array person_detector_grey_tflite" in capsys.readouterr().out


@pytest.mark.parametrize("compiler", [["gcc", "-std=c11"], ["g++", "-std=c++17", "-x", "c++"]])
def test_compilers_read_the_same_bytes(tmp_path: Path, compiler: list[str]) -> None:
    (tmp_path / "model.h").write_text(to_c(SMALL, "network", "a.tflite"))
    program = '#include <stdio.h>\n#include "model.h"\n'
    program += "int main(void) { return fwrite(network, 1, network_len, stdout) != 264; }\n"
    (tmp_path / "main.c").write_text(program)
    subprocess.run([*compiler, "-Wall", "-Werror", "main.c", "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout == SMALL


def test_what_xxd_writes_is_read(tmp_path: Path) -> None:
    if shutil.which("xxd") is None:
        pytest.skip("xxd is not installed")
    (tmp_path / "net.tflite").write_bytes(SMALL)
    made = subprocess.run(["xxd", "-i", "net.tflite"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert from_c(made.stdout, "net.c") == SMALL


@pytest.mark.parametrize(
    "text",
    [
        f"unsigned char net_tflite[] = {{\n  {LISTED}\n}};\nunsigned int net_tflite_len = 264;\n",
        f"alignas(8) const unsigned char g_net[] = {{{LISTED},}};\nconst int g_net_len = 264;",
        f"const unsigned char g_net[264] DATA_ALIGN_ATTRIBUTE = {{{LISTED}}};",
        f"const uint8_t g_net[] __attribute__((aligned(16))) = {{{LISTED}}};",
        f"#define N (264)\nconst unsigned char g_net[N] = {{ // first = {{1}}\n{LISTED} /* end }} */ }};",
        "const int8_t net[] = {" + ", ".join(str(b - 256 if b > 127 else b) for b in SMALL) + "};",
        "const std::uint8_t net[] = {" + ", ".join(f"0{b:o}u" if b else "0" for b in SMALL) + "};",
    ],
    ids=["xxd", "alignas", "macro", "attribute", "comments", "signed", "octal"],
)
def test_forms_in_use(text: str) -> None:
    assert from_c(text, "net.c") == SMALL


def test_one_of_several_is_asked_for_by_name() -> None:
    text = f"const unsigned char a[] = {{1, 2}};\nconst unsigned char b[] = {{{LISTED}}};"
    assert from_c(text, "two.c", "b") == SMALL
    with pytest.raises(ModelError, match=r"two\.c: holds several arrays \(a, b\); say which with --name"):
        from_c(text, "two.c")
    with pytest.raises(ModelError, match=r"two\.c: holds 0 arrays named c \(it has a, b\)"):
        from_c(text, "two.c", "c")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("int main(void) { return 0; }", "holds no array of bytes"),
        ("const unsigned int g_net[] = {1};", "holds no array of bytes"),
        (f"// unsigned char g_net[] = {{{LISTED}}};", "holds no array of bytes"),
        ("unsigned char n[] = {1, 256};", "n: 256 does not fit a byte"),
        ("unsigned char n[] = {1, -129};", "n: -129 does not fit a byte"),
        ("unsigned char n[] = {0x" + "0" * 5000 + "1};", "does not fit a byte"),
        ("unsigned char n[] = {1, SIZE};", "n: 'SIZE' is not a whole number"),
        ("unsigned char n[] = {1,, 2};", "n: '' is not a whole number"),
        ("unsigned char n[] = {1, 09};", "n: '09' is not a whole number"),
        ("unsigned char n[] = {1, 2", "n: the array does not end with '}'"),
        (f"unsigned char n[263] = {{{LISTED}}};", r"n: 264 bytes, declared as \[263\]"),
        (f"unsigned char n[] = {{{LISTED}}}; int n_len = 263;", "n: 264 bytes, but its length is given as 263"),
        ("unsigned char n[] = {};", "n: not a .tflite"),
        ("unsigned char n[] = {1, 2, 3, 4, 5, 6, 7, 8};", "n: not a .tflite: bytes 4 to 7 are not TFL3"),
    ],
)
def test_what_is_no_network_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        from_c(text, "bad.c")


@pytest.mark.parametrize(
    ("arguments", "content", "reason"),
    [
        (["to-c"], b"no network at all", "not a .tflite"),
        (["to-c", "--name", "4net"], SMALL, "'4net' is not a name in C"),
        (["from-c"], b"\xff\xfe", "not text: byte 0 is not UTF-8"),
        (["from-c"], None, "No such file"),
        (["to-c"], None, "No such file"),
    ],
)
def test_the_commands_say_one_line_and_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], content: bytes | None, reason: str
) -> None:
    source, output = tmp_path / "in.bin", tmp_path / "out"
    if content is not None:
        source.write_bytes(content)
    assert main([arguments[0], str(source), "-o", str(output), *arguments[1:]]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: ") and reason in error
    assert not output.exists()


def test_a_file_name_cannot_leave_its_comment() -> None:
    assert from_c(to_c(SMALL, "n", "odd\nname\\"), "n.h") == SMALL
    assert to_c(SMALL, "n", "odd\nname\\").splitlines()[1] == "#include <stdalign.h>"
