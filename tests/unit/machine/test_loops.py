"""Loops: exact counts, complete wipes and what spoils them, bounds of time, and loops that never end."""

from __future__ import annotations

import math

import pytest
from pinproof.machine import ranges
from pinproof.machine.ranges import Range
from pinproof.machine.result import AccessKind, Origin
from pinproof.machine.state import State

from tests.unit.machine.support import CODE, CONFINED, RESET, address_of, run_text

BUFFER = 0x20001000
ZERO = ranges.exactly(0)
INPUT = address_of("GPIOC.IDR")


def zeroed(state: State, low: int, high: int) -> bool:
    """Whether every word of the block is surely zero."""
    return all(state.known(address).only == 0 for address in range(low, high, 4))


def counter(values: tuple[int, int]) -> Range:
    known = ranges.between(*values, 0, 0, CONFINED)
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("text", "number", "value"),
    [
        ("movs r0, #0\nmovs r1, #0\nh: adds r1, #4\nadds r0, #1\ncmp r0, #100\nbne h\nbx lr", 1, 400),
        ("movs r0, #0\nmovs r1, #0\nh: adds r1, #4\nadds r0, #1\ncmp r0, #100\nblt h\nbx lr", 1, 400),
        ("movs r0, #0\nmovs r1, #0\nh: adds r1, #4\nadds r0, #1\ncmp r0, #100\nbls h\nbx lr", 1, 404),
        ("movs r0, #100\nmovs r1, #0\nh: adds r1, #4\nsubs r0, #1\nbne h\nbx lr", 1, 400),
        ("movs r0, #100\nmovs r1, #0\nh: adds r1, #4\nsubs r0, #1\nbpl h\nbx lr", 1, 404),
        ("movs r0, #100\nmovs r1, #0\nh: cbz r0, o\nadds r1, #4\nsubs r0, #1\nb h\no: bx lr", 1, 400),
        ("movs r0, #0\nmovs r1, #0\nh: cmp r0, #100\nbge o\nadds r1, #4\nadds r0, #1\nb h\no: bx lr", 1, 400),
        ("mov r0, #0x3000\nmovs r1, #0\nh: adds r1, #3\nsubs r0, #1\nbne h\nbx lr", 1, 0x9000),
    ],
)
def test_a_counted_loop_ends_with_exact_values(text: str, number: int, value: int) -> None:
    assert run_text(text).only_exit().known(number).only == value


WIPE = """
    movw r0, #0x1000
    movt r0, #0x2000
    movw r1, #{end}
    movt r1, #0x2000
    movs r2, #0
h:  {store}
    cmp r0, r1
    bne h
    bx lr
"""


def test_a_wipe_wipes_all_and_no_more() -> None:
    state = run_text(WIPE.format(end=0x1000 + 0x400, store="str r2, [r0], #4")).only_exit()
    assert zeroed(state, BUFFER, BUFFER + 0x400)
    assert state.known(BUFFER + 0x400).only is None and state.known(BUFFER - 4).only is None


def test_a_wipe_one_word_short_leaves_that_word() -> None:
    state = run_text(WIPE.format(end=0x1000 + 0x3FC, store="str r2, [r0], #4")).only_exit()
    assert zeroed(state, BUFFER, BUFFER + 0x3FC)
    assert state.known(BUFFER + 0x3FC) == ranges.anything(RESET)


WIPE_BY_FOUR = """
    movw r0, #0x1000
    movt r0, #0x2000
    add r1, r0, #{length}
    movs r2, #0
    movs r3, #0
    movs r4, #0
    movs r5, #{last}
h:  {store}
    cmp r0, r1
    blo h
    bx lr
"""


def test_a_wipe_by_multiple_stores_wipes_all_and_no_more() -> None:
    text = WIPE_BY_FOUR.format(length=0x400, last=0, store="stmia r0!, {r2-r5}")
    state = run_text(text).only_exit()
    assert zeroed(state, BUFFER, BUFFER + 0x400)
    assert state.known(BUFFER + 0x400).only is None and state.known(BUFFER - 4).only is None


@pytest.mark.parametrize("last", ["str r0, [r0, #-4]", "strb r0, [r0, #-16]", "str r5, [r0, #-16]"])
def test_a_store_behind_a_multiple_store_spoils_the_wipe(last: str) -> None:
    text = WIPE_BY_FOUR.format(length=0x400, last=1, store="stmia r0!, {r2-r5}\n" + last)
    state = run_text(text).only_exit()
    assert not any(zeroed(state, address, address + 16) for address in range(BUFFER, BUFFER + 0x400, 16))


def test_a_multiple_store_that_spares_a_word_wipes_nothing_that_it_does_not_store() -> None:
    """The fourth word of each four is not zero: the three around it must not count for it."""
    text = WIPE_BY_FOUR.format(length=0x400, last=1, store="stmia r0!, {r2-r5}")
    state = run_text(text).only_exit()
    assert not any(state.known(address).only == 0 for address in range(BUFFER + 12, BUFFER + 0x400, 16))


def test_an_overlapping_multiple_store_leaves_what_was_stored_last() -> None:
    """Steps of 8 with stores of 16: the last words of one iteration are written over by the next, except at the end."""
    text = WIPE_BY_FOUR.format(length=0x400, last=1, store="stmia r0, {r2-r5}\nadds r0, #8")
    state = run_text(text).only_exit()
    for address in range(BUFFER + 4, BUFFER + 0x400, 8):
        assert state.known(address).only != 1 and (state.known(address).only is None or address < BUFFER + 0xA0)


def test_a_pointer_that_an_inner_loop_advances_stays_exact() -> None:
    text = """
    movw r4, #0x1000
    movt r4, #0x2000
    movs r5, #96
o:  movs r6, #96
i:  ldr r0, [r7]
    lsls r1, r0, #31
    beq f
    strb r0, [r4], #1
    subs r6, #1
    bne i
    subs r5, #1
    bne o
    bx lr
f:  bx lr
"""
    run = run_text(text, {7: INPUT})
    assert not run.obstacles
    assert {state.known(4).low for state in run.exits} <= {BUFFER, BUFFER + 9216}
    assert max(state.known(4).high for state in run.exits) == BUFFER + 9216


def test_a_wipe_by_bytes_and_one_byte_short() -> None:
    """The word in which counting begins is not known to be wiped: a false alarm that word stores do not raise."""
    state = run_text(WIPE.format(end=0x1000 + 0x100, store="strb r2, [r0], #1")).only_exit()
    assert zeroed(state, BUFFER + 0x20, BUFFER + 0x100)
    assert (
        len([address for address in range(BUFFER, BUFFER + 0x100, 4) if not zeroed(state, address, address + 4)]) <= 1
    )
    state = run_text(WIPE.format(end=0x1000 + 0xFF, store="strb r2, [r0], #1")).only_exit()
    assert zeroed(state, BUFFER + 0x20, BUFFER + 0xFC)
    assert state.known(BUFFER + 0xFC).only is None


def test_two_stores_at_their_stride_make_one_wipe() -> None:
    two = "str r2, [r0]\nstr r2, [r0, #4]\nadds r0, #8"
    assert zeroed(run_text(WIPE.format(end=0x1000 + 0x400, store=two)).only_exit(), BUFFER, BUFFER + 0x400)
    dual = "strd r2, r2, [r0], #8"
    assert run_text(WIPE.format(end=0x1000 + 0x400, store=dual)).only_exit().known(BUFFER + 0x3FC).contains(0)


def test_a_store_at_twice_its_width_leaves_gaps() -> None:
    gaps = "str r2, [r0]\nadds r0, #8"
    state = run_text(WIPE.format(end=0x1000 + 0x400, store=gaps)).only_exit()
    assert all(state.known(address).only is None for address in range(BUFFER + 0x200 + 4, BUFFER + 0x400, 8))


def test_a_wipe_downwards() -> None:
    text = """
        movw r0, #0x1400
        movt r0, #0x2000
        movw r1, #0x1000
        movt r1, #0x2000
        movs r2, #0
    h:  str r2, [r0, #-4]!
        cmp r0, r1
        bhi h
        bx lr
    """
    state = run_text(text).only_exit()
    assert zeroed(state, BUFFER, BUFFER + 0x400)
    assert state.known(BUFFER - 4).only is None and state.known(BUFFER + 0x400).only is None


@pytest.mark.parametrize("other", ["str r3, [r0, #0x40]", "strb r3, [r4]", "str r3, [r5, #0x80]"])
def test_a_wipe_that_another_store_of_the_loop_disturbs_is_not_sure(other: str) -> None:
    """Ahead of the wipe, anywhere in the block, or at one fixed word of it."""
    text = """
        movw r0, #0x1000
        movt r0, #0x2000
        mov r5, r0
        ubfx r4, r4, #0, #10
        add r4, r4, r0
        movw r1, #0x1400
        movt r1, #0x2000
        movs r2, #0
    h:  {other}
        str r2, [r0], #4
        cmp r0, r1
        bne h
        bx lr
    """
    state = run_text(text.format(other=other)).only_exit()
    if "r5" in other:
        assert state.known(BUFFER + 0x80).only is None
    elif "r4" in other:
        assert all(state.known(address).only is None for address in range(BUFFER, BUFFER + 0x3F0, 4))
    else:
        assert state.known(BUFFER + 0x400).only is None and state.known(BUFFER + 0x43C).only is None


def test_a_store_that_some_iterations_skip_wipes_nothing() -> None:
    text = """
        movw r0, #0x1000
        movt r0, #0x2000
        movw r1, #0x1400
        movt r1, #0x2000
        movs r2, #0
        movw r5, #0x0810
        movt r5, #0x4002
    h:  ldr r3, [r5]
        cbz r3, n
        str r2, [r0]
    n:  adds r0, #4
        cmp r0, r1
        bne h
        bx lr
    """
    state = run_text(text).only_exit()
    assert not any(state.known(address).only == 0 for address in range(BUFFER, BUFFER + 0x400, 4))


INNER = """
        movs r6, #0
    o:  movw r0, #0x1000
        movt r0, #0x2000
        movs r2, #0
        movs r4, #40
    i:  subs r4, #1
        beq n
        str r2, [r0], #4
        b i
    n:  movw r5, #0x0810
        movt r5, #0x4002
        ldr r3, [r5]
        cbz r3, e
        adds r6, #1
        cmp r6, #50
        bne o
    e:  bx lr
"""


def test_a_wipe_inside_another_loop_counts_its_last_iteration_only_if_it_stored() -> None:
    state = run_text(INNER).only_exit()
    assert zeroed(state, BUFFER, BUFFER + 39 * 4)
    assert state.known(BUFFER + 39 * 4).only is None


def test_a_poll_is_bounded_in_time_and_ends_with_any_count() -> None:
    text = """
        movw r5, #0x0810
        movt r5, #0x4002
        movw r0, #1000
    h:  ldr r3, [r5]
        lsls r3, r3, #31
        bne o
        subs r0, #1
        bne h
    o:  bx lr
    """
    state = run_text(text).only_exit()
    known = state.known(0)
    assert known.low == 0 and known.high == 1000 and known.contains(500)
    assert 4000 <= state.cycles < 1000 * 200
    assert Origin.DEVICE in known.origins


def test_the_count_of_a_loop_tells_what_ended_it() -> None:
    text = "movs r1, #0\nh: adds r1, #1\ncmp r1, r0\nbne h\nbx lr"
    run = run_text(text, {0: counter((50, 1000))})
    state = run.only_exit()
    assert Origin.CONFINED in state.known(1).origins
    assert run.trace.confined_branches
    assert state.known(1).contains(50) and state.known(1).contains(1000)


def test_a_loop_without_a_bound_has_no_time() -> None:
    run = run_text("movw r5, #0x0810\nmovt r5, #0x4002\nh: ldr r3, [r5]\ncmp r3, #0\nbeq h\nbx lr")
    assert math.isinf(run.only_exit().cycles)
    assert not run.executor.ends.endless


@pytest.mark.parametrize(
    ("text", "touches"),
    [
        ("b .", False),
        ("movw r5, #0x0810\nmovt r5, #0x4002\nh: ldr r3, [r5]\nb h", True),
        ("movs r0, #0\nh: adds r0, #1\nb h", False),
        ("movw r5, #0x1000\nmovt r5, #0x2000\nh: str r0, [r5]\nb h", False),
    ],
)
def test_an_endless_loop_is_recorded(text: str, touches: bool) -> None:
    run = run_text(text)
    assert not run.exits and not run.obstacles
    (loop,) = run.executor.ends.endless.values()
    assert loop.touches_devices is touches


def test_a_way_out_in_the_middle_of_a_loop_takes_the_time_of_the_loop() -> None:
    text = """
        movw r5, #0x0810
        movt r5, #0x4002
        mov r0, #5000
    h:  ldr r3, [r5]
        cmp r3, #7
        it eq
        bxeq lr
        subs r0, #1
        bne h
        bx lr
    """
    run = run_text(text)
    assert not run.obstacles
    in_the_middle = [state for site, _, state in run.executor.ends.exception_returns if site.address == CODE + 18]
    assert 5000 * 4 < max(state.cycles for state in in_the_middle) < 5000 * 400


def test_a_call_that_never_returns_takes_the_time_of_the_loop_around_it() -> None:
    text = """
        push {r4, lr}
        movw r5, #0x0810
        movt r5, #0x4002
        mov r4, #5000
    h:  ldr r3, [r5]
        cbnz r3, n
        bl f
    n:  subs r4, #1
        bne h
        pop {r4, pc}
    f:  mvn lr, #2
        bx lr
    """
    run = run_text(text)
    assert not run.obstacles
    from_the_call = [state for site, _, state in run.executor.ends.exception_returns if site.calls]
    assert 5000 * 4 < max(state.cycles for state in from_the_call) < 5000 * 400


def test_a_comparison_with_the_counter_inside_the_loop() -> None:
    """One path knows the counter exactly: the two must still join as the same counter."""
    text = """
        movs r0, #0
        movs r2, #0
    h:  cmp r0, #33
        bne n
        movs r2, #7
    n:  adds r0, #1
        cmp r0, #100
        bne h
        bx lr
    """
    state = run_text(text).only_exit()
    assert state.known(0).only == 100
    assert state.known(2).contains(7) and state.known(2).contains(0) is True


def test_unequal_steps_on_two_paths_are_no_step() -> None:
    text = """
        movw r5, #0x0810
        movt r5, #0x4002
        movs r0, #0
        movs r1, #0
    h:  adds r1, #1
        ldr r3, [r5]
        cbz r3, n
        adds r1, #1
    n:  adds r0, #1
        cmp r0, #100
        bne h
        bx lr
    """
    known = run_text(text).only_exit().known(1)
    assert known.contains(100) and known.contains(200) and known.contains(150)


def test_nested_loops_multiply_their_time() -> None:
    text = "movs r0, #100\no: movs r1, #100\ni: subs r1, #1\nbne i\nsubs r0, #1\nbne o\nbx lr"
    state = run_text(text).only_exit()
    assert 2 * 100 * 100 <= state.cycles < 100 * 100 * 100


def test_the_budget_is_an_obstacle() -> None:
    run = run_text("movs r0, #100\no: movs r1, #100\ni: subs r1, #1\nbne i\nsubs r0, #1\nbne o\nbx lr", budget=50)
    assert run.codes == {"step-budget"}


def test_a_store_anywhere_whose_value_changes_late_covers_both_values() -> None:
    """Words that no slot names are part of what each iteration must leave as the description says."""
    text = """
        movw r5, #0x0810
        movt r5, #0x4002
        movw r4, #0x1000
        movt r4, #0x2000
        movs r1, #0
        movs r0, #100
    h:  ldr r3, [r5]
        and r3, r3, #0x7c
        str r1, [r4, r3]
        movs r1, #9
        ldr r2, [r4, #8]
        subs r0, #1
        bne h
        bx lr
    """
    state = run_text(text, memory=ZERO).only_exit()
    assert state.known(2).values == {0, 9} and state.known(BUFFER + 0x40).values == {0, 9}
    assert state.known(BUFFER + 0x80).only == 0


def test_a_chain_of_values_through_memory_is_followed_to_its_end() -> None:
    """Each iteration moves a value one word further: what the last word holds takes many iterations to show."""
    text = """
        movw r4, #0x1000
        movt r4, #0x2000
        mov r0, #100
    h:  ldr r1, [r4, #16]
        str r1, [r4, #20]
        ldr r1, [r4, #12]
        str r1, [r4, #16]
        ldr r1, [r4, #8]
        str r1, [r4, #12]
        ldr r1, [r4, #4]
        str r1, [r4, #8]
        ldr r1, [r4]
        str r1, [r4, #4]
        str r0, [r4]
        subs r0, #1
        bne h
        bx lr
    """
    state = run_text(text, memory=ZERO).only_exit()
    for offset in range(0, 24, 4):
        assert state.known(BUFFER + offset).contains(1 + offset // 4)


def test_a_loop_that_confined_data_ends_taints_what_it_wrote() -> None:
    text = """
        movw r4, #0x1000
        movt r4, #0x2000
        movs r1, #0
        movs r2, #0
    h:  str r1, [r4], #4
        adds r2, #3
        subs r0, #1
        beq o
        cmp r2, #90
        bne h
    o:  bx lr
    """
    state = run_text(text, {0: counter((1, 1000))}).only_exit()
    for known in (state.known(4), state.known(2), state.known(BUFFER + 0x20)):
        assert Origin.CONFINED in known.origins


@pytest.mark.parametrize(
    "change", ["adds r2, r2, r2\nadds r2, #1", "eors r2, r3", "str r2, [r4]\nadds r2, r2, r2\nadds r2, #1"]
)
def test_how_often_confined_data_let_a_loop_run_taints_what_follows_no_pattern(change: str) -> None:
    text = f"""
        movw r4, #0x1000
        movt r4, #0x2000
        movs r1, #0
        movs r2, #1
        movs r3, #6
    h:  {change}
        adds r1, #1
        cmp r1, r0
        bne h
        bx lr
    """
    state = run_text(text, {0: counter((50, 1000))}, memory=ZERO).only_exit()
    assert Origin.CONFINED in state.known(2).origins
    if "str" in change:
        assert Origin.CONFINED in state.known(BUFFER).origins


def test_how_often_confined_data_let_a_loop_run_taints_memory_that_no_slot_names() -> None:
    text = """
        movw r4, #0x1000
        movt r4, #0x2000
        movs r1, #0
        movs r3, #6
    h:  str r3, [r4], #4
        adds r1, #1
        cmp r1, #200
        beq o
        cmp r1, r0
        bne h
    o:  bx lr
    """
    state = run_text(text, {0: counter((50, 1000))}, memory=ZERO).only_exit()
    assert state.known(BUFFER + 0x200).values == {0, 6}
    assert Origin.CONFINED in state.known(BUFFER + 0x200).origins
    assert state.known(BUFFER + 0x10).values is not None


TABLE_WALK = """
    adr r4, t
    movw r5, #{entries}
h:  ldr r0, [r4], #4
    ldr r1, [r4], #4
    {store}
    subs r5, #1
    bne h
    bx lr
    .align 2
t:  .rept {entries} - 1
    .word 0x4000003C, 5
    .endr
    .word 0x40000034, 7
"""
COMPARE, OTHER = 0x40000034, 0x4000003C


def test_a_walk_over_a_table_makes_each_store_of_the_table() -> None:
    """More entries than iterations are tried before all are taken at once, which would leave the address unknown."""
    run = run_text(TABLE_WALK.format(entries=40, store="str r1, [r0]"))
    run.only_exit()
    stored = {(each.address.only, each.value.only): (each.must, each.in_loop) for each in run.accesses()}
    assert stored == {(OTHER, 5): (True, True), (COMPARE, 7): (True, False)}


def test_a_walk_that_may_end_early_is_certain_of_no_later_entry() -> None:
    """One instruction makes both stores: that it ran does not mean that it made the second."""
    leave_early = "str r1, [r0]\nldr r2, [r7]\nlsls r2, r2, #31\nit mi\nbxmi lr"
    run = run_text(TABLE_WALK.format(entries=4, store=leave_early), {7: INPUT})
    assert not run.obstacles and len(run.exits) > 1
    must = {each.address.only: each.must for each in run.accesses() if each.kind is AccessKind.STORE}
    assert must == {OTHER: True, COMPARE: False}


def test_two_values_to_one_place_in_a_loop_are_two_stores() -> None:
    text = "movs r1, #1\nh: str r1, [r7]\nadds r1, #1\ncmp r1, #3\nbne h\nbx lr"
    run = run_text(text, {7: COMPARE})
    assert [(each.value.only, each.in_loop) for each in run.accesses()] == [(1, True), (2, True)]


def test_a_walk_over_a_table_without_an_end_is_refused() -> None:
    run = run_text(TABLE_WALK.format(entries=40, store="str r1, [r0]").replace("bne h", "b h"))
    assert run.obstacles and not run.exits


def test_an_endless_loop_that_touches_a_device_on_one_of_its_paths_touches_it() -> None:
    text = """
        movw r5, #0x0034
        movt r5, #0x4000
    h:  ldr r3, [r4]
        cbz r3, n
        bl f
    n:  b h
    f:  str r3, [r5]
        bx lr
    """
    run = run_text(text, {4: BUFFER})
    (loop,) = run.executor.ends.endless.values()
    assert loop.touches_devices
