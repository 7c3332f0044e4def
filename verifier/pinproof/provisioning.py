"""The provisioning file: the option bytes of a unit and the order in which it is programmed and sealed.

It is separate from the image, because one careless flash command with option bytes in the image would seal a
developer's board for ever. Field names are those of the option bytes in lower case (RM0368 3.5):

    specification = "0.1"
    part = "stm32f401xe"
    steps = ["mass-erase", "program", "read-back", "seal", "show-closed"]

    [option_bytes]
    rdp = 0xCC          # read-out protection; 0xCC is level 2, irreversible
    nwrp = 0x00         # one bit a sector; 0 protects
    sprmod = 0          # 0: nwrp means write protection
    bor_lev = 0         # brown-out level
    wdg_sw = 1
    nrst_stop = 1
    nrst_stdby = 1

Whether these values seal the part is for the requirements to decide, from the locks of the silicon file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from pinproof._tables import WORD, Table, read_toml
from pinproof.declaration import SPECIFICATION
from pinproof.errors import DeclarationError


class Step(StrEnum):
    """What is done to a unit, in the words that the file may use."""

    MASS_ERASE = "mass-erase"
    PROGRAM = "program"
    READ_BACK = "read-back"
    """Flash and option bytes are read and compared."""
    SEAL = "seal"
    """The option bytes are written; after a reset they hold."""
    SHOW_CLOSED = "show-closed"
    """Connecting a debugger is shown to fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionBytes:
    """Values of the fields, as the part's registers hold them."""

    rdp: int
    nwrp: int
    sprmod: int
    bor_lev: int
    wdg_sw: int
    nrst_stop: int
    nrst_stdby: int

    def field(self, name: str) -> int | None:
        """The field that the silicon file calls `name` (`RDP`, `nWRP`), or None where this file has none."""
        return self._fields().get(name.lower())

    def _fields(self) -> dict[str, int]:
        return {
            "rdp": self.rdp,
            "nwrp": self.nwrp,
            "sprmod": self.sprmod,
            "bor_lev": self.bor_lev,
            "wdg_sw": self.wdg_sw,
            "nrst_stop": self.nrst_stop,
            "nrst_stdby": self.nrst_stdby,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    specification: str
    part: str
    steps: tuple[Step, ...]
    """In order, each at most once; sealing is among them."""
    option_bytes: OptionBytes
    sha256: str
    """Digest of the bytes that were read."""


def read_provisioning(data: bytes, name: str) -> Provisioning:
    """Read a provisioning file; messages call it `name`. Raises `DeclarationError`, one line, and nothing else."""
    with read_toml(data, name, DeclarationError) as document:
        specification = document.text("specification")
        if specification != SPECIFICATION:
            document.refuse("specification", f'must be "{SPECIFICATION}", the version that this verifier knows')
        return Provisioning(
            specification=specification,
            part=document.matching("part", WORD, "the name of a part (lower-case words)", limit=64),
            steps=_steps(document),
            option_bytes=_option_bytes(document.table("option_bytes")),
            sha256=hashlib.sha256(data).hexdigest(),
        )


def _steps(document: Table) -> tuple[Step, ...]:
    words = document.choices("steps", Step)
    if Step.SEAL not in words:
        document.refuse("steps", "must hold 'seal'")
    return words


def _option_bytes(table: Table) -> OptionBytes:
    with table:
        return OptionBytes(
            rdp=table.integer("rdp", 0, 0xFF),
            nwrp=table.integer("nwrp", 0, 0xFF),
            sprmod=table.integer("sprmod", 0, 1),
            bor_lev=table.integer("bor_lev", 0, 3),
            wdg_sw=table.integer("wdg_sw", 0, 1),
            nrst_stop=table.integer("nrst_stop", 0, 1),
            nrst_stdby=table.integer("nrst_stdby", 0, 1),
        )
