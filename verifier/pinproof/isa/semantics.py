"""What each instruction does (DDI 0403 A7.7), written once over the abstract values of a `Processor`.

IT blocks are the executor's: it decides whether an instruction executes, and says `in_it_block` when it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pinproof.isa import _data, _memory, _system
from pinproof.isa._handler import Handler
from pinproof.isa.flow import (
    BeginIt,
    Call,
    CompareJump,
    ConditionalJump,
    Flow,
    Jump,
    JumpRegister,
    Next,
    TableJump,
    Trap,
)
from pinproof.isa.instruction import Instruction, Operation
from pinproof.isa.processor import Processor

__all__ = [
    "BeginIt",
    "Call",
    "CompareJump",
    "ConditionalJump",
    "Flow",
    "Jump",
    "JumpRegister",
    "Next",
    "TableJump",
    "Trap",
    "step",
]

V = TypeVar("V")

HANDLERS: Mapping[Operation, Handler] = {**_data.HANDLERS, **_memory.HANDLERS, **_system.HANDLERS}


def step(instruction: Instruction, processor: Processor[V], *, in_it_block: bool) -> Flow[V]:
    """Execute one instruction whose condition holds; returns where execution goes.

    Everything is done when this returns, except the change of the PC and what `BeginIt` and `Trap` ask for.
    """
    return HANDLERS[instruction.operation](instruction, processor, in_it_block)
