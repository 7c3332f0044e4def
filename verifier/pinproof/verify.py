"""One verification, from bytes to report: read, explore, decide.

A function of its arguments and of the data in the package. Bad input raises; whatever goes wrong while deciding becomes
an outcome in the report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypeVar

from pinproof import __version__, facts
from pinproof.advice import advised
from pinproof.catalogue import load_catalogue
from pinproof.chains import explained
from pinproof.declaration import Declaration, read_declaration
from pinproof.development import awaiting
from pinproof.errors import SiliconError
from pinproof.facts import Facts, Known, Problem
from pinproof.image import Image, read_image, read_source_map
from pinproof.machine.explore import explore
from pinproof.machine.provenance import Watched
from pinproof.profile import load_profile
from pinproof.provisioning import Provisioning, read_provisioning
from pinproof.report import Memory, Module, Proof, Report, Subjects
from pinproof.runner import decide
from pinproof.silicon import Memory as SiliconMemory
from pinproof.silicon import MemoryKind, Silicon, load_silicon

Value = TypeVar("Value")


def verify(
    *,
    image: bytes,
    image_name: str,
    declaration: bytes,
    declaration_name: str,
    files: Mapping[str, bytes],
    level: int,
    rebuilt: bytes | None,
    development: bool,
    explain: bool = False,
) -> Report:
    """Verify one image against its declaration at one level (0 to 3).

    With `explain` every decision brings its chains of evidence, for which the machine runs with somebody looking on.
    With `development` what does not pass says what it awaits, and the verdict is never `CONFORMS`.
    `files` holds the files that the declaration names; what is not in it is missing evidence, not an error. Raises
    `ImageError`, `DeclarationError` or `SiliconError`, each one line.
    """
    watched = Watched() if explain else None
    known = _gather(image, image_name, declaration, declaration_name, files, level, rebuilt, watched)
    catalogue = load_catalogue()
    assumptions = facts.assumptions(known)
    ledger = [item.id for item in assumptions]
    decided = decide(catalogue.requirements, known, level=level, ledger=ledger)
    decisions = tuple(advised(decision, known) for decision in decided)
    if watched is not None:
        decisions = explained(decisions, known, watched)
    if development:
        decisions = awaiting(decisions, catalogue.requirements, known, level=level, ledger=ledger)
    return Report(
        tool_version=__version__,
        specification_version=catalogue.version,
        catalogue_sha256=catalogue.digest,
        module=_module(known, declaration_name),
        subjects=_subjects(known, image_name),
        level=level,
        development=development,
        decisions=decisions,
        capacity=_known(facts.pin_capacity(known)),
        memory=Memory(
            parts=facts.writable_parts(known),
            budget_bytes=known.profile.memory_budget.bytes,
            reachable=_known(facts.writable_memory(known)),
        ),
        assumptions=assumptions,
        proof=_proof(known),
    )


def _gather(
    image: bytes,
    image_name: str,
    declaration: bytes,
    declaration_name: str,
    files: Mapping[str, bytes],
    level: int,
    rebuilt: bytes | None,
    watched: Watched | None,
) -> Facts:
    """Read every input, explore the image, and put all of it into the requirements' hands."""
    declared = read_declaration(declaration, declaration_name)
    silicon, profile = load_silicon(declared.module.part), load_profile(declared.module.profile)
    parsed = read_image(image, image_name)
    return Facts(
        image=parsed,
        declaration=declared,
        profile=profile,
        silicon=silicon,
        exploration=explore(
            parsed,
            silicon,
            facts.sensor_registers(silicon, declared),
            watch=watched.begin if watched is not None else None,
            mailbox=declared.memory.mailbox,
            outputs=facts.output_registers(silicon, declared),
        ),
        level=level,
        provisioning=_provisioning(declared, files),
        datasheet=files.get(declared.datasheet.file),
        rebuilt=None if rebuilt is None else read_image(rebuilt, "rebuilt image"),
        sources=read_source_map(image, parsed),
    )


def _provisioning(declared: Declaration, files: Mapping[str, bytes]) -> Provisioning | None:
    data = files.get(declared.provisioning.file)
    return None if data is None else read_provisioning(data, declared.provisioning.file)


def _known(fact: Known[Value] | Problem) -> Value | None:
    """The value for the report's summary; why it is missing is said by the requirement that asks for it."""
    return fact.value if isinstance(fact, Known) else None


def _module(known: Facts, declaration_name: str) -> Module:
    declared = known.declaration
    return Module(
        vendor=declared.module.vendor,
        product=declared.module.product,
        version=declared.module.version,
        part=declared.module.part,
        part_status=known.silicon.status,
        profile=declared.module.profile,
        declaration_name=declaration_name,
        declaration_sha256=declared.sha256,
    )


def _subjects(known: Facts, image_name: str) -> Subjects:
    flash = _flash(known.silicon)
    model = known.declaration.model.range
    model_bytes = known.image.read(model.start, model.size)
    return Subjects(
        image_name=image_name,
        image_kind=known.image.kind,
        image_sha256=known.image.sha256,
        flash_start=flash.start,
        flash_size=flash.size,
        flash_sha256=_digest(known.image, flash),
        model_sha256=None if model_bytes is None else hashlib.sha256(model_bytes).hexdigest(),
    )


def _digest(image: Image, flash: SiliconMemory) -> str:
    return hashlib.sha256(image.flash_image(flash.start, flash.size)).hexdigest()


def _flash(silicon: Silicon) -> SiliconMemory:
    found = silicon.memories_of(MemoryKind.FLASH)
    if len(found) != 1:
        raise SiliconError(f"{silicon.part}.toml: has {len(found)} flash memories; an image covers exactly one")
    return found[0]


def _proof(known: Facts) -> Proof:
    exploration = known.exploration
    cycles = [run.cycles for run in exploration.handlers]
    bounded = [count for count in cycles if count is not None]
    return Proof(
        gate_bytes=sum(end - start for start, end in exploration.executed),
        instructions=exploration.boot.instructions + sum(run.instructions for run in exploration.handlers),
        vectors=max(len(exploration.vectors) - 1, 0),
        handlers=len(exploration.handlers),
        obstacles=len(exploration.obstacles),
        invariant_rounds=exploration.invariant_rounds,
        steps=exploration.steps,
        tick_cycles=max(bounded, default=None) if len(bounded) == len(cycles) else None,
    )
