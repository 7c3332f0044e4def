"""What the verifier says of a mutant, with a declaration as a clever vendor would write it for that very image.

Digests follow the image. Gate bytes that the mutation left unused are erased if they are all that is refused, because
that is what a vendor would do next.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pinproof.facts import without
from pinproof.image import read_image
from pinproof.machine.explore import explore
from pinproof.silicon import load_silicon

from tests.attacks.building import case_from
from tests.attacks.judging import judge
from tests.attacks.mutate.image import GATE, Base, Change

_PART = "stm32f401xe"
_SENSOR_REGISTERS = frozenset({0x40020410, 0x40020810})
"""Input registers of the ports that hold the reference declaration's sensor pins (RM0368 8.4.5)."""
_HIDDEN = ({"run-accounted": "fail hidden-bytes"}, {"run-accounted": "inconclusive hidden-bytes"})


class Said(StrEnum):
    CONFORMS = "conforms"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    CRASHED = "crashed"
    """A fault in a requirement, or an exception: always a bug of the verifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    said: Said
    reasons: Mapping[str, str]
    """By requirement: every outcome that is not a pass."""
    image: Base
    """As it was judged last: with unused bytes erased where that was tried."""
    seconds: float
    """Processor time of the longest verification."""


def verdict(image: Base) -> Verdict:
    """Judges an image, and once more with its unused gate bytes erased if they alone are in the way."""
    first = _verdict(image)
    if first.reasons not in _HIDDEN:
        return first
    erased = without_unused(image)
    return _verdict(erased) if erased.elf != image.elf else first


def without_unused(image: Base) -> Base:
    """With every byte of the gate erased that is neither executed nor read, the vectors kept."""
    parsed = read_image(image.elf, "image.elf")
    found = explore(parsed, load_silicon(_PART), _SENSOR_REGISTERS)
    used = sorted((*found.executed, *found.constants))
    unused = without(((GATE.start, GATE.stop),), tuple(used))
    return image.changed(Change(address=start, data=b"\xff" * (end - start)) for start, end in unused)


def _verdict(image: Base) -> Verdict:
    started = time.process_time()
    try:
        judged = judge(case_from(image.elf, ()))
    except Exception as error:  # whatever it is, it is the finding
        seconds = time.process_time() - started
        return Verdict(said=Said.CRASHED, reasons={"verify": f"raised {error!r}"}, image=image, seconds=seconds)
    reasons = {requirement: outcome for requirement, outcome in judged.items() if outcome != "pass"}
    return Verdict(said=_said(reasons), reasons=reasons, image=image, seconds=time.process_time() - started)


def _said(reasons: Mapping[str, str]) -> Said:
    kinds = {outcome.split()[0].rstrip(":") for outcome in reasons.values()}
    if "fault" in kinds:
        return Said.CRASHED
    if "fail" in kinds:
        return Said.REFUSED
    return Said.UNDECIDED if kinds else Said.CONFORMS
