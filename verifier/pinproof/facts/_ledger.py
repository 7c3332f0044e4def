"""The ledger: what a verdict rests on and the image cannot show, each with an owner and how it is discharged."""

from __future__ import annotations

from pinproof.declaration import ClockSource
from pinproof.facts._clocks import ASSUMPTION_CRYSTAL
from pinproof.facts._core import Facts
from pinproof.facts._sealing import ASSUMPTION_GLITCH, ASSUMPTION_PROVISIONED
from pinproof.report import Assumption, Owner
from pinproof.silicon import Erratum, Silicon

ASSUMPTION_SUPPLY = "A-supply-current"
ASSUMPTION_ROUTING = "A-routing"
ASSUMPTION_MATERIALS = "A-materials"
ASSUMPTION_BACKUP = "A-backup-domain"
ASSUMPTION_RESET_PIN = "A-reset-pin"
ASSUMPTION_PULL_DOWN = "A-pull-down"
ASSUMPTION_MANUAL = "A-silicon-as-manual"
ASSUMPTION_REBUILD = "A-rebuild"

_LEDGER_CHECK = "ledger"

_ALWAYS: tuple[Assumption, ...] = (
    Assumption(
        id=ASSUMPTION_MANUAL,
        statement="the silicon behaves as its manuals say, speculative reads and prefetch included",
        owner=Owner.SILICON,
        discharge="the manufacturer's word and years of use; no test of a sample can show it",
    ),
    Assumption(
        id=ASSUMPTION_GLITCH,
        statement="nobody glitches the read-out lock: published attacks open level 2 of this family with a voltage or "
        "clock glitch and the package in hand",
        owner=Owner.SILICON,
        discharge="sealing of the package; the lock is for attacks through logic alone",
    ),
    Assumption(
        id=ASSUMPTION_PROVISIONED,
        statement="every unit is programmed from this image by the steps of the provisioning file, and sealed",
        owner=Owner.VENDOR,
        discharge="level 2: samples are read back, sealed and shown closed; for all units, an audit of the line",
    ),
    Assumption(
        id="A-production",
        statement="production units are equal to the samples that were examined",
        owner=Owner.VENDOR,
        discharge="an audit of the line, or destructive samples from the market",
    ),
    Assumption(
        id=ASSUMPTION_ROUTING,
        statement="of the part's pins only the declared outputs, supply and ground reach the connector, and the "
        "sensor's lines reach the sensor alone",
        owner=Owner.LAB,
        discharge="level 3: the board is opened and traced",
    ),
    Assumption(
        id=ASSUMPTION_RESET_PIN,
        statement="the reset and boot pins are not on the connector",
        owner=Owner.LAB,
        discharge="level 3: the board is opened and traced",
    ),
    Assumption(
        id=ASSUMPTION_PULL_DOWN,
        statement="a resistor on the board holds the output idle while the part is in reset and its pins float",
        owner=Owner.LAB,
        discharge="level 3: the pin is captured through resets",
    ),
    Assumption(
        id=ASSUMPTION_BACKUP,
        statement="the backup domain was without power between any other firmware and this one, so its outputs and "
        "oscillator are as after power-on",
        owner=Owner.VENDOR,
        discharge="units have no battery on VBAT, or the line powers them down before sealing",
    ),
    Assumption(
        id=ASSUMPTION_MATERIALS,
        statement="the bill of materials is complete: the board carries the declared sensor and no other transducer or "
        "memory, and the sensor has no frame store or program of its own",
        owner=Owner.LAB,
        discharge="level 3: the board is opened and compared with the bill",
    ),
    Assumption(
        id=ASSUMPTION_SUPPLY,
        statement="the current at the connector carries less than the profile's limit",
        owner=Owner.LAB,
        discharge="level 3: the current is measured with the modulating firmware that the project supplies",
    ),
    Assumption(
        id="A-radiation",
        statement="nobody reads the module through light, sound, heat or the fields that its currents radiate",
        owner=Owner.LAB,
        discharge="not discharged by any level; the claim is about the pin",
    ),
    Assumption(
        id="A-package",
        statement="nobody opens the package or probes the lines inside",
        owner=Owner.VENDOR,
        discharge="sealing that shows tampering",
    ),
    Assumption(
        id="A-several-modules",
        statement="the capacity is that of one module; several modules in one product add up",
        owner=Owner.VENDOR,
        discharge="the product's label counts its modules",
    ),
    Assumption(
        id="A-scene-commands",
        statement="what is in view can command a hostile network, which can answer with its declared bits alone",
        owner=Owner.VENDOR,
        discharge="not discharged; the capacity bounds the answer",
    ),
)


def assumptions(facts: Facts) -> tuple[Assumption, ...]:
    """The whole ledger of one verification, in a fixed order."""
    return (*_ALWAYS, *_clock(facts), *_rebuild(facts), *_errata(facts.silicon), *_unconfirmed(facts.silicon))


def erratum_assumption(erratum: Erratum) -> str:
    """The id of the ledger entry of an erratum that no check can decide."""
    return f"A-erratum-{erratum.id}"


def _clock(facts: Facts) -> tuple[Assumption, ...]:
    clock = facts.declaration.clock
    if clock.source is not ClockSource.HSE or clock.crystal_hz is None:
        return ()
    fastest = facts.silicon.clocks.hse_bypass_max_hz
    return (
        Assumption(
            id=ASSUMPTION_CRYSTAL,
            statement=f"the crystal runs at {clock.crystal_hz} Hz within {clock.tolerance_ppm} ppm, and at no other "
            f"frequency up to the {fastest} Hz that the part accepts: the period shrinks in proportion",
            owner=Owner.LAB,
            discharge="level 3: the crystal is read on the board and the period measured at the pin",
        ),
    )


def _rebuild(facts: Facts) -> tuple[Assumption, ...]:
    if facts.rebuilt is not None:
        return ()
    return (
        Assumption(
            id=ASSUMPTION_REBUILD,
            statement="the declared recipe rebuilds this image elsewhere",
            owner=Owner.VENDOR,
            discharge="give a rebuild by somebody else with --rebuilt",
        ),
    )


def _errata(silicon: Silicon) -> tuple[Assumption, ...]:
    return tuple(
        Assumption(
            id=erratum_assumption(erratum),
            statement=f"the erratum '{erratum.title}' does no harm here: {erratum.avoided_by}",
            owner=Owner.SILICON,
            discharge=f"reading {erratum.cite}",
        )
        for erratum in silicon.errata
        if erratum.check == _LEDGER_CHECK
    )


def _unconfirmed(silicon: Silicon) -> tuple[Assumption, ...]:
    """One entry a group of facts (the first word of what the fact is about) that no source at hand confirms."""
    groups: dict[str, list[str]] = {}
    for item in silicon.unconfirmed:
        group, _, rest = item.fact.partition(" ")
        groups.setdefault(group, []).append(f"{rest or group} ({item.why})")
    return tuple(
        Assumption(
            id=f"A-silicon-{group.replace('_', '-')}",
            statement=f"the silicon file is right about {group}: {'; '.join(facts)}",
            owner=Owner.SILICON,
            discharge="comparing the silicon file with the manufacturer's document that it names",
        )
        for group, facts in groups.items()
    )
