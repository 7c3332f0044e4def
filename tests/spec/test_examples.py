"""The whole examples in the text of the standard are read by the verifier itself."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from pinproof.declaration import read_declaration
from pinproof.profile import load_profile
from pinproof.provisioning import read_provisioning
from pinproof.silicon import load_silicon

SPEC = Path(__file__).resolve().parents[2] / "spec"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _examples(name: str, language: str) -> list[str]:
    text = (SPEC / name).read_text(encoding="utf-8")
    return [body for found, body in FENCE.findall(text) if found == language]


def test_the_declaration_is_one() -> None:
    declaration, *_, provisioning = _examples("declaration.md", "toml")
    read = read_declaration(declaration.encode(), "example")
    silicon = load_silicon(read.module.part)
    assert read.output.timer in {timer.name for timer in silicon.timers}
    assert set(read.module.revisions) <= set(silicon.revisions)
    assert load_profile(read.module.profile).minimum_period_seconds == read.output.period_seconds
    assert read_provisioning(provisioning.encode(), "example").part == read.module.part


def test_other_tables_of_a_declaration_fit_into_the_whole_one() -> None:
    declaration, *others, _ = _examples("declaration.md", "toml")
    assert others
    for other in others:
        whole = declaration
        for table, text in _tables(other).items():
            whole, count = re.subn(rf"^\[{table}\]\n(?:[^\[\n].*\n|\n)*", text, whole, flags=re.MULTILINE)
            assert count == 1
        read_declaration(whole.encode(), "example")


def _tables(text: str) -> dict[str, str]:
    pieces = re.split(r"^\[(\w+)\]\n", text, flags=re.MULTILINE)[1:]
    return {name: f"[{name}]\n{body.rstrip()}\n\n" for name, body in zip(pieces[::2], pieces[1::2], strict=True)}


def test_every_key_of_the_declaration_is_explained() -> None:
    text = (SPEC / "declaration.md").read_text(encoding="utf-8")
    *declared, _ = _examples("declaration.md", "toml")
    for table, keys in (item for example in declared for item in tomllib.loads(example).items()):
        for key in keys if isinstance(keys, dict) else ():
            explained = f"`.{key}`" in text or f"`{table}.{key}`" in text or f"`{table}.*`" in text
            assert explained, f"{table}.{key}"


@pytest.mark.parametrize("name", ["report.md", "certificate.md"])
def test_json_examples_are_json(name: str) -> None:
    examples = _examples(name, "json")
    assert examples
    for example in examples:
        json.loads(example)


@pytest.mark.parametrize("path", sorted(SPEC.glob("*.md")), ids=lambda path: path.stem)
def test_toml_examples_are_toml(path: Path) -> None:
    for example in _examples(path.name, "toml"):
        tomllib.loads(example)


def test_the_silicon_example_is_in_the_silicon_file() -> None:
    (example,) = tomllib.loads(_examples("silicon.md", "toml")[0])["peripheral"]
    document = tomllib.loads((SPEC / "silicon" / "stm32f401xe.toml").read_text(encoding="utf-8"))
    (whole,) = [block for block in document["peripheral"] if block["name"] == example["name"]]
    assert example["register"] == whole["register"][:1]
    assert {key: value for key, value in example.items() if key != "register"} == {
        key: whole[key] for key in example if key != "register"
    }


def test_the_report_page_explains_the_keys_of_a_report() -> None:
    text = (SPEC / "report.md").read_text(encoding="utf-8")
    explained = re.findall(
        r"^\| `(\w+)` \|", text.partition("## Keys")[2].partition("Each requirement")[0], re.MULTILINE
    )
    report = json.loads((SPEC.parent / "tests" / "golden" / "conforms.json").read_text(encoding="utf-8"))
    assert sorted(explained) == sorted(report)
    example, chain = _examples("report.md", "json")
    assert json.loads(example).keys() <= report.keys()
    assert json.loads(example)["requirements"][0].keys() <= report["requirements"][0].keys()
    explained_report = json.loads((SPEC.parent / "tests" / "golden" / "explained.json").read_text(encoding="utf-8"))
    whole = explained_report["requirements"][0]["chains"][0]
    assert json.loads(chain).keys() == whole.keys()
    for step, other in zip(json.loads(chain)["steps"], whole["steps"], strict=False):
        assert (
            step.keys() == other.keys() and (step["location"] or other["location"]).keys() == other["location"].keys()
        )
