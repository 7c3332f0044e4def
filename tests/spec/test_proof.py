"""The chapter on the proof method names functions that exist, and each function of the modules that carry the proof."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MACHINE = ROOT / "verifier" / "pinproof" / "machine"
CHAPTER = (ROOT / "spec" / "proof.md").read_text(encoding="utf-8")
NAMED = frozenset(re.findall(r"`([a-z_]+(?:\.\w+)+)`", CHAPTER))
WHOLE = ("execute", "explore", "fills", "induction", "jumps", "loops")
"""Modules of which the chapter says something about each function."""


def functions(module: str) -> set[str]:
    """`module.function` and `module.Class.method`; without the methods of the language itself."""
    found = set()
    for node in ast.parse((MACHINE / f"{module}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(f"{module}.{node.name}")
        elif isinstance(node, ast.ClassDef):
            methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
            found |= {f"{module}.{node.name}.{name}" for name in methods if not name.startswith("__")}
    return found


def words(module: str) -> set[str]:
    """What a module defines beside functions: classes and names of types."""
    found = set()
    for node in ast.parse((MACHINE / f"{module}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found.add(f"{module}.{node.name}")
        elif isinstance(node, ast.Assign):
            found |= {f"{module}.{target.id}" for target in node.targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("name", sorted(NAMED))
def test_what_the_chapter_names_exists(name: str) -> None:
    module = name.split(".")[0]
    assert (MACHINE / f"{module}.py").exists(), name
    assert name in functions(module) | words(module)


@pytest.mark.parametrize("module", WHOLE)
def test_the_chapter_speaks_of_every_function(module: str) -> None:
    assert functions(module) - NAMED == set()


def test_the_chapter_names_many() -> None:
    assert len(NAMED) > 100
