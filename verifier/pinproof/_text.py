"""Text from input files, made safe to print.

Names, paths and keys of an input file reach messages and reports. A terminal escape or a bidirectional control
character in them could make a refusal read like a pass, so only printable characters on one line get through.
"""

from __future__ import annotations

LONGEST_MESSAGE = 480
"""Characters of a message that quotes an input file."""


def one_line(text: str, limit: int = 120) -> str:
    """`text` with every character that is not printable replaced by `?`, cut to `limit` characters."""
    shown = text if len(text) <= limit else text[: limit - 3] + "..."
    if shown.isprintable():
        return shown
    return "".join(character if character.isprintable() else "?" for character in shown)


def message(text: str) -> str:
    """A whole message that quotes an input file, as one printable line of bounded length."""
    return one_line(text, LONGEST_MESSAGE)
