"""A gate whose pin says each answer: what runs look for in the answers, the shipped smoothing would blur."""

from __future__ import annotations

from collections.abc import Mapping

from reference_module.build import gate_text, patched

_PLAIN = (("kNeeded = 2,", "kNeeded = 1,"), ("kOf = 3,", "kOf = 1,"), ("kDwell = 3,", "kDwell = 1,"))


def unsmoothed(gate_files: Mapping[str, str] | None = None) -> dict[str, str]:
    """These gate files, and smoothing over one answer, without dwell, where they do not bring their own."""
    files = dict(gate_files or {})
    if "smoothing.c" not in files:
        text = gate_text("smoothing.c")
        for old, new in _PLAIN:
            text = patched(text, old, new)
        files["smoothing.c"] = text
    return files
