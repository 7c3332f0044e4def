"""Explanations name the last writers: of random code, and of the reference gate's handlers, as they really ran."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pinproof.image import Image, read_image
from pinproof.isa.decode import decode
from pinproof.isa.instruction import Instruction
from pinproof.machine.explore import explore
from pinproof.machine.provenance import Bytes, Kind, Memory, Tracer, Watched
from pinproof.machine.result import Exploration
from pinproof.silicon import MemoryKind, Silicon, load_silicon

from tests.unit.explaining.traced import Moment, TracedProcessor, run, watched, wrong

CODE, STACK, TOP = 0x08000000, 0x20000000, 0x20000800
low = st.integers(0, 7)
byte = st.integers(0, 255)
short = st.integers(0, 31)


def one(*parts: st.SearchStrategy[int], base: int, shifts: tuple[int, ...]) -> st.SearchStrategy[int]:
    """A 16-bit encoding with these fields (DDI 0403, A5.2)."""
    return st.tuples(*parts).map(lambda values: base | sum(v << shift for v, shift in zip(values, shifts, strict=True)))


DATA = st.one_of(
    one(low, byte, base=0x2000, shifts=(8, 0)),  # movs rd, #imm
    one(low, low, low, base=0x1800, shifts=(0, 3, 6)),  # adds rd, rn, rm
    one(low, low, low, base=0x1A00, shifts=(0, 3, 6)),  # subs rd, rn, rm
    one(low, low, base=0x4000, shifts=(0, 3)),  # ands
    one(low, low, base=0x4140, shifts=(0, 3)),  # adcs
    one(low, low, base=0x43C0, shifts=(0, 3)),  # mvns
    one(low, low, st.integers(1, 31), base=0x0000, shifts=(0, 3, 6)),  # lsls rd, rm, #n
    one(low, low, base=0x4600, shifts=(0, 3)),  # mov rd, rm: no flags
    one(low, byte, base=0x2800, shifts=(8, 0)),  # cmp rn, #imm
    one(low, st.integers(5, 15), base=0x9000, shifts=(8, 0)),  # str rt, [sp, #n], above what PUSH saved
    one(low, st.integers(0, 15), base=0x9800, shifts=(8, 0)),  # ldr rt, [sp, #n]
)
CONDITIONAL = st.tuples(
    one(st.integers(0, 13), base=0xBF08, shifts=(4,)),  # it <condition>
    one(low, byte, base=0x2000, shifts=(8, 0)),
)
Group = tuple[int, ...]
STRAIGHT = st.lists(st.one_of(DATA.map(lambda word: (word,)), CONDITIONAL), max_size=14)
PUSH, POP = 0xB5F0, 0xBDF0
"""push {r4-r7, lr}; pop {r4-r7, pc}."""


def call(source: int, target: int) -> list[int]:
    """BL within a few kilobytes (A7.7.18, T1)."""
    offset = target - source - 4
    sign = int(offset < 0)
    return [0xF000 | sign << 10 | offset >> 12 & 0x3FF, 0xF800 | offset >> 1 & 0x7FF]


def program(first: list[Group], called: list[Group], second: list[Group], rounds: int) -> tuple[bytes, int]:
    """`first`, then `rounds` times: a call of `called` and `second`. Returns the code and the address behind it."""
    # r7 counts: what comes between leaves it alone.
    begin = [*sum(first, ()), 0x2700 | rounds]
    loop = CODE + 2 * len(begin)
    body = [word for group in second if not _writes_counter(group[-1]) for word in group]
    end = loop + 4 + 2 * len(body) + 4
    function = end + 2
    branch = loop - (end - 2) - 4
    words = [
        *begin,
        *call(loop, function),
        *body,
        0x3F01,  # subs r7, #1
        0xD100 | branch >> 1 & 0xFF,  # bne loop
        0xE7FE,  # b .
        PUSH,
        *sum(called, ()),
        POP,
    ]
    return b"".join(word.to_bytes(2, "little") for word in words), end


def _writes_counter(word: int) -> bool:
    top = word >> 11
    if top in (0b00100, 0b10011):
        return word >> 8 & 7 == 7
    return top not in (0b00101, 0b10010) and word & 7 == 7


def tracer_of(code: bytes, moments: list[Moment]) -> Tracer:
    def read(address: int, size: int) -> bytes | None:
        found = code[address - CODE : address - CODE + size]
        return found if len(found) == size else None

    def fetch(address: int) -> Instruction:
        return decode(code[address - CODE : address - CODE + 4], address)

    def memory_at(address: int) -> Memory:
        return Memory.RAM if address >= STACK else Memory.FLASH

    return Tracer(CODE, watched(CODE, moments), fetch, memory_at, read)


@settings(max_examples=60, deadline=None)
@given(STRAIGHT, STRAIGHT, STRAIGHT, st.integers(1, 3), st.lists(st.integers(0, 2**32 - 1), min_size=13, max_size=13))
def test_random_programs(
    first: list[Group], called: list[Group], second: list[Group], rounds: int, registers: list[int]
) -> None:
    code, end = program(first, called, second, rounds)
    processor = TracedProcessor(
        memory={CODE: bytearray(code), STACK: bytearray(0x1000)}, registers=[*registers, TOP, 0xFFFFFFFF]
    )
    moments = run(processor, CODE, steps=500, stop=end)
    assert processor.site.address == end - 2, "it ran to its end"
    tracer = tracer_of(code, moments)
    for moment in moments:
        assert wrong(tracer, moment) == []
        for link in tracer.chain(moment.site, tracer.effects(moment.site).decides):
            assert link.kind is not Kind.CUT or link.depth > 0
            assert link.site is None or link.thing in tracer.effects(link.site).writes or isinstance(link.thing, Bytes)


@cache
def reference() -> tuple[Image, Silicon, Exploration, Watched]:
    image = read_image(Path("reference_module/person_detector.elf").read_bytes(), "reference")
    silicon, seen = load_silicon("stm32f401xe"), Watched()
    return image, silicon, explore(image, silicon, frozenset((0x40020810,)), watch=seen.begin), seen


def gate_tracer(entry: int) -> Tracer:
    image, silicon, _, seen = reference()

    def memory_at(address: int) -> Memory:
        memory = silicon.memory_at(address)
        if memory is None:
            return Memory.DEVICE
        return Memory.FLASH if memory.kind is MemoryKind.FLASH else Memory.RAM

    def fetch(address: int) -> Instruction:
        return decode(image.read(address, 4) or image.read(address, 2) or b"", address)

    return Tracer(entry, seen, fetch, memory_at, image.read)


class TestTheReferenceGate:
    """Run without an emulator: devices answer every other load with ones, so that its waits end."""

    def moments(self, entry: int, steps: int, every: int) -> list[Moment]:
        image, _, exploration, _ = reference()
        answers = iter(range(1 << 30))
        state = exploration.boot.drops[0].state
        processor = TracedProcessor(
            memory={
                0x08000000: bytearray(image.flash_image(0x08000000, 0x80000)),
                0x20000000: bytearray(0x18000),
            },
            registers=[*(0x1000 * n for n in range(13)), state.main_stack.low, 0xFFFFFFFD],
            process_stack=0x20007F00,
            device=lambda address: 0xFFFFFFFF if next(answers) & 1 else 0,
        )
        return run(processor, entry, steps=steps, every=every)

    @pytest.mark.slow
    def test_every_handler(self) -> None:
        _, _, exploration, _ = reference()
        for handler in exploration.handlers:
            tracer = gate_tracer(handler.entry)
            moments = self.moments(handler.entry, 120_000, 61)
            moments = [*self.moments(handler.entry, 60, 1), *moments[:: max(1, len(moments) // 300)]]
            assert len({moment.site for moment in moments}) > 30
            for moment in moments:
                assert moment.site in tracer.every_site(), "the machine saw what ran"
                assert wrong(tracer, moment) == []

    def test_the_stored_bit_leads_back_to_answers(self) -> None:
        _, _, exploration, _ = reference()
        (tick,) = [run for run in exploration.handlers if len(run.exceptions) == 1]
        (store,) = [access for access in tick.accesses if access.address.only == 0x40000034]
        tracer = gate_tracer(tick.entry)
        (transfer,) = tracer.effects(store.site).stores
        assert transfer.value is not None
        links = tracer.chain(store.site, transfer.value.sources)
        entries = [link.thing for link in links if link.kind is Kind.ENTRY]
        found = {(getattr(thing, "start", None), getattr(thing, "end", None)) for thing in entries}
        words = {(word, word + 4) for word in range(0x20008400, 0x2000840C, 4)}
        assert found, "the chain ends somewhere"
        assert found <= {(0x20000000, 0x20000004)} | words, "in the mailbox, or in what smoothing keeps"
