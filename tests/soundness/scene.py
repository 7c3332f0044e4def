"""Random abstract states, and concrete states drawn from inside them.

What is known of an unknown is a constant, a few values, an interval, some bits, all of these, or nothing; registers and
RAM words hold linear expressions over shared unknowns, so strides and affine relations occur; flags have a producer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from pinproof.isa import Condition
from pinproof.machine import flags, ranges
from pinproof.machine.bus import Bus
from pinproof.machine.flags import Flags, Producer
from pinproof.machine.ranges import MASK, Range
from pinproof.machine.state import (
    BASEPRI,
    CONTROL,
    FAULTMASK,
    MAIN_STACK,
    PRIMASK,
    PROCESS_STACK,
    Segment,
    State,
)
from pinproof.machine.values import Infeasible, Linear, Symbols, SymbolSource, Value

from tests.soundness.emulated import RAM, RAM_SIZE

EDGES = (0, 1, 2, 3, 4, 7, 8, 31, 32, 33, 0xFF, 0x100, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0x80000001,
         0xFFFFFFFE, 0xFFFFFFFF)  # fmt: skip
FACTORS = (1, 1, 1, 2, 4, 8, 3, 0xFFFFFFFF, 0xFFFFFFFC)
WINDOW, WINDOW_SIZE = RAM + 0x1000, 0x100
"""The part of RAM in which accesses are meant to fall; its words are what a case varies and compares."""
STACK = WINDOW + WINDOW_SIZE // 2
EXCEPTION_RETURN = 0xFFFFFFFD
CORE = (*range(13), MAIN_STACK, 14)
"""The slot of each core register but the PC."""


def number(source: random.Random) -> int:
    return source.choice(EDGES) if source.random() < 0.5 else source.getrandbits(source.choice((4, 8, 16, 32)))


def some_range(source: random.Random) -> Range:
    """Something that one may know of a value."""
    kind = source.randrange(6)
    if kind == 0:
        return ranges.exactly(number(source))
    if kind == 1:
        return ranges.of_values([number(source) for _ in range(source.randrange(2, 6))])
    if kind == 2:
        return ranges.anything()
    value = number(source)
    low, high = 0, MASK
    if kind != 3:
        low = source.choice((0, value, max(0, value - source.randrange(100)), source.randrange(value + 1)))
        high = source.choice((MASK, value, min(MASK, value + source.randrange(100)), source.randrange(value, 1 << 32)))
    known_bits = source.getrandbits(32) & source.getrandbits(32) if kind != 4 else 0
    found = ranges.between(low, high, ~value & known_bits & MASK, value & known_bits)
    assert found is not None
    return found


def says_nothing(known: Range) -> bool:
    return known.values is None and known.low == 0 and known.high == MASK and not known.zeros | known.ones


def pick(known: Range, source: random.Random) -> int:
    """A value in the range: often an end of it."""
    return _Picker(known)(source.random())


class _Picker:
    """Values of one range from random numbers in [0, 1)."""

    __slots__ = ("_known", "_low", "_masked", "_span", "_values")

    def __init__(self, known: Range) -> None:
        self._known = known
        self._values = sorted(known.values) if known.values is not None else []
        self._low, self._span = known.low, known.high - known.low + 1
        self._masked = known.zeros | known.ones

    def __call__(self, chance: float) -> int:
        if self._values:
            return self._values[int(chance * len(self._values))]
        if chance < 0.2:
            value = self._low if chance < 0.1 else self._known.high
        else:
            value = self._low + int((chance - 0.2) * 1.25 * self._span)
        return self._fitted(value) if self._masked else value

    def _fitted(self, value: int) -> int:
        known = self._known
        near = value & ~known.zeros | known.ones
        if known.low <= near <= known.high:
            return near
        above = least(known, value)
        return above if above <= known.high else least(known, known.low)


def least(known: Range, at_least: int) -> int:
    """The smallest number from `at_least` on whose known bits are as in the range; past MASK when there is none."""
    wrong = at_least & known.zeros | ~at_least & known.ones
    if not wrong:
        return at_least
    bit = wrong.bit_length() - 1
    if at_least >> bit & 1:
        # A bit must be clear and is not: the next free bit above is set instead.
        free = ~at_least & ~known.zeros & ~((2 << bit) - 1)
        bit = (free & -free).bit_length() - 1
    below = (1 << bit) - 1
    return at_least & ~below & ~(1 << bit) | 1 << bit | known.ones & below


def valued(value: Value, env: dict[int, int]) -> int:
    """The value where these are the values of its symbols."""
    if isinstance(value, int):
        return value
    total = value.constant
    for symbol, factor in value.terms:
        total += factor * env[symbol]
    return total & MASK


@dataclass(slots=True)
class Draw:
    """One concrete state, and the values of the unknowns that it comes from."""

    env: dict[int, int]
    registers: list[int]
    nzcv: int
    window: bytes


@dataclass
class Scene:
    """One abstract state. Registers are set through `state`; `prepare` fixes it and gets draws ready."""

    source: random.Random
    state: State
    assumed: bool = False
    _pickers: list[tuple[int, _Picker]] = field(default_factory=list)
    _registers: list[Value] = field(default_factory=list)
    _possible: list[int] = field(default_factory=list)
    _words: list[tuple[int, Value]] = field(default_factory=list)

    @classmethod
    def make(cls, source: random.Random, bus: Bus) -> Scene:
        state = State(Symbols(SymbolSource()), [(RAM, RAM + RAM_SIZE, ranges.anything())], bus.reset_value)
        scene = cls(source, state)
        for each in (*range(13), 14):
            state.slots[each] = scene.value()
        state.slots[MAIN_STACK] = STACK + 4 * source.randrange(-4, 5)
        state.slots[PROCESS_STACK] = RAM + 0x8000
        for special in (CONTROL, PRIMASK, FAULTMASK, BASEPRI):
            state.slots[special] = 0
        state.stack_low = STACK
        return scene

    def value(self) -> Value:
        """A new unknown, or an old one scaled and moved."""
        source, symbols = self.source, self.state.symbols
        if symbols.ranges and source.random() < 0.25:
            symbol = source.choice(list(symbols.ranges))
            value: Value = symbols.scale(Linear(0, ((symbol, 1),)), source.choice(FACTORS))
            if source.random() < 0.2:
                other = source.choice(list(symbols.ranges))
                value = symbols.add(value, symbols.scale(Linear(0, ((other, 1),)), source.choice(FACTORS)))
            return symbols.add(value, source.choice((0, 0, 1, 4, MASK, 0xFFFFFFFC, number(source))))
        return symbols.fresh(some_range(source))

    # --- memory -----------------------------------------------------------------------------------------------------

    def know_memory(self) -> None:
        """Give some words of the window slots, and some of the rest a common range."""
        source, state = self.source, self.state
        for _ in range(source.randrange(12)):
            state.slots[WINDOW + 4 * source.randrange(WINDOW_SIZE // 4)] = self.value()
        if source.random() < 0.6:
            start = WINDOW + 4 * source.randrange(WINDOW_SIZE // 8)
            end = min(WINDOW + WINDOW_SIZE, start + 4 * source.randrange(1, 24))
            known = ranges.exactly(0) if source.random() < 0.4 else some_range(source)
            anything = ranges.anything()
            segments: list[Segment] = [(RAM, start, anything), (start, end, known), (end, RAM + RAM_SIZE, anything)]
            state.segments = segments

    # --- flags ------------------------------------------------------------------------------------------------------

    def know_flags(self, *, compared: bool = False) -> None:
        """`compared`: rather as a comparison left them, from which a branch teaches most."""
        source, state = self.source, self.state
        kind = source.randrange(1 if compared else 0, 6 if compared else 4)
        if kind == 0:
            state.flags = Flags(source.choice((flags.ALL, 1 + source.randrange(flags.ALL))))
            return
        if kind == 1:
            value = state.slots[source.randrange(13)]
            carry = source.choice((None, 0, 1))
            state.flags = flags.of_result(state.symbols, value, carry, source.choice((None, 0, 1)), ranges.NO_ORIGINS)
        else:
            a, b = state.slots[source.randrange(13)], state.slots[source.randrange(13)]
            if source.random() < 0.4:
                b = source.choice((number(source), pick(state.symbols.range(a), source)))
            state.flags = flags.of_subtraction(state.symbols, a, b)
        if source.random() < (0.2 if compared else 0.5):
            self._assume(Condition(source.randrange(14)))

    def _assume(self, condition: Condition) -> None:
        before = self.state.copy()
        try:
            self.state.flags = flags.assume(self.state.symbols, self.state.flags, condition)
            self.assumed = True
        except Infeasible:
            self.state = before

    # --- draws ------------------------------------------------------------------------------------------------------

    def draws(self, count: int) -> list[Draw]:
        """Up to `count` states inside; fewer where most of what is drawn contradicts the flags."""
        found = []
        state = self.state
        self._pickers = [(symbol, _Picker(known)) for symbol, known in state.symbols.ranges.items()]
        self._registers = [state.slots[slot] for slot in CORE]
        known_flags = state.flags
        self._possible = [nzcv for nzcv in range(16) if known_flags.possible >> nzcv & 1]
        self._words = [
            (key - WINDOW, value) for key, value in state.slots.items() if WINDOW <= key < WINDOW + WINDOW_SIZE
        ]
        for _ in range(2 * count):
            draw = self._draw()
            if draw is not None:
                found.append(draw)
                if len(found) == count:
                    break
        return found

    def _draw(self) -> Draw | None:
        chance = self.source.random
        env = {symbol: picker(chance()) for symbol, picker in self._pickers}
        if self.state.flags.producer is not Producer.NONE and chance() < 0.2:
            self._pull_together(env)
        registers = [value if isinstance(value, int) else valued(value, env) for value in self._registers]
        nzcv = self._flags(env)
        return None if nzcv is None else Draw(env, registers, nzcv, self._window(env))

    def _pull_together(self, env: dict[int, int]) -> None:
        """Make the two sides of the last comparison equal, or one off, where the first side's last unknown allows."""
        a, b = self.state.flags.a, self.state.flags.b
        if isinstance(a, int) or not a.terms[-1][1] & 1:
            return
        symbol, factor = a.terms[-1]
        missing = valued(b, env) - valued(a, env) + self.source.choice((0, 0, 1, -1))
        value = (env[symbol] + missing * pow(factor, -1, 1 << 32)) & MASK
        if self.state.symbols.ranges[symbol].contains(value):
            env[symbol] = value

    def _window(self, env: dict[int, int]) -> bytes:
        content = bytearray(self.source.randbytes(WINDOW_SIZE))
        if len(self.state.segments) > 1:
            self._fill_segments(content)
        for offset, value in self._words:
            content[offset : offset + 4] = valued(value, env).to_bytes(4, "little")
        return bytes(content)

    def _fill_segments(self, content: bytearray) -> None:
        for start, end, known in self.state.segments:
            if says_nothing(known):
                continue
            picker = _Picker(known)
            for offset in range(max(start, WINDOW) - WINDOW, min(end, WINDOW + WINDOW_SIZE) - WINDOW, 4):
                content[offset : offset + 4] = picker(self.source.random()).to_bytes(4, "little")

    def _flags(self, env: dict[int, int]) -> int | None:
        known, possible = self.state.flags, self._possible
        if known.producer is Producer.SUBTRACT:
            nzcv = subtracted(valued(known.a, env), valued(known.b, env))
            return nzcv if nzcv in possible else None
        if known.producer is Producer.RESULT:
            result = nz_of(valued(known.a, env))
            possible = [nzcv for nzcv in possible if nzcv >> 2 == result]
        return possible[int(self.source.random() * len(possible))] if possible else None


def nz_of(result: int) -> int:
    """N and Z of a result, as a number of two bits."""
    return result >> 31 << 1 | (result == 0)


def subtracted(a: int, b: int) -> int:
    """NZCV of a - b, DDI 0403 A2.2.1."""
    result = a - b & MASK
    return nz_of(result) << 2 | (a >= b) << 1 | ((a ^ b) & (a ^ result)) >> 31
