"""A rebuild of the recorded sources with the recorded toolchain in another place MUST give the same flash image.

*How it is decided.* The canonical flash images, erased bytes as 0xFF, of the image and of a rebuild made elsewhere
are compared byte for byte, and both with the flash digest of the declaration where it states one. Without a rebuild
the declared recipe and toolchain suffice at level 1 alone.

*False accepts.* That the rebuild was really made elsewhere, from the recorded sources, is for whoever gave it.

*False rejects.* None known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pinproof.facts import (
    ASSUMPTION_REBUILD,
    Facts,
    Problem,
    Refusal,
    Unknown,
    conclude_without_machine,
    declared,
    measured,
)
from pinproof.image import Image
from pinproof.outcome import Outcome
from pinproof.silicon import MemoryKind

REASONS: dict[str, str] = {
    "rebuild-differs": "the rebuild's flash image is another",
    "flash-digest": "the flash image does not have the declared digest",
    "no-rebuild": "this level asks for a rebuild, and none was given",
}

_VENDOR = 1


def check(facts: Facts) -> Outcome:
    problems = list(_digest(facts))
    if facts.rebuilt is None:
        if facts.level > _VENDOR:
            problems.append(
                Unknown(
                    reason="no-rebuild",
                    message="no rebuild was given",
                    would_help="a rebuild by somebody other than the vendor, with --rebuilt",
                )
            )
        statement = f"the vendor declares a recipe and the toolchain '{facts.declaration.build.toolchain}'"
        return conclude_without_machine(problems, [declared(statement)], [ASSUMPTION_REBUILD])
    problems += _compared(facts, facts.rebuilt)
    size = sum(memory.size for memory in facts.silicon.memories_of(MemoryKind.FLASH))
    return conclude_without_machine(problems, [measured(f"the rebuild has the same {size} bytes of flash")])


def _flash(facts: Facts, image: Image) -> bytes:
    return b"".join(
        image.flash_image(memory.start, memory.size) for memory in facts.silicon.memories_of(MemoryKind.FLASH)
    )


def _digest(facts: Facts) -> Iterator[Problem]:
    expected = facts.declaration.build.flash_sha256
    found = hashlib.sha256(_flash(facts, facts.image)).hexdigest()
    if expected is not None and expected != found:
        yield Refusal(reason="flash-digest", message=f"the flash image's SHA-256 is {found}")


def _compared(facts: Facts, rebuilt: Image) -> Iterator[Problem]:
    """A comparison of nothing with nothing is no evidence: at least the image's own bytes must be there."""
    own, other = _flash(facts, facts.image), _flash(facts, rebuilt)
    if not own or own != other:
        first = next((index for index, pair in enumerate(zip(own, other, strict=False)) if pair[0] != pair[1]), 0)
        yield Refusal(reason="rebuild-differs", message=f"the first difference is 0x{first:X} bytes into flash")
