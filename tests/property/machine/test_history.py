"""The graph of what the gate remembers contains whatever the shipped code does, run on numbers with random answers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pinproof import facts
from pinproof.declaration import read_declaration
from pinproof.image import read_image
from pinproof.isa.concrete import ConcreteExecutor, ConcreteProcessor
from pinproof.machine.explore import explore
from pinproof.machine.result import History
from pinproof.silicon import load_silicon

from reference_module.emulate.image import read_image as read_symbols

MODULE = Path("reference_module")
RETURN = 0x0800_0FF0
"""Where the step returns to; nothing is executed there."""
STACK = 0x2000_8400
UP = 0xFFFFFFFF
_WORD = 1 << 32


@cache
def history() -> History:
    declared = read_declaration((MODULE / "module.toml").read_bytes(), "module.toml")
    silicon = load_silicon(declared.module.part)
    image = read_image((MODULE / "person_detector.elf").read_bytes(), "person_detector.elf")
    outputs = facts.output_registers(silicon, declared)
    found = explore(image, silicon, frozenset(), mailbox=declared.memory.mailbox, outputs=outputs).history
    assert isinstance(found, History)
    return found


def stepping() -> tuple[ConcreteExecutor, int]:
    """The gate's code and memory, and where its step of smoothing begins."""
    path = MODULE / "person_detector.elf"
    image = read_image(path.read_bytes(), path.name)
    code = image.flash_image(0x0800_0000, 0x1000)
    memory = {0x0800_0000: bytearray(code), 0x2000_8000: bytearray(0x1000)}
    executor = ConcreteExecutor(processor=ConcreteProcessor(memory=memory), pc=0)
    return executor, read_symbols(path).address("smoothing_step") & ~1


def step(executor: ConcreteExecutor, entry: int, answer: int) -> int:
    processor = executor.processor
    processor.registers[0], processor.registers[13], processor.registers[14] = answer, STACK, RETURN | 1
    executor.pc = entry
    for _ in range(1000):
        if executor.pc == RETURN:
            return processor.registers[0]
        executor.run_one()
    raise AssertionError("the step does not return")


def word(executor: ConcreteExecutor, address: int) -> int:
    return executor.processor.load(address, 4, signed=False, unprivileged=False, multiple=False)


def leads_to(found: History, before: tuple[int, ...], answer: int) -> set[tuple[tuple[int, ...], int]]:
    """Every state and output that the graph allows next, counters among the state's words."""
    words, counters = before[: len(found.words)], before[len(found.words) :]
    allowed = set()
    for move in found.moves:
        if found.states[move.source] != words or move.idle != (answer == 0):
            continue
        if not all(guard.contains(value) for guard, value in zip(move.guards, counters, strict=True)):
            continue
        updated = tuple(
            (value + update.amount) % _WORD if update.keeps else update.amount
            for update, value in zip(move.updates, counters, strict=True)
        )
        allowed.add(((*found.states[move.target], *updated), move.outputs[0]))
    return allowed


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=20, max_size=60))
def test_each_step_of_the_code_is_a_move_of_the_graph(answers: list[int]) -> None:
    found = history()
    executor, entry = stepping()
    places = (*found.words, *found.counters)
    before = tuple(word(executor, place) for place in places)
    assert before[: len(found.words)] in found.states[: found.starts]
    for answer in answers:
        shown = step(executor, entry, answer)
        after = tuple(word(executor, place) for place in places)
        assert (after, UP * shown) in leads_to(found, before, answer)
        before = after


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=20, max_size=60))
def test_the_code_does_what_its_description_says(answers: list[int]) -> None:
    """Two of the last three answers, the present one among them, raise the pin; each level lasts three periods."""
    executor, entry = stepping()
    shown, since = 0, 3
    for at, answer in enumerate(answers):
        enough = sum(answers[max(0, at - 2) : at + 1]) >= 2
        wanted = int(enough and bool(answer or shown))
        since += 1
        if wanted != shown and since >= 3:
            shown, since = wanted, 0
        assert step(executor, entry, answer) == shown
