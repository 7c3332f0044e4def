"""The semantics against Unicorn's Cortex-M4: registers, flags, memory and PC after random instructions."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from pinproof.isa import Condition, DecodeError, Instruction, ItPosition, Operation, check_in_it, decode
from pinproof.isa.concrete import ConcreteFault

from tests.oracle.isa.emulator import CODE, CODE_SPACE, LANDING, LANDING_SIZE, RAM, RAM_SIZE, Pair
from tests.oracle.isa.sampling import EFFORT, accepted, code_of

_O = Operation
SLOT = 32
UNCHECKED_BY_UNICORN = ("unaligned access of several words", "branch to ARM state")
"""Faults of the architecture (DDI 0403 A3.2.1, A2.3.1) that Unicorn leaves out or raises one instruction later."""
ONLY_EMULATOR_MEMORY = tuple(f"no memory at 0x{top:02x}" for top in range(CODE_SPACE >> 24))
"""The emulator has memory all around the code, for branches to land on; the concrete processor has the code only."""
NOT_HERE = frozenset(
    {_O.MRS, _O.MSR, _O.CPS, _O.SVC, _O.BKPT, _O.UDF, _O.WFI, _O.WFE, _O.SEV, _O.YIELD, _O.DMB, _O.DSB, _O.ISB}
)
"""Need a whole system or have no effect that an emulator shows; unit tests cover them."""
BRANCHES = frozenset({_O.B, _O.BL, _O.BX, _O.BLX, _O.CBZ, _O.CBNZ, _O.TBB, _O.TBH})
LOADS_OF_PC = frozenset({_O.LDR, _O.LDM, _O.POP})
EDGES = (0, 1, 2, 0xFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    address: int
    instructions: tuple[Instruction, ...]

    @property
    def end(self) -> int:
        return self.instructions[-1].next_address

    @property
    def loops(self) -> bool:
        """Whether it branches into itself, where no comparison could stop the emulator."""
        target = self.instructions[-1].target
        return target is not None and self.address <= target < self.end

    @property
    def code(self) -> bytes:
        return b"".join(code_of(i.encoding, i.size) for i in self.instructions)

    def __str__(self) -> str:
        return f"{self.code.hex()} [{'; '.join(map(str, self.instructions))}]"


def single(address: int, source: random.Random) -> Case:
    return _single(address, source, branch=False)


def branch(address: int, source: random.Random) -> Case:
    return _single(address, source, branch=True)


def _single(address: int, source: random.Random, *, branch: bool) -> Case:
    while True:
        instruction = accepted(source, address)
        case = Case(address=address, instructions=(instruction,))
        if instruction.operation in (*NOT_HERE, _O.IT) or instruction.writes_pc != branch or case.loops:
            continue
        return case


def block(address: int, source: random.Random) -> Case:
    """IT and its one to four instructions, none a branch."""
    return _block(address, source, branch_last=False)


def branching_block(address: int, source: random.Random) -> Case:
    """IT and its one to four instructions, the last one a branch."""
    return _block(address, source, branch_last=True)


def _block(address: int, source: random.Random, *, branch_last: bool) -> Case:
    while True:
        try:
            head = decode(code_of(0xBF00 | source.randrange(15) << 4 | source.randrange(1, 16), 2), address)
        except DecodeError:
            continue
        found, at = [head], head.next_address
        length = len(head.it_conditions)
        for position in range(1, length + 1):
            last = position == length
            found.append(_inside(at, source, last=last, branch=last and branch_last))
            at = found[-1].next_address
        case = Case(address=address, instructions=tuple(found))
        if not case.loops:
            return case


def _inside(address: int, source: random.Random, *, last: bool, branch: bool) -> Instruction:
    while True:
        instruction = accepted(source, address)
        try:
            check_in_it(instruction, ItPosition.LAST if last else ItPosition.INSIDE)
        except DecodeError:
            continue
        if instruction.operation not in NOT_HERE and instruction.writes_pc == branch:
            return instruction


def values_for(case: Case, source: random.Random) -> list[int]:
    """Registers: edge values, except what must point somewhere for the case to run at all."""
    registers = [source.choice(EDGES) if source.randrange(2) else source.getrandbits(32) for _ in range(15)]
    registers[13] = RAM + RAM_SIZE // 2 + 4 * source.randrange(-64, 64)
    for i in case.instructions:
        if i.operation in (_O.BX, _O.BLX) and i.rm not in (None, 13):
            registers[i.rm] = _code_pointer(source)
        elif i.operation in (_O.MOV, _O.ADD) and i.rd == 15 and i.rm not in (None, 13, 15):
            registers[i.rm] = 2 * source.randrange(256) if i.operation is _O.ADD else _code_pointer(source)
        elif i.operation in (_O.TBB, _O.TBH):
            registers[i.rm or 0] = source.randrange(64)
            if i.rn != 15:
                registers[i.rn or 0] = RAM + 2 * source.randrange(256)
        elif i.rn is not None and _touches_memory(i):
            if i.rm is not None:
                registers[i.rm] = source.randrange(256)
            if i.rn not in (13, 15):
                registers[i.rn] = RAM + RAM_SIZE // 2 + 4 * source.randrange(-64, 64)
                if i.operation not in (_O.LDM, _O.STM, _O.LDRD, _O.STRD):
                    registers[i.rn] += source.randrange(4)
    return registers


def _touches_memory(i: Instruction) -> bool:
    return i.operation.startswith(("ldr", "str", "ldm", "stm", "push", "pop"))


def _code_pointer(source: random.Random) -> int:
    return LANDING + 2 * source.randrange(LANDING_SIZE // 2) | 1


def _memory(case: Case, source: random.Random) -> bytes:
    if not any(i.operation in LOADS_OF_PC and i.writes_pc for i in case.instructions):
        return source.randbytes(RAM_SIZE)
    return b"".join(_code_pointer(source).to_bytes(4, "little") for _ in range(RAM_SIZE // 4))


def compare(cases: list[Case], source: random.Random, *, stop_outside: bool = False) -> tuple[Counter[str], list[str]]:
    image = bytearray(SLOT * len(cases))
    for case in cases:
        image[case.address - CODE : case.end - CODE] = case.code
    pair = Pair(bytes(image), source, stop_outside=stop_outside)
    counts: Counter[str] = Counter()
    mismatches = []
    for case in cases:
        if any(_touches_memory(i) or i.operation in (_O.TBB, _O.TBH) for i in case.instructions):
            pair.fill_memory(_memory(case, source))
        registers, flags = values_for(case, source), source.randrange(16)
        pair.set_up(pc=case.address, registers=registers, flags=flags)
        faulted = _run_ours(pair, case)
        ran = pair.run_emulator(pc=case.address, end=case.end)
        if faulted is not None:
            counts["faulted in ours" + (", ran in theirs" if ran else " and theirs")] += 1
            if ran and not faulted.startswith((*UNCHECKED_BY_UNICORN, *ONLY_EMULATOR_MEMORY)):
                mismatches.append(f"{case}: only ours faulted: {faulted}")
            pair.fill_memory(bytes(RAM_SIZE))
            continue
        if len(case.instructions) > 2 and pair.stack_unaligned:
            counts["not compared: the stack pointer lost its alignment in theirs"] += 1
            pair.fill_memory(bytes(RAM_SIZE))
            continue
        for i in case.instructions:
            counts[i.operation] += 1
        found = pair.differences()
        if not ran and pair.executor.pc == case.end:
            # Where it branched away, the fault is that of whatever is at the target, and the state is as it was there.
            found.append("theirs faulted")
        if found:
            state = " ".join(f"r{n}={value:#x}" for n, value in enumerate(registers))
            mismatches.append(f"{case}: {'; '.join(found)}; from {state} NZCV={flags:04b}")
            pair.fill_memory(bytes(RAM_SIZE))
    return counts, mismatches


def _run_ours(pair: Pair, case: Case) -> str | None:
    """Run the case; the message of its fault."""
    try:
        for _ in case.instructions:
            pair.executor.run_one()
    except ConcreteFault as fault:
        return str(fault)
    return None


def report(counts: Counter[str], mismatches: list[str], least: int) -> None:
    operations = {name: count for name, count in counts.items() if name in set(Operation)}
    others = {name: count for name, count in counts.items() if name not in operations}
    print(f"{sum(operations.values())} instructions of {len(operations)} operations compared; {others}")
    assert not mismatches, f"{len(mismatches)} mismatches: " + "\n".join(mismatches[:20])
    assert sum(operations.values()) >= least


def test_single_instructions() -> None:
    source = random.Random(11)
    cases = [single(CODE + SLOT * k, source) for k in range(int(12_000 * EFFORT))]
    counts, mismatches = compare(cases, source)
    report(counts, mismatches, int(11_000 * EFFORT))
    missing = set(Operation) - NOT_HERE - BRANCHES - {_O.IT} - set(counts)
    assert not missing, f"never compared: {sorted(missing)}"


def test_branches() -> None:
    source = random.Random(14)
    cases = [branch(CODE + SLOT * k, source) for k in range(int(2_000 * EFFORT))]
    counts, mismatches = compare(cases, source, stop_outside=True)
    report(counts, mismatches, int(1_700 * EFFORT))
    missing = BRANCHES - set(counts)
    assert not missing, f"never compared: {sorted(missing)}"


def test_it_blocks() -> None:
    source = random.Random(12)
    cases = [block(CODE + SLOT * k, source) for k in range(int(5_000 * EFFORT))]
    counts, mismatches = compare(cases, source)
    report(counts, mismatches, int(15_000 * EFFORT))
    assert set(Condition) == {c.instructions[0].it_conditions[0] for c in cases}


def test_it_blocks_that_end_in_a_branch() -> None:
    source = random.Random(13)
    cases = [branching_block(CODE + SLOT * k, source) for k in range(int(1_500 * EFFORT))]
    counts, mismatches = compare(cases, source, stop_outside=True)
    report(counts, mismatches, int(3_000 * EFFORT))
