"""The decoder, encoding by encoding: fields of what it reads, and the reason of what it refuses."""

from __future__ import annotations

import dataclasses

import pytest
from pinproof.isa import (
    Condition,
    DecodeError,
    Instruction,
    ItPosition,
    Operation,
    Shift,
    SpecialRegister,
    TruncatedInstruction,
    UndefinedInstruction,
    UnmodelledInstruction,
    UnpredictableInstruction,
    check_in_it,
    decode,
)
from pinproof.isa._narrow import ROWS as NARROW_ROWS
from pinproof.isa._pattern import Operands
from pinproof.isa.decode import WIDE_ROWS
from pinproof.isa.semantics import HANDLERS

O = Operation  # noqa: E741
ADDRESS = 0x08000100


def at(encoding: int, address: int = ADDRESS) -> Instruction:
    if encoding < 0x10000:
        return decode(encoding.to_bytes(2, "little"), address)
    return decode((encoding >> 16).to_bytes(2, "little") + (encoding & 0xFFFF).to_bytes(2, "little"), address)


READS: list[tuple[int, str, dict[str, object]]] = [
    (0x0008, "movs r0, r1", {"rd": 0, "rm": 1, "set_flags": True, "flags_outside_it": False}),
    (0x0088, "lsls r0, r1, #2", {"rd": 0, "rm": 1, "immediate": 2, "flags_outside_it": True, "set_flags": False}),
    (0x0808, "lsrs r0, r1, #0x20", {"immediate": 32}),
    (0x1C48, "adds r0, r1, #1", {"rd": 0, "rn": 1, "immediate": 1, "flags_outside_it": True}),
    (0x20FF, "movs r0, #0xff", {"rd": 0, "immediate": 255, "immediate_carry": None, "flags_outside_it": True}),
    (0x2901, "cmp r1, #1", {"rn": 1, "rd": None, "set_flags": True}),
    (0x4248, "rsbs r0, r1, #0", {"rd": 0, "rn": 1, "immediate": 0}),
    (0x4348, "muls r0, r1, r0", {"rd": 0, "rn": 1, "rm": 0}),
    (0x4487, "add pc, pc, r0", {"rd": 15, "writes_pc": True}),
    (0x4718, "bx r3", {"rm": 3, "writes_pc": True}),
    (0x4B01, "ldr r3, [pc, #4]", {"rn": 15, "literal_address": 0x08000108}),
    (0xA001, "adr r0, #4", {"literal_address": 0x08000108}),
    (0xB082, "sub sp, sp, #8", {"rd": 13, "rn": 13, "immediate": 8}),
    (0xB108, "cbz r0, 0x8000106", {"rn": 0, "target": 0x08000106}),
    (0xB510, "push {r4, lr}", {"registers": (4, 14), "writeback": True, "add": False}),
    (0xBD10, "pop {r4, pc}", {"registers": (4, 15), "writeback": True, "writes_pc": True}),
    (0xB672, "cpsid i", {"enable": False, "primask": True, "faultmask": False}),
    (0xB663, "cpsie if", {"enable": True, "primask": True, "faultmask": True}),
    (0xBF08, "it eq", {"it_conditions": (Condition.EQ,)}),
    (0xBF15, "itete ne", {"it_conditions": (Condition.NE, Condition.EQ, Condition.NE, Condition.EQ)}),
    (0xBFE1, "itttt al", {"it_conditions": (Condition.AL,) * 4}),
    (0xC006, "stm r0!, {r1, r2}", {"writeback": True}),
    (0xC10E, "stm r1!, {r1, r2, r3}", {"writeback": True}),
    (0xC806, "ldm r0!, {r1, r2}", {"writeback": True}),
    (0xC803, "ldm r0, {r0, r1}", {"writeback": False}),
    (0xD0FE, "beq 0x8000100", {"condition": Condition.EQ, "target": ADDRESS}),
    (0xDF05, "svc #5", {"immediate": 5}),
    (0xE7FE, "b 0x8000100", {"condition": Condition.AL, "target": ADDRESS}),
    (0xE8BD8030, "pop {r4, r5, pc}", {"size": 4}),
    (0xE92D4030, "push {r4, r5, lr}", {"size": 4}),
    (0xE9D20102, "ldrd r0, r1, [r2, #8]", {"rd": 0, "rd2": 1, "index": True}),
    (0xE8F20102, "ldrd r0, r1, [r2], #8", {"index": False, "writeback": True}),
    (0xE8DFF001, "tbb [pc, r1]", {"rn": 15, "rm": 1, "writes_pc": True}),
    (0xE8DFF011, "tbh [pc, r1, lsl #1]", {}),
    (0xEA4F0031, "rrx r0, r1", {"rm": 1, "immediate": None}),
    (0xEA4F0071, "ror r0, r1, #1", {"immediate": 1}),
    (0xEA4F0011, "lsr r0, r1, #0x20", {"immediate": 32}),
    (0xEB010082, "add r0, r1, r2, lsl #2", {"shift": Shift.LSL, "shift_amount": 2}),
    (0xEB010032, "add r0, r1, r2, rrx", {"shift": Shift.RRX}),
    (0xF04F30FF, "mov r0, #0xffffffff", {"immediate": 0xFFFFFFFF, "immediate_carry": None}),
    (0xF05F4000, "movs r0, #0x80000000", {"immediate": 0x80000000, "immediate_carry": 1, "set_flags": True}),
    (0xF2413034, "mov r0, #0x1334", {"immediate": 0x1334, "set_flags": False}),
    (0xF2C20000, "movt r0, #0x2000", {"immediate": 0x2000}),
    (0xF3610009, "bfi r0, r1, #0, #0xa", {"lsb": 0, "width": 10}),
    (0xF36F0047, "bfc r0, #1, #7", {"rn": None, "lsb": 1, "width": 7}),
    (0xF3C11007, "ubfx r0, r1, #4, #8", {"lsb": 4, "width": 8}),
    (0xF3808814, "msr control, r0", {"special": SpecialRegister.CONTROL, "mask": 2}),
    (0xF3EF8009, "mrs r0, psp", {"special": SpecialRegister.PSP}),
    (0xF3BF8F4F, "dsb sy", {}),
    (0xF3BF8F6F, "isb sy", {}),
    (0xF7FFFFFE, "bl 0x8000100", {"target": ADDRESS}),
    (0xF0008001, "beq 0x8000106", {"condition": Condition.EQ}),
    (0xF8510B04, "ldr r0, [r1], #4", {"index": False, "writeback": True}),
    (0xF8510C04, "ldr r0, [r1, #-4]", {"add": False, "writeback": False}),
    (0xF8510E04, "ldrt r0, [r1, #4]", {}),
    (0xF85DFB04, "ldr pc, [sp], #4", {"rd": 15, "writes_pc": True}),
    (0xF8510022, "ldr r0, [r1, r2, lsl #2]", {"shift": Shift.LSL, "shift_amount": 2}),
    (0xFA1FF081, "uxth r0, r1", {"shift_amount": 0}),
    (0xFA5FF091, "uxtb r0, r1, ror #8", {"shift_amount": 8}),
    (0xFA51F092, "uxtab r0, r1, r2, ror #8", {"rn": 1, "rm": 2, "shift_amount": 8}),
    (0xFB11F023, "smultb r0, r1, r3", {"rn": 1, "rm": 3}),
    (0xFBA10203, "umull r0, r2, r1, r3", {"rd": 0, "rd2": 2, "rn": 1, "rm": 3}),
    (0xFB010203, "mla r2, r1, r3, r0", {"rd": 2, "rn": 1, "rm": 3, "ra": 0}),
]


@pytest.mark.parametrize(("encoding", "text", "fields"), READS)
def test_reads(encoding: int, text: str, fields: dict[str, object]) -> None:
    instruction = at(encoding)
    assert str(instruction) == text
    assert instruction.encoding == encoding
    assert instruction.address == ADDRESS
    for name, value in fields.items():
        assert getattr(instruction, name) == value, name


UNPREDICTABLE = [
    (0x4711, "BX with a low bit set"),
    (0x4778, "BX PC"),
    (0x47F8, "BLX PC"),
    (0x44FF, "ADD PC, PC"),
    (0x4508, "CMP of low registers in the high encoding"),
    (0x457F, "CMP with PC"),
    (0xB400, "PUSH of nothing"),
    (0xBC00, "POP of nothing"),
    (0xB660, "CPS of nothing"),
    (0xB666, "CPS with the A bit"),
    (0xBFF8, "IT with condition 15"),
    (0xBFEC, "IT AL with an else"),
    (0xC000, "STM of nothing"),
    (0xC103, "STM with its base in the list, not first"),
    (0xC800, "LDM of nothing"),
    (0xE8A10006, "STM.W with writeback of a listed base"),
    (0xE8B10006, "LDM.W with writeback of a listed base"),
    (0xE8A00002, "STM.W of one register"),
    (0xE8AF0006, "STM.W from PC"),
    (0xE8A02006, "STM.W of SP"),
    (0xE8A08006, "STM.W of PC"),
    (0xE8B0C000, "LDM.W of LR and PC"),
    (0xE8BDA000, "POP.W of SP"),
    (0xE9F00002, "LDRD with writeback to a destination"),
    (0xE9D10000, "LDRD to one register"),
    (0xE9D1D000, "LDRD to SP"),
    (0xE9CF0100, "STRD at PC"),
    (0xE9FF0100, "LDRD of a literal with writeback"),
    (0xE8DDF001, "TBB with SP"),
    (0xE8DFF00D, "TBB by SP"),
    (0xE8DFE001, "TBB with a bit that should be one"),
    (0xEA010D02, "AND to SP"),
    (0xEA0D0002, "AND of SP"),
    (0xEA018002, "AND with a bit that should be zero"),
    (0xEA4F0D0D, "MOV SP, SP"),
    (0xEA5F0D01, "MOVS SP"),
    (0xEB0D1D02, "ADD SP, SP, r2, LSL #4"),
    (0xEB010D02, "ADD SP, r1, r2"),
    (0xEB0F0002, "ADD of PC"),
    (0xF0010D00, "AND to SP"),
    (0xF0411000, "a replicated constant of zero"),
    (0xF1010D04, "ADD SP, r1"),
    (0xF20D0F04, "ADDW PC, SP"),
    (0xF2400D00, "MOVW SP"),
    (0xF3610080, "BFI that ends before it begins"),
    (0xF3C1701F, "UBFX past bit 31"),
    (0xF3808014, "MSR with an empty mask"),
    (0xF3808414, "MSR CONTROL with the GE mask"),
    (0xF380880A, "MSR of no register"),
    (0xF38D8814, "MSR from SP"),
    (0xF3EF8D09, "MRS to SP"),
    (0xF3BF8F4B, "DSB with another option"),
    (0xF8C1F000, "STR of PC"),
    (0xF881D000, "STRB of SP"),
    (0xF8411D04, "STR with writeback of the stored base"),
    (0xF8511B04, "LDR with writeback to the destination"),
    (0xF851002D, "LDR by SP"),
    (0xF851DE04, "LDRT to SP"),
    (0xFA91F082, "REV with two different sources"),
    (0xFB01FD03, "MUL to SP"),
    (0xFBA10003, "UMULL to one register"),
    (0xFBB100F2, "UDIV with bits that should be one"),
]


@pytest.mark.parametrize(("encoding", "what"), UNPREDICTABLE)
def test_refuses_unpredictable(encoding: int, what: str) -> None:
    with pytest.raises(UnpredictableInstruction) as refusal:
        at(encoding)
    assert refusal.value.address == ADDRESS
    assert refusal.value.encoding == encoding
    assert refusal.value.reason


UNDEFINED = [
    (0xB650, "SETEND"),
    (0xBA80, "HLT"),
    (0xB800, "unallocated"),
    (0xE8100000, "RFE"),
    (0xE980C013, "SRS"),
    (0xEAA00000, "unallocated shifted register operation"),
    (0xF0A00000, "unallocated immediate operation"),
    (0xF000C000, "BLX immediate"),
    (0xF8CF0000, "STR at PC"),
    (0xF8510800, "LDR neither indexed nor written back"),
    (0xF8510040, "LDR by register with another opcode"),
    (0xF9400000, "SIMD store"),
    (0xFA010002, "shift without its ones"),
    (0xFB010040, "unallocated multiply"),
    (0xF7F08000, "SMC"),
]


@pytest.mark.parametrize(("encoding", "what"), UNDEFINED)
def test_refuses_undefined(encoding: int, what: str) -> None:
    with pytest.raises(UndefinedInstruction):
        at(encoding)


UNMODELLED = [
    (0xBF50, "an unallocated hint"),
    (0xE8510F00, "an exclusive load or store"),
    (0xE8D10F4F, "an exclusive load or store"),
    (0xEAC10002, "PKHBT"),
    (0xED2D8B02, "a floating-point instruction"),
    (0xEE010F10, "a coprocessor instruction"),
    (0xF3010009, "SSAT"),
    (0xF3BF8F2F, "CLREX"),
    (0xF3AF80F0, "DBG"),
    (0xF891F000, "a preload or memory hint"),
    (0xFA81F082, "QADD"),
    (0xFA91F042, "parallel addition"),
    (0xFB110003, "SMLA"),
    (0xFBE10263, "UMAAL"),
]


@pytest.mark.parametrize(("encoding", "name"), UNMODELLED)
def test_refuses_by_name_what_it_does_not_model(encoding: int, name: str) -> None:
    with pytest.raises(UnmodelledInstruction, match=name):
        at(encoding)


def test_refuses_half_an_instruction() -> None:
    for code in (b"", b"\x00", b"\xe0\xe8", b"\xe0\xe8\x00"):
        with pytest.raises(TruncatedInstruction):
            decode(code, ADDRESS)


def test_two_bytes_are_enough_for_a_16_bit_instruction() -> None:
    assert decode(b"\x00\xbf", ADDRESS) == decode(b"\x00\xbf\xff\xff", ADDRESS)


def test_an_odd_address_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="address"):
        decode(b"\x00\xbf", ADDRESS | 1)


def test_ldrd_of_a_literal_only_at_a_word_address() -> None:
    assert at(0xE9DF0102).literal_address == ADDRESS + 12
    with pytest.raises(UnpredictableInstruction):
        at(0xE9DF0102, ADDRESS + 2)


def test_branch_targets_wrap() -> None:
    assert at(0xE7FD, 0).target == 0xFFFFFFFE


NEVER_IN_IT = [0x0008, 0xB108, 0xB908, 0xB672, 0xBF08, 0xD0FE, 0xF0008001]
LAST_IN_IT = [
    0x4687,
    0x4487,
    0x4700,
    0x4780,
    0xBD10,
    0xE7FE,
    0xE8DFF001,
    0xE8BD8030,
    0xF7FFFFFE,
    0xF85DFB04,
    0xF8DFF004,
]
ANYWHERE_IN_IT = [0x0088, 0x2001, 0x4288, 0x4608, 0xB510, 0xDF05, 0xDE00, 0xE92D4030, 0xF3808814, 0xF3BF8F4F]


@pytest.mark.parametrize("encoding", NEVER_IN_IT)
def test_never_in_an_it_block(encoding: int) -> None:
    for position in ItPosition:
        with pytest.raises(UnpredictableInstruction):
            check_in_it(at(encoding), position)


@pytest.mark.parametrize("encoding", LAST_IN_IT)
def test_only_last_in_an_it_block(encoding: int) -> None:
    check_in_it(at(encoding), ItPosition.LAST)
    with pytest.raises(UnpredictableInstruction):
        check_in_it(at(encoding), ItPosition.INSIDE)


@pytest.mark.parametrize("encoding", ANYWHERE_IN_IT)
def test_anywhere_in_an_it_block(encoding: int) -> None:
    for position in ItPosition:
        check_in_it(at(encoding), position)


def test_a_breakpoint_in_an_it_block_is_refused() -> None:
    with pytest.raises(UnmodelledInstruction):
        check_in_it(at(0xBE00), ItPosition.LAST)


def test_every_operation_can_be_decoded_and_executed() -> None:
    decoded = {row.operation for row in (*NARROW_ROWS, *WIDE_ROWS)} | {Operation.RRX}
    assert decoded == set(Operation) == set(HANDLERS)


def test_rows_fill_only_fields_of_an_instruction() -> None:
    given = {"address", "size", "encoding", "operation"}
    assert set(Operands.__annotations__) == {field.name for field in dataclasses.fields(Instruction)} - given


def test_no_row_is_hidden_by_the_rows_above_it() -> None:
    for rows in (NARROW_ROWS, WIDE_ROWS):
        for position, row in enumerate(rows):
            for above in rows[:position]:
                hidden = row.mask & above.mask == above.mask and row.value & above.mask == above.value
                assert not hidden, f"{row.pattern} is never reached: {above.pattern}"


def test_errors_say_where_and_what() -> None:
    with pytest.raises(DecodeError) as refusal:
        at(0xB400)
    assert str(refusal.value) == "0x08000100: 0xb400: the register list is empty"
