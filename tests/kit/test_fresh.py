"""The kit is compiled from the reference module, holds what a project needs, and reaches for nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from reference_module.build import PERSON
from tools import compile_kit

ALLOWED = {"pinproof", "firmware", "elftools", "numpy", "flatbuffers", "tflite"}
"""What a project may import: itself, Pinproof with what it needs, and the extra `kit`."""


def test_the_kit_is_fresh() -> None:
    ended = subprocess.run(
        [sys.executable, "tools/compile_kit.py", "--check"], cwd=compile_kit.ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr


def python_files() -> list[Path]:
    return sorted(compile_kit.KIT.rglob("*.py"))


def test_a_project_imports_what_it_has() -> None:
    found: set[str] = set()
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                found.add(node.module)
    tops = {name.split(".")[0] for name in found} - set(sys.stdlib_module_names)
    assert {"pinproof", "firmware"} <= tops <= ALLOWED
    for name in found:
        if name.startswith("firmware."):
            stem = compile_kit.KIT.joinpath(*name.split("."))
            assert stem.with_suffix(".py").is_file() or (stem / "__init__.py").is_file(), name


def test_every_gate_file_is_there_but_those_of_other_products() -> None:
    names = {path.name for path in (compile_kit.SOURCE / "gate").iterdir()}
    left_out = names - {path.name for path in (compile_kit.KIT / "firmware/gate").iterdir()}
    assert {path for path in left_out if path.endswith(".c")} == PERSON.gate_left_out
    assert {Path(path).stem for path in left_out} == {Path(path).stem for path in PERSON.gate_left_out}


def test_a_declaration_that_lacks_a_line_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (compile_kit.SOURCE / "module.toml").read_text("utf-8")
    (tmp_path / "module.toml").write_text(text.replace("take_back = ", "given_back = "))
    monkeypatch.setattr(compile_kit, "SOURCE", tmp_path)
    with pytest.raises(compile_kit.KitError, match="no take_back"):
        compile_kit.declaration()
