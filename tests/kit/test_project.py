"""A vendor's first afternoon, from the wheel: new, build, declare, verify, emulate; bad input beside good."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.emulation.tools import require
from tests.kit.conftest import ROOT, Vendor

pytestmark = [pytest.mark.toolchain, pytest.mark.emulation]

TFLITE = ROOT / "reference_module/model/person_detector_grey.tflite"
_ROW = re.compile(r" *(\d+)  (\S+) +([0-9a-f]+)  0x([0-9A-F]{8}) +(high|low)")
LONG = 8
"""Frames of a kind after which the pin has followed, whatever the gate's smoothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    vendor: Vendor
    folder: Path

    def make(self, *words: str) -> str:
        return self.vendor.done("make", *words, folder=self.folder)

    def fails(self, *words: str, **changes: str) -> str:
        """What a target that must not succeed says, which is no traceback."""
        ended = self.vendor.run("make", *words, folder=self.folder, **changes)
        assert ended.returncode != 0 and "Traceback" not in ended.stderr, ended.stderr
        return ended.stderr

    def copy(self, to: Path) -> Project:
        shutil.copytree(self.folder, to)
        return Project(vendor=self.vendor, folder=to)


@pytest.fixture(scope="module")
def project(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Built and declared."""
    require("arm-none-eabi-gcc", "qemu-system-arm")
    folder = tmp_path_factory.mktemp("vendor")
    told = vendor.done("pinproof", "new", "door", "--part", "stm32f401xe", folder=folder)
    assert "make" in told
    made = Project(vendor=vendor, folder=folder / "door")
    made.make()
    made.make("declare")
    return made


def test_pinproof_is_the_installed_one(vendor: Vendor, tmp_path: Path) -> None:
    where = vendor.done("python", "-c", "import pinproof; print(pinproof.__file__)", folder=tmp_path)
    assert not Path(where).is_relative_to(ROOT)
    extras = "import importlib.metadata as m; print(*m.metadata('pinproof').get_all('Provides-Extra'))"
    assert "kit" in vendor.done("python", "-c", extras, folder=tmp_path).split()


def test_it_verifies(project: Project) -> None:
    assert project.make("verify").splitlines()[-1].startswith("CONFORMS: ")


def test_the_same_bytes_anywhere(project: Project, tmp_path: Path) -> None:
    other = project.copy(tmp_path / "elsewhere")
    other.make("clean")
    other.make()
    assert (other.folder / "build/module.elf").read_bytes() == (project.folder / "build/module.elf").read_bytes()


def test_before_it_is_declared_only_papers_are_open(project: Project, tmp_path: Path) -> None:
    fresh = project.copy(tmp_path / "fresh")
    project.vendor.done("pinproof", "new", "other", "--part", "stm32f401xe", folder=tmp_path)
    shutil.copy(tmp_path / "other/module.toml", fresh.folder)
    verify = ("pinproof", "verify", "build/module.elf", "--module", "module.toml", "--development", "--format", "json")
    ended = project.vendor.run(*verify, folder=fresh.folder)
    report = json.loads(ended.stdout)
    awaited = {each["awaits"] for each in report["requirements"]}
    assert ended.returncode == 1 and awaited == {None, "papers"}
    assert "Awaits papers" in fresh.make("development")


def test_a_declared_project_has_nothing_open(project: Project) -> None:
    assert "nothing is open" in project.make("development")


def test_it_runs_and_its_pin_follows_the_frames(project: Project) -> None:
    frames = ["dark"] + ["bright"] * LONG + ["dark"] * LONG
    said = project.make("emulate", f"FRAMES={' '.join(frames)}")
    rows = {int(row[1]): row for line in said.splitlines() if (row := _ROW.fullmatch(line))}
    assert set(rows) == set(range(1, len(frames) + 3))
    answers = [int(rows[number + 1][3], 16) for number in range(1, len(frames) + 1)]
    assert answers == [int(frame == "bright") for frame in frames]
    stored = {number: row[4] for number, row in rows.items()}
    assert set(stored.values()) == {"00000000", "FFFFFFFF"}
    assert (stored[1], stored[LONG + 2], stored[2 * LONG + 2]) == ("00000000", "FFFFFFFF", "00000000")
    for number in range(2, len(rows) + 1):
        assert rows[number][5] == ("high" if stored[number - 1] == "FFFFFFFF" else "low")


def test_a_frame_from_a_file(project: Project, tmp_path: Path) -> None:
    (tmp_path / "white.raw").write_bytes(b"\xff" * 9216)
    (tmp_path / "short.raw").write_bytes(b"\xff" * 9215)
    said = project.make("emulate", f"FRAMES={tmp_path}/white.raw")
    assert _ROW.fullmatch(said.splitlines()[2])[3] == "1"  # type: ignore[index]
    assert "9,215 bytes; a frame is 9,216 bytes" in project.fails("emulate", f"FRAMES={tmp_path}/short.raw")
    assert "a frame is bright, dark, none or a file" in project.fails("emulate", "FRAMES=brigth")


def test_a_network_becomes_the_confined_part(project: Project, tmp_path: Path) -> None:
    require("python:numpy", "python:tflite", "python:flatbuffers")
    other = project.copy(tmp_path / "network")
    shutil.copy(TFLITE, other.folder / "yours.tflite")
    other.make("NETWORK=yours.tflite", 'DECISION={"person": 0, "threshold": -20}')
    assert "kModel" in (other.folder / "build/network/model_data.c").read_text()
    other.make("declare")
    assert other.make("verify").splitlines()[-1].startswith("CONFORMS: ")
    rows = other.make("emulate", "FRAMES=bright dark").splitlines()
    assert all(_ROW.fullmatch(line) for line in rows[1:-1])


def test_networks_that_cannot_be_used(project: Project, tmp_path: Path) -> None:
    require("python:numpy", "python:tflite", "python:flatbuffers")
    (tmp_path / "text.tflite").write_text("no network")
    (tmp_path / "cut.tflite").write_bytes(TFLITE.read_bytes()[:5000])
    other = project.copy(tmp_path / "project")
    image = (other.folder / "build/module.elf").read_bytes()
    assert "nowhere.tflite: No such file" in other.fails("NETWORK=nowhere.tflite")
    assert "larger than 16,777,216 bytes" in other.fails("NETWORK=/dev/zero")
    for name in ("text.tflite", "cut.tflite"):
        assert f"error: {name}: " in other.fails(f"NETWORK={tmp_path}/{name}")
    shutil.copy(TFLITE, tmp_path / "yours.tflite")
    for decision in ('{"person": 2, "threshold": 0}', '{"person": 0}', "no JSON", "[]"):
        assert "decision" in other.fails(f"NETWORK={tmp_path}/yours.tflite", f"DECISION={decision}")
    layout = other.folder / "firmware/ld/stm32f401re.ld"
    small = re.sub(r"(?m)^layout_arena_size = \d+;", "layout_arena_size = 20000;", layout.read_text())
    layout.write_text(small)
    assert "more than the 20000 of the arena" in other.fails(f"NETWORK={tmp_path}/yours.tflite")
    assert (other.folder / "build/module.elf").read_bytes() == image


def test_without_what_a_tflite_needs(project: Project, tmp_path: Path) -> None:
    """A package that pretends not to be there."""
    (tmp_path / "tflite.py").write_text("raise ModuleNotFoundError(name='tflite')")
    shutil.copy(TFLITE, tmp_path / "yours.tflite")
    path = f"{tmp_path}:{project.vendor.environment['PYTHONPATH']}"
    said = project.fails(f"NETWORK={tmp_path}/yours.tflite", PYTHONPATH=path)
    assert "needs the Python package tflite: install Pinproof with its extra 'kit'" in said


def test_without_its_tools_make_says_what_to_install(project: Project, tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("make", "sh", "python3"):
        (bare / name).symlink_to(shutil.which(name, path=project.vendor.environment["PATH"]) or name)
    said = project.fails("build", PATH=str(bare))
    assert "arm-none-eabi-gcc is missing: install gcc-arm-none-eabi" in said
    for name in ("arm-none-eabi-gcc", "arm-none-eabi-ld"):
        (bare / name).symlink_to(shutil.which(name) or name)
    assert "qemu-system-arm is missing: install qemu-system-arm" in project.fails("emulate", PATH=str(bare))
    nothing = {"PYTHONPATH": "", "PYTHON": "/usr/bin/env -i python3 -S"}
    assert "Pinproof is not installed" in project.fails("build", **nothing)


def test_things_out_of_order(project: Project, tmp_path: Path) -> None:
    other = project.copy(tmp_path / "project")
    other.make("clean")
    assert "build/module.elf: No such file or directory; build it first: make" in other.fails("declare")
    assert "build it first: make" in other.fails("emulate")
    assert "build/module.elf: No such file" in other.fails("development")
    declaration = other.folder / "module.toml"
    good = declaration.read_text()
    other.make()
    for bad, says in (
        (good.replace("[model]\nstart = 0x08", "[model]\nstart = 0x09"), "model.start: nothing of build/module.elf"),
        (good.replace("[model]", "[model"), "module.toml: "),
        (good.replace('file = "datasheet.md"', 'file = "gone.md"'), "gone.md: No such file"),
    ):
        assert bad != good
        declaration.write_text(bad)
        assert says in other.fails("declare")
        assert declaration.read_text() == bad


def test_an_open_seal_is_told_apart(project: Project, tmp_path: Path) -> None:
    other = project.copy(tmp_path / "project")
    provisioning = other.folder / "provisioning.toml"
    provisioning.write_text(provisioning.read_text().replace("rdp = 0xCC", "rdp = 0xAA"))
    other.make("declare")
    said = other.make("development")
    assert "Awaits the seal" in said and "Needs a change" not in said and "Awaits papers" not in said


def test_code_that_leaks_needs_a_change(project: Project, tmp_path: Path) -> None:
    other = project.copy(tmp_path / "project")
    tick = other.folder / "firmware/gate/tick.c"
    text = tick.read_text()
    assert text.count("timer_preload(") == 1
    tick.write_text(text.replace("timer_preload(", "timer_preload(12345u + "))
    other.make()
    other.make("declare")
    said = other.make("development")
    assert "Needs a change" in said and "[ ] out-" in said
    assert other.vendor.run("make", "verify", folder=other.folder).returncode != 0
