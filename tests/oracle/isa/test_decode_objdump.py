"""The decoder against GNU objdump, on what GCC emits at every optimisation level."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from pinproof.isa import Condition, Instruction, Operation, UnmodelledInstruction, decode

from tests.oracle.isa.disassembly import canonical

SOURCE = Path(__file__).with_name("sample.c")
LINE = re.compile(r"^\s*([0-9a-f]+):\t([0-9a-f]{4})(?: ([0-9a-f]{4}))?\s+\t(\S+)(?:\t([^@<;]*))?(.*)$")

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc"),
]


def disassemble(folder: Path, level: str, core: str) -> list[str]:
    built = folder / "sample.elf"
    flags = [level, f"-mcpu={core}", "-mthumb", "-mfloat-abi=soft", "-ffreestanding", "-nostdlib", "-Wl,-esystem"]
    subprocess.run(["arm-none-eabi-gcc", *flags, str(SOURCE), "-o", str(built), "-lgcc"], check=True)
    command = ["arm-none-eabi-objdump", "-d", "-j", ".text", "-M", "reg-names-std", str(built)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def spelled(name: str, operands: str, comment: str) -> str:
    """Objdump's line as the other disassemblers write it."""
    name = re.sub(r"^(ldm|stm)ia", r"\1", name.lower())
    operands = operands.strip()
    if re.match(r"(b|bl|cbn?z|b(?!ic|fi|fc)[a-z]{2})(\.[nw])?$", name):
        operands = re.sub(r"\b([0-9a-f]+)$", r"0x\1", operands)
    stacked = {"stmdb": "push", "ldm": "pop"}.get(name.split(".")[0])
    if stacked and operands.startswith("sp!, "):
        name, operands = stacked, operands.removeprefix("sp!, ")
    shifted = re.match(r"(\w+, \w+), (lsl|lsr|asr|ror|rrx) ?(#\d+)?$", operands)
    if shifted and name.startswith("mov"):
        name = name.replace("mov", shifted[2])
        operands = f"{shifted[1]}, {shifted[3]}" if shifted[3] else shifted[1]
    if name.startswith("neg"):
        name, operands = "rsb" + name[3:], operands + ", #0"
    if name in ("svc", "bkpt"):
        operands = "#" + operands
    found = re.search(r"\(adr(?:\.w)? (\w+), ", comment)
    if found:
        name, operands = "adr", operands.replace("pc, ", "")
    return canonical(name, operands)


def ours(instruction: Instruction, condition: Condition | None) -> str:
    """Our text as it reads in an IT block with that condition."""
    name, _, operands = str(instruction).partition(" ")
    if condition is not None:
        name = name.removesuffix("s") if instruction.flags_outside_it else name
        name += condition.name.lower() if condition is not Condition.AL else ""
    return canonical(name, operands)


@pytest.mark.parametrize("core", ["cortex-m3", "cortex-m4"])
@pytest.mark.parametrize("level", ["-O0", "-O1", "-Os", "-O2", "-O3"])
def test_compiled_code(tmp_path: Path, level: str, core: str) -> None:
    counts: Counter[str] = Counter()
    mismatches = []
    pending: tuple[Condition, ...] = ()
    for line in disassemble(tmp_path, level, core):
        found = LINE.match(line)
        if not found or found[4].startswith("."):
            continue
        halves = [half for half in (found[2], found[3]) if half]
        code = b"".join(int(half, 16).to_bytes(2, "little") for half in halves)
        try:
            instruction = decode(code, int(found[1], 16))
        except UnmodelledInstruction as refusal:
            counts[f"refused: {refusal.reason}"] += 1
            pending = pending[1:]
            continue
        condition, pending = (pending[0], pending[1:]) if pending else (None, ())
        if instruction.operation is Operation.IT:
            pending = instruction.it_conditions
        expected = spelled(found[4], found[5] or "", found[6])
        if expected == ours(instruction, condition):
            counts["agreed"] += 1
        else:
            mismatches.append(f"{line!r}: ours {ours(instruction, condition)}, objdump {expected}")
    print(level, core, dict(counts))
    assert not mismatches, f"{len(mismatches)} mismatches: " + "\n".join(mismatches[:20])
    assert counts["agreed"] > 150
