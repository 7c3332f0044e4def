"""Compiles the kit of `pinproof new`: `reference_module/` in, `verifier/pinproof/_kit/` out.

A project is the reference module's gate, memory layout, kernels, generator and emulator, and what the folder `kit`
there brings of its own; nothing is edited by hand. The Python files are those that `kit/project.py` imports, found by
reading the imports, so that none is forgotten and none comes along for nothing. `firmware` is the project's name for
the folder `reference_module`.

`--check` writes nothing and exits 1 when anything would change.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from reference_module.build import PERSON  # noqa: E402

SOURCE = ROOT / "reference_module"
COMPILED = ROOT / "verifier" / "pinproof" / "_kit"
KIT = COMPILED / "stm32f401xe" / "person-detector"

PACKAGE, FIRMWARE = "reference_module", "firmware"
C_FOLDERS = ("gate", "detector", "network", "kit/confined", "ld")
"""Of `reference_module`; those that are there are taken whole."""
OWN = {
    "kit/README.md": "README.md",
    "kit/Makefile": "Makefile",
    "kit/datasheet.md": "datasheet.md",
    "kit/gitignore": "dot.gitignore",
    "kit/firmware.yml": "dot.github/workflows/firmware.yml",
    "provisioning.toml": "provisioning.toml",
    "sealing.md": "sealing.md",
}
START = "reference_module.kit.project"
INIT = '"""The module\'s firmware, and the tools that build and run it."""\n'

_HEADER = """\
# What this module's vendor says that it is: where things are, and what is claimed. The verifier proves or refuses it.
# Digests, the model's size and the toolchain are written by `make declare`; lines marked CHANGE are yours.
"""
_STATEMENTS = {
    "vendor": "@VENDOR_TOML@ # CHANGE",
    "product": "@PRODUCT_TOML@ # CHANGE",
    "version": '"0.1.0" # CHANGE',
    "support_period": '"A project in development, not on sale: none." # CHANGE before it is sold',
    "hazardous_substances": '"A project in development, not produced: none declared." # CHANGE (RoHS, REACH)',
    "take_back": '"A project in development, not produced: no scheme." # CHANGE (WEEE)',
    "size": "64",
    "toolchain": '"unknown until make declare"',
    "recipe": '"""\nThe toolchain that is named above, then `make` in the folder of this file.\n"""',
}
"""What a new project says in place of the reference module, all of it true of a project that was just made."""
_NO_DIGEST = '"' + "0" * 64 + '"'
_MULTILINE = re.compile(r'^(?P<key>[a-z_]+) = """\n.*?"""$', re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^(?P<key>[a-z0-9_]+) = (?P<value>.*)$", re.MULTILINE)


class KitError(Exception):
    """The reference module is not what this program expects. One line."""


def declaration() -> str:
    """The reference module's declaration with the names, digests and statements of a new project."""
    text = (SOURCE / "module.toml").read_text(encoding="utf-8")
    text = text[text.index("specification = ") :]
    left = set(_STATEMENTS)

    def replaced(match: re.Match[str]) -> str:
        key = match["key"]
        left.discard(key)
        if key.endswith("sha256"):
            return f"{key} = {_NO_DIGEST}"
        return f"{key} = {_STATEMENTS[key]}" if key in _STATEMENTS else match[0]

    text = _MULTILINE.sub(replaced, text)
    # The part of a statement on its own line that the first pass made is met again here, and stays as it is.
    text = _LINE.sub(lambda match: match[0] if match["value"] == '"""' else replaced(match), text)
    if left:
        raise KitError(f"reference_module/module.toml: no {', '.join(sorted(left))}")
    return f"{_HEADER}\n{text}"


def python_files() -> Iterator[Path]:
    """The closure of imports inside the reference module, packages' `__init__` included."""
    found: set[Path] = set()
    waiting = [START]
    while waiting:
        path = _file_of(waiting.pop())
        if path is not None and path not in found:
            found.add(path)
            waiting += _imports(path)
    yield from sorted(found)


def _file_of(module: str) -> Path | None:
    stem = ROOT.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(path: Path) -> Iterator[str]:
    module = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    names = [module.rsplit(".", 1)[0]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    yield from (name for name in names if name.startswith(f"{PACKAGE}.") and not name.endswith(".kit"))


def _target(path: Path) -> PurePosixPath:
    """Where a file of the reference module stands in a project."""
    inside = PurePosixPath(path.relative_to(SOURCE).as_posix())
    return FIRMWARE / (inside.relative_to("kit") if inside.parts[0] == "kit" else inside)


def _renamed(text: str) -> str:
    return text.replace(PACKAGE, FIRMWARE)


def _notice() -> str:
    """Who made the files of a project: without what is said of the reference network, which is not among them."""
    return (ROOT / "NOTICE").read_text("utf-8").partition(f"\n{PACKAGE}/")[0].rstrip() + "\n"


def outputs() -> dict[Path, bytes]:
    """Every file of the kit and its bytes."""
    files = {KIT / name: _renamed((SOURCE / source).read_text("utf-8")) for source, name in OWN.items()}
    files[KIT / "module.toml"] = declaration()
    files[KIT / FIRMWARE / "__init__.py"] = INIT
    files[KIT / FIRMWARE / "LICENSE"] = (ROOT / "LICENSE").read_text("utf-8")
    files[KIT / FIRMWARE / "NOTICE"] = _notice()
    sources = list(python_files())
    for folder in C_FOLDERS:
        found = [path for path in (SOURCE / folder).glob("*") if path.suffix in {".c", ".h", ".ld"}]
        sources += [
            path for path in found if folder != "gate" or path.with_suffix(".c").name not in PERSON.gate_left_out
        ]
    for path in sources:
        files[KIT / _target(path)] = _renamed(path.read_text("utf-8"))
    return {path: text.encode("utf-8") for path, text in files.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is not fresh")
    arguments = parser.parse_args()
    try:
        wanted = outputs()
    except (KitError, OSError) as error:
        print(f"kit: {error}", file=sys.stderr)
        return 2
    present = [path for path in COMPILED.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    changed = [path for path, data in wanted.items() if not path.exists() or path.read_bytes() != data]
    leftover = [path for path in present if path not in wanted]
    if arguments.check:
        for path in (*changed, *leftover):
            print(f"not fresh: {path.relative_to(ROOT)} (run python tools/compile_kit.py)", file=sys.stderr)
        return 1 if changed or leftover else 0
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wanted[path])
    for path in leftover:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
