"""The decoder's strictness against LLVM, which warns of encodings that the architecture leaves UNPREDICTABLE."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections import Counter

import pytest
from pinproof.isa import DecodeError, Instruction, Operation, UndefinedInstruction, decode

from tests.oracle.isa.sampling import EFFORT, wide_encodings

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(shutil.which("llvm-mc") is None, reason="needs llvm-mc"),
]

WARNING = re.compile(r"<stdin>:(\d+):\d+: warning: (.*)")


def warnings(codes: list[bytes]) -> dict[int, str]:
    """LLVM's warning by position in `codes`. Each code is bracketed, and NOPs end an IT block before the next."""
    lines = []
    for code in codes:
        is_it = len(code) == 2 and code[1] == 0xBF and code[0] & 15
        lines.append("[" + " ".join(f"{byte:#04x}" for byte in code) + "]" + " [0x00 0xbf]" * (4 if is_it else 0))
    command = ["llvm-mc", "-triple=thumbv7em-none-eabi", "-mcpu=cortex-m4", "-disassemble"]
    ran = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=False)
    return {int(found[1]) - 1: found[2] for found in WARNING.finditer(ran.stderr)}


def llvm_is_too_strict(i: Instruction) -> bool:
    """LLVM warns of LDRD and STRD with writeback to SP; the manual (A7.7.50, A7.7.166) does not, and GCC emits them."""
    return i.operation in (Operation.LDRD, Operation.STRD) and i.writeback and i.rn == 13


def check(codes: list[bytes]) -> None:
    said = warnings(codes)
    counts: Counter[str] = Counter()
    wrong = []
    for position, code in enumerate(codes):
        warning = said.get(position)
        try:
            ours = decode(code, 0x1000)
        except DecodeError as refusal:
            counts["both refuse" if warning else "only we refuse"] += 1
            if isinstance(refusal, UndefinedInstruction) and warning is None:
                wrong.append(f"{refusal}: but LLVM knows it")
            continue
        if warning is None:
            counts["both accept"] += 1
        elif llvm_is_too_strict(ours):
            counts["LLVM too strict, listed"] += 1
        else:
            wrong.append(f"{code.hex()}: we read {ours}, LLVM warns: {warning}")
    print(dict(counts))
    assert not wrong, f"{len(wrong)}: {wrong[:20]}"
    assert counts["both accept"] and counts["both refuse"]


def test_every_16_bit_encoding() -> None:
    check([first.to_bytes(2, "little") for first in range(0xE800)])


def test_32_bit_encodings() -> None:
    source = random.Random(21)
    check(list(wide_encodings(source, per_row=int(60 * EFFORT), plain=int(15_000 * EFFORT))))
