"""Every way in which images are patched. A generator draws from a source of chance and may find no place: None."""

from __future__ import annotations

from random import Random

from tests.attacks.mutate.image import Base, Mutant
from tests.attacks.mutate.kinds import (
    accesses,
    aimed,
    branches,
    caves,
    jumps,
    noise,
    order,
    plans,
    registers,
    system,
    values,
)
from tests.attacks.mutate.kinds.pairs import Generator, pair_of

_SINGLE: tuple[Generator, ...] = (
    values.short_immediate,
    values.long_immediate,
    values.literal,
    values.alias,
    values.region_base,
    registers.register,
    registers.register_list,
    registers.list_instruction,
    order.dropped_store,
    order.dropped,
    order.doubled_store,
    order.exchanged,
    order.exchanged_stores,
    order.shifted,
    order.copied,
    branches.target,
    branches.middle,
    branches.into_literals,
    branches.condition,
    branches.unconditional,
    branches.it_block,
    branches.it_over_store,
    jumps.computed,
    jumps.exception_return,
    jumps.stack_pointer,
    jumps.vector,
    accesses.width,
    accesses.narrow_store,
    accesses.unaligned,
    accesses.form,
    system.barrier,
    system.special,
    system.added_special,
    system.state,
    aimed.memory_bound,
    aimed.loop_bound,
    aimed.step,
    aimed.confined_frame,
    aimed.setting,
    noise.flips,
    noise.splice,
    noise.halfword,
)
_LARGE: tuple[Generator, ...] = (
    caves.harmless,
    caves.evil,
    caves.evil_in_confined,
    caves.replaced,
    plans.instead_of_call,
    plans.two_caves,
    plans.moved_handler,
)
GENERATORS: tuple[Generator, ...] = (*_SINGLE, *_LARGE, caves.evil, caves.evil, plans.instead_of_call, pair_of(_SINGLE))
"""A kind that stands here more often is made more often."""
_ATTEMPTS = 1000


def mutant(base: Base, seed: int, index: int) -> Mutant:
    """The mutant with this number, which always differs from its base. The kinds take turns."""
    source = Random(f"{seed}/{index}")
    generator = GENERATORS[index % len(GENERATORS)]
    for _ in range(_ATTEMPTS):
        made = _made(generator, base, source)
        if made is not None and any(base.read(each.address, len(each.data)) != each.data for each in made.changes):
            return made
    raise ValueError(f"{generator.__name__} finds no place in {_ATTEMPTS} attempts")


def _made(generator: Generator, base: Base, source: Random) -> Mutant | None:
    """ValueError is what an encoding out of reach raises: no mutant."""
    try:
        return generator(base, source)
    except ValueError:
        return None
