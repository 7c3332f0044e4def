"""The examples of the standard are what the readers read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pinproof.declaration import read_declaration
from pinproof.profile import load_profile
from pinproof.provisioning import read_provisioning
from pinproof.silicon import load_silicon

SPEC = Path(__file__).resolve().parents[3] / "spec"
BLOCKS = re.findall(r"```toml\n(.*?)```", (SPEC / "declaration.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_of_the_standard_are_accepted() -> None:
    declaration_text, *_, provisioning_text = BLOCKS
    declaration = read_declaration(declaration_text.encode(), "declaration.md")
    provisioning = read_provisioning(provisioning_text.encode(), "declaration.md")
    assert provisioning.part == declaration.module.part == load_silicon(declaration.module.part).part
    assert load_profile(declaration.module.profile).name == declaration.module.profile


def test_the_table_of_keys_names_every_key() -> None:
    """The standard's table and the reader's keys are one set."""
    text = (SPEC / "declaration.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = set()
    for row in rows:
        table, _, first = re.findall(r"`([^`]+)`", row)[0].partition(".")
        named |= {(table, first)} | {(table, key.removeprefix(".")) for key in re.findall(r"`([^`]+)`", row)[1:]}
    examples = [tomllib.loads(block) for block in BLOCKS[:-1]]
    tables = [(table, values) for example in examples for table, values in example.items()]
    keys = {(table, key) for table, values in tables if isinstance(values, dict) for key in values}
    keys = {(table, key) for table, key in keys if table != "lifecycle"} | {
        ("lifecycle", "*"),
        ("build", "flash_sha256"),
    }
    assert named == keys
