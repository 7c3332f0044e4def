"""Tables of an input file (TOML, or JSON compiled from it), read key by key with nothing left over.

A reader takes every key that it knows; leaving the `with` block refuses whatever it did not take, so that a misspelt or
a smuggled key is never silently without effect. Each message begins with the file and the path of the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from types import TracebackType
from typing import NoReturn, TypeVar

from pinproof._text import one_line
from pinproof.errors import PinproofError

MAX_TOML_SIZE = 64 * 1024
"""Bytes of a file that a user gives; real ones have a few KB."""
MAX_TOML_LINE = 4096
"""Characters. `tomllib` takes time that grows with the square of the parts of a dotted key: 15 seconds for 60 KB."""
MAX_TEXT = 2000
WORD = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
"""Names that are parts of paths or links: lower-case words."""
SHA256 = re.compile(r"[0-9a-f]{64}")
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?")
_WORD_MAX = 0xFFFFFFFF
_Word = TypeVar("_Word", bound=StrEnum)

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (str, "a string"),
    (int, "an integer"),
    (float, "a float"),
    (list, "a list"),
    (dict, "a table"),
)

ErrorType = Callable[[str], PinproofError]


def kind_of(value: object) -> str:
    """What a message calls the type of `value`."""
    return next((words for kind, words in _KINDS if isinstance(value, kind)), "a date or time")


class Table:
    """One table of the file, and which of its keys have been taken."""

    __slots__ = ("_error", "_name", "_path", "_taken", "_values")

    def __init__(self, values: Mapping[str, object], *, name: str, error: ErrorType, path: str = "") -> None:
        self._values = values
        self._name = name
        self._error = error
        self._path = path
        self._taken: set[str] = set()

    def __enter__(self) -> Table:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for key in self._values:
                if key not in self._taken:
                    self.refuse(key, "unknown key")

    def refuse(self, key: str, message: str) -> NoReturn:
        """Raise this file's error about `key`."""
        path = ".".join(part for part in (self._path, key) if part)
        raise self._error(f"{one_line(self._name)}: {one_line(path)}: {message}")

    def has(self, key: str) -> bool:
        return key in self._values

    def is_integer(self, key: str) -> bool:
        """Whether the key is there and an integer, for keys that may also be a word."""
        value = self._values.get(key)
        return isinstance(value, int) and not isinstance(value, bool)

    def _take(self, key: str, kind: type, words: str) -> object:
        if key not in self._values:
            self.refuse(key, "missing")
        self._taken.add(key)
        value = self._values[key]
        # A boolean is an integer to Python, not to TOML.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.refuse(key, f"must be {words}, is {kind_of(value)}")
        return value

    def text(self, key: str, *, limit: int = MAX_TEXT, lines: bool = False) -> str:
        """A string that is not blank and can be printed; more than one line only if `lines`."""
        value = str(self._take(key, str, "a string"))
        self._check_text(key, value, limit, lines=lines)
        return value

    def _check_text(self, key: str, value: str, limit: int, *, lines: bool = False) -> None:
        if not value.strip():
            self.refuse(key, "must not be blank")
        if len(value) > limit:
            self.refuse(key, f"has {len(value)} characters, more than {limit}")
        shown = value.replace("\n", " ") if lines else value
        if not shown.isprintable():
            self.refuse(key, "holds a line break or a character that cannot be printed")

    def matching(self, key: str, pattern: re.Pattern[str], words: str, *, limit: int = 200) -> str:
        """A string that is wholly `pattern`, described by `words` in the message."""
        value = self.text(key, limit=limit)
        if not pattern.fullmatch(value):
            self.refuse(key, f"'{one_line(value, 40)}' is not {words}")
        return value

    def choice(self, key: str, words: type[_Word]) -> _Word:
        """One of a closed set of words."""
        value = self.text(key)
        if value not in list(words):
            self.refuse(key, f"'{one_line(value, 40)}' is not one of: {', '.join(words)}")
        return words(value)

    def choices(self, key: str, words: type[_Word]) -> tuple[_Word, ...]:
        """Some of a closed set of words, each at most once."""
        values = self.texts(key)
        for index, value in enumerate(values):
            if value not in list(words):
                self.refuse(f"{key}[{index}]", f"'{one_line(value, 40)}' is not one of: {', '.join(words)}")
        self.refuse_repeats(key, values)
        return tuple(words(value) for value in values)

    def refuse_repeats(self, key: str, values: Sequence[str]) -> None:
        """Refuse a list in which a value stands twice."""
        for index, value in enumerate(values):
            if value in values[:index]:
                self.refuse(f"{key}[{index}]", f"'{one_line(value, 40)}' is named twice")

    def decimal(self, key: str) -> Decimal:
        """A number more than 0, written as a string so that no binary rounding creeps in."""
        value = Decimal(self.matching(key, _DECIMAL, 'a decimal number such as "1.0"'))
        if not value:
            self.refuse(key, "must be more than 0")
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        value = self._take(key, int, "an integer")
        assert isinstance(value, int)
        self._check_range(key, value, low, high)
        return value

    def _check_range(self, key: str, value: int, low: int, high: int) -> None:
        if not low <= value <= high:
            # Python refuses to print a number of thousands of digits, and nobody reads one of fifty.
            shown = _shown(value, high) if value.bit_length() <= 64 else "the number"
            self.refuse(key, f"{shown} is not from {low} to {_shown(high, high)}")

    def boolean(self, key: str) -> bool:
        return bool(self._take(key, bool, "a boolean"))

    def texts(self, key: str, *, limit: int = 200) -> tuple[str, ...]:
        """A list of strings, possibly empty."""
        values = self._list(key)
        for index, value in enumerate(values):
            if not isinstance(value, str):
                self.refuse(f"{key}[{index}]", f"must be a string, is {kind_of(value)}")
            self._check_text(f"{key}[{index}]", value, limit)
        return tuple(str(value) for value in values)

    def integers(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """A list of integers from `low` to `high`, possibly empty."""
        numbers = []
        for index, value in enumerate(self._list(key)):
            if not isinstance(value, int) or isinstance(value, bool):
                self.refuse(f"{key}[{index}]", f"must be an integer, is {kind_of(value)}")
            self._check_range(f"{key}[{index}]", value, low, high)
            numbers.append(value)
        return tuple(numbers)

    def pairs(self, key: str) -> tuple[tuple[int, int], ...]:
        """A list of lists of two integers that are not negative."""
        found = []
        for index, value in enumerate(self._list(key)):
            match value:
                case [int(first), int(second)] if first >= 0 and second >= 0:
                    found.append((first, second))
                case _:
                    self.refuse(f"{key}[{index}]", "must be two integers")
        return tuple(found)

    def table(self, key: str) -> Table:
        value = self._take(key, dict, "a table")
        assert isinstance(value, dict)
        return self._child(key, value)

    def tables(self, key: str) -> tuple[Table, ...]:
        """A list of tables, possibly empty."""
        children = []
        for index, value in enumerate(self._list(key)):
            if not isinstance(value, dict):
                self.refuse(f"{key}[{index}]", f"must be a table, is {kind_of(value)}")
            children.append(self._child(f"{key}[{index}]", value))
        return tuple(children)

    def all_keys(self) -> tuple[str, ...]:
        """Every key of the table, taken or not, in the order of the file."""
        return tuple(self._values)

    def _list(self, key: str) -> list[object]:
        value = self._take(key, list, "a list")
        assert isinstance(value, list)
        return value

    def _child(self, key: str, values: Mapping[str, object]) -> Table:
        path = f"{self._path}.{key}" if self._path else key
        return Table(values, name=self._name, error=self._error, path=path)


def _shown(value: int, high: int) -> str:
    """A number as a user wrote it: addresses and masks in hex, counts not."""
    return f"0x{value:X}" if high == _WORD_MAX and value > 0xFFFF else str(value)


def read_toml(data: bytes, name: str, error: ErrorType, *, limit: int = MAX_TOML_SIZE) -> Table:
    """The top table of a TOML file. Raises `error`, one line, for anything that is not TOML of reasonable size."""
    shown = one_line(name)
    if len(data) > limit:
        raise error(f"{shown}: the file has {len(data)} bytes, more than {limit}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise error(f"{shown}: byte {cause.start} is not UTF-8") from cause
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MAX_TOML_LINE:
            raise error(f"{shown}: line {number}: {len(line)} characters, more than {MAX_TOML_LINE}")
    try:
        values = tomllib.loads(text)
    except RecursionError as cause:
        raise error(f"{shown}: nested too deeply") from cause
    except ValueError as cause:
        # TOMLDecodeError, and what `int` says of a number with thousands of digits.
        raise error(f"{shown}: not TOML: {one_line(str(cause))}") from cause
    return Table(values, name=name, error=error)
