"""`pinproof new`: the same files each time, all of them or none, and one line for whatever it cannot do."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pinproof import _cli
from pinproof._commands import new
from pinproof.declaration import read_declaration
from pinproof.errors import InputError
from pinproof.kit import KitFile, kit_files, kits
from pinproof.provisioning import read_provisioning
from pinproof.silicon import part_names

PART = "stm32f401xe"


def make(directory: Path, *options: str) -> int:
    return _cli.main(["new", str(directory), "--part", PART, *options])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that is said, without a traceback, with exit code 2."""
    assert _cli.main(["new", *arguments]) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert captured.out == "" and line.startswith("pinproof: ")
    return line


def test_a_project_is_whole(tmp_path: Path) -> None:
    assert make(tmp_path / "door") == 0
    files = contents(tmp_path / "door")
    assert {
        *("README.md", "Makefile", "module.toml", "provisioning.toml", "datasheet.md", "sealing.md", ".gitignore"),
        *(".github/workflows/firmware.yml", "firmware/build.py", "firmware/project.py", "firmware/gate/tick.c"),
        *("firmware/ld/stm32f401re.ld", "firmware/confined/confined.c", "firmware/model/generate.py"),
        *("firmware/LICENSE", "firmware/NOTICE", "firmware/emulate/periods.py"),
    } <= set(files)
    assert not [name for name in files if "dot." in name or "__pycache__" in name]
    for name, data in files.items():
        text = data.decode()
        assert "reference_module" not in text, name
        assert not any(f"@{place}@" in text for place in ("PRODUCT", "PART", "PROFILE", "TOOL_VERSION")), name


def test_its_papers_can_be_read(tmp_path: Path) -> None:
    assert make(tmp_path / "front_door", "--vendor", "Smith & Sons") == 0
    declared = read_declaration((tmp_path / "front_door/module.toml").read_bytes(), "module.toml")
    assert (declared.module.product, declared.module.vendor) == ("front door", "Smith & Sons")
    assert (declared.module.part, declared.module.profile) == (PART, "person-detector")
    read_provisioning((tmp_path / "front_door/provisioning.toml").read_bytes(), "provisioning.toml")


def test_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert make(tmp_path / name, "--name", "Door watcher") == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize(
    "name", ['A "quoted" \\ name', "# [x](http://y) `z` <b>|@team", "Türwächter 門", "@PART@", "'"]
)
def test_any_name_that_can_be_printed(tmp_path: Path, name: str) -> None:
    assert make(tmp_path / "door", "--name", name) == 0
    declared = tomllib.loads((tmp_path / "door/module.toml").read_text("utf-8"))
    assert declared["module"]["product"] == name
    first = (tmp_path / "door/README.md").read_text("utf-8").splitlines()[0]
    assert first.startswith("# ") and first[2:].replace("\\", "") == name.replace("\\", "")
    assert "[x](" not in first and "<b>" not in first


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "\x1b[2J", "\u202eabc", "x" * 201])
@pytest.mark.parametrize("option", ["--name", "--vendor"])
def test_a_name_that_cannot(tmp_path: Path, option: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, str(tmp_path / "door"), "--part", PART, option, name)
    assert f"{option}: must be 1 to 200 characters that can be printed" in line
    assert not (tmp_path / "door").exists()


def test_a_folder_whose_name_cannot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--name: must be" in refused(capsys, str(tmp_path / "a\nb"), "--part", PART)


def test_an_empty_folder_will_do_and_missing_ones_are_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert make(tmp_path / "empty") == 0
    assert make(tmp_path / "not/yet/there") == 0
    assert contents(tmp_path / "empty").keys() == contents(tmp_path / "not/yet/there").keys()


def test_what_is_there_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full, file, link = tmp_path / "full", tmp_path / "file", tmp_path / "link"
    full.mkdir()
    (full / ".keep").write_text("mine")
    file.write_text("mine")
    link.symlink_to(tmp_path / "nowhere")
    for path in (full, file, link):
        assert "exists and is not an empty folder" in refused(capsys, str(path), "--part", PART)
    assert contents(full) == {".keep": b"mine"} and file.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_where_nothing_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert "cannot be written" in refused(capsys, str(tmp_path / "file/door"), "--part", PART)
    assert "cannot be written" in refused(capsys, str(tmp_path / ("x" * 300)), "--part", PART, "--name", "x")
    assert "cannot be written" in refused(capsys, str(tmp_path / "a\0b"), "--part", PART, "--name", "x")
    assert contents(tmp_path) == {"file": b"mine"}


def test_a_failure_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    made = kit_files(kits()[0], product="x", vendor="y")
    blocked = KitFile(path=made[-1].path / "below a file", data=b"")
    with pytest.raises(InputError, match="cannot be written"):
        new._write(tmp_path / "a/b", (*made, blocked))
    assert list(tmp_path.iterdir()) == []


def test_unknown_parts_and_profiles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = str(tmp_path / "door")
    assert f"no kit for this part; there is one for: {PART}" in refused(capsys, where, "--part", "stm32f999")
    assert "no kit for this part" in refused(capsys, where, "--part", "../../etc")
    assert "no kit for this part" in refused(capsys, where, "--part", "")
    unknown = refused(capsys, where, "--part", PART, "--profile", "lie\x1b[2J")
    assert "unknown profile; there is one for: " in unknown and "\x1b" not in unknown
    assert "no kit for this profile yet" in refused(capsys, where, "--part", PART, "--profile", "gesture")
    assert not (tmp_path / "door").exists()


def test_the_part_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        _cli.main(["new", "door"])
    assert stopped.value.code == 2 and "--part" in capsys.readouterr().err


def test_each_kit_is_for_a_part_and_a_profile_that_there_are() -> None:
    for kit in kits():
        assert kit.part in part_names()
        declared = next(file for file in kit_files(kit, product="x", vendor="y") if file.path.name == "module.toml")
        module = read_declaration(declared.data, "module.toml").module
        assert (module.part, module.profile) == (kit.part, kit.profile)
