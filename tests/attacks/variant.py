"""What one attack is: the reference module with one deliberate deviation, who refuses it, and what it would do.

Attacks are data. A deviation is an edit of the gate's text, of the linker script, of the declaration or the
provisioning file, or a patch of the linked image for what no compiler emits. An edit must match exactly once: no
variant is ever the reference itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.emulation.observation import Observation


class Kind(StrEnum):
    """How a requirement refuses."""

    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEdit:
    """In gate/`file`, `old` becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkerEdit:
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationEdit:
    """After the digests were written for the image at hand, so that an edit can also be of a digest."""

    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningEdit:
    """The declaration's digest of the file follows, so that the file is refused for what it says."""

    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasheetEdit:
    """The declaration's digest of the file follows."""

    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongDigest:
    """The declaration states another digest than the one in `table` and `key`."""

    table: str
    key: str = "sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """XORs `mask` into the loaded byte at `address`, after the declaration was written for the unpatched image."""

    address: int
    mask: int


Edit = GateEdit | LinkerEdit | DeclarationEdit | ProvisioningEdit | DatasheetEdit | WrongDigest | Patch


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Something that QEMU shows the variant doing, and the reference gate, with the same confined part, not doing."""

    what: str
    """One sentence; the subject is the variant."""
    seen: Callable[[Observation], bool]
    confined: str | None = None
    """Body of the confined part in C, which uses the deviation; None for the stub."""
    frames: tuple[int | None, ...] = (200, 20, 200)
    """Grey level of the frame in each tick, None for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storms:
    """QEMU shows the variant taking one exception after another without end, and the reference not."""

    confined: str | None = None
    frames: tuple[int | None, ...] = (200, 20, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotShown:
    why: str
    """Why QEMU cannot show the danger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    name: str
    """Slug, unique over all families."""
    gain: str
    """What whoever wrote it would gain."""
    edits: tuple[Edit, ...]
    """One deviation; more than one edit only where one place cannot hold it."""
    requirement: str
    reason: str
    danger: Shown | Storms | NotShown
    kind: Kind = Kind.FAIL
    level: int = 1

    @property
    def changes_firmware(self) -> bool:
        """Whether the image is another than the reference stub's."""
        return any(isinstance(edit, GateEdit | LinkerEdit | Patch) for edit in self.edits)


def gate(file: str, old: str, new: str) -> tuple[GateEdit, ...]:
    return (GateEdit(file=file, old=old, new=new),)


def linker(old: str, new: str) -> tuple[LinkerEdit, ...]:
    return (LinkerEdit(old=old, new=new),)


def declaration(old: str, new: str) -> tuple[DeclarationEdit, ...]:
    return (DeclarationEdit(old=old, new=new),)


def provisioning(old: str, new: str) -> tuple[ProvisioningEdit, ...]:
    return (ProvisioningEdit(old=old, new=new),)


SERVE = "    restart_wipe();\n    /*"
"""A place in the tick after the mailbox was taken and before the wipe."""
BOOT = "    timer_start(); /*"
"""The last place in boot before the timer runs."""
FAULT = "    word_write(kScbCfsr, kCfsrAll);"


def in_tick(code: str) -> tuple[GateEdit, ...]:
    """One more statement in the tick, before the wipe."""
    return gate("tick.c", SERVE, f"    {code}\n{SERVE}")


def before_start(code: str) -> tuple[GateEdit, ...]:
    """One more statement in the tick, when the new frame is captured and the confined part not yet restarted."""
    return gate(
        "tick.c",
        "        restart_at((uint32_t)confined_entry & ~1u);",
        f"        {code}\n        restart_at((uint32_t)confined_entry & ~1u);",
    )


def in_boot(code: str) -> tuple[GateEdit, ...]:
    """One more statement in boot, before the timer starts."""
    include = gate("reset.c", '#include "clocks.h"', '#include "access.h"\n#include "clocks.h"')
    return (*include, *gate("reset.c", BOOT, f"    {code}\n{BOOT}"))


def in_fault(code: str) -> tuple[GateEdit, ...]:
    """One more statement in the fault handler."""
    return gate("fault.c", FAULT, f"    {code}\n{FAULT}")


def word(address: int) -> str:
    """The word at an address as a C lvalue."""
    return f"(*(volatile uint32_t *){address:#010x}u)"
