"""Whole images: the boot to its drop, handlers under their common invariant, and what is no image at all."""

from __future__ import annotations

import pytest
from pinproof.machine.explore import explore
from pinproof.machine.result import AccessKind, Content, Origin, Run, Word

from tests.unit.machine.images import CONFINED_END, RETURN, codes, explored, image, tick_of
from tests.unit.machine.support import address_of, image_of, silicon

HIDDEN = 0x20012000
"""A word of the gate's memory."""
POINT = "ldr r4, =0x20012000\n"
WIPE = "ldr r1, =0x20000000\nldr r2, =0x20018000\nmovs r0, #0\nw: str r0, [r1], #4\ncmp r1, r2\nbne w\n"
OUT = "ldr r5, =0x40000034\n"
"""r5 = TIM2.CCR1."""


def at(run: Run, address: int) -> Word:
    """What the word holds when the run ends in its one way."""
    (leaving,) = run.exits
    (found,) = (item.value for item in leaving.state.memory if item.start <= address < item.end)
    return found


def stored(run: Run, address: int) -> list[Word]:
    return [each.value for each in run.accesses if each.kind is AccessKind.STORE and each.address.only == address]


def test_the_smallest_image_is_explored_without_obstacle() -> None:
    found = explored(boot=WIPE)
    assert not found.obstacles
    (drop,) = found.boot.drops
    assert drop.state.control.only == 3 and drop.state.mpu_control.only == 7
    assert {"mpu-synchronised", "control-synchronised"} <= drop.state.barriers
    assert [(item.start, item.end, item.content, item.value.only) for item in drop.state.memory] == [
        (0x20000000, 0x20018000, Content.CONSTANT, 0)
    ]
    served = sorted(number for run in found.handlers for number in run.exceptions)
    assert served == list(range(2, silicon().exceptions.count))
    assert found.boot.cycles is not None and found.boot.stack_low == 0x20018000


def test_a_handler_starts_from_what_the_confined_part_chose() -> None:
    run = tick_of(
        explored(boot=WIPE, tick="ldr r5, =0x20000000\nldr r1, [r5]\nldr r6, =0x20012000\nldr r2, [r6]\n" + RETURN)
    )
    registers = run.exits[0].state.registers
    for known in registers[:2]:
        assert known.only is None and known.low == 0 and known.high == 0xFFFFFFFF and Origin.CONFINED in known.origins
    assert registers[2].only == 0
    assert at(run, CONFINED_END - 4).origins == {Origin.CONFINED} and at(run, CONFINED_END).only == 0


def test_a_count_of_ticks_grows_until_it_is_known_to_be_anything() -> None:
    tick = POINT + "ldr r0, [r4]\nadds r0, #1\nstr r0, [r4]\n" + RETURN
    found = explored(boot=WIPE, tick=tick)
    assert not found.obstacles
    known = at(tick_of(found), HIDDEN)
    assert known.low == 0 and known.high == 0xFFFFFFFF and Origin.GATE in known.origins


def test_a_count_modulo_three_settles_at_three_values() -> None:
    tick = POINT + "ldr r0, [r4]\nadds r0, #1\ncmp r0, #3\nit hs\nmovhs r0, #0\nstr r0, [r4]\n" + RETURN
    found = explored(boot=WIPE, tick=tick)
    assert not found.obstacles
    known = at(tick_of(found), HIDDEN)
    assert known.values == {0, 1, 2} and Origin.GATE in known.origins


def test_what_depended_on_the_mailbox_is_confined_at_the_next_entry() -> None:
    tick = f"""
        {POINT}
        {OUT}
        ldr r0, [r4]
        str r0, [r5]
        ldr r6, =0x20000000
        ldr r1, [r6]
        clz r1, r1
        lsrs r1, r1, #5
        str r1, [r4]
    """
    run = tick_of(explored(boot=WIPE, tick=tick + RETURN))
    (value,) = stored(run, address_of("TIM2.CCR1"))
    assert value.values == {0, 1} and Origin.CONFINED in value.origins


def test_what_a_handler_left_is_the_gates_memory_at_the_next_entry() -> None:
    """A word, a block filled by a loop, and a device register: constants at both times, and yet they differ."""
    fill = "ldr r1, =0x20013000\nldr r2, =0x20013400\nmovs r0, #1\nf: str r0, [r1], #4\ncmp r1, r2\nbne f\n"
    for read, leave in (
        (POINT + "ldr r0, [r4]\n", POINT + "movs r1, #1\nstr r1, [r4]\n"),
        ("ldr r4, =0x20013100\nldr r0, [r4]\n", fill),
        ("ldr r4, =0x40013c08\nldr r0, [r4]\n", "ldr r4, =0x40013c08\nmovs r1, #1\nstr r1, [r4]\n"),
    ):
        found = explored(boot=WIPE, tick=read + OUT + "str r0, [r5]\n" + leave + RETURN)
        assert not found.obstacles
        (value,) = stored(tick_of(found), address_of("TIM2.CCR1"))
        assert value.only is None and {Origin.GATE} <= value.origins, read


def test_two_words_that_were_equal_need_not_be_so_in_a_handler() -> None:
    """Each handler run leaves both words equal, but the invariant speaks of each word alone."""
    tick = f"""
        {POINT}
        ldr r0, [r4]
        ldr r1, [r4, #4]
        movs r3, #0
        cmp r0, r1
        beq e
        movs r3, #1
    e:  ldr r6, =0x20000000
        ldr r2, [r6]
        str r2, [r4]
        str r2, [r4, #4]
    """
    run = tick_of(explored(boot=WIPE, tick=tick + RETURN))
    assert {word.only for word in (leaving.state.registers[3] for leaving in run.exits)} == {None}


def test_handlers_see_what_each_other_leave() -> None:
    fault = POINT + "movs r0, #5\nstr r0, [r4]\n" + RETURN
    tick = POINT + OUT + "ldr r0, [r4]\nstr r0, [r5]\n" + RETURN
    (value,) = stored(tick_of(explored(boot=WIPE, tick=tick, fault=fault)), address_of("TIM2.CCR1"))
    assert value.values == {0, 5}


def test_a_handler_that_changes_the_protection_is_an_obstacle() -> None:
    change = """
        ldr r5, =0xe000ed98
        movs r0, #2
        str r0, [r5]
        ldr r1, =0x13060021
        str r1, [r5, #8]
        dsb
        isb
    """
    assert "protection-changes" in codes(explored(boot=WIPE, tick=change + RETURN))


def test_barriers_do_not_outlive_a_handler_that_needs_them_anew() -> None:
    change = "ldr r5, =0xe000ed94\nmovs r0, #7\nstr r0, [r5]\n"
    run = tick_of(explored(boot=WIPE, tick=change + RETURN))
    assert "mpu-synchronised" not in run.exits[0].state.barriers
    quiet = tick_of(explored(boot=WIPE))
    assert "mpu-synchronised" in quiet.exits[0].state.barriers
    assert "stores-complete" not in quiet.exits[0].state.barriers


ENABLE = "ldr r5, =0xe000e100\nldr r0, =0x10000000\nstr r0, [r5]\n"
PROCESS = "ldr r0, =0x20010000\nmsr psp, r0\nmovs r0, #2\nmsr control, r0\nisb\n"
LAST = "movs r0, #3\nmsr control, r0\nisb\nb idle\n"


def test_an_interrupt_before_the_drop_on_the_main_stack_is_refused() -> None:
    drop = ENABLE + "cpsie i\n" + PROCESS + LAST
    assert codes(explored(boot=WIPE, drop=drop)) == {"preemption-before-drop"}


def test_an_interrupt_before_the_drop_on_the_process_stack_is_covered() -> None:
    """What the boot changes while interrupts are open belongs to what handlers may find."""
    late = POINT + "movs r1, #7\nstr r1, [r4]\nmovs r1, #8\nstr r1, [r4]\n"
    tick = POINT + "ldr r2, [r4]\n" + RETURN
    found = explored(boot=WIPE, drop=ENABLE + PROCESS + "cpsie i\n" + late + LAST, tick=tick)
    assert not found.obstacles
    assert tick_of(found).exits[0].state.registers[2].values == {0, 7, 8}
    closed = explored(boot=WIPE, drop=ENABLE + PROCESS + late + "cpsie i\n" + LAST, tick=tick)
    assert not closed.obstacles
    assert tick_of(closed).exits[0].state.registers[2].only == 8


def test_no_drop_no_handlers() -> None:
    found = explored(drop="b idle\n")
    assert not found.boot.drops and not found.handlers and found.boot.endless
    found = explored(drop="bx lr\n")
    assert not found.boot.drops and not found.handlers and codes(found) == {"computed-branch"}


def test_a_handler_that_returns_where_it_should_not() -> None:
    assert codes(explored(tick="movs r0, #1\nmov lr, r0\nbx lr\n")) == {"return-address-changed"}
    assert codes(explored(tick="bx r0\n")) == {"computed-branch"}


@pytest.mark.parametrize("vector", [0, 1, 0x20000001, 0xFFFFFFFF, 0x08000001, 0x0807FFFF, 0x08000100])
def test_a_vector_to_nowhere_is_an_obstacle(vector: int) -> None:
    code = bytearray(image().segments[0].data)
    code[4:8] = vector.to_bytes(4, "little")
    found = explore(image_of((0x08000000, bytes(code))), silicon(), frozenset())
    assert found.obstacles and not found.boot.drops
    code = bytearray(image().segments[0].data)
    code[4 * 44 : 4 * 44 + 4] = vector.to_bytes(4, "little")
    found = explore(image_of((0x08000000, bytes(code))), silicon(), frozenset())
    assert found.obstacles and found.boot.drops


def test_empty_and_truncated_images_are_obstacles() -> None:
    for pieces in ((), ((0x08000000, b"\x00"),), ((0x20000000, bytes(4096)),), ((0x08000000, bytes(4096)),)):
        found = explore(image_of(*pieces), silicon(), frozenset())
        assert found.obstacles and not found.boot.drops
    code = image().segments[0].data
    for length in range(404, len(code), 37):
        assert explore(image_of((0x08000000, code[:length])), silicon(), frozenset()).obstacles


def test_the_budget_ends_every_run() -> None:
    full = explored(boot=WIPE)
    for budget in range(0, full.steps, 23):
        found = explored(boot=WIPE, budget=budget)
        assert "step-budget" in codes(found), budget
        assert found.steps <= budget + 2 + len(found.handlers) * 12


@pytest.mark.parametrize(
    "deep",
    [
        "".join(f"cmp r0, #1\nbeq d{n}\nd{n}: nop\n" for n in range(1500)),
        "".join(f"n{n}: adds r0, #1\n" for n in range(250))
        + "".join(f"cmp r0, #{n}\nbne.w n{n}\n" for n in range(249, -1, -1)),
    ],
)
def test_code_that_nests_too_deep_is_an_obstacle(deep: str) -> None:
    assert "step-budget" in codes(explored(boot=deep, budget=20_000))
