"""Why an instruction was refused. A refusal is never skipped: whoever decodes must stop or report it."""

from __future__ import annotations

from pinproof.errors import PinproofError


class DecodeError(PinproofError):
    """These bytes are not an instruction that the model executes."""

    def __init__(self, *, address: int, encoding: int, reason: str) -> None:
        """`encoding` is the halfword, or both (first one high) of a 32-bit instruction; -1 when there is none."""
        self.address = address
        self.encoding = encoding
        self.reason = reason
        shown = f"{encoding:#06x}" if encoding < 0x10000 else f"{encoding:#010x}"
        super().__init__(f"{address:#010x}: {shown}: {reason}")


class UndefinedInstruction(DecodeError):
    """The manual calls it UNDEFINED, or allocates nothing here: executing it faults."""


class UnpredictableInstruction(DecodeError):
    """The manual calls it UNPREDICTABLE: the processor may do anything."""


class UnmodelledInstruction(DecodeError):
    """A defined instruction that this model leaves out on purpose; `reason` names it."""


class TruncatedInstruction(DecodeError):
    """Fewer bytes than the instruction needs."""
