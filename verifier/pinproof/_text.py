"""Text from input files, made safe to print.

Names, paths and keys of an input file reach messages and reports. A terminal escape or a bidirectional control
character in them could make a refusal read like a pass, so only printable characters on one line get through.
"""

from __future__ import annotations


def one_line(text: str, limit: int = 120) -> str:
    """`text` with every character that is not printable replaced by `?`, cut to `limit` characters."""
    shown = text if len(text) <= limit else text[: limit - 3] + "..."
    return "".join(character if character.isprintable() else "?" for character in shown)
