"""Where a value came from: the chain of instructions behind a store, a load or a branch.

This is explanation, never proof. It looks back from an instruction through the decoded code for the last writers of
what it uses, in the calling context in which the machine saw it, with the values that the machine saw there. What it
names is a last writer on some path; where it cannot follow, or would have to follow for too long, it says so. No
requirement asks it anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..isa.errors import DecodeError
from ..isa.instruction import Condition, Instruction, Operation
from . import ranges
from .effects import LR, SP, Effects, Flag, Loaded, Register, Source, Special, Transfer, effects_of, flags_of
from .flow import FlowError, Function, Jumps, Step, function_at, jumps_within, leaves
from .ranges import Range
from .result import Site, Word
from .state import CONTROL, MAIN_STACK, PROCESS_STACK, State

DEEPEST = 7
MOST_LINKS = 24
MOST_VISITS = 6000
_MOST_WRITERS = 4


@dataclass(frozen=True, slots=True)
class Bytes:
    """Memory from `start` up to, not including, `end`."""

    start: int
    end: int


Thing = Register | Flag | Special | Bytes
"""What can hold a value from one instruction to the next."""


class Memory(StrEnum):
    """What an address means, as far as an explanation is concerned."""

    FLASH = "flash"
    RAM = "ram"
    DEVICE = "device"


class Kind(StrEnum):
    MADE = "made"
    """The instruction at `site` made the value."""
    ROUND = "round"
    """The same, and it does so again each time round a loop, from what it made before."""
    LITERAL = "literal"
    """A constant in flash, at `thing`."""
    TABLE = "table"
    """One of several constants in flash."""
    DEVICE = "device"
    """A device register, at `thing`."""
    ENTRY = "entry"
    """What the run found when it began."""
    SEEN = "seen"
    """Made by the instruction at `site`, which the chain has shown already."""
    CUT = "cut"
    """Not followed further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One line of a chain: what `thing` can be (`value`), and what made it so."""

    depth: int
    """0 for what the instruction itself uses; one more for what that was made from."""
    kind: Kind
    thing: Thing
    value: Word | None = None
    site: Site | None = None
    instruction: Instruction | None = None
    condition: Condition | None = None
    """Of the IT block that the instruction stands in."""
    certain: bool = True
    """False where it is only one of the possible writers, or may write elsewhere."""


@dataclass(slots=True)
class Watched:
    """The values of r0 to LR that the machine saw before each instruction, by run and site."""

    runs: dict[int, dict[Site, tuple[Range, ...]]] = field(default_factory=dict)
    """By the entry address of the run."""
    jumps: Jumps = field(default_factory=dict)

    def begin(self, entry: int, jumps: Jumps) -> Callable[[Site, State], None]:
        """For `explore`'s `watch`: the last run from an entry is the one that counts; the boot's comes first."""
        seen: dict[Site, tuple[Range, ...]] = {}
        boot = entry == next(iter(self.runs), entry)
        self.runs[entry], self.jumps = seen, jumps

        def look(site: Site, state: State) -> None:
            stack = _stack_slot(state) if boot else MAIN_STACK
            keys = (*range(SP), stack, LR)
            now = tuple(state.known(key) if key is not None else ranges.anything() for key in keys)
            before = seen.get(site)
            if before is None:
                seen[site] = now
            elif before != now:
                seen[site] = tuple(a if a == b else ranges.hull(a, b) for a, b in zip(before, now, strict=True))

        return look


def _stack_slot(state: State) -> int | None:
    control = state.known(CONTROL)
    return MAIN_STACK if control.zeros & 2 else PROCESS_STACK if control.ones & 2 else None


@dataclass(frozen=True, slots=True)
class _Graph:
    """One function, by instruction."""

    entry: int
    steps: dict[int, Step]
    before: dict[int, tuple[int, ...]]
    ends: tuple[int, ...]
    after: dict[int, tuple[int, ...]]


@dataclass(slots=True)
class _Found:
    """What looking back for the last writers of a thing came to."""

    writers: list[tuple[Site, bool]] = field(default_factory=list)
    """The instruction, and whether it certainly wrote all of it."""
    from_entry: bool = False
    lost: bool = False


class Tracer:
    """Looks back from the instructions of one run."""

    def __init__(
        self,
        entry: int,
        watched: Watched,
        fetch: Callable[[int], Instruction],
        memory_at: Callable[[int], Memory],
        read: Callable[[int, int], bytes | None],
    ) -> None:
        self._entry = entry
        self._seen: Mapping[Site, tuple[Range, ...]] = watched.runs.get(entry, {})
        self._jumps = watched.jumps
        self._fetch = fetch
        self._memory_at = memory_at
        self._read = read
        self._graphs: dict[int, _Graph | None] = {}
        self._effects: dict[Site, Effects] = {}
        self._entries: dict[tuple[int, ...], int | None] = {(): entry}

    # --- what is asked ----------------------------------------------------------------------------------------------

    def sites(self, address: int) -> list[Site]:
        """The contexts in which the machine saw this instruction."""
        return sorted((site for site in self._seen if site.address == address), key=lambda site: site.calls)

    def every_site(self) -> list[Site]:
        """Everything that the machine saw in this run, by address."""
        return sorted(self._seen, key=lambda site: (site.address, site.calls))

    def effects(self, site: Site) -> Effects:
        """What the instruction does there. The site must be one that was seen."""
        found = self._effects.get(site)
        if found is None:
            step = self._step(site)
            instruction = step.instruction if step is not None else self._fetch(site.address)
            in_it = step is not None and step.condition is not None
            found = self._effects[site] = effects_of(instruction, self._seen[site], in_it_block=in_it)
        return found

    def chain(self, site: Site, sources: Iterable[Source]) -> tuple[Link, ...]:
        """Where these inputs of the instruction came from, nearest first."""
        return _Chain(self).follow(site, sources)

    def origins(self, site: Site, thing: Thing) -> tuple[Link, ...]:
        """Where what a register or memory holds just before the instruction came from."""
        return _Chain(self).of_thing(site, thing)

    def decisions(self, site: Site) -> list[tuple[Site, frozenset[Source]]]:
        """The branches that decide, function by function, whether execution gets there, and what they look at."""
        found: list[tuple[Site, frozenset[Source]]] = []
        place: Site | None = site
        while place is not None:
            graph = self._graph(place.calls)
            if graph is not None and place.address in graph.steps:
                found += self._deciding(graph, place)
            place = Site(address=place.calls[-1], calls=place.calls[:-1]) if place.calls else None
        return found

    def _deciding(self, graph: _Graph, place: Site) -> Iterator[tuple[Site, frozenset[Source]]]:
        condition = graph.steps[place.address].condition
        if condition not in (None, Condition.AL):
            assert condition is not None
            yield place, flags_of(condition)
        reaching = _reaching(graph, place.address)
        for address in sorted(reaching, reverse=True):
            site = Site(address=address, calls=place.calls)
            around = [target for target in graph.after[address] if target not in reaching | {place.address}]
            if len(graph.after[address]) > 1 and around and site in self._seen:
                yield site, self.effects(site).decides

    # --- code -------------------------------------------------------------------------------------------------------

    def _step(self, site: Site) -> Step | None:
        graph = self._graph(site.calls)
        return graph.steps.get(site.address) if graph is not None else None

    def instruction(self, site: Site) -> tuple[Instruction, Condition | None]:
        step = self._step(site)
        return (step.instruction, step.condition) if step is not None else (self._fetch(site.address), None)

    def _graph(self, calls: tuple[int, ...]) -> _Graph | None:
        entry = self._entry_of(calls)
        if entry is None:
            return None
        if entry not in self._graphs:
            try:
                self._graphs[entry] = _graph_of(function_at(entry, self._fetch, self._jumps))
            except (FlowError, DecodeError):
                self._graphs[entry] = None
        return self._graphs[entry]

    def _entry_of(self, calls: tuple[int, ...]) -> int | None:
        if calls not in self._entries:
            self._entries[calls] = self._target(Site(address=calls[-1], calls=calls[:-1]))
        return self._entries[calls]

    def _target(self, call: Site) -> int | None:
        instruction = self._fetch(call.address)
        if instruction.operation is Operation.BL:
            return instruction.target
        if instruction.rm is None or call not in self._seen:
            return None
        only = self._seen[call][instruction.rm].only
        return only & ~1 if only is not None else None

    def before(self, site: Site, found: _Found) -> list[Site]:
        """The instructions that can have executed just before; notes in `found` where that is the run's entry."""
        graph = self._graph(site.calls)
        if graph is None or site.address not in graph.steps:
            found.lost = True
            return []
        sites: list[Site] = []
        if site.address == graph.entry:
            found.from_entry |= not site.calls
            sites += [Site(address=site.calls[-1], calls=site.calls[:-1])] if site.calls else []
        for address in graph.before[site.address]:
            previous = Site(address=address, calls=site.calls)
            if previous not in self._seen:
                continue
            if graph.steps[address].instruction.operation in (Operation.BL, Operation.BLX):
                sites += self._returns(previous, site.address, found)
            else:
                sites.append(previous)
        return sites

    def _returns(self, call: Site, back: int, found: _Found) -> list[Site]:
        """Where the called function ends. One that goes on in another function is not followed."""
        calls = (*call.calls, call.address)
        graph = self._graph(calls)
        ends = graph.ends if graph is not None else ()
        sites = [site for site in (Site(address=end, calls=calls) for end in ends) if site in self._seen]
        found.lost |= not sites or any(self._goes_on(site, back) for site in sites)
        return sites

    def _goes_on(self, end: Site, back: int) -> bool:
        instruction = self._fetch(end.address)
        if jumps_within(instruction):
            return True
        if instruction.operation is not Operation.BX or instruction.rm in (LR, None):
            return False
        only = self._seen[end][instruction.rm].only
        return only is None or only & ~1 != back

    # --- writers ----------------------------------------------------------------------------------------------------

    def writers(self, site: Site, thing: Thing) -> _Found:
        """The last writers of a thing before the instruction, over every path that the machine saw."""
        found = _Found()
        pending = self.before(site, found)
        visited: set[Site] = set()
        while pending:
            place = pending.pop()
            if place in visited:
                continue
            visited.add(place)
            if len(visited) > MOST_VISITS:
                found.lost = True
                break
            certain = self._writes(place, thing)
            if certain is not None:
                found.writers.append((place, certain))
            if not certain:
                pending += self.before(place, found)
        found.writers.sort(key=lambda writer: (writer[0].calls, writer[0].address))
        return found

    def _writes(self, place: Site, thing: Thing) -> bool | None:
        """Whether it certainly (True) or possibly (False) writes the thing; None where it does not."""
        effects = self.effects(place)
        _, condition = self.instruction(place)
        always = condition in (None, Condition.AL)
        if isinstance(thing, Bytes):
            touched = [_covers(store, thing) for store in effects.stores]
            kept = [each for each in touched if each is not None]
            return (any(kept) and always) if kept else None
        if thing in effects.writes:
            return always
        return False if thing in effects.blurs else None

    def value_of(self, site: Site, thing: Thing) -> Word | None:
        """What a register holds before the instruction."""
        return self._seen[site][thing.number].word() if isinstance(thing, Register) else None

    def constant(self, start: int, width: int) -> Word | None:
        data = self._read(start, width)
        return None if data is None else Word.exactly(int.from_bytes(data, "little"))

    def memory_at(self, address: int) -> Memory:
        return self._memory_at(address)


def _covers(store: Transfer, thing: Bytes) -> bool | None:
    known = store.address.known
    if known.high + store.width <= thing.start or known.low >= thing.end:
        return None
    if known.values is not None and not any(v < thing.end and v + store.width > thing.start for v in known.values):
        return None
    only = known.only
    return only is not None and only <= thing.start and only + store.width >= thing.end


class _Chain:
    """One chain while it is put together."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._links: list[Link] = []
        self._shown: set[tuple[Site, Thing]] = set()

    def follow(self, site: Site, sources: Iterable[Source]) -> tuple[Link, ...]:
        self._sources(site, sources, 0, ())
        return tuple(self._links)

    def of_thing(self, site: Site, thing: Thing) -> tuple[Link, ...]:
        self._thing(site, thing, self._tracer.value_of(site, thing), 0, ())
        return tuple(self._links)

    def _sources(
        self, site: Site, sources: Iterable[Source], depth: int, above: tuple[tuple[Site, Thing], ...]
    ) -> None:
        flags_done = False
        for source in sorted(sources, key=_order):
            if isinstance(source, Loaded):
                self._loaded(site, self._tracer.effects(site).loads[source.index], depth, above)
            elif not isinstance(source, Flag) or not flags_done:
                # The flags of one comparison were made by one instruction: named once.
                flags_done |= isinstance(source, Flag)
                self._thing(site, source, self._tracer.value_of(site, source), depth, above)

    def _loaded(self, site: Site, load: Transfer, depth: int, above: tuple[tuple[Site, Thing], ...]) -> None:
        known, tracer = load.address.known, self._tracer
        where = Bytes(known.low, known.high + load.width)
        if where.end - where.start > 1 << 24:
            self._add(Link(depth=depth, kind=Kind.CUT, thing=where, certain=False))
            self._sources(site, load.address.sources, depth + 1, above)
            return
        memory = tracer.memory_at(known.low)
        if known.only is None:
            if memory is Memory.RAM:
                self._thing(site, where, None, depth, above)
            else:
                kind = Kind.TABLE if memory is Memory.FLASH else Kind.DEVICE
                self._add(Link(depth=depth, kind=kind, thing=where))
            self._sources(site, load.address.sources, depth + 1, above)
        elif memory is Memory.FLASH:
            value = tracer.constant(where.start, load.width)
            self._add(Link(depth=depth, kind=Kind.LITERAL, thing=where, value=value))
        elif memory is Memory.DEVICE:
            self._add(Link(depth=depth, kind=Kind.DEVICE, thing=where))
        else:
            self._thing(site, where, None, depth, above)

    def _thing(
        self, site: Site, thing: Thing, value: Word | None, depth: int, above: tuple[tuple[Site, Thing], ...]
    ) -> None:
        if depth > DEEPEST or len(self._links) >= MOST_LINKS:
            self._add(Link(depth=depth, kind=Kind.CUT, thing=thing, value=value))
            return
        found = self._tracer.writers(site, thing)
        several = len(found.writers) + found.from_entry > 1
        for place, certain in found.writers[:_MOST_WRITERS]:
            self._writer(place, certain, several, found, thing, value, depth, above)
        if found.from_entry:
            self._add(Link(depth=depth, kind=Kind.ENTRY, thing=thing, certain=not several))
        if found.lost or len(found.writers) > _MOST_WRITERS:
            self._add(Link(depth=depth, kind=Kind.CUT, thing=thing, value=None if several else value))

    def _writer(
        self,
        place: Site,
        certain: bool,
        several: bool,
        found: _Found,
        thing: Thing,
        value: Word | None,
        depth: int,
        above: tuple[tuple[Site, Thing], ...],
    ) -> None:
        effects = self._tracer.effects(place)
        sources, made = _inputs(effects, thing)
        again = thing in sources and any(each == place for each, _ in self._tracer.writers(place, thing).writers)
        shown = (place, thing) in self._shown
        instruction, condition = self._tracer.instruction(place)
        self._add(
            Link(
                depth=depth,
                kind=Kind.SEEN if shown else Kind.ROUND if again else Kind.MADE,
                thing=thing,
                value=_narrower(value, made) if not several or again else made,
                site=place,
                instruction=instruction,
                condition=condition,
                certain=certain and not several,
            )
        )
        if shown or (depth > 0 and self._links[-1].value is not None and self._links[-1].value.only is not None):
            return
        self._shown.add((place, thing))
        # What a loop's step starts from is among the other writers, which the chain shows beside it.
        left = {source for source in sources if not (again and source == thing)}
        self._sources(place, left, depth + 1, (*above, (place, thing)))

    def _add(self, link: Link) -> None:
        if len(self._links) < MOST_LINKS + DEEPEST and link not in self._links[-1:]:
            self._links.append(link)


def _inputs(effects: Effects, thing: Thing) -> tuple[frozenset[Source], Word | None]:
    """What the instruction made the thing from, and what it made."""
    if isinstance(thing, Bytes):
        stores = [store for store in effects.stores if _covers(store, thing) is not None]
        derived = [store.value for store in stores if store.value is not None]
    else:
        derived = [effects.writes[thing]] if thing in effects.writes else []
    sources: frozenset[Source] = frozenset()
    for each in derived:
        sources |= each.sources
    if not derived:
        sources = effects.asks
    known = derived[0].known if len(derived) == 1 else None
    return sources, known.word() if known is not None and (known.low, known.high) != (0, ranges.MASK) else None


def _narrower(a: Word | None, b: Word | None) -> Word | None:
    if a is None or b is None:
        return a if b is None else b
    return a if a.high - a.low <= b.high - b.low else b


def _order(source: Source) -> tuple[int, int]:
    """Loads first, then registers, then flags: what a person asks for."""
    match source:
        case Loaded(index=index):
            return 0, index
        case Register(number=number):
            return 1, number
        case Special(register=register):
            return 2, register
        case Flag(name=name):
            return 3, ("NZ", "C", "V").index(name)


def _graph_of(function: Function) -> _Graph:
    steps: dict[int, Step] = {}
    before: dict[int, list[int]] = {}
    after: dict[int, tuple[int, ...]] = {}
    for block in function.blocks.values():
        addresses = [step.instruction.address for step in block.steps]
        for step in block.steps:
            steps[step.instruction.address] = step
        for position, address in enumerate(addresses):
            targets = (addresses[position + 1],) if position + 1 < len(addresses) else block.successors
            after[address] = tuple(targets)
            for target in targets:
                before.setdefault(target, []).append(address)
    ends = tuple(address for address, step in sorted(steps.items()) if _can_return(step.instruction))
    known = {address: tuple(sorted(before.get(address, ()))) for address in steps}
    return _Graph(function.entry, steps, known, ends, after)


def _can_return(instruction: Instruction) -> bool:
    """Whether control can leave the function here; a table branch stays inside."""
    return leaves(instruction) and (not jumps_within(instruction) or instruction.operation is Operation.LDR)


def _reaching(graph: _Graph, address: int) -> set[int]:
    """The instructions of the function from which this one can be reached."""
    reached: set[int] = set()
    pending = list(graph.before[address])
    while pending:
        place = pending.pop()
        if place not in reached:
            reached.add(place)
            pending += graph.before[place]
    return reached
