"""What a comparison counts, and what it finds wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """A claim of the verifier that a concrete fact can contradict."""

    EXECUTED = "every executed privileged address is in `executed`"
    CONSTANT = "every load from flash is in `constants`"
    ACCESS = "every access lies inside an Access of its place, calls, width, address and value"
    RAM_STORE = "every store to RAM lies in what the run's stores can reach"
    ONCE = "an access that is in no loop happens at most once a run"
    MUST = "an access marked `must` happens in each completed run"
    SYSTEM_WRITE = "every MSR and CPS lies inside a system write of its place"
    STACK = "the main stack pointer never goes below `stack_low`"
    CYCLES = "a completed run executes no more instructions than its bound has cycles"
    ENTRY = "each exception enters a run's address, from the process stack, on an empty main stack"
    FAULT = "privileged code raises no fault"
    UNDISTURBED = "between two handlers gate memory and the processor's own registers stay as they are"
    DROP = "the drop goes to its target"
    REGISTERS = "registers lie inside the state"
    STACKS = "stack pointers, CONTROL and PRIMASK lie inside the state"
    PROTECTION = "the MPU's registers lie inside the state"
    STORED = "what was last stored to a device register lies inside the state"
    READ_BACK = "what a device register reads as lies inside the state"
    MEMORY = "memory lies inside the state"
    RETURN = "a handler's EXC_RETURN is one of its exits"
    FRAME = "the frame that a return pops lies inside the exit's"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    kind: Kind
    place: int
    """Address of the instruction, register or memory, whichever names the trouble best."""
    text: str

    def __str__(self) -> str:
        return f"{self.place:#010x}: {self.text} ({self.kind.name})"


@dataclass(slots=True)
class Findings:
    facts: Counter[Kind] = field(default_factory=Counter)
    """How many concrete facts were compared."""
    violations: list[Violation] = field(default_factory=list)

    def check(self, kind: Kind, holds: bool, place: int, text: str, facts: int = 1) -> bool:
        """Counts a comparison; `text` says what is wrong where it does not hold."""
        self.facts[kind] += facts
        if not holds:
            self.violations.append(Violation(kind=kind, place=place, text=text))
        return holds

    def add(self, other: Findings) -> None:
        self.facts.update(other.facts)
        self.violations += other.violations
