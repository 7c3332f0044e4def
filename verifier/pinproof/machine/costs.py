"""Upper bounds of the cycles that instructions take, from the silicon file's table."""

from __future__ import annotations

from ..isa.instruction import Instruction, Operation
from ..silicon import Silicon
from .state import State

_BARRIERS = frozenset((Operation.DMB, Operation.DSB, Operation.ISB))
_SYSTEM = frozenset((Operation.MSR, Operation.MRS, Operation.CPS))
_DIVIDES = frozenset((Operation.UDIV, Operation.SDIV))
_LONG = frozenset((Operation.UMULL, Operation.SMULL, Operation.UMLAL, Operation.SMLAL))
_MULTIPLES = frozenset((Operation.LDM, Operation.STM, Operation.PUSH, Operation.POP, Operation.LDRD, Operation.STRD))
FLASH_ACR_LATENCY = 0xF


class Costs:
    """Costs assume that every fetch waits for flash and that every load and store may be to a device."""

    def __init__(self, silicon: Silicon) -> None:
        self._cycles = silicon.cycles
        block = silicon.peripheral("FLASH") if silicon.has_peripheral("FLASH") else None
        self._wait_register = block.register("ACR").address if block is not None else None
        self._known: dict[Operation, int] = {}

    def entry(self) -> int:
        """Taking an exception and returning from it."""
        return self._cycles.exception_entry + self._cycles.exception_return

    def of(self, instruction: Instruction, state: State) -> int:
        cycles = self._known.get(instruction.operation)
        if cycles is None:
            cycles = self._known[instruction.operation] = self._fixed(instruction)
        if instruction.operation in _MULTIPLES:
            cycles += self._cycles.multiple_each * (len(instruction.registers) or 2)
        elif instruction.writes_pc:
            cycles += self._cycles.branch
        return cycles + self._wait_states(state)

    def _fixed(self, instruction: Instruction) -> int:
        costs = self._cycles
        operation = instruction.operation
        if operation in _MULTIPLES:
            return costs.multiple_base + costs.branch
        if operation.value.startswith("ld"):
            return costs.load + costs.device
        if operation.value.startswith("st"):
            return costs.store + costs.device
        if operation in _DIVIDES:
            return costs.divide
        if operation in _LONG:
            return costs.multiply_long
        if operation in _BARRIERS:
            return costs.barrier + costs.device
        return costs.system if operation in _SYSTEM else costs.instruction

    def _wait_states(self, state: State) -> int:
        """Wait states of one fetch: the most that FLASH_ACR.LATENCY can say (RM0368 3.4.1), or that the part has."""
        if self._wait_register is None:
            return self._cycles.wait_states_max
        known = state.known(self._wait_register)
        if known.values is not None:
            return max(value & FLASH_ACR_LATENCY for value in known.values)
        return self._cycles.wait_states_max
