"""Decoding of the memory protection unit of Armv7-M (PMSAv7) into what each privilege level may do at each address.

Pure and strict: a set-up that the architecture calls reserved or unpredictable is not decoded but refused as a
`MpuProblem`. Sections cited are of the Armv7-M Architecture Reference Manual (Arm DDI 0403).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntFlag, StrEnum

ADDRESS_SPACE = 1 << 32
PRIVATE_PERIPHERAL_BUS = (0xE0000000, 0xE0100000)
"""The private peripheral bus: privileged only and never executable, whatever the regions say (B3.1.1, B3.5.1)."""

SMALLEST_SIZE_FIELD = 4
"""RASR.SIZE of a 32-byte region; smaller values are reserved (B3.5.9)."""
SMALLEST_SIZE_FIELD_WITH_SUBREGIONS = 7
"""RASR.SIZE of a 256-byte region; subregions of smaller regions are unpredictable (B3.5.3, B3.5.9)."""
RESERVED_ATTRIBUTE_BITS = 0xE8C000C0
RESERVED_CONTROL_BITS = 0xFFFFFFF8


class Rights(IntFlag):
    """What one privilege level may do with a byte."""

    NONE = 0
    READ = 1
    WRITE = 2
    EXECUTE = 4


class Use(StrEnum):
    """A way to use a byte, as a word for callers."""

    READ = "read"
    WRITE = "write"
    EXECUTE = "execute"


_RIGHT_OF_USE = {Use.READ: Rights.READ, Use.WRITE: Rights.WRITE, Use.EXECUTE: Rights.EXECUTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class MpuProblem:
    """Why a set-up is not decoded. `code` is a reason code; `region` is None where MPU_CTRL is at fault."""

    code: str
    message: str
    region: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bytes `start` up to, not including, `end`, and what each privilege level may do there."""

    start: int
    end: int
    privileged: Rights
    unprivileged: Rights


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One enabled region. `subregions` are the enabled eighths (or the whole) as start and end."""

    number: int
    start: int
    size: int
    privileged: Rights
    unprivileged: Rights
    normal: bool
    """Whether its memory type is Normal, not Device or Strongly-ordered."""
    subregions: tuple[tuple[int, int], ...]

    def covers(self, address: int) -> bool:
        """Whether the region decides for the byte: a disabled subregion leaves it to others (B3.5.3)."""
        return any(start <= address < end for start, end in self.subregions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The rights over the whole address space while one set-up is in force, outside HardFault and NMI handlers."""

    enabled: bool
    covers_fault_handlers: bool
    """HFNMIENA: whether the regions also hold in HardFault and NMI; otherwise the default map holds there."""
    background: bool
    """PRIVDEFENA: whether privileged code falls back to the default map outside the regions."""
    regions: tuple[Region, ...]
    map: tuple[Interval, ...]

    def intervals(self) -> tuple[Interval, ...]:
        """Every address once, in order, neighbours differing in rights."""
        return self.map

    def at(self, address: int) -> Interval:
        """The interval that holds this address. Raises ValueError outside 0 to 2^32 - 1."""
        for interval in self.map:
            if interval.start <= address < interval.end:
                return interval
        raise ValueError(f"{address:#x} is not a 32-bit address")

    def privileged(self, use: Use) -> tuple[tuple[int, int], ...]:
        """Where privileged code may use memory so, as joined ranges of start and end."""
        right = _RIGHT_OF_USE[use]
        return _joined((item.start, item.end) for item in self.map if item.privileged & right)

    def unprivileged(self, use: Use) -> tuple[tuple[int, int], ...]:
        """Where unprivileged code may use memory so, as joined ranges of start and end."""
        right = _RIGHT_OF_USE[use]
        return _joined((item.start, item.end) for item in self.map if item.unprivileged & right)


def decode(regions: Sequence[tuple[int, int]], control: int) -> Protection | MpuProblem:
    """The rights that these (RBAR, RASR) words, by region number, and this MPU_CTRL bring about.

    RBAR's VALID and REGION bits are ignored: they steer the write and are not part of the region. Disabled regions are
    not judged.
    """
    problem = _control_problem(control)
    if problem is not None:
        return problem
    decoded: list[Region] = []
    for number, (base, attributes) in enumerate(regions):
        region = _decode_region(number, base, attributes)
        if isinstance(region, MpuProblem):
            return region
        if region is not None:
            decoded.append(region)
    enabled = bool(control & 1)
    background = bool(control & 4)
    return Protection(
        enabled=enabled,
        covers_fault_handlers=bool(control & 2),
        background=background,
        regions=tuple(decoded),
        map=_build_map(decoded, background) if enabled else default_map(),
    )


def default_map() -> tuple[Interval, ...]:
    """The rights while the MPU is off or bypassed (B3.1, table B3-1)."""
    cuts = sorted({start for start, _, _ in _DEFAULT} | {PRIVATE_PERIPHERAL_BUS[0], PRIVATE_PERIPHERAL_BUS[1]})
    return _merged(cuts, lambda address: (_default_rights(address), _outside_bus(address, _default_rights(address))))


def unprivileged_writable(protection: Protection) -> tuple[tuple[int, int], ...]:
    """The memory that the confined part can store to."""
    return protection.unprivileged(Use.WRITE)


def privileged_rights(protection: Protection, address: int) -> Rights:
    """What the gate may do with the byte at this address."""
    return protection.at(address).privileged


_ALL = Rights.READ | Rights.WRITE | Rights.EXECUTE
_DATA = Rights.READ | Rights.WRITE
_DEFAULT: tuple[tuple[int, int, Rights], ...] = (
    (0x00000000, 0x40000000, _ALL),
    (0x40000000, 0x60000000, _DATA),
    (0x60000000, 0xA0000000, _ALL),
    (0xA0000000, ADDRESS_SPACE, _DATA),
)

_ACCESS_PERMISSIONS: dict[int, tuple[Rights, Rights]] = {
    0b000: (Rights.NONE, Rights.NONE),
    0b001: (_DATA, Rights.NONE),
    0b010: (_DATA, Rights.READ),
    0b011: (_DATA, _DATA),
    0b101: (Rights.READ, Rights.NONE),
    0b110: (Rights.READ, Rights.READ),
    0b111: (Rights.READ, Rights.READ),
}
"""RASR.AP to privileged and unprivileged rights (B3.5.9, table B3-15); 0b100 is reserved."""

_RESERVED_MEMORY_TYPES = frozenset({0b00101, 0b01001, 0b01010, 0b01011, 0b01100, 0b01101, 0b01110, 0b01111})
"""TEX, C and B as one number: combinations that B3.5.9, table B3-13, reserves. 0b00110 is implementation-defined."""
_DEVICE_MEMORY_TYPES = frozenset({0b00000, 0b00001, 0b01000})
"""Strongly-ordered, shared and non-shared Device: fetching from them is unpredictable (A3.5.5, B3.5.9)."""
_IMPLEMENTATION_DEFINED_MEMORY_TYPE = 0b00110


def _control_problem(control: int) -> MpuProblem | None:
    if control & RESERVED_CONTROL_BITS:
        return MpuProblem(code="mpu-control-reserved", message=f"MPU_CTRL {control:#x} sets reserved bits")
    if control & 2 and not control & 1:
        return MpuProblem(
            code="mpu-control-unpredictable", message="MPU_CTRL sets HFNMIENA without ENABLE, which is unpredictable"
        )
    return None


def _decode_region(number: int, base_word: int, attributes: int) -> Region | MpuProblem | None:
    """None for a disabled region."""
    if not attributes & 1:
        return None

    def problem(code: str, message: str) -> MpuProblem:
        return MpuProblem(code=code, message=f"MPU region {number}: {message}", region=number)

    size_field = attributes >> 1 & 0x1F
    disabled = attributes >> 8 & 0xFF
    permission = attributes >> 24 & 7
    memory_type = (attributes >> 19 & 7) << 2 | attributes >> 16 & 3
    base = base_word & ~0x1F & 0xFFFFFFFF
    size = 2 << size_field
    if attributes & RESERVED_ATTRIBUTE_BITS:
        return problem("mpu-attribute-reserved", f"RASR {attributes:#010x} sets reserved bits")
    if size_field < SMALLEST_SIZE_FIELD:
        return problem("mpu-region-too-small", f"size field {size_field} is reserved (below 32 bytes)")
    if base & (size - 1):
        return problem("mpu-region-misaligned", f"base {base:#010x} is not a multiple of its size {size:#x}")
    if disabled and size_field < SMALLEST_SIZE_FIELD_WITH_SUBREGIONS:
        return problem("mpu-subregion-small", f"a region of {size} bytes has no subregions")
    if permission not in _ACCESS_PERMISSIONS:
        return problem("mpu-permission-reserved", f"access permission {permission:#05b} is reserved")
    if memory_type in _RESERVED_MEMORY_TYPES or memory_type == _IMPLEMENTATION_DEFINED_MEMORY_TYPE:
        return problem("mpu-memory-type-reserved", f"memory type TEX,C,B {memory_type:#07b} is reserved")
    privileged, unprivileged = _ACCESS_PERMISSIONS[permission]
    if not attributes >> 28 & 1:
        privileged |= Rights.EXECUTE if privileged & Rights.READ else Rights.NONE
        unprivileged |= Rights.EXECUTE if unprivileged & Rights.READ else Rights.NONE
    return Region(
        number=number,
        start=base,
        size=size,
        privileged=privileged,
        unprivileged=unprivileged,
        normal=memory_type not in _DEVICE_MEMORY_TYPES,
        subregions=_enabled_parts(base, size, disabled),
    )


def _enabled_parts(base: int, size: int, disabled: int) -> tuple[tuple[int, int], ...]:
    if not disabled:
        return ((base, base + size),)
    eighth = size // 8
    parts = ((base + index * eighth, base + (index + 1) * eighth) for index in range(8) if not disabled >> index & 1)
    return tuple(_joined(parts))


def _build_map(regions: Sequence[Region], background: bool) -> tuple[Interval, ...]:
    cuts = {start for start, _, _ in _DEFAULT} | set(PRIVATE_PERIPHERAL_BUS)
    for region in regions:
        for start, end in region.subregions:
            cuts |= {start, end}
    cuts.discard(ADDRESS_SPACE)

    def rights(address: int) -> tuple[Rights, Rights]:
        if PRIVATE_PERIPHERAL_BUS[0] <= address < PRIVATE_PERIPHERAL_BUS[1]:
            return _DATA, Rights.NONE
        # The highest-numbered region that covers an address decides alone (B3.5.3).
        deciding = [region for region in regions if region.covers(address)]
        if deciding:
            winner = max(deciding, key=lambda region: region.number)
            return winner.privileged, winner.unprivileged
        return (_default_rights(address) if background else Rights.NONE), Rights.NONE

    return _merged(sorted(cuts), rights)


def _default_rights(address: int) -> Rights:
    return next(rights for start, end, rights in _DEFAULT if start <= address < end)


def _outside_bus(address: int, rights: Rights) -> Rights:
    return Rights.NONE if PRIVATE_PERIPHERAL_BUS[0] <= address < PRIVATE_PERIPHERAL_BUS[1] else rights


def _merged(cuts: Sequence[int], rights: Callable[[int], tuple[Rights, Rights]]) -> tuple[Interval, ...]:
    result: list[Interval] = []
    for start, end in zip(cuts, [*cuts[1:], ADDRESS_SPACE], strict=True):
        privileged, unprivileged = rights(start)
        if result and (result[-1].privileged, result[-1].unprivileged) == (privileged, unprivileged):
            start = result.pop().start
        result.append(Interval(start=start, end=end, privileged=privileged, unprivileged=unprivileged))
    return tuple(result)


def _joined(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    result: list[tuple[int, int]] = []
    for start, end in ranges:
        if result and result[-1][1] == start:
            start = result.pop()[0]
        result.append((start, end))
    return tuple(result)
