"""ARMv7E-M (Thumb-2): a strict decoder, and the semantics of each instruction over any value domain."""

from __future__ import annotations

from pinproof.isa.decode import (
    DecodeError,
    ItPosition,
    TruncatedInstruction,
    UndefinedInstruction,
    UnmodelledInstruction,
    UnpredictableInstruction,
    check_in_it,
    decode,
)
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
from pinproof.isa.instruction import Instruction
from pinproof.isa.processor import Processor
from pinproof.isa.semantics import step
from pinproof.isa.words import Condition, Operation, Shift, SpecialRegister

__all__ = [
    "BeginIt",
    "Call",
    "CompareJump",
    "Condition",
    "ConditionalJump",
    "DecodeError",
    "Flow",
    "Instruction",
    "ItPosition",
    "Jump",
    "JumpRegister",
    "Next",
    "Operation",
    "Processor",
    "Shift",
    "SpecialRegister",
    "TableJump",
    "Trap",
    "TruncatedInstruction",
    "UndefinedInstruction",
    "UnmodelledInstruction",
    "UnpredictableInstruction",
    "check_in_it",
    "decode",
    "step",
]
