"""What must hold between an abstract run and every concrete run that its assumptions allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pinproof.machine.result import AccessKind, Origin, Word
from pinproof.machine.state import MAIN_STACK, State

from tests.unit.machine.support import RAM, Outcome, Run


def faults(run: Run, outcome: Outcome) -> Iterable[str]:
    """Everything in which the concrete run lies outside the abstract one. The abstract run has no obstacle."""
    reasons = [list(_outside(state, outcome)) for state in run.exits]
    if not reasons:
        yield "the abstract run never ends, but the concrete one does"
    elif all(reasons):
        yield f"no abstract end covers the concrete one: {min(reasons, key=len)[:5]}"
    yield from _accesses(run, outcome)
    reach = run.trace.ram_stores
    missed = [at for at in outcome.processor.written if not any(start <= at < end for start, end in reach)]
    if missed:
        yield f"[{min(missed):#x}] is stored to, which no store is said to reach"


def _outside(state: State, outcome: Outcome) -> Iterable[str]:
    processor = outcome.processor
    for number in range(13):
        if not state.known(number).contains(processor.registers[number]):
            yield f"r{number} is {processor.registers[number]:#x}, not in {state.known(number)}"
    if not state.known(MAIN_STACK).contains(processor.registers[13]):
        yield "sp"
    memory = processor.memory[RAM]
    for low, high, known in state.segments:
        if known.low == 0 and known.high == 0xFFFFFFFF and not known.zeros | known.ones:
            continue
        for address in range(low, high, 4):
            word = int.from_bytes(memory[address - RAM : address - RAM + 4], "little")
            if address not in state.slots and not known.contains(word):
                yield f"[{address:#x}] is {word:#x}, not in {known}"
                break
    for key in state.slots:
        if RAM <= key < RAM + len(memory):
            word = int.from_bytes(memory[key - RAM : key - RAM + 4], "little")
            if not state.known(key).contains(word):
                yield f"[{key:#x}] is {word:#x}, not in {state.known(key)}"
    if state.cycles < outcome.steps:
        yield f"{outcome.steps} instructions in at most {state.cycles} cycles"
    if state.stack_low is None:
        yield "no bound of the stack"


def _accesses(run: Run, outcome: Outcome) -> Iterable[str]:
    accesses = run.accesses()
    for touch in outcome.processor.touched:
        kind = AccessKind.STORE if touch.store else AccessKind.LOAD
        if not any(
            each.kind is kind and each.site.address == touch.site
            and _in_word(each.address, touch.address) and _in_word(each.value, touch.value)
            for each in accesses
        ):  # fmt: skip
            yield f"nothing covers {touch}"
    done = {
        (AccessKind.STORE if touch.store else AccessKind.LOAD, touch.site, touch.address)
        for touch in outcome.processor.touched
    }
    for each in accesses:
        certain = [
            place for place in done if place[:2] == (each.kind, each.site.address) and _in_word(each.address, place[2])
        ]
        if each.must and not certain:
            yield f"{each.kind} at {each.site.address:#x} is called certain but did not happen"
    single = [each for each in accesses if not each.site.calls and not each.in_loop]
    times = Counter((touch.store, touch.site, touch.address) for touch in outcome.processor.touched)
    for (store, site, address), count in times.items():
        kind = AccessKind.STORE if store else AccessKind.LOAD
        if count > 1 and any(
            each.kind is kind and each.site.address == site and _in_word(each.address, address) for each in single
        ):
            yield f"the access of {site:#x} to {address:#x} happened {count} times and is not in a loop"
    for address in outcome.times:
        if address not in run.trace.executed:
            yield f"{address:#x} was executed and is not recorded"


def _in_word(word: Word, value: int) -> bool:
    if word.values is not None:
        return value in word.values
    return word.low <= value <= word.high and not value & word.zeros and value & word.ones == word.ones


def leaks(run: Run, one: Outcome, other: Outcome) -> Iterable[str]:
    """What differs between two runs that differ in confined values only, and is not said to come from there."""
    if len(run.exits) != 1:
        return
    (state,) = run.exits
    for number in range(13):
        a, b = one.processor.registers[number], other.processor.registers[number]
        if a != b and Origin.CONFINED not in state.known(number).origins:
            yield f"r{number} tells: {a:#x}, {b:#x} in {state.known(number)}"
    first, second = one.processor.memory[RAM], other.processor.memory[RAM]
    for offset in range(0, len(first), 4):
        known = state.known(RAM + offset)
        if first[offset : offset + 4] != second[offset : offset + 4] and Origin.CONFINED not in known.origins:
            yield f"[{RAM + offset:#x}] tells: {known}"
    tainted = {
        each.site.address
        for each in run.accesses()
        if Origin.CONFINED in each.value.origins | each.address.origins | each.control
    }
    stores = [
        [touch for touch in outcome.processor.touched if touch.store and touch.site not in tainted]
        for outcome in (one, other)
    ]
    if stores[0] != stores[1]:
        yield f"device stores tell: {stores[0][:3]} {stores[1][:3]}"
    if one.times != other.times and not run.trace.confined_branches:
        yield "the path tells, and no branch is said to depend on confined values"
