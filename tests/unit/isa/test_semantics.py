"""What an emulator of user code cannot show: flows, system instructions, faults, and the steps of an IT block."""

from __future__ import annotations

import pytest
from pinproof.isa import (
    BeginIt,
    Call,
    CompareJump,
    Condition,
    ConditionalJump,
    Flow,
    Instruction,
    Jump,
    JumpRegister,
    Next,
    Operation,
    SpecialRegister,
    TableJump,
    Trap,
    UnpredictableInstruction,
    decode,
    step,
)
from pinproof.isa.concrete import ConcreteExecutor, ConcreteFault, ConcreteProcessor

ADDRESS = 0x08000100
RAM = 0x20000000


def at(encoding: int, address: int = ADDRESS) -> Instruction:
    if encoding < 0x10000:
        return decode(encoding.to_bytes(2, "little"), address)
    return decode((encoding >> 16).to_bytes(2, "little") + (encoding & 0xFFFF).to_bytes(2, "little"), address)


def machine() -> ConcreteProcessor:
    processor = ConcreteProcessor(memory={RAM: bytearray(64)})
    processor.registers[13] = RAM + 32
    return processor


def run(encoding: int, processor: ConcreteProcessor, *, in_it_block: bool = False) -> Flow[int]:
    return step(at(encoding), processor, in_it_block=in_it_block)


@pytest.mark.parametrize(
    ("encoding", "flow"),
    [
        (0xBF00, Next()),
        (0xE7FE, Jump(target=ADDRESS)),
        (0xD1FE, ConditionalJump(condition=Condition.NE, target=ADDRESS)),
        (0xB10B, CompareJump(register_value=3, jump_if_zero=True, target=ADDRESS + 6)),
        (0xB90B, CompareJump(register_value=3, jump_if_zero=False, target=ADDRESS + 6)),
        (0xF7FFFFFE, Call(target=ADDRESS, return_address=ADDRESS + 4)),
        (0x4718, JumpRegister(value=3, return_address=None, interworking=True)),
        (0x4798, JumpRegister(value=3, return_address=ADDRESS + 2, interworking=True)),
        (0x469F, JumpRegister(value=3, return_address=None, interworking=False)),
        (0x449F, JumpRegister(value=ADDRESS + 7, return_address=None, interworking=False)),
        (0xE8DFF003, TableJump(base=ADDRESS + 4, index=3, width=1)),
        (0xE8DFF013, TableJump(base=ADDRESS + 4, index=3, width=2)),
        (0xDF07, Trap(operation=Operation.SVC, immediate=7)),
        (0xBE07, Trap(operation=Operation.BKPT, immediate=7)),
        (0xF7F0A007, Trap(operation=Operation.UDF, immediate=7)),
        (0xBF14, BeginIt(conditions=(Condition.NE, Condition.EQ))),
    ],
)
def test_flow(encoding: int, flow: Flow[int]) -> None:
    processor = machine()
    processor.registers[3] = 3
    assert run(encoding, processor) == flow


def test_calls_write_the_link_register_with_the_thumb_bit() -> None:
    processor = machine()
    run(0xF7FFFFFE, processor)
    assert processor.registers[14] == ADDRESS + 5
    processor.registers[14] = 0x1001
    assert run(0x47F0, processor) == JumpRegister(value=0x1001, return_address=ADDRESS + 2, interworking=True)
    assert processor.registers[14] == ADDRESS + 3


def test_pop_of_pc_keeps_the_interworking_bit_and_moves_sp() -> None:
    processor = machine()
    processor.store(RAM + 36, 0xFFFFFFFD, 4)
    assert run(0xBD10, processor) == JumpRegister(value=0xFFFFFFFD, return_address=None, interworking=True)
    assert processor.registers[13] == RAM + 40


def test_16_bit_arithmetic_sets_flags_only_outside_an_it_block() -> None:
    for in_it_block, flags in ((False, 0b0100), (True, 0b1011)):
        processor = machine()
        processor.flags = 0b1011
        run(0x0088, processor, in_it_block=in_it_block)
        assert processor.flags >> 2 == flags >> 2


def test_comparisons_set_flags_in_an_it_block_too() -> None:
    processor = machine()
    run(0x2800, processor, in_it_block=True)
    assert processor.flags == 0b0110


def test_special_registers() -> None:
    processor = machine()
    processor.registers[0] = 0xF0000003
    run(0xF3808814, processor)
    run(0xF3EF8114, processor)
    assert processor.registers[1] == 3
    run(0xF3808800, processor)
    assert processor.flags == 15
    run(0xF3808400, processor)
    processor.flags = 5
    run(0xF3808400, processor)
    assert processor.flags == 5, "a write of the GE bits alone leaves the flags"


def test_interrupt_masks_barriers_and_hints() -> None:
    processor = machine()
    run(0xB673, processor)
    assert processor.special == {SpecialRegister.PRIMASK: 1, SpecialRegister.FAULTMASK: 1}
    run(0xB662, processor)
    assert processor.special == {SpecialRegister.PRIMASK: 0, SpecialRegister.FAULTMASK: 1}
    for encoding in (0xF3BF8F4F, 0xF3BF8F6F, 0xF3BF8F5F, 0xBF30, 0xBF20, 0xBF40, 0xBF10, 0xBF00):
        run(encoding, processor)
    names = [str(hint) for hint in processor.hints]
    assert names == ["dsb", "isb", "dmb", "wfi", "wfe", "sev", "yield"]


def test_the_stack_pointer_stays_aligned() -> None:
    processor = machine()
    processor.registers[0] = RAM + 7
    run(0x4685, processor)
    assert processor.registers[13] == RAM + 4
    processor.registers[0] = 3
    run(0xF80D0B03, processor)
    assert processor.registers[13] == RAM + 4
    processor.registers[0] = 2
    run(0x4485, processor)
    assert processor.registers[13] == RAM + 4


@pytest.mark.parametrize(
    ("encoding", "base"),
    [
        (0xF8501B04, RAM + 62),
        (0xF8401B04, RAM + 62),
        (0xC806, RAM + 60),
        (0xC806, RAM + 2),
        (0xC006, RAM + 2),
        (0xE8F01202, RAM + 60),
        (0xE8E01202, RAM + 1),
        (0xE8B0000E, 0),
    ],
)
def test_a_fault_leaves_base_and_destination(encoding: int, base: int) -> None:
    processor = machine()
    processor.registers[0] = base
    before = list(processor.registers)
    with pytest.raises(ConcreteFault):
        run(encoding, processor)
    assert processor.registers == before


def test_a_load_of_the_pc_must_be_aligned() -> None:
    processor = machine()
    processor.registers[0] = RAM + 2
    with pytest.raises(ConcreteFault):
        run(0xF850FB04, processor)


def executor(*halfwords: int, flags: int = 0) -> ConcreteExecutor:
    code = b"".join(half.to_bytes(2, "little") for half in halfwords)
    processor = ConcreteProcessor(memory={ADDRESS: bytearray(code + bytes(8)), RAM: bytearray(64)})
    processor.flags = flags
    return ConcreteExecutor(processor=processor, pc=ADDRESS)


def test_it_block_executes_by_the_flags_of_the_moment() -> None:
    ran = executor(0xBF0C, 0x2801, 0x2102, 0x2203, flags=0b0100)
    for _ in range(4):
        ran.run_one()
    # CMP r0, #1 makes "not equal" true, so the else branch runs as well; the last MOVS is outside.
    assert ran.processor.registers[:3] == [0, 2, 3]
    assert ran.pending == ()
    assert ran.processor.z == 0


def test_executor_refuses_what_may_not_stand_in_an_it_block() -> None:
    ran = executor(0xBF0C, 0x4770, 0x2102)
    ran.run_one()
    with pytest.raises(UnpredictableInstruction):
        ran.run_one()


def test_executor_follows_tables_and_compare_branches() -> None:
    ran = executor(0xB108, 0xBF00, 0xBF00, 0xE8DF, 0xF000, 0x0202)
    assert ran.run_one() == CompareJump(register_value=0, jump_if_zero=True, target=ADDRESS + 6)
    ran.run_one()
    assert ran.pc == ADDRESS + 6 + 4 + 4


def test_executor_faults_on_a_branch_without_the_thumb_bit() -> None:
    ran = executor(0x4700)
    with pytest.raises(ConcreteFault, match="ARM state"):
        ran.run_one()


@pytest.mark.parametrize("condition", [c for c in Condition if c is not Condition.AL])
def test_conditions_and_their_opposites(condition: Condition) -> None:
    processor = machine()
    for flags in range(16):
        processor.flags = flags
        assert processor.holds(condition) != processor.holds(condition.opposite)
        assert processor.holds(Condition.AL)
