"""Where QEMU is not the part, as far as a comparison meets it. Each entry has a test that it is still so.

A device that QEMU lacks reads as 0 and forgets what is stored. Where that would lead away from what the part does, the
plugin answers in its place: those registers are `privileged.READY`. What else differs is listed here, register by
register and value by value; nothing is ignored for its kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.emulation.containment.findings import Kind, Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    name: str
    why: str
    kind: Kind
    place: int
    text: str
    """Part of the violation's text."""
    witness: str
    """A vector that meets it."""

    def explains(self, violation: Violation) -> bool:
        return violation.kind is self.kind and violation.place == self.place and self.text in violation.text


DEPARTURES = (
    Departure(
        name="SCB.SCR",
        why="QEMU has no system control register: it reads as 0 and stores are ignored",
        kind=Kind.READ_BACK,
        place=0xE000ED10,
        text="SCB.SCR reads 0x0",
        witness="out-clock-steady/deep-sleep.fail",
    ),
)


def unexplained(violations: list[Violation]) -> list[str]:
    """What no departure explains, in words."""
    return [str(each) for each in violations if not any(departure.explains(each) for departure in DEPARTURES)]
