"""What must hold between the machine's one run of a program and every run on integers that its assumptions allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pinproof.machine.result import Access, AccessKind, Origin, Site, Word
from pinproof.machine.state import MAIN_STACK, State, region_slots

from tests.soundness.loops.running import INTERRUPTS, MPU, RAM, Abstract, Key, Outcome, Touch


def faults(abstract: Abstract, outcome: Outcome) -> Iterator[str]:
    """Everything in which the concrete run lies outside the abstract one. The abstract run has no obstacle."""
    if outcome.crashed:
        yield f"the run faults at {outcome.last:#x}"
        return
    if outcome.ended:
        yield from _end(abstract, outcome)
    elif not abstract.executor.ends.endless and all(outcome.cycles > state.cycles for _, state in abstract.exits):
        yield "the run goes on for longer than the bound of its cycles"
    yield from _accesses(abstract, outcome)


def _end(abstract: Abstract, outcome: Outcome) -> Iterator[str]:
    here = [state for site, state in abstract.exits if site.address == outcome.last]
    reasons = [list(_outside(state, outcome)) for state in here]
    if not reasons:
        yield f"the run ends at {outcome.last:#x}, and the machine does not"
    elif all(reasons):
        yield f"no end covers the run's: {min(reasons, key=len)[:3]}"


def _outside(state: State, outcome: Outcome) -> Iterator[str]:
    board = outcome.board
    for number in range(13):
        if not state.known(number).contains(board.registers[number]):
            yield f"r{number} is {board.registers[number]:#x}, not in {_short(state.known(number))}"
    if not state.known(MAIN_STACK).contains(board.registers[13]):
        yield "sp"
    if not state.flags.possible >> board.flags & 1:
        yield f"flags {board.flags:04b}"
    yield from _memory(state, outcome)
    for address, value in board.devices.items():
        if not state.known(address).contains(value):
            yield f"device [{address:#x}] is {value:#x}, not in {_short(state.known(address))}"
    for index, value in board.regions.items():
        known = state.known(region_slots(index // 2)[index % 2])
        if index < 16 and not known.contains(value):
            yield f"MPU region {index // 2} is {value:#x}, not in {_short(known)}"
    if not state.barriers <= board.barriers:
        yield f"barriers {sorted(state.barriers - board.barriers)} do not hold"
    if state.cycles < outcome.cycles:
        yield f"{outcome.cycles} cycles, said to be at most {state.cycles}"
    if state.stack_low is not None and state.stack_low > board.lowest:
        yield f"stack down to {board.lowest:#x}, said to be {state.stack_low:#x}"


def _memory(state: State, outcome: Outcome) -> Iterator[str]:
    memory = outcome.board.memory[RAM]
    for low, high, known in state.segments:
        if known.low == 0 and known.high == 0xFFFFFFFF and not known.zeros | known.ones:
            continue
        for address in range(low, high, 4):
            word = _word(memory, address)
            if address not in state.slots and not known.contains(word):
                yield f"[{address:#x}] is {word:#x}, not in {_short(known)}"
                break
    for key in state.slots:
        if RAM <= key < RAM + len(memory) and not state.known(key).contains(_word(memory, key)):
            yield f"[{key:#x}] is {_word(memory, key):#x}, not in {_short(state.known(key))}"


def _word(memory: bytearray, address: int) -> int:
    return int.from_bytes(memory[address - RAM : address - RAM + 4], "little")


def _short(known: object) -> str:
    return str(known).removeprefix("Range")


# --- accesses ---------------------------------------------------------------------------------------------------------


def key_of(site: Site) -> Key:
    return site.calls, site.address


def covers(access: Access, touch: Touch) -> bool:
    return access.width == touch.width and inside(access.address, touch.address) and inside(access.value, touch.value)


def inside(word: Word, value: int) -> bool:
    if word.values is not None:
        return value in word.values
    return word.low <= value <= word.high and not value & word.zeros and value & word.ones == word.ones


def by_site(abstract: Abstract) -> dict[tuple[bool, Key], list[Access]]:
    found: dict[tuple[bool, Key], list[Access]] = defaultdict(list)
    for access in abstract.accesses:
        found[access.kind is AccessKind.STORE, key_of(access.site)].append(access)
    return found


def _accesses(abstract: Abstract, outcome: Outcome) -> Iterator[str]:
    known = by_site(abstract)
    happened: dict[tuple[bool, Key, int], int] = {}
    reached = -1
    for touch in outcome.board.touched:
        covering = [access for access in known.get((touch.store, touch.site), ()) if covers(access, touch)]
        if not covering:
            yield f"nothing covers {_said(touch)}"
            return
        # An instruction of several accesses is one step.
        before = happened.setdefault((touch.store, touch.site, touch.address), touch.step)
        if before != touch.step and any(not access.in_loop for access in covering):
            yield f"{_said(touch)} happened again and is not said to be in a loop"
        if max(access.order for access in covering) < reached and all(not access.in_loop for access in covering):
            yield f"{_said(touch)} is out of order"
        reached = max(reached, min(access.order for access in covering))
    if outcome.ended:
        yield from _certain(known, outcome)
    for _, address in outcome.times:
        if address not in abstract.trace.executed:
            yield f"{address:#x} was executed and is not recorded"


def _certain(known: dict[tuple[bool, Key], list[Access]], outcome: Outcome) -> Iterator[str]:
    """What is said to happen on every path did: at that address, where it is one number."""
    made = outcome.board.made
    sites = {(store, site) for store, site, _ in made}
    for (store, site), accesses in known.items():
        for access in accesses:
            only = access.address.only
            happened = (store, site) in sites if only is None else (store, site, only) in made
            if access.must and not happened:
                yield f"the access at {site[1]:#x} is called certain and did not happen"


def _said(touch: Touch) -> str:
    kind = "store" if touch.store else "load"
    return f"{kind} of {touch.value:#x} at {touch.address:#x} by {touch.site[1]:#x}"


# --- origins ----------------------------------------------------------------------------------------------------------


def leaks(abstract: Abstract, origin: Origin, one: Outcome, other: Outcome) -> Iterator[str]:
    """What differs between runs that differ only in values of `origin`, and is not said to come from there."""
    yield from _store_leaks(abstract, origin, one, other)
    if one.ended and other.ended and abstract.joined is not None:
        yield from _end_leaks(abstract.joined, origin, one, other)
    if origin in (Origin.CONFINED, Origin.GATE, Origin.DEVICE):
        yield from _path_leaks(abstract, one, other)


def _end_leaks(state: State, origin: Origin, one: Outcome, other: Outcome) -> Iterator[str]:
    for number in range(13):
        a, b = one.board.registers[number], other.board.registers[number]
        if a != b and origin not in state.known(number).origins:
            yield f"r{number} tells: {a:#x}, {b:#x} in {_short(state.known(number))}"
    first, second = one.board.memory[RAM], other.board.memory[RAM]
    for address in sorted(one.board.written | other.board.written):
        known = state.known(address)
        if _word(first, address) != _word(second, address) and origin not in known.origins:
            yield f"[{address:#x}] tells: {_word(first, address):#x}, {_word(second, address):#x} in {_short(known)}"
    for address in one.board.devices.keys() | other.board.devices.keys():
        reset = 0 if address == INTERRUPTS else None
        mine, its = (each.board.devices.get(address, reset) for each in (one, other))
        known = state.known(address)
        if mine != its and origin not in known.origins and not _unset(address, mine, its):
            yield f"device [{address:#x}] tells: {mine}, {its} in {_short(known)}"


def _unset(address: int, mine: int | None, its: int | None) -> bool:
    """A register that one run never stored to holds what it held before: that it was stored to may not show."""
    return (mine is None or its is None) and address != MPU + 4


def _store_leaks(abstract: Abstract, origin: Origin, one: Outcome, other: Outcome) -> Iterator[str]:
    known = by_site(abstract)
    mine, its = _stores(one), _stores(other)
    for site in mine.keys() | its.keys():
        a, b = mine.get(site, []), its.get(site, [])
        accesses = known.get((True, site), [])
        for first, second in zip(a, b, strict=False):
            if (first.address, first.value) != (second.address, second.value):
                for touch in (first, second):
                    if not any(_tainted(access, origin) for access in accesses if covers(access, touch)):
                        yield f"{_said(touch)} tells and is not said to: {_said(first)}, {_said(second)}"
        whole = one.ended and other.ended
        if whole and len(a) != len(b) and not any(origin in access.control for access in accesses):
            yield f"how often {site[1]:#x} stores tells: {len(a)}, {len(b)}"


def _tainted(access: Access, origin: Origin) -> bool:
    return origin in access.value.origins | access.address.origins | access.control


def _stores(outcome: Outcome) -> dict[Key, list[Touch]]:
    found: dict[Key, list[Touch]] = defaultdict(list)
    for touch in outcome.board.touched:
        if touch.store:
            found[touch.site].append(touch)
    return found


def _path_leaks(abstract: Abstract, one: Outcome, other: Outcome) -> Iterator[str]:
    """Where two paths part first, there must be a branch that is said to depend on such values."""
    for index, (a, b) in enumerate(zip(one.path, other.path, strict=False)):
        if a != b:
            calls = [calls for start, calls in one.calls if start <= index - 1][-1]
            site = Site(address=one.path[index - 1], calls=calls)
            if site not in abstract.trace.confined_branches:
                yield f"the paths part behind {site.address:#x}, which is not said to branch on them"
            return


def first(found: Iterable[str]) -> str | None:
    return next(iter(found), None)
