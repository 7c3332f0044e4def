"""Every attack, by family."""

from __future__ import annotations

from tests.attacks import arrays, handlers, memory, microphone, output, protection, seal, sensor, smoothing
from tests.attacks.variant import Variant

FAMILIES: dict[str, tuple[Variant, ...]] = {
    "protection": protection.VARIANTS,
    "output": (*output.VARIANTS, *smoothing.VARIANTS),
    "memory": memory.VARIANTS,
    "seal": seal.VARIANTS,
    "sensor": sensor.VARIANTS,
    "handlers": handlers.VARIANTS,
    "arrays": arrays.VARIANTS,
    "microphone": microphone.VARIANTS,
}
ATTACKS: tuple[Variant, ...] = tuple(variant for family in FAMILIES.values() for variant in family)
