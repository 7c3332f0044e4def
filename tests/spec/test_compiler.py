"""The compiler of the standard refuses text that it does not fully understand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from pinproof.outcome import GRADE_ORDER

ROOT = Path(__file__).resolve().parents[2]

WHOLE = """\
# area

### out-example

The gate MUST do one thing.

It MUST do another.

*In short.* One thing.

*Rationale.* Because.

*How it is decided.* By looking.

*Minimum grade.* Level 1: proved. Level 2: proved. Level 3: hardware.

*Example that fails.* A caption.
```c
bad();
```

*Example that conforms.*
```c
good();
```

*Vectors.* [vectors/out-example/](vectors/out-example/)
"""


def _load_compiler() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compile_spec", ROOT / "tools" / "compile_spec.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["compile_spec"] = module
    spec.loader.exec_module(module)
    return module


compiler = _load_compiler()


def _compile(tmp_path: Path, text: str) -> dict[str, object]:
    path = tmp_path / "out.md"
    path.write_text(text, encoding="utf-8")
    (section,) = compiler.read_sections(path)
    return compiler.compile_requirement(section)


def test_a_whole_section_compiles(tmp_path: Path) -> None:
    entry = _compile(tmp_path, WHOLE)
    assert entry["sentence"] == "The gate MUST do one thing."
    assert entry["obligations"] == ["It MUST do another."]
    assert entry["title"] == "One thing"
    assert entry["grades"] == {"1": "proved", "2": "proved", "3": "hardware"}
    assert entry["bad"] == {"caption": "A caption.", "language": "c", "text": "bad();"}
    assert entry["good"] == {"caption": "", "language": "c", "text": "good();"}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("The gate MUST do one thing.", "The gate does one thing.", "one MUST"),
        ("The gate MUST do one thing.", "The gate MUST do one thing and MUST stop.", "one MUST"),
        ("The gate MUST do one thing.", "The gate MUST act. It MUST stop.", "exactly one sentence"),
        ("*Rationale.* Because.\n", "", "`Rationale` is expected"),
        ("*Rationale.* Because.", "*Rationale.* Because.\n\n*Rationale.* Again.", "is expected"),
        ("*Rationale.* Because.", "*Rationale.* Because.\n\nAnd more.", "paragraph of its own"),
        ("Level 3: hardware.", "Level 3: certain.", "minimum grade"),
        ("Level 2: proved. ", "", "minimum grade"),
        ("```c\nbad();\n```\n", "", "no example"),
        ("```c\ngood();\n```", "```c\ngood();\n```\n\n```c\nmore();\n```", "belongs after"),
        ("*Vectors.*", "*Vector.*", "`Vectors` is expected"),
        ("*Vectors.* [vectors/out-example/](vectors/out-example/)\n", "", "no `Vectors`"),
        ("### out-example", "### Out example", "heading"),
        ("good();\n```", "good();", "without an end"),
    ],
)
def test_a_damaged_section_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in WHOLE
    with pytest.raises(compiler.SpecError, match=complaint):
        _compile(tmp_path, WHOLE.replace(old, new, 1))


def test_a_file_without_requirements_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.md"
    path.write_text("# nothing here\n", encoding="utf-8")
    with pytest.raises(compiler.SpecError, match="no requirement"):
        compiler.read_sections(path)


def test_compiling_twice_gives_the_same_bytes() -> None:
    assert compiler.outputs() == compiler.outputs()


def test_the_grade_words_are_the_verifiers() -> None:
    assert tuple(grade.value for grade in GRADE_ORDER) == compiler.GRADES


def test_reason_codes_are_read_from_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out_example.py").write_text('REASONS: dict[str, str] = {**{"a-code": "what it " "means"}}\n')
    monkeypatch.setattr(compiler, "CHECKS", tmp_path)
    assert compiler.read_reasons("out-example") == {"a-code": "what it means"}
    assert compiler.read_reasons("out-other") == {}
