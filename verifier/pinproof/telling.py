"""Chains in words: values, registers, memory and instructions as the gate's author knows them."""

from __future__ import annotations

from typing import assert_never

from pinproof import facts
from pinproof.facts import Facts, Known
from pinproof.isa.instruction import Condition, Instruction
from pinproof.machine.effects import LR, SP, Flag, Register, Special, Transfer
from pinproof.machine.mpu import Use
from pinproof.machine.provenance import Bytes, Kind, Link, Thing
from pinproof.machine.result import Access, Drop, Origin, Run, Word
from pinproof.outcome import Step
from pinproof.silicon import MemoryKind

_MOST_VALUES = 4
_ORIGINS = {
    Origin.CONFINED: "the confined part",
    Origin.REGISTER: "interrupted registers",
    Origin.DEVICE: "a device",
    Origin.SENSOR: "the sensor",
    Origin.GATE: "gate memory",
    Origin.RESET: "before reset",
}
_RESET = 1


class Teller:
    def __init__(self, known: Facts) -> None:
        self._known = known
        writable = facts.unprivileged(known, Use.WRITE)
        self._confined = writable.value if isinstance(writable, Known) else ()

    def run(self, run: Run) -> str:
        """`the boot`, `the tick` or `the handler of HardFault and 3 more`."""
        if run.exceptions == (_RESET,):
            return "the boot"
        if facts.is_tick(self._known, run):
            return "the tick"
        names = self._known.silicon.exceptions.names
        first = names.get(run.exceptions[0], f"exception {run.exceptions[0]}") if run.exceptions else "no exception"
        more = len(run.exceptions) - 1
        return f"the handler of {first}" + (f" and {more} more" if more > 0 else "")

    def value(self, word: Word) -> str:
        """`0x85`, `0x0 or 0x1`, `0x0 to 0xFF`, or `anything`, and what an unknown value depends on."""
        if word.only is not None:
            text = f"0x{word.only:X}"
        elif word.values is not None and len(word.values) <= _MOST_VALUES:
            text = " or ".join(f"0x{value:X}" for value in sorted(word.values))
        elif (word.low, word.high) == (0, 0xFFFFFFFF):
            text = "anything"
        else:
            text = f"0x{word.low:X} to 0x{word.high:X}"
        sources = ", ".join(_ORIGINS[origin] for origin in sorted(word.origins))
        return f"{text} (from {sources})" if sources else text

    def special(self, name: str, value: Word) -> str:
        return f"writes {self.value(value)} to {name.upper()}"

    def drop(self, drop: Drop) -> str:
        return f"the drop: execution goes on without privilege at {self.value(drop.target)}"

    def store(self, store: Transfer) -> str:
        known = store.address.known
        text = self.memory(Bytes(known.low, known.high + store.width))
        value = store.value.known.word() if store.value is not None else None
        return f"stores {self.value(value)} to {text}" if value is not None else f"stores to {text}"

    def target(self, access: Access) -> str:
        """What an access reaches."""
        if access.address.only is None:
            return facts.name_of_access(self._known, access)
        return self.memory(Bytes(access.address.low, access.address.low + access.width))

    def assembly(self, instruction: Instruction, condition: Condition | None) -> str:
        """As it reads; inside an IT block with its condition, as assemblers write it."""
        text = str(instruction)
        if condition is None or condition is Condition.AL:
            return text
        mnemonic, space, operands = text.partition(" ")
        return f"{mnemonic}{condition.name.lower()}{space}{operands}"

    def memory(self, place: Bytes) -> str:
        """A device register by its name, memory by whose it is."""
        memory = self._known.silicon.memory_at(place.start)
        if memory is None:
            return facts.name_of(self._known, place.start)
        span = f"0x{place.start:08X}"
        if place.end - place.start > 4:
            span = facts.span(place.start, place.end)
        if memory.kind is MemoryKind.FLASH:
            return f"flash at {span}"
        if place.start & ~3 == self._known.declaration.memory.mailbox and place.end - place.start <= 4:
            return f"the mailbox ({span})"
        return f"{'confined' if self._is_confined(place) else 'gate'} memory at {span}"

    def _is_confined(self, place: Bytes) -> bool:
        return any(start < place.end and place.start < end for start, end in self._confined)

    def thing(self, thing: Thing) -> str:
        match thing:
            case Register(number=number):
                return {SP: "sp", LR: "lr"}.get(number, f"r{number}")
            case Flag():
                return "flags"
            case Special(register=register):
                return register.name
            case Bytes():
                return self.memory(thing)
            case _:
                assert_never(thing)

    def step(self, run: Run, link: Link) -> Step:
        """One link as a line; its depth is one more, for the chain's head is the instruction that it explains."""
        return Step(
            depth=link.depth + 1,
            text=self._text(run, link),
            location=self._known.at(link.site) if link.site is not None else None,
            instruction=self.assembly(link.instruction, link.condition) if link.instruction is not None else None,
        )

    def _text(self, run: Run, link: Link) -> str:
        name = self.thing(link.thing)
        value = self.value(link.value) if link.value is not None else None
        match link.kind:
            case Kind.MADE:
                text = _made(link, name, value)
                return text if link.certain else f"{text}, on some path"
            case Kind.ROUND:
                many = link.value is not None and link.value.only is None
                return f"{name} changes each time round the loop" + (f": {value}" if many else "")
            case Kind.LITERAL:
                return f"{value or 'a constant'}, in {name}"
            case Kind.TABLE:
                return f"one of the constants in {name}"
            case Kind.DEVICE:
                return f"read from {name}"
            case Kind.ENTRY:
                text = self._entry(run, link.thing, name)
                return text if link.certain else f"where none of these did: {text}"
            case Kind.SEEN:
                return f"{name}, as above"
            case Kind.CUT:
                return f"{name} = {value}; not followed further" if value else f"{name}: not followed further"
            case _:
                assert_never(link.kind)

    def _entry(self, run: Run, thing: Thing, name: str) -> str:
        boot = run.exceptions == (_RESET,)
        match thing:
            case Bytes():
                if boot:
                    return f"{name}: what was there before reset"
                if self._is_confined(thing):
                    return f"{name}: what the confined part left there"
                return f"{name}: as the boot or an earlier handler left it"
            case Register(number=number) if number == SP:
                return "sp: word 0 of the vector table" if boot else "sp: the main stack, as the drop left it"
            case Register(number=number) if number == LR and not boot:
                return "lr: EXC_RETURN, set by the exception"
            case _:
                return f"{name}: as reset left it" if boot else f"{name}: as the confined part was interrupted"


def _made(link: Link, name: str, value: str | None) -> str:
    if isinstance(link.thing, Bytes):
        return f"stores {value} there" if value else f"stores to {name}"
    if isinstance(link.thing, Flag):
        return "sets the flags"
    return f"{name} = {value}" if value else f"sets {name}"
