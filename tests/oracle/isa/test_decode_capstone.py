"""The decoder against capstone: what both read must be the same; what only one reads is listed with its reason."""

from __future__ import annotations

import random
from collections import Counter

import capstone
import pytest
from pinproof.isa import DecodeError, UndefinedInstruction, decode

from tests.oracle.isa.disassembly import canonical
from tests.oracle.isa.sampling import EFFORT, wide_encodings

ADDRESS = 0x08001000

NOT_THIS_ARCHITECTURE = ("vld", "vst", "hvc", "smc", "lda", "stl", "crc32", "hlt", "sevl", "setend", "dcps", "eret")
"""Capstone accepts these for every profile: Advanced SIMD, security and virtualisation, ARMv8. ARMv7-M leaves them
UNDEFINED, so the decoder is right."""

ONLY_OURS = {0xDEF9: "udf #0xf9", 0xDEFE: "udf #0xfe"}
"""Capstone has system-specific readings of these two UDF encodings (none, and `trap`)."""


@pytest.fixture(scope="module")
def disassembler() -> capstone.Cs:
    return capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)


class Comparison:
    def __init__(self, disassembler: capstone.Cs) -> None:
        self._disassembler = disassembler
        self.counts: Counter[str] = Counter()
        self.mismatches: list[str] = []

    def compare(self, code: bytes) -> None:
        theirs = next(self._disassembler.disasm_lite(code, ADDRESS, 1), None)
        try:
            ours = decode(code, ADDRESS)
        except DecodeError as refusal:
            self._refused(refusal, theirs)
            return
        if int.from_bytes(code[:2], "little") in ONLY_OURS and len(code) == 2:
            self.counts["only ours, listed"] += 1
            return
        name, _, operands = str(ours).partition(" ")
        expected = theirs and (theirs[1], canonical(theirs[2], theirs[3]))
        if expected == (ours.size, canonical(name, operands)):
            self.counts["agreed"] += 1
        else:
            self.mismatches.append(f"{code.hex()}: ours {ours}, capstone {theirs}")

    def _refused(self, refusal: DecodeError, theirs: tuple[int, int, str, str] | None) -> None:
        self.counts[type(refusal).__name__ + (", read by capstone" if theirs else ", refused by capstone")] += 1
        undefined = isinstance(refusal, UndefinedInstruction)
        if undefined and theirs and not theirs[2].startswith(NOT_THIS_ARCHITECTURE):
            self.mismatches.append(f"{refusal}, but capstone reads {theirs[2]} {theirs[3]}")

    def report(self) -> None:
        print(dict(self.counts))
        assert not self.mismatches, f"{len(self.mismatches)} mismatches: {self.mismatches[:20]}"


def test_every_16_bit_encoding(disassembler: capstone.Cs) -> None:
    comparison = Comparison(disassembler)
    for first in range(0xE800):
        comparison.compare(first.to_bytes(2, "little"))
    comparison.report()
    assert comparison.counts["agreed"] == 57_418
    assert sum(comparison.counts.values()) == 0xE800


def test_32_bit_encodings(disassembler: capstone.Cs) -> None:
    comparison = Comparison(disassembler)
    source = random.Random(7)
    for code in wide_encodings(source, per_row=int(150 * EFFORT), plain=int(30_000 * EFFORT)):
        comparison.compare(code)
    comparison.report()
    assert comparison.counts["agreed"] > 15_000 * EFFORT
