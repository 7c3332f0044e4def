"""Files that are broken, foreign or hostile: exit 2 (or 3 where the image is readable), one line, no certificate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pinproof import _cli
from pinproof.certificate import keys

from tests.unit.declaration import files


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "module.toml"
    path.write_text(files.GOOD)
    (tmp_path / "provisioning.toml").write_bytes(Path("reference_module/provisioning.toml").read_bytes())
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "datasheet.md").write_text("")
    return path


def hex_image() -> bytes:
    body = bytes.fromhex("08000000" + "00100020" + "09000008")
    record = f":{body.hex().upper()}{-sum(body) & 255:02X}\n".encode()
    return b":020000040800F2\n" + record + b":00000001FF\n"


def elf(machine: int = 40, order: int = 1, size: int = 64) -> bytes:
    """The header of an ELF file for a 32-bit machine (40 is Arm), without segments."""
    byteorder = "little" if order == 1 else "big"

    def number(value: int, width: int) -> bytes:
        return value.to_bytes(width, byteorder)  # type: ignore[arg-type]

    header = b"\x7fELF" + bytes((1, order, 1, 0)) + bytes(8) + number(2, 2) + number(machine, 2) + number(1, 4)
    header += number(0x08000001, 4) + number(52, 4) + number(0, 4) + number(0x05000200, 4)
    header += number(52, 2) + number(32, 2) + number(0, 2) + number(40, 2) + number(0, 2) + number(0, 2)
    return header.ljust(size, b"\0")


IMAGES: dict[str, bytes] = {
    "empty": b"",
    "not firmware": b"hello\n",
    "magic alone": b"\x7fELF",
    "cut header": elf()[:40],
    "no segments": elf(),
    "another architecture": elf(machine=62),
    "big-endian": elf(order=2),
    "64 bits": b"\x7fELF\x02" + elf()[5:],
    "zeros": bytes(4096),
    "hex without end": hex_image()[:-12],
    "hex with a wrong sum": hex_image().replace(b"F2\n", b"F3\n"),
    "hex of text": b":hello\n",
}


@pytest.mark.parametrize("data", IMAGES.values(), ids=IMAGES)
def test_an_image_that_is_none(module: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    image = module.parent / "image.elf"
    image.write_bytes(data)
    _refused(["verify", str(image), "--module", str(module)], capsys, "image.elf: ")


@pytest.mark.parametrize("data", IMAGES.values(), ids=IMAGES)
def test_no_certificate_for_it_either(module: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    image, key, output = (module.parent / name for name in ("image.elf", "key.pem", "certificate.json"))
    image.write_bytes(data)
    key.write_bytes(keys.private_pem(keys.generate(keys.Scheme.ED25519), None))
    _refused(
        ["certify", str(image), "--module", str(module), "--key", str(key), "-o", str(output)], capsys, "image.elf: "
    )
    assert not output.exists()


DECLARATIONS: dict[str, tuple[Callable[[str], str], str]] = {
    "empty": (lambda _: "", "specification"),
    "not TOML": (lambda _: "= =", "module.toml"),
    "unknown key": (lambda text: text.replace("[output]", '[output]\nextra = "1"'), "extra"),
    "wrong type": (lambda text: text.replace("channel = 1", 'channel = "1"'), "channel"),
    "impossible value": (lambda text: text.replace("channel = 1", "channel = 9"), "channel"),
    "missing key": (lambda text: text.replace("channel = 1\n", ""), "channel"),
    "part without silicon file": (lambda text: text.replace("stm32f401xe", "stm32f999xx"), "stm32f999xx"),
    "part that is a path": (lambda text: text.replace('"stm32f401xe"', '"../../etc/passwd"'), "part"),
    "unknown profile": (lambda text: text.replace("person-detector", "anything-goes"), "anything-goes"),
    "file outside": (lambda text: text.replace('"provisioning.toml"', '"../provisioning.toml"'), "provisioning.file"),
    "file that is absolute": (lambda text: text.replace('"provisioning.toml"', '"/etc/passwd"'), "provisioning.file"),
    "file that is missing": (lambda text: text.replace('"provisioning.toml"', '"other.toml"'), "other.toml"),
    "newer standard": (lambda text: text.replace('specification = "0.1"', 'specification = "0.9"'), "specification"),
}


@pytest.mark.parametrize(("change", "says"), DECLARATIONS.values(), ids=DECLARATIONS)
def test_a_bad_declaration(
    module: Path, change: Callable[[str], str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = change(files.GOOD)
    assert text != files.GOOD
    module.write_text(text)
    image = module.parent / "image.hex"
    image.write_bytes(hex_image())
    assert says in _refused(["verify", str(image), "--module", str(module)], capsys, "")


@pytest.mark.parametrize("missing", ["image", "module", "rebuilt"])
def test_a_file_that_is_not_there(module: Path, missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    image = module.parent / "image.hex"
    image.write_bytes(hex_image())
    paths = {"image": str(image), "module": str(module), "rebuilt": str(image)}
    paths[missing] = str(module.parent / "nowhere")
    _refused(
        ["verify", paths["image"], "--module", paths["module"], "--rebuilt", paths["rebuilt"]],
        capsys,
        f"{module.parent}/nowhere: ",
    )


@pytest.mark.parametrize("missing", ["provisioning.toml", "docs/datasheet.md"])
def test_only_a_module_in_development_may_lack_a_file(
    module: Path, missing: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    image = module.parent / "image.hex"
    image.write_bytes(hex_image())
    (module.parent / missing).unlink()
    assert _cli.main(["verify", str(image), "--module", str(module)]) == 2
    assert missing.encode() in capfdbinary.readouterr().err
    assert _cli.main(["verify", str(image), "--module", str(module), "--development"]) in (1, 3)
    assert b"Before sealing" in capfdbinary.readouterr().out


def test_an_image_that_can_be_read_and_not_followed_is_undecided(
    module: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    image = module.parent / "image.hex"
    image.write_bytes(hex_image())
    assert _cli.main(["verify", str(image), "--module", str(module)]) in (1, 3)
    captured = capfdbinary.readouterr()
    assert captured.out.startswith((b"UNDECIDED\n", b"DOES NOT CONFORM\n")) and captured.err == b""


def _refused(arguments: list[str], capsys: pytest.CaptureFixture[str], names: str) -> str:
    assert _cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith(f"pinproof: {names}") and captured.err.count("\n") == 1
    return captured.err
