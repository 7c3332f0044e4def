"""What the gate remembers of earlier answers, as a finite graph: `result.History`.

The words are those that handlers store to and that outlive them. From each state of them that can be reached, and for
each class of messages in the mailbox, the tick is run path by path (`paths`) from the handlers' invariant with these
words fixed, up to the last place where it stores to one of them or to a compare register. All else is whatever the
invariant allows, so every execution of the tick is one of these runs, and its effect one of their outcomes.

A word that only ever changes by a constant, or to one, need not be listed value by value: it is a counter, one symbol
for all its values, and the paths say within which bounds each change happens. Which words are counters is found by
trying: a word whose next value is neither is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from ..isa.instruction import Instruction
from . import ranges
from .paths import Path, follow
from .processor import AbstractProcessor
from .ranges import MASK, Range
from .result import AccessKind, History, Move, Origin, Site, Unfollowed, Update, Word
from .state import State
from .trace import Blocked, BudgetSpent, Trace
from .values import Linear, Value

MOST_WORDS = 8
MOST_STATES = 512
MOST_OUTCOMES = 64
"""Of one path: what values that are not one number can be together."""
_LISTED = 2
"""A word with so many values is listed without trying whether it is a counter."""
_GATE = frozenset((Origin.GATE,))
_CONFINED = frozenset((Origin.CONFINED,))
_SMALLER = "keep fewer answers, or count in words that change by a constant"
_PLAIN = "store each word of gate state once, on every path, outside loops, and nowhere but in the tick"


@dataclass(frozen=True, slots=True)
class Tick:
    """How to run the tick once more."""

    entry: int
    start: State
    """The state in which it is entered; it is copied."""
    processor: AbstractProcessor
    trace: Trace
    fetch: Callable[[int], Instruction]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to follow."""

    mailbox: int
    messages: int
    """Messages below this number are classes of their own; all others are one."""
    outputs: tuple[int, ...]
    """Addresses of the compare registers."""
    words: tuple[int, ...]
    sites: frozenset[Site]
    """Where the tick stores to one of `outputs` or `words`."""


class _NotOneNumber(Exception):
    """A next value is neither a number nor, of a counter, a change by one; `word` is its place, None of an output."""

    def __init__(self, word: int | None) -> None:
        super().__init__(word)
        self.word = word


def state_words(traces: Iterable[Trace], stack: tuple[int, int]) -> tuple[int, ...] | Unfollowed:
    """The words of gate memory that these runs store to, the stack apart, where nothing outlives a run."""
    found: set[int] = set()
    for trace in traces:
        for (site, _), store in trace.kept.items():
            if stack[0] <= store.low and store.high <= stack[1]:
                continue
            if store.high - store.low > 4 * MOST_WORDS:
                message = f"a handler stores to gate memory from 0x{store.low:08X} to 0x{store.high - 1:08X}"
                return Unfollowed(code="gate-state-unbounded", message=message, would_help=_SMALLER, site=site)
            found |= set(range(store.low & ~3, store.high, 4))
    if len(found) > MOST_WORDS:
        message = f"handlers keep {len(found)} words of gate memory, and at most {MOST_WORDS} are followed"
        return Unfollowed(code="gate-state-too-large", message=message, would_help=_SMALLER)
    return tuple(sorted(found))


def storing_sites(tick: Trace, others: Iterable[Trace], places: tuple[int, ...]) -> frozenset[Site] | Unfollowed:
    """Where the tick stores to one of these words; refused unless each such place is passed once at the most."""
    for trace in others:
        for site, _ in _stores_to(trace, places):
            message = "a handler other than the tick stores to gate state or to the compare register"
            return Unfollowed(code="gate-state-stored-elsewhere", message=message, would_help=_PLAIN, site=site)
    found = set()
    for site, repeated in _stores_to(tick, places):
        if repeated:
            message = "gate state or the compare register is stored to in a loop"
            return Unfollowed(code="gate-state-in-loop", message=message, would_help=_PLAIN, site=site)
        found.add(site)
    return frozenset(found)


def _stores_to(trace: Trace, places: tuple[int, ...]) -> Iterator[tuple[Site, bool]]:
    """Each store that can reach one of the words, and whether it can be made more than once."""

    def reaches(low: int, high: int) -> bool:
        return any(low < place + 4 and place < high for place in places)

    for (site, _), kept in trace.kept.items():
        if reaches(kept.low, kept.high):
            yield site, kept.repeated
    seen: set[Site] = set()
    for key, record in trace.accesses.items():
        if key.kind is AccessKind.STORE and reaches(key.address.low, key.address.high + key.width):
            yield key.site, record.repeated or key.site in seen
            seen.add(key.site)


def follow_history(tick: Tick, wanted: Wanted, at_start: State) -> History | Unfollowed:
    """The graph, from the values that the words have in `at_start`."""
    sizes = {word: _size(tick.start.known(word)) for word in wanted.words}
    listed = {word for word in wanted.words if sizes[word] <= _LISTED}
    try:
        while True:
            try:
                history = _Search(tick, wanted, listed).run(at_start)
                sensed = _sensed(tick.trace)
                return history if sensed is None else sensed
            except _NotOneNumber as missed:
                left = [word for word in wanted.words if word not in listed]
                if not left:
                    return _not_followed(missed)
                blamed = missed.word if missed.word in left else min(left, key=lambda word: sizes[word])
                listed.add(blamed)
    except Blocked as blocked:
        site = tick.trace.site
        return Unfollowed(code="gate-state-unfollowed", message=str(blocked), would_help=blocked.would_help, site=site)
    except BudgetSpent:
        return _too_many("what the gate remembers takes more steps to follow than there are")
    except _TooMany as many:
        return _too_many(str(many))


class _TooMany(Exception):
    pass


def _sensed(trace: Trace) -> Unfollowed | None:
    """A load of the sensor's lines before all is stored: which way a branch on it goes is no longer told by origins."""
    for key in trace.accesses:
        if key.kind is AccessKind.LOAD and Origin.SENSOR in key.value.origins:
            message = "the tick reads the sensor before it has stored its memory and the compare register"
            return Unfollowed(code="gate-state-from-sensor", message=message, would_help=_PLAIN, site=key.site)
    return None


def _too_many(message: str) -> Unfollowed:
    return Unfollowed(code="gate-state-too-large", message=message, would_help=_SMALLER)


def _not_followed(missed: _NotOneNumber) -> Unfollowed:
    what = "the value for the compare register" if missed.word is None else f"gate memory at 0x{missed.word:08X}"
    message = f"{what} cannot be told from the answer and the gate state before it"
    return Unfollowed(code="gate-state-unfollowed", message=message, would_help=_SMALLER)


def _size(known: Range) -> int:
    return len(known.values) if known.values is not None else known.high - known.low + 1


class _Search:
    """Everything that can be reached, with one choice of which words are listed."""

    def __init__(self, tick: Tick, wanted: Wanted, listed: set[int]) -> None:
        self._tick = tick
        self._wanted = wanted
        self._words = tuple(word for word in wanted.words if word in listed)
        self._counters = tuple(word for word in wanted.words if word not in listed)
        self._places: dict[tuple[int, ...], int] = {}
        self._order: list[tuple[int, ...]] = []
        self._moves: dict[Move, None] = {}

    def run(self, at_start: State) -> History:
        for values in product(*(self._at_start(at_start, word) for word in self._words)):
            self._place(values)
        starts = len(self._order)
        for values in self._order:  # grows meanwhile
            for message in range(self._wanted.messages + 1):
                self._from(values, message)
        known = [at_start.known(word) for word in self._counters]
        return History(
            words=self._words,
            counters=self._counters,
            states=tuple(self._order),
            starts=starts,
            counters_at_start=tuple(each.word() for each in known),
            moves=tuple(self._moves),
        )

    def _at_start(self, at_start: State, word: int) -> list[int]:
        values = at_start.known(word).values
        if values is None:
            raise _NotOneNumber(word)
        return sorted(values)

    def _place(self, values: tuple[int, ...]) -> int:
        place = self._places.get(values)
        if place is None:
            place = self._places[values] = len(self._order)
            self._order.append(values)
            if place >= MOST_STATES:
                raise _TooMany(f"the gate's memory can be in more than {MOST_STATES} states")
        return place

    def _from(self, values: tuple[int, ...], message: int) -> None:
        wanted, tick = self._wanted, self._tick
        state = tick.start.copy()
        state.slots.update(zip(self._words, values, strict=True))
        symbols = {}
        for counter in self._counters:
            seeded = state.symbols.fresh(state.known(counter).with_origins(_GATE))
            state.slots[counter] = seeded
            symbols[counter] = seeded.terms[0][0] if isinstance(seeded, Linear) else None
        others = ranges.between(wanted.messages, MASK, origins=_CONFINED)
        assert others is not None
        state.slots[wanted.mailbox] = message if message < wanted.messages else state.symbols.fresh(others)
        first = Path(state, tick.entry, wanted.sites)
        for after in follow(tick.fetch, tick.processor, tick.trace, first):
            for move in self._moves_of(values, message == 0, symbols, after):
                self._moves[move] = None

    def _moves_of(
        self, values: tuple[int, ...], idle: bool, symbols: dict[int, int | None], after: State
    ) -> Iterator[Move]:
        """What one path came to; values that it leaves open are taken one after another."""
        own = {symbol for symbol in symbols.values() if symbol is not None}
        keys = (*self._wanted.outputs, *self._words, *self._counters)
        found = [after.get(key) for key in keys]
        still_open = sorted({symbol for value in found for symbol in _symbols(value)} - own)
        choices = [after.symbols.ranges[symbol].values for symbol in still_open]
        listable = [sorted(each) for each in choices if each is not None]
        open_counter = any(_symbols(value) - own for value in found[len(keys) - len(self._counters) :])
        if open_counter or len(listable) < len(choices) or prod(map(len, listable)) > MOST_OUTCOMES:
            raise _NotOneNumber(self._blamed(keys, found, own))
        guards = tuple(_guard(after, symbols[counter], counter, self._tick.start) for counter in self._counters)
        for chosen in product(*listable):
            numbers = dict(zip(still_open, chosen, strict=True))
            settled = [_substituted(value, numbers) for value in found]
            outputs, words, counters = _cut(settled, len(self._wanted.outputs), len(self._words))
            for value in (*outputs, *words):
                if not isinstance(value, int):
                    raise _NotOneNumber(next(word for word in self._counters if symbols[word] in _symbols(value)))
            updates = tuple(
                _update(value, symbols[counter], counter)
                for value, counter in zip(counters, self._counters, strict=True)
            )
            yield Move(
                source=self._place(values),
                target=self._place(tuple(value for value in words if isinstance(value, int))),
                idle=idle,
                guards=guards,
                updates=updates,
                outputs=tuple(value for value in outputs if isinstance(value, int)),
            )

    def _blamed(self, keys: tuple[int, ...], found: list[Value], own: set[int]) -> int | None:
        """The counter whose own next value is open; else any word that is, None where only outputs are."""
        unsettled = [key for key, value in zip(keys, found, strict=True) if _symbols(value) - own]
        counters = [key for key in unsettled if key in self._counters]
        words = [key for key in unsettled if key in self._words]
        return next(iter((*counters, *words)), None)


def _symbols(value: Value) -> set[int]:
    return set() if isinstance(value, int) else {symbol for symbol, _ in value.terms}


def _substituted(value: Value, numbers: dict[int, int]) -> Value:
    if isinstance(value, int):
        return value
    constant = value.constant + sum(factor * numbers[symbol] for symbol, factor in value.terms if symbol in numbers)
    terms = tuple((symbol, factor) for symbol, factor in value.terms if symbol not in numbers)
    return Linear(constant & MASK, terms) if terms else constant & MASK


def _cut(values: list[Value], outputs: int, words: int) -> tuple[list[Value], list[Value], list[Value]]:
    return values[:outputs], values[outputs : outputs + words], values[outputs + words :]


def _guard(after: State, symbol: int | None, counter: int, start: State) -> Word:
    return (start.known(counter) if symbol is None else after.symbols.ranges[symbol]).word()


def _update(value: Value, symbol: int | None, counter: int) -> Update:
    if isinstance(value, int):
        return Update(keeps=False, amount=value)
    if symbol is None or value.terms != ((symbol, 1),):
        raise _NotOneNumber(counter)
    return Update(keeps=True, amount=value.constant)
