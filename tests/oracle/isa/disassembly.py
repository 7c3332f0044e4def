"""One spelling for two disassemblers, so that their text can be compared as a whole."""

from __future__ import annotations

import re

_REGISTERS = {"sb": "r9", "sl": "r10", "fp": "r11", "ip": "r12"}
_NUMBER = re.compile(r"#?(-?)(0x[0-9a-f]+|(?<![a-z0-9_])\d+)")
_REPEATED = re.compile(r"^(\S+) (\w+), \2, (.+)$")
_NEVER_COLLAPSED = ("ldr", "str", "mla", "mls", "umull", "smull", "umlal", "smlal", "bfi", "sbfx", "ubfx")
_SYNONYMS = {"movw": "mov", "addw": "add", "subw": "sub", "bhs": "bcs", "blo": "bcc"}


def canonical(mnemonic: str, operands: str) -> str:
    """Lower case, no width suffix, registers by number, unsigned decimal immediates, `op rd, rd, x` as `op rd, x`."""
    name = mnemonic.lower().removesuffix(".w").removesuffix(".n")
    text = operands.lower().strip()
    text = re.sub(r"\b(sb|sl|fp|ip)\b", lambda found: _REGISTERS[found[0]], text)
    if name in ("addw", "subw") and re.match(r"\w+, pc, ", text):
        sign = "-" if name == "subw" else ""
        name, text = "adr", text.replace("pc, #", f"#{sign}")
    name = _SYNONYMS.get(name, name)
    if name.startswith("it"):
        text = {"hs": "cs", "lo": "cc"}.get(text, text)
    text = text.replace(", #0]", "]") if not text.endswith("!") else text
    text = re.sub(r"^(\w+), sp, \1$", r"\1, sp", text) if name == "add" else text
    text = _NUMBER.sub(_number, text)
    line = f"{name} {text}".strip()
    if not name.startswith(_NEVER_COLLAPSED):
        line = _REPEATED.sub(r"\1 \2, \3", line)
    if name.startswith("mul"):
        line = re.sub(r"^(\S+) (\w+), (\w+), \2$", r"\1 \2, \3", line)
    return line


def _number(found: re.Match[str]) -> str:
    value = int(found[2], 0)
    if found[1]:
        return "#-0" if value == 0 else f"#{-value & 0xFFFFFFFF}"
    return f"#{value}"
