"""Where the pictures come from, and every way in which they may not."""

from __future__ import annotations

import subprocess
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image

from reference_module.demo import video
from reference_module.demo.errors import DemoError
from reference_module.demo.video import SIDE, WINDOWS, find, generated, pictures
from reference_module.model.errors import ModelError
from tests.emulation.tools import require


def _refused(path: Path) -> str:
    with pytest.raises(DemoError) as caught:
        next(pictures(path, 1))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _recorded(path: Path, width: int, height: int, count: int) -> Path:
    require("python:av")
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(count):
            frame = av.VideoFrame.from_image(Image.new("RGB", (width, height), (20 * number,) * 3))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_one_picture_a_second_then_the_next_window(tmp_path: Path) -> None:
    recorded = _recorded(tmp_path / "street.avi", 768, 576, 12)
    shown = list(islice(pictures(recorded, 4), 5))
    assert [(picture.number, picture.window) for picture in shown] == [(0, 4), (10, 4), (0, 1), (10, 1), (0, 2)]
    assert all(len(picture.pixels) == SIDE * SIDE for picture in shown)
    assert shown[0].pixels != shown[1].pixels


def test_every_window_lies_in_the_picture() -> None:
    assert all(left + side <= 768 and top + side <= 576 for left, top, side in WINDOWS)


def test_a_video_that_is_too_small_is_refused(tmp_path: Path) -> None:
    assert "too small" in _refused(_recorded(tmp_path / "small.avi", 320, 240, 2))


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    require("python:av")
    for data in (b"", b"not a video" * 100, b"RIFF\xff\xff\xff\xffAVI LIST"):
        wrong = tmp_path / "wrong.avi"
        wrong.write_bytes(data)
        assert "not a readable video" in _refused(wrong)
    assert "not a readable video" in _refused(tmp_path / "nothing.avi")
    assert "not a readable video" in _refused(tmp_path)


def test_a_missing_decoder_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    assert "install the extra [video]" in _refused(tmp_path / "any.avi")


def test_a_download_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(video, "INSTALLED", tmp_path / "vtest.avi")

    def no_network(command: list[str], folder: Path) -> None:
        raise ModelError("apt-get: no answer")

    with pytest.raises(DemoError, match=r"the video cannot be had: .*no answer"):
        find(tmp_path / "cache", no_network)


def test_an_installed_file_that_is_not_the_pinned_one_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "vtest.avi"
    other.write_bytes(b"another video")
    monkeypatch.setattr(video, "INSTALLED", other)

    def another_package(command: list[str], folder: Path) -> None:
        (folder / "opencv-doc.deb").write_bytes(b"not the pinned package")

    with pytest.raises(DemoError, match="sha256"):
        find(tmp_path / "cache", another_package)


def test_a_package_without_the_video_is_refused(tmp_path: Path) -> None:
    require("dpkg-deb")
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = ("Package: x", "Version: 1", "Architecture: all", "Maintainer: x <x@x>", "Description: x", "")
    (tree / "DEBIAN/control").write_text("\n".join(control))
    made = tmp_path / "made.deb"
    subprocess.run(["dpkg-deb", "--build", str(tree), str(made)], check=True, capture_output=True)
    for archive in (made, tmp_path / "nothing.deb"):
        with pytest.raises(DemoError, match=r"holds no readable vtest\.avi"):
            video._member(archive)
    inside = tree / video.INSTALLED.relative_to("/")
    inside.parent.mkdir(parents=True)
    inside.write_bytes(b"another video")
    subprocess.run(["dpkg-deb", "--build", str(tree), str(made)], check=True, capture_output=True)
    with pytest.raises(DemoError, match="is not the pinned one"):
        video._member(made)


def test_generated_pictures_come_and_go() -> None:
    shown = list(islice(generated(), 20))
    assert all(len(picture.pixels) == SIDE * SIDE for picture in shown)
    assert max(shown[0].pixels) < 200 < max(shown[15].pixels)
