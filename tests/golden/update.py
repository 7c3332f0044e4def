"""Writes the golden files again: `python -m tests.golden.update`, then read the difference."""

from __future__ import annotations

from pinproof.exports import Format, render

from tests.unit.exports.test_exports import GOLDEN, REPORTS, SUFFIX

if __name__ == "__main__":
    for name, report in REPORTS.items():
        for form in Format:
            (GOLDEN / f"{name}.{SUFFIX[form]}").write_text(render(report, form), "utf-8")
