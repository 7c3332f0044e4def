"""JSON that has one meaning: no key twice, no NaN, no fraction, no surprise in size, depth or type.

Programs disagree about doubled keys and odd numbers; refusing those leaves a signed statement with one reading.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NoReturn, TypeVar

from pinproof._text import message, one_line
from pinproof.errors import InputError

JsonValue = bool | int | str | list["JsonValue"] | dict[str, "JsonValue"] | None
JsonObject = dict[str, JsonValue]

Word = TypeVar("Word", bound=StrEnum)
Result = TypeVar("Result")

MAX_DEPTH = 32
"""Deepest nesting of arrays and objects; ours need 9."""


def write(value: JsonValue) -> str:
    """The one spelling of `value`: sorted keys, two spaces, one final newline, ASCII only."""
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def read(data: bytes, *, name: str, limit: int, error: type[InputError]) -> JsonValue:
    """The JSON value in `data` (UTF-8, at most `limit` bytes). Raises `error` with one line that starts with `name`."""
    if len(data) > limit:
        raise error(message(f"{name}: {len(data)} bytes, but at most {limit} are read"))
    try:
        value: JsonValue = json.loads(
            data.decode("utf-8"), object_pairs_hook=_without_doubles, parse_constant=_no_number, parse_float=_no_number
        )
        _check_depth(value, MAX_DEPTH)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise error(message(f"{name}: not UTF-8 text")) from None
    except RecursionError:
        raise error(message(f"{name}: nested deeper than {MAX_DEPTH} levels")) from None
    except ValueError as problem:
        raise error(message(f"{name}: not usable JSON: {problem}")) from None
    return value


def _without_doubles(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    found: JsonObject = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {_quoted(key)} appears twice in one object")
        found[key] = value
    return found


def _quoted(text: str) -> str:
    """Text of the file, short and printable, as messages show it."""
    return repr(one_line(text, 60))


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"number {text[:40]!r} is not a whole number")


def _check_depth(value: JsonValue, left: int) -> None:
    children: Iterable[JsonValue] = ()
    if isinstance(value, dict):
        children = value.values()
    elif isinstance(value, list):
        children = value
    else:
        return
    if left == 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    for child in children:
        _check_depth(child, left - 1)


class Fields:
    """One JSON object being read. Each key is taken by name and type; `done` refuses whatever is left."""

    def __init__(self, value: JsonValue, where: str, error: type[InputError]) -> None:
        if not isinstance(value, dict):
            raise error(message(f"{where}: not an object"))
        self.where = where
        self._left = dict(value)
        self._error = error

    def problem(self, words: str) -> InputError:
        """This file's error, one printable line of bounded length, about this object."""
        return self._error(message(f"{self.where}: {words}"))

    def take(self, key: str) -> JsonValue:
        if key not in self._left:
            raise self.problem(f"key {key!r} is missing")
        return self._left.pop(key)

    def text(self, key: str, *, longest: int = 4096) -> str:
        value = self.take(key)
        if not isinstance(value, str) or len(value) > longest:
            raise self.problem(f"{key!r} is not a text of at most {longest} characters")
        return value

    def text_or_none(self, key: str) -> str | None:
        value = self.take(key)
        if value is not None and not isinstance(value, str):
            raise self.problem(f"{key!r} is neither a text nor null")
        return value

    def whole(self, key: str, *, lowest: int = 0, highest: int = 2**63 - 1) -> int:
        value = self.take(key)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self.problem(f"{key!r} is not a whole number from {lowest} to {highest}")
        return value

    def flag(self, key: str) -> bool:
        value = self.take(key)
        if not isinstance(value, bool):
            raise self.problem(f"{key!r} is neither true nor false")
        return value

    def sha256(self, key: str) -> str:
        value = self.text(key, longest=64)
        if len(value) != 64 or not set(value) <= set("0123456789abcdef"):
            raise self.problem(f"{key!r} is not a SHA-256 digest in lower-case hexadecimal")
        return value

    def word(self, key: str, words: type[Word]) -> Word:
        value = self.text(key)
        try:
            return words(value)
        except ValueError:
            raise self.problem(f"{key!r} is {_quoted(value)}, but must be one of {', '.join(words)}") from None

    def word_or_none(self, key: str, words: type[Word]) -> Word | None:
        if key in self._left and self._left[key] is None:
            del self._left[key]
            return None
        return self.word(key, words)

    def object(self, key: str) -> Fields:
        return Fields(self.take(key), f"{self.where}.{key}", self._error)

    def objects(self, key: str, *, longest: int = 4096) -> list[Fields]:
        return [
            Fields(item, f"{self.where}.{key}[{i}]", self._error) for i, item in enumerate(self._list(key, longest))
        ]

    def texts(self, key: str, *, longest: int = 4096) -> tuple[str, ...]:
        values = self._list(key, longest)
        items = [item for item in values if isinstance(item, str)]
        if len(items) != len(values):
            raise self.problem(f"{key!r} holds something other than texts")
        if len(items) != len(set(items)):
            raise self.problem(f"{key!r} holds an entry twice")
        return tuple(items)

    def optional(self, key: str, read_object: Callable[[Fields], Result]) -> Result | None:
        """The object at `key` as `read_object` reads it, or None where it is null."""
        if key in self._left and self._left[key] is None:
            del self._left[key]
            return None
        return read_object(self.object(key))

    def constant(self, key: str, expected: str) -> None:
        value = self.take(key)
        if value != expected:
            raise self.problem(f"{key!r} is {_quoted(str(value))}, but this version reads {expected!r}")

    def done(self) -> None:
        if self._left:
            raise self.problem(f"unknown key {_quoted(min(self._left))}")

    def _list(self, key: str, longest: int) -> list[JsonValue]:
        value = self.take(key)
        if not isinstance(value, list) or len(value) > longest:
            raise self.problem(f"{key!r} is not a list of at most {longest} entries")
        return value
