"""Control flow of one function as decoded from the image, and the order in which to execute it.

The order is Bourdoncle's weak topological order: a list of blocks and nested loops, each loop named by its head. It
comes from the graph's shape, not from addresses, so cold blocks placed after the function and rotated loops are no
special case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..isa.decode import ItPosition, check_in_it
from ..isa.instruction import Condition, Instruction, Operation

Jumps = Mapping[int, frozenset[int]]
"""Where each computed jump within a function has been seen to lead, by its address."""
MOST_INSTRUCTIONS = 20_000
_STACK = 13
_JUMPS = (Operation.MOV, Operation.ADD, Operation.TBB, Operation.TBH)


class FlowError(Exception):
    """The code at `address` cannot be laid out as a graph; `code` is the obstacle's slug."""

    def __init__(self, code: str, address: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.address = address


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction, with the condition that its IT block puts on it."""

    instruction: Instruction
    condition: Condition | None
    successors: tuple[int, ...]
    """Where control can go within the function; a return or a trap has none here."""


@dataclass(frozen=True, slots=True)
class Block:
    """Straight code: entered at the top only, left at the bottom only."""

    start: int
    steps: tuple[Step, ...]
    successors: tuple[int, ...]

    @property
    def end(self) -> int:
        last = self.steps[-1].instruction
        return last.address + last.size


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop: its head block and, in order, the rest of its body."""

    head: int
    body: tuple[int | Loop, ...]
    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class Function:
    entry: int
    blocks: dict[int, Block]
    order: tuple[int | Loop, ...]


def function_at(entry: int, fetch: Callable[[int], Instruction], jumps: Jumps) -> Function:
    """Decode everything that branches reach from `entry` without calls. Raises FlowError or what `fetch` raises."""
    steps = _reachable(entry, fetch, jumps)
    leaders = _leaders(entry, steps)
    blocks = {leader: _block(leader, leaders, steps) for leader in sorted(leaders)}
    return Function(entry, blocks, _Ordering(blocks).of(entry))


def _successors(instruction: Instruction, condition: Condition | None, jumps: Jumps) -> tuple[int, ...]:
    following = instruction.address + instruction.size
    operation = instruction.operation
    conditional = condition is not None and condition is not Condition.AL
    if operation is Operation.B:
        assert instruction.target is not None
        always = instruction.condition is Condition.AL and not conditional
        return (instruction.target,) if always else (following, instruction.target)
    if operation in (Operation.CBZ, Operation.CBNZ):
        assert instruction.target is not None
        return following, instruction.target
    if leaves(instruction):
        targets = tuple(sorted(jumps.get(instruction.address, ())))
        return (following, *targets) if conditional else targets
    return (following,)


def leaves(instruction: Instruction) -> bool:
    """Whether the instruction loads the program counter from a register or memory, or traps."""
    operation = instruction.operation
    if operation in (Operation.BX, Operation.TBB, Operation.TBH, Operation.UDF, Operation.SVC, Operation.BKPT):
        return True
    if operation in (Operation.POP, Operation.LDM):
        return 15 in instruction.registers
    if operation is Operation.LDR:
        return instruction.rd == 15
    return operation in (Operation.MOV, Operation.ADD) and instruction.rd == 15


def jumps_within(instruction: Instruction) -> bool:
    """Whether it is how compilers jump within a function: by a table, or by anything but a return or a tail call."""
    if instruction.operation is Operation.LDR:
        return instruction.rd == 15 and instruction.rn != _STACK
    return instruction.operation in _JUMPS and instruction.rd in (None, 15)


def _reachable(entry: int, fetch: Callable[[int], Instruction], jumps: Jumps) -> dict[int, Step]:
    steps: dict[int, Step] = {}
    pending: list[tuple[int, tuple[Condition, ...]]] = [(entry, ())]
    while pending:
        address, conditions = pending.pop()
        condition = conditions[0] if conditions else None
        if address in steps:
            if steps[address].condition != condition:
                raise FlowError("unpredictable", address, "a branch leads into the middle of an IT block")
            continue
        if len(steps) >= MOST_INSTRUCTIONS:
            message = f"the function at 0x{entry:08x} has over {MOST_INSTRUCTIONS} instructions"
            raise FlowError("step-budget", address, message)
        instruction = fetch(address)
        if conditions:
            check_in_it(instruction, ItPosition.LAST if len(conditions) == 1 else ItPosition.INSIDE)
        steps[address] = step = Step(instruction, condition, _successors(instruction, condition, jumps))
        following = address + instruction.size
        for target in step.successors:
            rest = conditions[1:] if target == following else ()
            if target == following and instruction.operation is Operation.IT:
                rest = instruction.it_conditions
            pending.append((target, rest))
    return steps


def _ends_block(step: Step) -> bool:
    """A branch does wherever it leads, to the instruction after it too: executing it leaves the block."""
    instruction = step.instruction
    jumps = instruction.operation is Operation.B or leaves(instruction)
    return jumps or step.successors != (instruction.next_address,)


def _leaders(entry: int, steps: dict[int, Step]) -> set[int]:
    leaders = {entry}
    arrivals: dict[int, int] = {}
    for step in steps.values():
        targets = step.successors
        ends = _ends_block(step)
        for target in targets:
            arrivals[target] = arrivals.get(target, 0) + 1
            if ends or arrivals[target] > 1:
                leaders.add(target)
    return leaders


def _block(start: int, leaders: set[int], steps: dict[int, Step]) -> Block:
    collected = []
    address = start
    while True:
        step = steps[address]
        collected.append(step)
        following = address + step.instruction.size
        if _ends_block(step) or following in leaders:
            return Block(start, tuple(collected), step.successors)
        address = following


class _Ordering:
    """F. Bourdoncle, Efficient chaotic iteration strategies with widenings (1993), figure 4."""

    def __init__(self, blocks: dict[int, Block]) -> None:
        self._blocks = blocks
        self._numbers: dict[int, float] = dict.fromkeys(blocks, 0)
        self._stack: list[int] = []
        self._count = 0

    def of(self, entry: int) -> tuple[int | Loop, ...]:
        order: list[int | Loop] = []
        self._visit(entry, order)
        order.reverse()
        return tuple(order)

    def _visit(self, vertex: int, order: list[int | Loop]) -> float:
        self._stack.append(vertex)
        self._count += 1
        self._numbers[vertex] = head = self._count
        is_loop = False
        for target in self._blocks[vertex].successors:
            number = self._numbers[target]
            lowest = self._visit(target, order) if number == 0 else number
            if lowest <= head:
                head = int(lowest)
                is_loop = True
        if head != self._numbers[vertex]:
            return head
        self._numbers[vertex] = float("inf")
        element = self._stack.pop()
        if not is_loop:
            order.append(vertex)
            return head
        while element != vertex:
            self._numbers[element] = 0
            element = self._stack.pop()
        order.append(self._component(vertex))
        return head

    def _component(self, head: int) -> Loop:
        body: list[int | Loop] = []
        for target in self._blocks[head].successors:
            if self._numbers[target] == 0:
                self._visit(target, body)
        body.reverse()
        members = {head}
        for element in body:
            members |= {element} if isinstance(element, int) else element.members
        return Loop(head, tuple(body), frozenset(members))
