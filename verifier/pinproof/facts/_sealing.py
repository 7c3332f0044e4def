"""What the provisioning file closes once a unit is sealed, by the locks of the silicon file."""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.facts._core import Facts, Problem, Refusal, Unknown
from pinproof.provisioning import Provisioning
from pinproof.silicon import Lock

SEALING_REASONS: dict[str, str] = {
    "provisioning-missing": "the provisioning file that the declaration names was not given",
    "provisioning-differs": "the provisioning file is not the one that the declaration names, or is for another part",
}
ASSUMPTION_PROVISIONED = "A-provisioned"
ASSUMPTION_GLITCH = "A-glitch"


def provisioning_problems(facts: Facts) -> Iterator[Problem]:
    """Whether the provisioning file is there and is the declared one."""
    given = facts.provisioning
    if given is None:
        yield Unknown(
            reason="provisioning-missing",
            message=f"{facts.declaration.provisioning.file} was not given",
            would_help="put the provisioning file where the declaration says",
        )
    elif given.sha256 != facts.declaration.provisioning.sha256:
        yield Refusal(
            reason="provisioning-differs",
            message=f"{facts.declaration.provisioning.file} does not have the declared SHA-256",
        )
    elif given.part != facts.silicon.part:
        yield Refusal(
            reason="provisioning-differs",
            message=f"the provisioning file is for {given.part}, not {facts.silicon.part}",
        )


def engaged_locks(facts: Facts, provisioning: Provisioning) -> tuple[Lock, ...]:
    """The locks of the part that these option bytes close."""
    return tuple(lock for lock in facts.silicon.locks if is_engaged(lock, provisioning))


def is_engaged(lock: Lock, provisioning: Provisioning) -> bool:
    value = provisioning.option_bytes.field(lock.field)
    return value is not None and value & lock.mask == lock.value & lock.mask


def closing_problems(facts: Facts, wanted: tuple[str, ...], reason: str) -> Iterator[Problem]:
    """A refusal unless an irreversible lock closes each of `wanted`."""
    yield from provisioning_problems(facts)
    given = facts.provisioning
    if given is None:
        return
    closed = {what for lock in engaged_locks(facts, given) if lock.irreversible for what in lock.closes}
    left = [what for what in wanted if what not in closed]
    if left:
        yield Refusal(
            reason=reason, message=f"no irreversible lock of the provisioning file closes {' and '.join(left)}"
        )
