"""Makes spec/vectors: small images of the reference with one deviation each, and index.json that says what they show.

    PYTHONPATH=verifier python -m tests.vectorgen.generate [--check]

Recipe and toolchain alone decide the bytes. `--check` writes nothing and exits 1 when anything would change.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pinproof.catalogue import load_catalogue

from reference_module.build import RECORDED_TOOLCHAIN
from tests.attacks.building import (
    DATASHEET,
    DECLARATION,
    PROVISIONING,
    Case,
    build_case,
    build_firmware,
    case_from,
    digest,
)
from tests.attacks.catalogue import ATTACKS
from tests.attacks.variant import WrongDigest
from tests.vectorgen.selection import ACCEPTED, ELSEWHERE, TextEdit, chosen

VECTORS = Path(__file__).resolve().parents[2] / "spec" / "vectors"
SHARED = "shared"
INDEX = "index.json"
KEPT_BY_HAND = frozenset({"README.md"})
_FLASH_DIGEST = "flash_sha256 = "


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    requirement: str
    name: str
    expect: str
    reason: str | None
    about: str
    case: Case
    level: int = 1
    keeps_flash_digest: bool = False
    silicon: TextEdit | None = None
    profile: TextEdit | None = None

    @property
    def stem(self) -> str:
        return f"{self.requirement}/{self.name}.{self.expect}"


@dataclass(slots=True)
class Output:
    """Files by path below spec/vectors, and the index's entries."""

    shared: Mapping[str, bytes]
    """What goes with the reference, by name."""
    files: dict[str, bytes] = field(default_factory=dict)
    entries: list[dict[str, object]] = field(default_factory=list)


def vectors() -> Iterator[Vector]:
    """All of them; builds firmware."""
    reference = build_firmware(())
    plain = case_from(reference, ())
    for requirement in load_catalogue().requirements:
        yield Vector(
            requirement=requirement.id,
            name="reference",
            expect="pass",
            reason=None,
            about="The reference module with its stub.",
            case=plain,
        )
    for other in ACCEPTED:
        yield Vector(
            requirement=other.requirement,
            name=other.name,
            expect="pass",
            reason=None,
            about=other.about,
            case=build_case(other.edits),
            profile=other.profile,
        )
    for variant in chosen(ATTACKS):
        image = build_firmware(variant.edits) if variant.changes_firmware else reference
        yield Vector(
            requirement=variant.requirement,
            name=variant.name,
            expect=variant.kind,
            reason=variant.reason,
            about=variant.gain,
            case=case_from(image, variant.edits),
            level=variant.level,
            keeps_flash_digest=WrongDigest(table="build", key="flash_sha256") in variant.edits,
        )
    for judged in ELSEWHERE:
        yield Vector(
            requirement=judged.requirement,
            name=judged.name,
            expect=judged.kind,
            reason=judged.reason,
            about=judged.about,
            case=build_case(judged.edits) if judged.edits else plain,
            silicon=judged.silicon,
            profile=judged.profile,
        )


def generate() -> Mapping[str, bytes]:
    """Every generated file below spec/vectors, by path."""
    made = sorted(vectors(), key=lambda item: item.stem)
    output = Output(shared=_shared(made))
    output.files.update({f"{SHARED}/{name}": data for name, data in output.shared.items()})
    for vector in made:
        _add(output, vector)
    index = {
        "specification": load_catalogue().version,
        "toolchain": RECORDED_TOOLCHAIN,
        "vectors": output.entries,
    }
    output.files[INDEX] = (json.dumps(index, indent=1) + "\n").encode()
    return output.files


def _shared(made: Sequence[Vector]) -> Mapping[str, bytes]:
    plain = next(vector.case for vector in made if vector.name == "reference")
    return {DECLARATION: _without_flash_digest(plain.declaration), **plain.files}


def _add(output: Output, vector: Vector) -> None:
    case = vector.case
    output.files[f"{vector.stem}.elf"] = case.image
    text = case.declaration if vector.keeps_flash_digest else _without_flash_digest(case.declaration)
    entry: dict[str, object] = {
        "requirement": vector.requirement,
        "case": vector.name,
        "expect": vector.expect,
        "reason": vector.reason,
        "about": vector.about,
        "level": vector.level,
        "image": f"{vector.stem}.elf",
        "sha256": digest(case.image),
        "declaration": _place(output, vector, DECLARATION, text),
        "files": {name: _place(output, vector, name, case.files[name]) for name in (PROVISIONING, DATASHEET)},
    }
    for name, edit in (("silicon", vector.silicon), ("profile", vector.profile)):
        if edit is not None:
            entry[name] = asdict(edit)
    output.entries.append(entry)


def _place(output: Output, vector: Vector, name: str, data: bytes) -> str:
    """Where a file that goes with the image lies: among the shared ones if it is the reference's, else beside it."""
    if output.shared[name] == data:
        return f"{SHARED}/{name}"
    path = f"{vector.stem}.{name}"
    output.files[path] = data
    return path


def _without_flash_digest(declaration: bytes) -> bytes:
    """A key that the declaration may leave out, so that one declaration serves all images."""
    lines = declaration.decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_FLASH_DIGEST)).encode()


def stale(files: Mapping[str, bytes]) -> list[str]:
    """What is on disk and should not be, or is missing or different."""
    present = {
        str(path.relative_to(VECTORS)): path.read_bytes()
        for path in VECTORS.rglob("*")
        if path.is_file() and path.name not in KEPT_BY_HAND
    }
    return sorted(name for name in present.keys() | files.keys() if present.get(name) != files.get(name))


def write(files: Mapping[str, bytes]) -> None:
    """Puts exactly these files below spec/vectors, beside what is kept by hand."""
    for path in VECTORS.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in KEPT_BY_HAND:
            path.unlink()
    for name, data in files.items():
        path = VECTORS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="make the vectors of the standard")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything would change")
    check = parser.parse_args(arguments).check
    files = generate()
    if not check:
        write(files)
        return 0
    different = stale(files)
    print("\n".join(different), file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
