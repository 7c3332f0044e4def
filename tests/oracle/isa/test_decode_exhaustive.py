"""The decoder by encoding: all 16-bit ones and every 32-bit row at its edges, against capstone and objdump."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import capstone
import pytest
from pinproof.isa import DecodeError, TruncatedInstruction, UndefinedInstruction, decode

from tests.oracle.isa.disassembly import canonical
from tests.oracle.isa.enumeration import narrow, structured
from tests.oracle.isa.test_decode_capstone import Comparison
from tests.oracle.isa.test_decode_objdump import LINE, spelled

ADDRESS = 0x08001000
NOP = b"\x00\xbf"


@pytest.mark.slow
def test_capstone_reads_the_same() -> None:
    comparison = Comparison(capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS))
    for code in structured():
        comparison.compare(code)
    comparison.report()
    assert comparison.counts["agreed"] > 50_000


@pytest.mark.parametrize("rest", [b"", b"\x00"], ids=["half", "three bytes"])
def test_half_of_a_32_bit_instruction_is_refused(rest: bytes) -> None:
    for first in range(0xE800, 0x10000):
        with pytest.raises(TruncatedInstruction):
            decode(first.to_bytes(2, "little") + rest, ADDRESS)


def test_less_than_a_halfword_is_refused() -> None:
    for code in (b"", b"\x00", b"\xff"):
        with pytest.raises(TruncatedInstruction):
            decode(code, ADDRESS)


# --- objdump ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """What objdump says of one encoding, in the common spelling, and what the decoder says."""

    mnemonic: str
    theirs: str
    ours: str | None
    """None where the decoder calls it undefined."""


def _without_zero(text: str) -> str:
    return re.sub(r", #-?0\b", "", text)


EXPLAINED: dict[str, Callable[[Line], bool]] = {
    "objdump does not write an offset of -0": lambda line: (
        line.ours is not None and _without_zero(line.ours) == _without_zero(line.theirs)
    ),
    "objdump does not write the writeback of LDRD and STRD with offset 0": lambda line: (
        line.mnemonic in ("ldrd", "strd")
        and line.ours is not None
        and _without_zero(line.ours).removesuffix("!") == line.theirs
    ),
    "objdump calls the APSR by its name in other profiles": lambda line: (
        line.mnemonic in ("mrs", "msr")
        and line.ours is not None
        and re.sub(r"_(nzcvqg|nzcvq|g)", "", line.ours)
        == re.sub(r"_(fs|f|s)\b", "", line.theirs.replace("cpsr", "apsr"))
    ),
    "a literal load that objdump calls unprivileged (A7.7.47: Rn == '1111' is the literal form)": lambda line: (
        line.ours is not None
        and "[pc, #" in line.theirs
        and re.match(r"ldrs?[bh]?t ", line.theirs) is not None
        and line.theirs.replace("t ", " ", 1) == line.ours
    ),
    "objdump calls MOV R8, R8 a NOP": lambda line: line.theirs == "nop" and line.ours == "mov r8, r8",
    "another architecture's: UNDEFINED on ARMv7-M": lambda line: (
        line.ours is None
        and line.mnemonic.startswith(("hlt", "setend", "setpan", "smc", "ldaex", "stlex", "ldrexd", "strexd"))
    ),
    "a store relative to PC is UNDEFINED (A7.7.161 and others: Rn == '1111')": lambda line: (
        line.ours is None and line.mnemonic.startswith("str") and "[pc" in line.theirs
    ),
}
"""Every way in which objdump may read otherwise. Each must occur, or the entry goes."""


def disassembled(codes: list[bytes], folder: Path) -> list[tuple[int, re.Match[str] | None]]:
    """Address of each encoding and objdump's line there. NOPs end an IT block before the next encoding."""
    blob, places = bytearray(), []
    for code in codes:
        places.append(ADDRESS + len(blob))
        blob += code
        if len(code) == 2 and code[1] == 0xBF and code[0] & 15:
            blob += 4 * NOP
        blob += NOP * (len(blob) % 4 // 2)
    flat = folder / "codes.bin"
    flat.write_bytes(blob)
    command = ["arm-none-eabi-objdump", "-D", "-z", "-b", "binary", "-marm", "-Mforce-thumb,reg-names-std"]
    command += [f"--adjust-vma={ADDRESS:#x}", str(flat)]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = {int(found[1], 16): found for found in map(LINE.match, listing.splitlines()) if found}
    return [(place, lines.get(place)) for place in places]


@pytest.mark.toolchain
@pytest.mark.skipif(shutil.which("arm-none-eabi-objdump") is None, reason="needs arm-none-eabi-objdump")
def test_objdump_reads_the_same(tmp_path: Path) -> None:
    codes = [*narrow(), *structured()]
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for code, (address, found) in zip(codes, disassembled(codes, tmp_path), strict=True):
        assert found is not None, f"objdump lost its step at {address:#x}"
        unpredictable = "UNPREDICTABLE" in found[0]
        try:
            name, _, operands = str(decode(code, address)).partition(" ")
            ours = canonical(name, operands)
        except DecodeError as refusal:
            counts[type(refusal).__name__] += 1
            if not isinstance(refusal, UndefinedInstruction) or unpredictable or "undefined" in found[0].lower():
                continue
            ours = None
        line = Line(found[4], spelled(found[4], found[5] or "", found[6]), ours)
        reason = next((name for name, holds in EXPLAINED.items() if holds(line)), None)
        if ours is not None and unpredictable:
            wrong.append(f"{found[0]}: accepted, and objdump calls it UNPREDICTABLE")
        elif line.theirs == ours:
            counts["agreed"] += 1
        elif reason is not None:
            counts[reason] += 1
        else:
            wrong.append(f"{found[0]}: ours {ours}, objdump {line.theirs}")
    print(dict(counts))
    assert not wrong, f"{len(wrong)} differ: " + "\n".join(wrong[:20])
    assert counts["agreed"] > 109_000
    assert not [reason for reason in EXPLAINED if not counts[reason]], "stale"
