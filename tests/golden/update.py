"""Writes the golden files again: `python -m tests.golden.update`, then read the difference."""

from __future__ import annotations

from pinproof.exports import Format

from tests.unit.exports.test_exports import GOLDEN, REPORTS, SUFFIX, shown

if __name__ == "__main__":
    for name in REPORTS:
        for form in Format:
            (GOLDEN / f"{name}.{SUFFIX[form]}").write_text(shown(name, form), "utf-8")
