"""What the plugin wrote down, in types. See ../plugin/privileged.c for the lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MEMORY_SIZE = 0x18000
"""Bytes of memory in one dump, from 0x20000000."""
Calls = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Registers at a boundary, and what else was read there."""

    registers: tuple[int, ...]
    """r0-r12, sp, lr, pc, xpsr."""
    system: tuple[int, ...] | None = None
    """The system registers that were asked for, then RBAR and RASR of each of 8 regions."""
    memory: int | None = None
    """Which dump of memory it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    number: int
    """Of the exception; 0 for boot."""
    at: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """Privileged code executes an address for the first time."""

    pc: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """`count` loads or stores at one place with one value, their addresses `stride` apart."""

    store: bool
    pc: int
    address: int
    width: int
    value: int
    count: int
    stride: int
    calls: Calls

    def addresses(self) -> Iterator[int]:
        return ((self.address + index * self.stride) & 0xFFFFFFFF for index in range(self.count if self.stride else 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """A handler is about to branch to an EXC_RETURN value."""

    pc: int
    value: int
    at: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Special:
    """MSR or CPS is about to be executed."""

    pc: int
    encoding: int
    """Both halfwords, the first one higher; of CPS the first alone."""
    value: int
    calls: Calls
    system: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    number: int
    instructions: int
    lowest: int
    """Main stack pointer; 0xFFFFFFFF where it was never in use."""
    main_stack: int
    cut: bool = False
    """The run was still under way when the recording ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Before the first unprivileged instruction."""

    at: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Before the first instruction of the confined part proper."""

    at: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    why: str
    instructions: int


Event = Enter | Executed | Moved | Returning | Special | Leave | User | Start | End


def read_record(text: str) -> Iterator[Event]:
    """Raises ValueError for lines that the plugin does not write."""
    lines = [line.split(" ") for line in text.splitlines()]
    dumps = at = 0
    while at < len(lines):
        line = lines[at]
        following = at + 1
        extra: dict[str, tuple[int, ...]] = {}
        while following < len(lines) and lines[following][0] in _EXTRA:
            word, *numbers = lines[following]
            extra[word] = tuple(int(number, 16) for number in numbers) if word != "d" else (dumps,)
            dumps += word == "d"
            following += 1
        yield _event(line, extra)
        at = following


_EXTRA = ("r", "s", "d")


def _event(line: list[str], extra: dict[str, tuple[int, ...]]) -> Event:
    match line:
        case ["x", pc]:
            return Executed(pc=int(pc, 16))
        case ["L" | "S" as kind, pc, address, width, value, count, stride, calls]:
            return Moved(
                store=kind == "S",
                pc=int(pc, 16),
                address=int(address, 16),
                width=int(width),
                value=int(value, 16),
                count=int(count),
                stride=int(stride, 16) if count != "1" else 0,
                calls=_calls(calls),
            )
        case ["m", pc, encoding, value, calls]:
            return Special(
                pc=int(pc, 16),
                encoding=int(encoding, 16),
                value=int(value, 16),
                calls=_calls(calls),
                system=extra.get("s"),
            )
        case ["boot"]:
            return Enter(number=0, at=_snapshot(extra))
        case ["enter", number]:
            return Enter(number=int(number, 16), at=_snapshot(extra))
        case ["p", pc, value]:
            return Returning(pc=int(pc, 16), value=int(value, 16), at=_snapshot(extra))
        case ["user"]:
            return User(at=_snapshot(extra))
        case ["start"]:
            return Start(at=_snapshot(extra))
        case ["leave", number, count, lowest, main]:
            return Leave(
                number=int(number, 16), instructions=int(count), lowest=int(lowest, 16), main_stack=int(main, 16)
            )
        case ["cut", number, count, lowest]:
            return Leave(
                number=int(number, 16), instructions=int(count), lowest=int(lowest, 16), main_stack=0, cut=True
            )
        case ["end", why, count]:
            return End(why=why, instructions=int(count))
        case _:
            raise ValueError(f"not a line of a record: {' '.join(line)}")


def _snapshot(extra: dict[str, tuple[int, ...]]) -> Snapshot:
    memory = extra.get("d")
    return Snapshot(registers=extra["r"], system=extra.get("s"), memory=None if memory is None else memory[0])


def _calls(text: str) -> Calls:
    return tuple(int(address, 16) for address in text.split("/")) if text else ()
