"""A .tflite as an array of bytes in C, and back: what `xxd -i` writes, what TensorFlow Lite Micro has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reference_module.model.errors import ModelError

IDENTIFIER = b"TFL3"
"""Bytes 4 to 7 of every TensorFlow Lite flatbuffer."""

LARGEST_TEXT = 256 << 20
"""Characters; more is no network for a microcontroller."""

_ROW = 12
_DIGITS = 20
"""A longer number fits no byte and no length, whatever it is."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SKIPPED = re.compile(r"//[^\n]*|/\*.*?\*/|^[ \t]*#[^\n]*", re.DOTALL | re.MULTILINE)
_ARRAY = re.compile(
    r"\b(?:unsigned\s+char|signed\s+char|char|u?int8_t)\b(?P<qualifiers>[^;{}=\[\]]*?)"
    r"\b(?P<name>[A-Za-z_]\w*)\s*\[(?P<size>[^\]]*)\](?P<attributes>[^;{}=\[\]]*)=\s*\{(?P<values>[^{}]*)(?P<end>\}?)"
)
_LENGTH = re.compile(r"\b(?P<name>[A-Za-z_]\w*)_(?:len|size)\s*=\s*(?P<value>0[xX][0-9a-fA-F]+|\d+)[uUlL]*\s*;")
_INTEGER = re.compile(r"(?P<sign>-?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|(?P<octal>0[0-7]*)|(?P<decimal>[1-9]\d*))[uUlL]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    name: str
    size: str
    values: str
    ended: bool


def check(data: bytes, source: str) -> bytes:
    """The same bytes, if they can be a .tflite. Raises ModelError."""
    if data[4:8] != IDENTIFIER:
        raise ModelError(f"{source}: not a .tflite: bytes 4 to 7 are not {IDENTIFIER.decode()}")
    return data


def to_c(data: bytes, name: str, source: str) -> str:
    """C and C++ for the bytes of a .tflite, aligned as its readers need. `source` is named in a comment."""
    if not _NAME.match(name):
        raise ModelError(f"{name!r} is not a name in C: letters, digits and _, no digit first")
    check(data, source)
    rows = (data[start : start + _ROW] for start in range(0, len(data), _ROW))
    body = ",\n".join("    " + ", ".join(f"0x{byte:02x}" for byte in row) for row in rows)
    return (
        f"// {source.translate(_ONE_LINE)}, {len(data)} bytes. Made by `python -m reference_module.model to-c`.\n"
        "#include <stdalign.h>\n\n"
        f"alignas(16) const unsigned char {name}[] = {{\n{body}\n}};\n"
        f"const unsigned int {name}_len = {len(data)};\n"
    )


_ONE_LINE = {ord("\n"): " ", ord("\r"): " ", ord("\\"): "/"}
"""A line break, or a backslash at its end, would let a file's name out of the comment."""


def from_c(text: str, source: str, name: str | None = None) -> bytes:
    """The bytes of the one array in `text`, or of the array `name`. Raises ModelError."""
    if len(text) > LARGEST_TEXT:
        raise ModelError(f"{source}: more than {LARGEST_TEXT >> 20} MiB of text")
    code = _SKIPPED.sub(" ", text)
    array = _pick(_arrays(code), source, name)
    where = f"{source}: {array.name}"
    if not array.ended:
        raise ModelError(f"{where}: the array does not end with '}}'")
    data = bytes(_byte(token, where) for token in _tokens(array.values))
    _check_length(len(data), array, code, where)
    return check(data, where)


def _arrays(code: str) -> list[_Found]:
    return [
        _Found(name=found["name"], size=found["size"].strip(), values=found["values"], ended=bool(found["end"]))
        for found in _ARRAY.finditer(code)
    ]


def _pick(arrays: list[_Found], source: str, name: str | None) -> _Found:
    names = ", ".join(array.name for array in arrays)
    if not arrays:
        raise ModelError(f"{source}: holds no array of bytes (const unsigned char NAME[] = {{0x..}})")
    if name is None:
        if len(arrays) > 1:
            raise ModelError(f"{source}: holds several arrays ({names}); say which with --name")
        return arrays[0]
    chosen = [array for array in arrays if array.name == name]
    if len(chosen) != 1:
        raise ModelError(f"{source}: holds {len(chosen)} arrays named {name} (it has {names})")
    return chosen[0]


def _tokens(values: str) -> list[str]:
    tokens = [token.strip() for token in values.split(",")]
    return tokens[:-1] if tokens[-1] == "" else tokens


def _byte(token: str, where: str) -> int:
    value = _integer(token)
    if value is None:
        raise ModelError(f"{where}: {token[:20]!r} is not a whole number")
    if not -128 <= value <= 255:
        raise ModelError(f"{where}: {token[:20]} does not fit a byte")
    return value & 0xFF


def _integer(token: str) -> int | None:
    found = _INTEGER.match(token)
    if found is None:
        return None
    base = 16 if found["hex"] else 8 if found["octal"] else 10
    digits = found["hex"] or found["octal"] or found["decimal"]
    value = int(digits, base) if len(digits) <= _DIGITS else 1 << 64
    return -value if found["sign"] else value


def _check_length(length: int, array: _Found, code: str, where: str) -> None:
    """What the text says of the array's length must be so."""
    if array.size and (size := _integer(array.size)) is not None and size != length:
        raise ModelError(f"{where}: {length} bytes, declared as [{array.size}]")
    for found in _LENGTH.finditer(code):
        if found["name"] == array.name and _integer(found["value"]) != length:
            raise ModelError(f"{where}: {length} bytes, but its length is given as {found['value']}")
