"""The chains of evidence behind a decision: each instruction that it names, and where its values came from, in words.

An explanation for people, made on demand from a second run of the machine that is looked on. No outcome rests on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from pinproof import facts, subjects
from pinproof.facts import Facts, Touch
from pinproof.isa.decode import decode
from pinproof.isa.errors import TruncatedInstruction
from pinproof.isa.instruction import Instruction
from pinproof.machine.effects import Register, Transfer
from pinproof.machine.provenance import Bytes, Kind, Link, Memory, Tracer, Watched
from pinproof.machine.result import Access, AccessKind, MachineState, Origin, Run, Site, Word
from pinproof.outcome import Chain, Fail, Inconclusive, Location, Pass, Step
from pinproof.report import Decision
from pinproof.silicon import MemoryKind
from pinproof.telling import Teller

_MOST_PLACES = 4
_PLAIN_RETURN = 0xFFFFFFFD
"""EXC_RETURN as an exception from the process stack sets it (DDI 0403, B1.5.8)."""
_NEAR = 256
"""Bytes: a store that ends as close to memory that is left out is named with it."""
_CORE_REGISTER = re.compile(r"^r(\d+) is ")
_STACKED = re.compile(r"^stacked word (\d) is ")
_FOUND = frozenset((Origin.CONFINED, Origin.REGISTER, Origin.GATE, Origin.RESET))


def explained(decisions: tuple[Decision, ...], known: Facts, watched: Watched) -> tuple[Decision, ...]:
    """The decisions, each with its chains."""
    explainer = _Explainer(known, watched)
    return tuple(replace(decision, chains=explainer.chains(decision)) for decision in decisions)


class _Explainer:
    def __init__(self, known: Facts, watched: Watched) -> None:
        self._known = known
        self._instructions: dict[int, Instruction] = {}
        self._runs = [
            (run, Tracer(run.entry, watched, self._fetch, self._memory_at, known.image.read))
            for run in facts.all_runs(known)
        ]
        self._teller = Teller(known)

    def chains(self, decision: Decision) -> tuple[Chain, ...]:
        """One chain a place that the outcome names, then one for each register or range of memory that it names."""
        found: list[Chain] = []
        for text, places in _claims(decision):
            chosen = places[:_MOST_PLACES]
            for place in chosen:
                found += self._of_place(place)
            found += self._of_subjects(text, chosen)
        return tuple(dict.fromkeys(found))

    # --- code -------------------------------------------------------------------------------------------------------

    def _fetch(self, address: int) -> Instruction:
        found = self._instructions.get(address)
        if found is None:
            code = self._known.image.read(address, 4) or self._known.image.read(address, 2)
            if code is None:
                raise TruncatedInstruction(address=address, encoding=-1, reason="not in the image")
            found = self._instructions[address] = decode(code, address)
        return found

    def _memory_at(self, address: int) -> Memory:
        memory = self._known.silicon.memory_at(address)
        if memory is None:
            return Memory.DEVICE
        return Memory.FLASH if memory.kind is MemoryKind.FLASH else Memory.RAM

    # --- a place ----------------------------------------------------------------------------------------------------

    def _seen_at(self, place: Location) -> Iterator[tuple[Run, Tracer, Site]]:
        calls = tuple(call.address for call in place.calls)
        for run, tracer in self._runs:
            for site in tracer.sites(place.address):
                if site.calls == calls:
                    yield run, tracer, site

    def _of_place(self, place: Location) -> Iterator[Chain]:
        for run, tracer, site in self._seen_at(place):
            yield self._at(run, tracer, site)
            return

    def _at(self, run: Run, tracer: Tracer, site: Site) -> Chain:
        """What the instruction does, and where what it uses came from."""
        accesses = [access for access in run.accesses if access.site == site]
        effects = tracer.effects(site)
        steps = [self._head(tracer, site, self._does(run, site, accesses, effects.stores))]
        for transfer in (*effects.stores, *effects.loads):
            if transfer.value is not None:
                steps += self._told(run, tracer.chain(site, transfer.value.sources))
            if transfer.address.known.only is None:
                steps += self._told(run, tracer.chain(site, transfer.address.sources))
        plain = any(each.site == site and each.exception_return.only == _PLAIN_RETURN for each in run.exits)
        if effects.decides and not effects.loads and not plain:
            steps += self._told(run, tracer.chain(site, effects.decides))
        elif effects.asks:
            steps += self._told(run, tracer.chain(site, effects.asks))
        if any(access.control for access in accesses):
            steps += self._deciding(run, tracer, site)
        return Chain(steps=tuple(steps))

    def _deciding(self, run: Run, tracer: Tracer, site: Site) -> Iterator[Step]:
        for place, sources in tracer.decisions(site)[:2]:
            head = self._head(tracer, place, "decides whether execution gets there")
            yield replace(head, depth=1)
            for step in self._told(run, tracer.chain(place, sources)):
                yield replace(step, depth=step.depth + 1)

    def _does(self, run: Run, site: Site, accesses: list[Access], stores: list[Transfer]) -> str:
        parts = self._accesses(accesses)
        if not accesses:
            parts += [self._teller.store(store) for store in stores]
        parts += [self._teller.drop(drop) for drop in run.drops if drop.site == site]
        parts += [
            f"returns with {self._teller.value(each.exception_return)}" for each in run.exits if each.site == site
        ]
        parts += [self._teller.special(name, value) for name, where, value in run.system_writes if where == site]
        parts += [each.message for each in self._known.exploration.obstacles if each.site == site]
        if site in run.confined_branches:
            parts.append("depends on what came before this handler")
        if site in [loop.site for loop in run.endless]:
            parts.append("begins a loop without an end")
        if site.address == run.entry and not parts:
            parts.append(f"the first instruction of {self._teller.run(run)}")
        return "; ".join(dict.fromkeys(parts)) or "executes"

    def _accesses(self, accesses: list[Access]) -> list[str]:
        """Each register that the instruction touches, with every value that was seen for it."""
        groups: dict[tuple[AccessKind, str], list[Access]] = {}
        for access in accesses:
            groups.setdefault((access.kind, self._teller.target(access)), []).append(access)
        found = []
        for (kind, name), group in groups.items():
            value = self._teller.value(_hull([access.value for access in group]))
            text = f"stores {value} to {name}" if kind is AccessKind.STORE else f"loads {name}: {value}"
            found.append(f"{text}, more than once" if len(group) > 1 or group[0].in_loop else text)
        return found

    def _head(self, tracer: Tracer, site: Site, text: str) -> Step:
        instruction, condition = tracer.instruction(site)
        return Step(
            depth=0,
            text=text,
            location=self._known.at(site),
            instruction=self._teller.assembly(instruction, condition),
        )

    def _told(self, run: Run, links: tuple[Link, ...]) -> list[Step]:
        return [self._teller.step(run, link) for link in links]

    # --- what a sentence is about -----------------------------------------------------------------------------------

    def _of_subjects(self, text: str, places: tuple[Location, ...]) -> Iterator[Chain]:
        """The sentences name registers, pins and memory as the silicon file does."""
        seen = subjects.touched_at(self._known, frozenset(place.address for place in places))
        for address in subjects.registers(self._known, text):
            if address not in seen:
                yield from self._of_register(address)
        for touch, allows in subjects.region_stores(self._known, text):
            yield self._of_region(touch, allows)
        for place in places:
            for run, tracer, site in self._seen_at(place):
                if any(site == end for end, _ in _ends(run)):
                    yield from self._of_things(text, run, tracer, site)

    def _of_register(self, address: int) -> Iterator[Chain]:
        """The last stores of boot to a device register, or that there is none."""
        boot, tracer = self._runs[0]
        stored = subjects.last_stores(self._known, address)
        for touch in stored:
            yield self._at(boot, tracer, touch.access.site)
        if not stored:
            name = facts.name_of(self._known, address)
            yield Chain(steps=(Step(depth=0, text=f"no store of boot reaches {name}: it is as after reset"),))

    def _of_region(self, touch: Touch, allows: str) -> Chain:
        boot, tracer = self._runs[0]
        chain = self._at(boot, tracer, touch.access.site)
        first = replace(chain.steps[0], text=f"{chain.steps[0].text}; {allows}")
        return Chain(steps=(first, *chain.steps[1:]))

    def _of_things(self, text: str, run: Run, tracer: Tracer, site: Site) -> Iterator[Chain]:
        """Where a register or memory that the sentence names came to hold what it holds at this end of the run."""
        wanted: list[tuple[str, Register | Bytes]] = []
        for match in _CORE_REGISTER.findall(text):
            wanted.append((f"r{match}", Register(int(match))))
        for match in _STACKED.findall(text):
            wanted += self._stacked(f"stacked word {match}", int(match), run, site)
        for low, high in subjects.spans(text):
            if self._memory_at(low) is Memory.RAM:
                wanted.append((f"memory {facts.span(low, high)}", Bytes(low, high)))
        if "program counter" in text:
            wanted += self._stacked("the stacked program counter", 6, run, site)
        if "mailbox" in text:
            mailbox = self._known.declaration.memory.mailbox
            wanted.append(("the mailbox", Bytes(mailbox, mailbox + 4)))
        for name, thing in wanted:
            links = tracer.origins(site, thing)
            held = _held(run, site, thing)
            if held is not None and not held.origins & _FOUND:
                # The machine has proved more than looking back shows: the stores above cover it all.
                links = tuple(link for link in links if link.kind is not Kind.ENTRY or link.depth > 0)
            shown = f": {self._teller.value(held)}" if held is not None else ""
            head = self._head(tracer, site, f"{name} when {self._teller.run(run)} ends here{shown}")
            left = any(link.kind is Kind.ENTRY and link.depth == 0 for link in links)
            nearest: list[Step] = []
            if left and isinstance(thing, Bytes):
                nearest = [*self._nearest(run, tracer, thing), *self._elsewhere(run, thing)]
            steps = [replace(step, depth=step.depth + 1) for step in self._told(run, links)]
            yield Chain(steps=(head, *steps, *nearest))

    def _stacked(self, name: str, word: int, run: Run, site: Site) -> list[tuple[str, Register | Bytes]]:
        """A word of the frame that the return pops (DDI 0403, B1.5.6)."""
        pointer = next((end.state.process_stack.only for end in run.exits if end.site == site), None)
        return [] if pointer is None else [(name, Bytes(pointer + 4 * word, pointer + 4 * word + 4))]

    def _nearest(self, run: Run, tracer: Tracer, thing: Bytes) -> list[Step]:
        """Stores that end just before the memory, or begin just behind it: the loop that was meant to cover it."""
        found: dict[int, Step] = {}
        for site in tracer.every_site():
            for store in tracer.effects(site).stores:
                known, end = store.address.known, store.address.known.high + store.width
                if self._memory_at(known.low) is not Memory.RAM:
                    continue
                gap = thing.start - end if end <= thing.start else known.low - thing.end
                if 0 <= gap < _NEAR and site.address not in found:
                    reach = f"reaches 0x{known.low:08X}-0x{end - 1:08X}"
                    side = "and ends before it" if end <= thing.start else "and begins behind it"
                    found[site.address] = replace(self._head(tracer, site, f"{reach} {side}"), depth=1)
        return list(found.values())[:2]

    def _elsewhere(self, run: Run, thing: Bytes) -> list[Step]:
        """Stores of other handlers to memory that this one leaves as it was."""
        found: dict[int, Step] = {}
        for other, tracer in self._runs[1:]:
            for site in tracer.every_site() if other is not run else ():
                for store in tracer.effects(site).stores:
                    low, high = store.address.known.low, store.address.known.high + store.width
                    if low < thing.end and thing.start < high and site.address not in found:
                        text = f"in {self._teller.run(other)}: {self._teller.store(store)}"
                        found[site.address] = replace(self._head(tracer, site, text), depth=1)
        return list(found.values())[:2]


def _ends(run: Run) -> list[tuple[Site, MachineState]]:
    exits = [(end.site, end.state) for end in run.exits]
    return [*exits, *((end.site, end.state) for end in run.drops)]


def _held(run: Run, site: Site, thing: Register | Bytes) -> Word | None:
    """What the machine proved of it at this end of the run."""
    for end, state in _ends(run):
        if end != site:
            continue
        if isinstance(thing, Register):
            return state.registers[thing.number] if thing.number < len(state.registers) else None
        parts = [item.value for item in state.memory if item.start < thing.end and thing.start < item.end]
        return _hull(parts) if parts else None
    return None


def _hull(words: list[Word]) -> Word:
    """All values of these words, at least one."""
    origins = frozenset(origin for word in words for origin in word.origins)
    if all(word.values is not None for word in words):
        return Word.exactly(*{value for word in words for value in word.values or ()}, origins=origins)
    return Word(low=min(word.low for word in words), high=max(word.high for word in words), origins=origins)


def _claims(decision: Decision) -> list[tuple[str, tuple[Location, ...]]]:
    """Each sentence of the outcome, with the places that it names."""
    match decision.outcome:
        case Pass(evidence=evidence):
            return [(item.statement, item.locations) for item in evidence]
        case Fail(message=message, witness=witness):
            places = dict.fromkeys(place for item in witness for place in item.locations)
            return [(message, tuple(places))]
        case Inconclusive(message=message, locations=locations):
            return [(message, tuple(dict.fromkeys(locations)))]
        case _:
            return []
