"""MSR, MRS, CPS and what else no straight case can hold: against Unicorn, and the machine around the integers."""

from __future__ import annotations

import random
from itertools import product

import pytest
from pinproof.isa import Instruction, Operation, SpecialRegister, decode, step
from pinproof.isa.concrete import ConcreteProcessor
from pinproof.machine.ranges import MASK
from pinproof.machine.trace import Blocked
from unicorn import arm_const as names

from tests.soundness.bench import Bench
from tests.soundness.emulated import SINGLE, SINGLE_SIZE
from tests.soundness.encodings import code_of
from tests.soundness.scene import CORE, Scene
from tests.soundness.within import inside

_S = SpecialRegister
WRITABLE = (_S.APSR, _S.IAPSR, _S.EAPSR, _S.XPSR, _S.PRIMASK, _S.FAULTMASK, _S.BASEPRI, _S.BASEPRI_MAX)
READABLE = (*WRITABLE, _S.IPSR, _S.CONTROL)
VALUES = (0, 1, 2, 3, 0x10, 0x40, 0xFF, 0x100, 0xFFF, 0x12345678, 0x80000000, 0xF8000000, MASK)
KEPT = {_S.PRIMASK: "PRIMASK", _S.FAULTMASK: "FAULTMASK", _S.BASEPRI: "BASEPRI"}


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(SINGLE, SINGLE_SIZE)


def write(special: SpecialRegister, register: int = 0) -> int:
    return 0xF3808800 | register << 16 | special


def read(special: SpecialRegister, register: int = 1) -> int:
    return 0xF3EF8000 | register << 8 | special


def place(encoding: int, size: int) -> Instruction:
    return decode(code_of(encoding, size), SINGLE + SINGLE_SIZE - size)


def run_theirs(bench: Bench, instruction: Instruction, registers: list[int], nzcv: int) -> list[int]:
    bench.emulator.load(code_of(instruction.encoding, instruction.size), instruction.address)
    ran, after = bench.emulator.run(registers, nzcv, instruction.address, SINGLE + SINGLE_SIZE)
    assert ran
    return after


def set_theirs(bench: Bench, special: SpecialRegister, value: int) -> None:
    bench.emulator.write_register(getattr(names, f"UC_ARM_REG_{KEPT[special]}"), value)


def theirs(bench: Bench, special: SpecialRegister) -> int:
    return bench.emulator.read_register(getattr(names, f"UC_ARM_REG_{KEPT[special]}"))


@pytest.mark.parametrize("special", WRITABLE, ids=lambda special: special.name)
def test_write(bench: Bench, special: SpecialRegister) -> None:
    instruction = place(write(special), 4)
    for value, before, nzcv in product(VALUES, (0, 0x20), (0, 5, 15)):
        concrete = ConcreteProcessor(registers=[value, *[7] * 12, 0x20001000, 9])
        concrete.flags, concrete.special[_S.BASEPRI] = nzcv, before
        for each in KEPT:
            set_theirs(bench, each, concrete.special.get(each, 0))
        after = run_theirs(bench, instruction, concrete.registers, nzcv)
        step(instruction, concrete, in_it_block=False)
        assert after[:16] == [*concrete.registers, concrete.flags], hex(value)
        for each in KEPT:
            assert theirs(bench, each) == concrete.special.get(each, 0), (each.name, hex(value))


@pytest.mark.parametrize("encoding", range(0xB661, 0xB680), ids=hex)
def test_change_of_processor_state(bench: Bench, encoding: int) -> None:
    if not encoding & 3 or encoding & 12:
        return
    instruction = place(encoding, 2)
    for primask, faultmask in product((0, 1), (0, 1)):
        concrete = ConcreteProcessor(registers=[0] * 13 + [0x20001000, 0])
        concrete.special.update({_S.PRIMASK: primask, _S.FAULTMASK: faultmask})
        for each in KEPT:
            set_theirs(bench, each, concrete.special.get(each, 0))
        run_theirs(bench, instruction, concrete.registers, 0)
        step(instruction, concrete, in_it_block=False)
        for each in KEPT:
            assert theirs(bench, each) == concrete.special.get(each, 0), each.name


def instructions() -> list[Instruction]:
    found = [place(write(special), 4) for special in (*WRITABLE, _S.CONTROL, _S.PSP, _S.MSP)]
    found += [place(read(special), 4) for special in (*READABLE, _S.PSP, _S.MSP)]
    found += [place(0xB660 | bits, 2) for bits in (1, 2, 3, 0x11, 0x12, 0x13)]
    hints = (Operation.NOP, Operation.YIELD, Operation.WFE, Operation.WFI, Operation.SEV)
    found += [place(0xBF00 | number << 4, 2) for number in range(len(hints))]
    found += [place(0xF3BF8F4F | number << 4, 4) for number in range(3)]
    return [*found, place(0xDF07, 2), place(0xDE07, 2), place(0xBE07, 2)]


SLOTS = {_S.PRIMASK: 19, _S.FAULTMASK: 20, _S.BASEPRI: 21}


@pytest.mark.parametrize("instruction", instructions(), ids=str)
def test_the_machine_is_around_the_integers(bench: Bench, instruction: Instruction) -> None:
    """The machine runs as a handler, whose stack pointer is MSP."""
    for seed in range(60):
        machine = bench.machine(lambda address: instruction)
        scene = Scene.make(random.Random(seed), machine.bus)
        scene.know_flags()
        state = scene.state.copy()
        machine.processor.state = state
        try:
            step(instruction, machine.processor, in_it_block=False)
        except Blocked:
            continue
        for draw in scene.draws(8):
            concrete = ConcreteProcessor(registers=list(draw.registers))
            concrete.flags = draw.nzcv
            if instruction.special in (_S.PSP, _S.MSP):
                continue  # The integers have one stack pointer only.
            step(instruction, concrete, in_it_block=False)
            for number, slot in enumerate(CORE):
                assert inside(state.known(slot), concrete.registers[number]), f"r{number}"
            for special, slot in SLOTS.items():
                assert inside(state.known(slot), concrete.special.get(special, 0)), special.name
            assert state.flags.possible >> concrete.flags & 1
