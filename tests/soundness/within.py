"""Whether a concrete state lies inside an abstract one, relations between unknowns included."""

from __future__ import annotations

from pinproof.machine.flags import Producer
from pinproof.machine.ranges import MASK, Range
from pinproof.machine.state import State
from pinproof.machine.values import Value

from tests.soundness.scene import CORE, WINDOW, WINDOW_SIZE, Draw, nz_of, says_nothing, subtracted, valued


def inside(known: Range, value: int) -> bool:
    """Every view of the range must hold the value, for each alone may be asked."""
    bounded = known.low <= value <= known.high and not value & known.zeros and value & known.ones == known.ones
    return bounded and (known.values is None or value in known.values)


class Around:
    """One abstract state after a case, and what of it must be looked at for each concrete end.

    The unknowns of the state before are known by construction; the others follow from the slots that hold them, and
    then bind wherever they occur again.
    """

    def __init__(self, before: State, after: State) -> None:
        self._state = after
        old, new = before.symbols.ranges, after.symbols.ranges
        self._narrowed = [(symbol, new[symbol]) for symbol in new if symbol in old and new[symbol] is not old[symbol]]
        pairs = [(number, before.slots[slot], after.slots[slot]) for number, slot in enumerate(CORE)]
        self._kept = [number for number, was, value in pairs if value is was]
        self._changed = [(number, value) for number, was, value in pairs if value is not was]
        words = [(key - WINDOW, after.slots[key]) for key in after.slots if WINDOW <= key < WINDOW + WINDOW_SIZE]
        self._words: list[tuple[int, Value | Range]] = list(words)
        written = {offset for offset, _ in words}
        self._words += [(at, known) for at, known in _unwritten(after) if at not in written]
        self._moved = after.segments is not before.segments or any(
            before.slots.get(WINDOW + offset) is not value for offset, value in words
        )

    def lacks(self, start: Draw, registers: list[int], nzcv: int, window: bytes) -> str | None:
        """What of the concrete end the state does not hold."""
        self._env = dict(start.env)
        for symbol, known in self._narrowed:
            if not inside(known, self._env[symbol]):
                return f"unknown {symbol} = {self._env[symbol]:#x} is not in {known}"
        for number in self._kept:
            if registers[number] != start.registers[number]:
                return f"r{number} = {registers[number]:#x} is not as it was"
        for number, value in self._changed:
            found = self._value(value, registers[number])
            if found is not None:
                return f"r{number} = {registers[number]:#x} is not in {found}"
        if self._moved or window != start.window:
            return self._memory(window) or self._flags(nzcv)
        return self._flags(nzcv)

    def _memory(self, window: bytes) -> str | None:
        for offset, value in self._words:
            word = int.from_bytes(window[offset : offset + 4], "little")
            if isinstance(value, Range):
                found = None if inside(value, word) else str(value)
            else:
                found = self._value(value, word)
            if found is not None:
                return f"[{WINDOW + offset:#x}] = {word:#x} is not in {found}"
        return None

    def _flags(self, nzcv: int) -> str | None:
        known = self._state.flags
        if not known.possible >> nzcv & 1:
            return f"NZCV = {nzcv:04b} is called impossible ({known.possible:016b})"
        if known.producer is Producer.NONE or not self._knows(known.a):
            return None
        a = valued(known.a, self._env)
        if known.producer is Producer.RESULT:
            return None if nz_of(a) == nzcv >> 2 else f"NZCV = {nzcv:04b} is not that of {a:#x}"
        if self._knows(known.b) and subtracted(a, valued(known.b, self._env)) != nzcv:
            return f"NZCV = {nzcv:04b} is not that of {known.a} - {known.b}"
        return None

    def _knows(self, value: Value) -> bool:
        return isinstance(value, int) or all(symbol in self._env for symbol, _ in value.terms)

    def _value(self, value: Value, concrete: int) -> str | None:
        """None where the value can be the concrete one, given what follows from the others; else what it can be."""
        if isinstance(value, int):
            return None if value == concrete else f"{value:#x}"
        env = self._env
        unknown = [term for term in value.terms if term[0] not in env]
        if not unknown:
            return None if valued(value, env) == concrete else f"{value} where {self._named(value)}"
        known = self._state.symbols.range(value)
        if not inside(known, concrete):
            return str(known)
        if len(unknown) == 1 and unknown[0][1] & 1:
            symbol, factor = unknown[0]
            rest = value.constant + sum(each * env[other] for other, each in value.terms if other != symbol)
            env[symbol] = (concrete - rest) * pow(factor, -1, 1 << 32) & MASK
            if not inside(self._state.symbols.ranges[symbol], env[symbol]):
                return f"{value}, {self._state.symbols.ranges[symbol]}"
            return self._defined(symbol)
        return None

    def _defined(self, symbol: int) -> str | None:
        """What a branch on a derived unknown teaches about its operand rests on its definition."""
        definition = self._state.symbols.source.definitions.get(symbol)
        if definition is None or not self._knows(definition.operand):
            return None
        operand = valued(definition.operand, self._env)
        expected = operand & definition.amount if definition.operation == "and" else operand >> definition.amount
        return None if expected == self._env[symbol] else f"{definition} of {operand:#x}"

    def _named(self, value: Value) -> str:
        assert not isinstance(value, int)
        return ", ".join(f"{symbol} = {self._env[symbol]:#x}" for symbol, _ in value.terms)


def _unwritten(state: State) -> list[tuple[int, Range]]:
    """Offsets of the window's words about which the segments say something."""
    return [
        (address - WINDOW, known)
        for start, end, known in state.segments
        if not says_nothing(known)
        for address in range(max(start, WINDOW), min(end, WINDOW + WINDOW_SIZE), 4)
    ]
