"""The whole way on the checked-in reference module: prove, sign, check, and refuse what is not the certified image."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
from pinproof._commands.schema import read as read_schema
from pinproof.image import read_image

from tests.unit.cli.test_cli import process, refused, run

IMAGE = Path("reference_module/person_detector.elf")
MODULE = Path("reference_module/module.toml")


def as_hex(data: bytes) -> str:
    """The loaded bytes of an ELF file as Intel HEX."""
    lines, upper = [], None
    for segment in read_image(data, "image").segments:
        for offset in range(0, len(segment.data), 16):
            address = segment.address + offset
            if address >> 16 != upper:
                upper = address >> 16
                lines.append(_record(0, 4, upper.to_bytes(2, "big")))
            chunk = segment.data[offset : offset + min(16, 0x10000 - (address & 0xFFFF))]
            lines.append(_record(address & 0xFFFF, 0, chunk))
    return "\n".join([*lines, _record(0, 1, b"")]) + "\n"


def _record(address: int, kind: int, data: bytes) -> str:
    body = bytes((len(data), address >> 8, address & 255, kind)) + data
    return f":{body.hex().upper()}{-sum(body) & 255:02X}"


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key, a trust file and a certificate of the reference image."""
    folder = tmp_path_factory.mktemp("certified")
    assert run("keygen", "-o", folder / "key.pem", "--trust", folder / "trust.json").returncode == 0
    done = run("certify", IMAGE, "--module", MODULE, "--key", folder / "key.pem", "-o", folder / "certificate.json")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_it_conforms_and_says_so_in_the_same_bytes_each_time() -> None:
    first, second = (
        process("verify", IMAGE, "--module", MODULE, "--format", "json", PYTHONHASHSEED=seed) for seed in ("1", "2")
    )
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == second.stdout
    report = json.loads(first.stdout)
    jsonschema.validate(report, json.loads(read_schema("report")))
    assert report["verdict"] == "conforms"
    assert str(Path.cwd()) not in first.stdout


def test_the_text_ends_with_verdict_rate_and_times(certified: Path) -> None:
    lines = run("verify", IMAGE, "--module", MODULE).stdout.splitlines()
    assert lines[0] == "CONFORMS" and lines[-1] == "CONFORMS: 0.56 bits/s through the pin at the most"
    assert "10 bits take" in lines[-2]


@pytest.mark.slow
def test_as_intel_hex(tmp_path: Path) -> None:
    (tmp_path / "image.hex").write_text(as_hex(IMAGE.read_bytes()))
    assert run("verify", tmp_path / "image.hex", "--module", MODULE).returncode == 0


@pytest.mark.toolchain
@pytest.mark.skipif(not shutil.which("arm-none-eabi-strip"), reason="needs arm-none-eabi-strip")
def test_stripped(certified: Path, tmp_path: Path) -> None:
    stripped = tmp_path / "stripped.elf"
    subprocess.run(["arm-none-eabi-strip", "-o", stripped, IMAGE], check=True)
    assert run("verify", stripped, "--module", MODULE).returncode == 0
    assert "flash-image" in check(certified, stripped)


def check(certified: Path, image: Path) -> str:
    done = run("check", certified / "certificate.json", image, "--trust", certified / "trust.json")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_certificate_holds_for_every_form_of_the_image(certified: Path, tmp_path: Path) -> None:
    assert "byte for byte" in check(certified, IMAGE)
    (tmp_path / "image.hex").write_text(as_hex(IMAGE.read_bytes()))
    assert "flash-image" in check(certified, tmp_path / "image.hex")
    flash = read_image(IMAGE.read_bytes(), "image").flash_image(0x08000000, 512 * 1024)
    (tmp_path / "flash.bin").write_bytes(flash)
    assert "flash-image" in check(certified, tmp_path / "flash.bin")


SEGMENTS = read_image(IMAGE.read_bytes(), "image").segments


def with_one_byte_changed(segment: int, position: int) -> bytes:
    data = bytearray(IMAGE.read_bytes())
    loaded = SEGMENTS[segment].data
    assert data.count(loaded) == 1
    data[data.find(loaded) + range(len(loaded))[position]] ^= 1
    return bytes(data)


@pytest.mark.parametrize("segment", range(len(SEGMENTS)))
@pytest.mark.parametrize("position", [0, 1000, -1])
def test_one_loaded_byte_changed_is_5(certified: Path, tmp_path: Path, segment: int, position: int) -> None:
    (tmp_path / "changed.elf").write_bytes(with_one_byte_changed(segment, position))
    refused(5, "check", certified / "certificate.json", tmp_path / "changed.elf", "--trust", certified / "trust.json")


@pytest.mark.slow
def test_an_image_that_does_not_conform_is_not_certified(certified: Path, tmp_path: Path) -> None:
    """The model's digest is declared: an image with another model is refused."""
    (tmp_path / "other.elf").write_bytes(with_one_byte_changed(-1, -100))
    output = tmp_path / "certificate.json"
    done = run("certify", tmp_path / "other.elf", "--module", MODULE, "--key", certified / "key.pem", "-o", output)
    assert done.returncode in (1, 3) and not output.exists() and "not certified" in done.stderr
