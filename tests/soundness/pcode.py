"""A second oracle: Ghidra's SLEIGH lifts an instruction to p-code, and this interprets it on integers.

Written from Ghidra's "P-Code Reference Manual". SLEIGH is not always right: `KNOWN` lists each fault of its Thumb model
by instruction and by what it gets wrong. Whatever differs outside the list is unsound until somebody says whose fault
it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pinproof.isa import Instruction, Operation
from pypcode import Context, OpCode, PcodeOp, Varnode

_IGNORED = frozenset({"setISAMode"})
"""User operations without effect on what is compared."""
MASK = 0xFFFFFFFF


class NotLifted(Exception):
    """SLEIGH has no p-code for this, or p-code with an operation that it leaves to the user."""


@dataclass(frozen=True, slots=True)
class Lifted:
    """One instruction's p-code."""

    ops: tuple[_Op, ...]
    next_address: int


@dataclass(slots=True)
class Result:
    registers: list[int]
    """R0 to R12, SP, LR."""
    nzcv: int
    pc: int
    stored: dict[int, int]
    """Bytes by address."""


_Place = tuple[str, int, int]
"""Space, offset and size of a varnode."""


@dataclass(frozen=True, slots=True)
class _Op:
    code: OpCode
    output: _Place | None
    inputs: tuple[_Place, ...]


def _place(node: Varnode) -> _Place:
    return node.space.name, node.offset, node.size


class Lifter:
    def __init__(self) -> None:
        self._context = Context("ARM:LE:32:Cortex")
        registers = {name: _place(node) for name, node in self._context.registers.items()}
        self._core = [registers[name] for name in (*(f"r{n}" for n in range(13)), "sp", "lr")]
        self._flags = [registers[name] for name in ("NG", "ZR", "CY", "OV")]
        self._pc = registers["pc"]

    def lift(self, code: bytes, address: int) -> Lifted:
        """Raises NotLifted. Not for what stands in an IT block: the context remembers blocks by address."""
        try:
            ops = self._context.translate(code, base_address=address, max_instructions=1).ops
        except Exception as error:
            raise NotLifted(type(error).__name__) from None
        found = []
        for op in ops:
            if op.opcode is OpCode.IMARK:
                if op.inputs[0].size != len(code):
                    raise NotLifted("another length")
            elif op.opcode is not OpCode.CALLOTHER or _user_name(op) not in _IGNORED:
                found.append(_Op(op.opcode, _place(op.output) if op.output else None, tuple(map(_place, op.inputs))))
                if op.opcode is OpCode.CALLOTHER:
                    raise NotLifted(_user_name(op))
        return Lifted(tuple(found), address + len(code))

    def run(self, lifted: Lifted, registers: Sequence[int], nzcv: int, read: Callable[[int], int]) -> Result:
        """`read` gives the byte at an address before the instruction."""
        machine = _Machine(read)
        for place, value in zip(self._core, registers, strict=True):
            machine.write(place, value)
        for place, bit in zip(self._flags, (3, 2, 1, 0), strict=True):
            machine.write(place, nzcv >> bit & 1)
        pc = machine.run(lifted.ops, lifted.next_address)
        flags = sum(machine.read(place) << bit for place, bit in zip(self._flags, (3, 2, 1, 0), strict=True))
        return Result([machine.read(place) for place in self._core], flags, pc, machine.stored)


def _user_name(op: PcodeOp) -> str:
    name = op.inputs[0].getUserDefinedOpName()
    return str(name)


class _Machine:
    """Spaces as little-endian bytes; what was never written reads as zero."""

    def __init__(self, read: Callable[[int], int]) -> None:
        self._read = read
        self._spaces = {"register": bytearray(0x2000)}
        self._unique: dict[int, int] = {}
        self.stored: dict[int, int] = {}

    def read(self, place: _Place) -> int:
        space, offset, size = place
        if space == "const":
            return offset & (1 << 8 * size) - 1
        if space == "ram":
            return self.load(offset, size)
        if space == "unique":
            return sum(self._unique.get(offset + k, 0) << 8 * k for k in range(size))
        return int.from_bytes(self._spaces[space][offset : offset + size], "little")

    def write(self, place: _Place, value: int) -> None:
        space, offset, size = place
        data = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        if space == "ram":
            self.stored.update((offset + k, byte) for k, byte in enumerate(data))
        elif space == "unique":
            self._unique.update((offset + k, byte) for k, byte in enumerate(data))
        else:
            self._spaces[space][offset : offset + size] = data

    def load(self, address: int, size: int) -> int:
        value = 0
        for k in range(size):
            at = address + k & MASK
            byte = self.stored.get(at)
            value |= (self._read(at) if byte is None else byte) << 8 * k
        return value

    def run(self, ops: tuple[_Op, ...], following: int) -> int:
        """Execute all; returns the address that execution goes to."""
        index = 0
        for _ in range(1000):
            if index >= len(ops):
                return following
            op = ops[index]
            index += 1
            match op.code:
                case OpCode.BRANCH | OpCode.CALL:
                    space, offset, _size = op.inputs[0]
                    if space != "const":
                        return offset & MASK
                    index += _signed(offset, 4) - 1
                case OpCode.CBRANCH:
                    if self.read(op.inputs[1]):
                        space, offset, _size = op.inputs[0]
                        if space != "const":
                            return offset & MASK
                        index += _signed(offset & MASK, 4) - 1
                case OpCode.BRANCHIND | OpCode.CALLIND | OpCode.RETURN:
                    return self.read(op.inputs[0])
                case OpCode.STORE:
                    address, (_, _, size) = self.read(op.inputs[1]), op.inputs[2]
                    self.write(("ram", address, size), self.read(op.inputs[2]))
                case OpCode.LOAD:
                    assert op.output is not None
                    self.write(op.output, self.load(self.read(op.inputs[1]), op.output[2]))
                case _:
                    assert op.output is not None
                    values = [self.read(place) for place in op.inputs]
                    result = _PURE[op.code](values, [place[2] for place in op.inputs], op.output[2])
                    self.write(op.output, int(result))
        raise NotLifted("a loop of p-code")


def _signed(value: int, size: int) -> int:
    value &= (1 << 8 * size) - 1
    return value - (1 << 8 * size) if value >> (8 * size - 1) else value


def _carry(values: list[int], sizes: list[int], out: int) -> bool:
    return bool(values[0] + values[1] >> 8 * sizes[0])


def _signed_carry(values: list[int], sizes: list[int], out: int) -> bool:
    return _overflows(_signed(values[0], sizes[0]) + _signed(values[1], sizes[0]), sizes[0])


def _signed_borrow(values: list[int], sizes: list[int], out: int) -> bool:
    return _overflows(_signed(values[0], sizes[0]) - _signed(values[1], sizes[0]), sizes[0])


def _overflows(value: int, size: int) -> bool:
    return not -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1


def _shift_left(values: list[int], sizes: list[int], out: int) -> int:
    return values[0] << values[1] if values[1] < 8 * sizes[0] else 0


def _shift_right(values: list[int], sizes: list[int], out: int) -> int:
    return values[0] >> values[1] if values[1] < 8 * sizes[0] else 0


def _shift_right_signed(values: list[int], sizes: list[int], out: int) -> int:
    return _signed(values[0], sizes[0]) >> min(values[1], 8 * sizes[0])


def _divide(values: list[int], sizes: list[int], out: int) -> int:
    """By zero, p-code says nothing; this core gives zero (CCR.DIV_0_TRP is clear)."""
    return values[0] // values[1] if values[1] else 0


def _divide_signed(values: list[int], sizes: list[int], out: int) -> int:
    a, b = _signed(values[0], sizes[0]), _signed(values[1], sizes[1])
    if not b:
        return 0
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _leading_zeros(values: list[int], sizes: list[int], out: int) -> int:
    return 8 * sizes[0] - values[0].bit_length()


_Pure = Callable[[list[int], list[int], int], int]
_PURE: Mapping[OpCode, _Pure] = {
    OpCode.COPY: lambda v, s, o: v[0],
    OpCode.PIECE: lambda v, s, o: v[0] << 8 * s[1] | v[1],
    OpCode.SUBPIECE: lambda v, s, o: v[0] >> 8 * v[1],
    OpCode.INT_EQUAL: lambda v, s, o: v[0] == v[1],
    OpCode.INT_NOTEQUAL: lambda v, s, o: v[0] != v[1],
    OpCode.INT_LESS: lambda v, s, o: v[0] < v[1],
    OpCode.INT_LESSEQUAL: lambda v, s, o: v[0] <= v[1],
    OpCode.INT_SLESS: lambda v, s, o: _signed(v[0], s[0]) < _signed(v[1], s[1]),
    OpCode.INT_SLESSEQUAL: lambda v, s, o: _signed(v[0], s[0]) <= _signed(v[1], s[1]),
    OpCode.INT_ZEXT: lambda v, s, o: v[0],
    OpCode.INT_SEXT: lambda v, s, o: _signed(v[0], s[0]),
    OpCode.INT_ADD: lambda v, s, o: v[0] + v[1],
    OpCode.INT_SUB: lambda v, s, o: v[0] - v[1],
    OpCode.INT_CARRY: _carry,
    OpCode.INT_SCARRY: _signed_carry,
    OpCode.INT_SBORROW: _signed_borrow,
    OpCode.INT_2COMP: lambda v, s, o: -v[0],
    OpCode.INT_NEGATE: lambda v, s, o: ~v[0],
    OpCode.INT_XOR: lambda v, s, o: v[0] ^ v[1],
    OpCode.INT_AND: lambda v, s, o: v[0] & v[1],
    OpCode.INT_OR: lambda v, s, o: v[0] | v[1],
    OpCode.INT_LEFT: _shift_left,
    OpCode.INT_RIGHT: _shift_right,
    OpCode.INT_SRIGHT: _shift_right_signed,
    OpCode.INT_MULT: lambda v, s, o: v[0] * v[1],
    OpCode.INT_DIV: _divide,
    OpCode.INT_SDIV: _divide_signed,
    OpCode.BOOL_NEGATE: lambda v, s, o: not v[0],
    OpCode.BOOL_XOR: lambda v, s, o: v[0] ^ v[1],
    OpCode.BOOL_AND: lambda v, s, o: v[0] & v[1],
    OpCode.BOOL_OR: lambda v, s, o: v[0] | v[1],
    OpCode.POPCOUNT: lambda v, s, o: v[0].bit_count(),
    OpCode.LZCOUNT: _leading_zeros,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that SLEIGH gets wrong."""

    name: str
    applies: Callable[[Instruction], bool]
    spoils: frozenset[str]
    """Of what differs: `rd` (and the second result), `base`, N, Z, C, V, `pc`, `memory`."""


_O = Operation
_LOGICAL = frozenset({_O.AND, _O.BIC, _O.MOV, _O.MVN})


def _forms_carry(i: Instruction) -> bool:
    return i.operation in _LOGICAL and i.set_flags and (i.immediate_carry is not None or i.shift is not None)


KNOWN: tuple[Fault, ...] = (
    Fault("ANDS, BICS, MOVS and MVNS do not write the carry of their second operand", _forms_carry, frozenset("C")),
    Fault(
        "LDRSB and LDRSH of a literal take the literal for a pointer",
        lambda i: i.operation in (_O.LDRSB, _O.LDRSH) and i.rn == 15,
        frozenset({"rd"}),
    ),
    Fault(
        "LDRD of a literal swaps the two words",
        lambda i: i.operation is _O.LDRD and i.rn == 15,
        frozenset({"rd"}),
    ),
    Fault(
        "LSR.W by 32 shifts by 0",
        lambda i: i.operation is _O.LSR and i.size == 4 and i.immediate == 32,
        frozenset({"rd", "N", "Z", "C"}),
    ),
    Fault(
        "MOV to the PC keeps bit 0",
        lambda i: i.operation is _O.MOV and i.rd == 15,
        frozenset({"pc"}),
    ),
    Fault(
        "a 16-bit STM whose base is in the list does not change the base",
        lambda i: i.operation is _O.STM and i.size == 2 and i.rn in i.registers,
        frozenset({"base"}),
    ),
    Fault(
        "STMIA with SP as its base stores downwards",
        lambda i: i.operation is _O.STM and i.rn == 13 and i.add and i.writeback,
        frozenset({"base", "memory"}),
    ),
)
"""Measured; a test sees to it that each still shows, so that the list does not outlive the faults."""


def excused(i: Instruction, differing: frozenset[str]) -> Fault | None:
    """The known fault that explains all that differs."""
    for fault in KNOWN:
        if differing <= fault.spoils and fault.applies(i):
            return fault
    return None


def differing(i: Instruction, result: Result, registers: Sequence[int], nzcv: int, pc: int) -> frozenset[str]:
    """In what p-code's result is otherwise than the model's, in the words of `Fault.spoils`; memory excepted."""
    found = set()
    for number, (mine, theirs) in enumerate(zip(registers, result.registers, strict=True)):
        if mine != (theirs & ~3 if number == 13 else theirs):
            is_base = i.writeback and number == i.rn
            found.add("base" if is_base else "rd" if number in (i.rd, i.rd2) else f"r{number}")
    for bit, name in enumerate("VCZN"):
        if (nzcv ^ result.nzcv) >> bit & 1:
            found.add(name)
    if pc != result.pc:
        found.add("pc")
    return frozenset(found)
