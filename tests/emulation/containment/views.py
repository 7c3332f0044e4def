"""What the snapshots of a record say of memory, protection and devices."""

from __future__ import annotations

from dataclasses import dataclass

from pinproof.machine import mpu

from tests.emulation.containment.record import MEMORY_SIZE, Moved, Special
from tests.emulation.containment.states import MEMORY_START

_NVIC_SET, _NVIC_CLEAR = range(0xE000E100, 0xE000E120), range(0xE000E180, 0xE000E1A0)
_MPU_CTRL, _MPU_REGIONS = 0xE000ED94, range(0xE000ED98, 0xE000EDBC)
_REGION_COUNT = 8
_SPECIAL = {0: "APSR", 1: "IAPSR", 2: "EAPSR", 3: "XPSR", 8: "MSP", 9: "PSP", 16: "PRIMASK", 17: "BASEPRI"}
_SPECIAL |= {18: "BASEPRI_MAX", 19: "FAULTMASK", 20: "CONTROL"}
"""SYSm of MSR (DDI 0403, B5.1.1)."""
System = tuple[int, ...] | None
Places = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    read: tuple[int, ...]
    """Addresses of the system registers that each snapshot begins with."""
    memory: bytes
    """All dumps."""

    def dump(self, number: int | None) -> bytes | None:
        return None if number is None else self.memory[number * MEMORY_SIZE : (number + 1) * MEMORY_SIZE]

    def regions(self, system: System) -> Places | None:
        """RBAR and RASR of each region."""
        if system is None:
            return None
        words = system[-2 * _REGION_COUNT :]
        return tuple(zip(words[::2], words[1::2], strict=True))

    def readings(self, system: System) -> dict[int, int] | None:
        return None if system is None else dict(zip(self.read, system, strict=False))

    def unprivileged_memory(self, system: System) -> Places:
        """By the MPU's registers as QEMU holds them; all of memory where they mean nothing."""
        regions, readings = self.regions(system), self.readings(system)
        decoded = None if regions is None or readings is None else mpu.decode(regions, readings[_MPU_CTRL])
        if not isinstance(decoded, mpu.Protection) or not decoded.enabled:
            return ((MEMORY_START, MEMORY_START + MEMORY_SIZE),)
        return tuple(mpu.unprivileged_writable(decoded))


def kept_memory(confined: Places) -> list[tuple[int, int]]:
    """Parts of a dump, as offsets, that unprivileged code cannot write."""
    edge, kept = MEMORY_START, []
    for start, end in sorted(confined):
        if edge < start:
            kept.append((edge - MEMORY_START, min(start - MEMORY_START, MEMORY_SIZE)))
        edge = max(edge, end)
    kept.append((edge - MEMORY_START, MEMORY_SIZE))
    return kept


def note_stored(stored: dict[int, int], moved: Moved) -> None:
    """What the state calls a device register's value: the last word stored; interrupt enables add up.

    The MPU's regions are the state's own matter, and are read back instead.
    """
    if moved.width != 4 or moved.address in _MPU_REGIONS:
        return
    if moved.address in _NVIC_SET:
        stored[moved.address] = stored.get(moved.address, 0) | moved.value
    elif moved.address in _NVIC_CLEAR:
        twin = moved.address - _NVIC_CLEAR.start + _NVIC_SET.start
        stored[twin] = stored.get(twin, 0) & ~moved.value
    else:
        stored[moved.address] = moved.value


def named(special: Special) -> tuple[str, int]:
    """The register that MSR or CPS writes, and what. CPS of both masks counts as PRIMASK."""
    if special.encoding >> 24 == 0xB6:
        first = special.encoding >> 16
        return ("PRIMASK" if first & 2 else "FAULTMASK"), first >> 4 & 1
    return _SPECIAL.get(special.encoding & 0xFF, ""), special.value
