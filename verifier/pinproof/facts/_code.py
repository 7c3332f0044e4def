"""The one instruction that may stand between the drop and the confined part: a branch that needs no privilege."""

from __future__ import annotations

from dataclasses import dataclass

from pinproof.image import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """An unconditional direct branch."""

    size: int
    """Bytes of the instruction."""
    target: int


def branch_at(image: Image, address: int) -> Branch | None:
    """The branch `b` at this address, of 16 or 32 bits (DDI 0403, A7.7.12, T2 and T4); None for all else."""
    data = image.read(address, 4) or image.read(address, 2)
    if data is None:
        return None
    first, second = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:4], "little")
    if first >> 11 == 0b11100:
        return Branch(size=2, target=address + 4 + _signed((first & 0x7FF) << 1, 12) & 0xFFFFFFFF)
    if first >> 11 == 0b11110 and second & 0xD000 == 0x9000:
        return Branch(size=4, target=address + 4 + _wide_offset(first, second) & 0xFFFFFFFF)
    return None


def _wide_offset(first: int, second: int) -> int:
    """S:I1:I2:imm10:imm11:0 with I1 = NOT(J1 EOR S), I2 = NOT(J2 EOR S)."""
    sign = first >> 10 & 1
    upper = ~(second >> 13 ^ sign) & 1
    lower = ~(second >> 11 ^ sign) & 1
    offset = sign << 24 | upper << 23 | lower << 22 | (first & 0x3FF) << 12 | (second & 0x7FF) << 1
    return _signed(offset, 25)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
