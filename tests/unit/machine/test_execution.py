"""Branches, calls, IT blocks and taint: what the proofs of single paths rest on."""

from __future__ import annotations

import pytest
from pinproof.machine import ranges
from pinproof.machine.result import Access, AccessKind, Origin

from tests.unit.machine.support import CODE, CONFINED, RESET, Run, address_of, run_text

GATE = frozenset((Origin.GATE,))
DEVICE = frozenset((Origin.DEVICE,))
SENSOR = frozenset((Origin.SENSOR,))
INPUT = address_of("GPIOC.IDR")
OUTPUT = address_of("TIM2.CCR1")
INTO_R5 = "movw r5, #0x0034\nmovt r5, #0x4000\n"
"""r5 = TIM2.CCR1."""


def stores(run: Run) -> list[Access]:
    return [each for each in run.accesses() if each.kind is AccessKind.STORE]


# --- IT blocks and conditions -----------------------------------------------------------------------------------------


def test_both_arms_of_an_it_block_are_one_choice() -> None:
    text = "cmp r0, #1\nite eq\nmoveq r1, #10\nmovne r1, #20\nite eq\nmoveq r2, #30\nmovne r2, #40\nbx lr"
    state = run_text(text).only_exit()
    assert state.known(1).values == {10, 20} and state.known(2).values == {30, 40}
    assert Origin.CONFINED in state.known(1).origins


def test_a_condition_that_cannot_hold_changes_nothing() -> None:
    state = run_text("movs r0, #1\nmovs r1, #5\ncmp r0, #1\nit ne\nmovne r1, #6\nbx lr").only_exit()
    assert state.known(1).only == 5


def test_flags_set_inside_an_it_block_decide_the_rest_of_it() -> None:
    text = "movs r1, #7\nmovs r2, #0\ncmp r0, #3\nitt eq\ncmpeq r1, #8\nmoveq r2, #1\nbx lr"
    assert run_text(text).only_exit().known(2).only == 0


def test_flags_that_an_it_block_chose_carry_the_choice() -> None:
    text = (
        "movs r1, #5\ncmp r0, #1\nite eq\ncmpeq r1, #5\ncmpne r1, #6\nbeq o\nmovs r2, #0\nbx lr\no: movs r2, #1\nbx lr"
    )
    run = run_text(text)
    assert {site.address for site in run.trace.confined_branches} == {CODE + 10}


def test_the_masked_comparison_of_the_mailbox() -> None:
    """0 or all ones from one bit of a confined word, without a branch: exact, and still called confined."""
    text = "subs r0, #1\nclz r0, r0\nlsrs r0, r0, #5\nrsbs r0, r0, #0\nbx lr"
    known = run_text(text).only_exit().known(0)
    assert known.values == {0, 0xFFFFFFFF} and known.origins == CONFINED


# --- taint ------------------------------------------------------------------------------------------------------------

CHOICE = "cmp r0, #1\nbeq a\nmovs r1, #10\nb o\na: movs r1, #20\no: bx lr"


@pytest.mark.parametrize("origins", [CONFINED, GATE, DEVICE, RESET])
def test_what_a_branch_chose_comes_from_what_it_looked_at(origins: frozenset[Origin]) -> None:
    run = run_text(CHOICE, {0: ranges.anything(origins)})
    assert run.only_exit().known(1).origins == origins
    assert run.trace.confined_branches or not origins & {Origin.CONFINED, Origin.GATE}


def test_the_sensor_may_choose() -> None:
    run = run_text(CHOICE, {0: ranges.anything(SENSOR)})
    assert run.only_exit().known(1).origins <= SENSOR
    assert not run.trace.confined_branches


def test_what_a_table_gives_comes_from_its_index() -> None:
    text = "and r0, r0, #7\nadr r1, t\nldrb r2, [r1, r0]\nbx lr\n.balign 4\nt: .byte 1, 2, 3, 4, 5, 6, 7, 8"
    known = run_text(text).only_exit().known(2)
    assert known.values == {1, 2, 3, 4, 5, 6, 7, 8} and known.origins == CONFINED


def test_what_memory_gives_comes_from_its_index() -> None:
    text = "and r0, r0, #4\nmovw r1, #0x1000\nmovt r1, #0x2000\nldr r2, [r1, r0]\nbx lr"
    state = run_text(text, memory=ranges.exactly(0), slots={0x20001000: 1, 0x20001004: 2}).only_exit()
    assert state.known(2).contains(1) and state.known(2).contains(2) and state.known(2).origins == CONFINED


def test_a_store_through_an_index_leaves_the_index_behind() -> None:
    text = "and r0, r0, #4\nmovw r1, #0x1000\nmovt r1, #0x2000\nmovs r3, #1\nstr r3, [r1, r0]\nbx lr"
    state = run_text(text, memory=ranges.exactly(0)).only_exit()
    for address in (0x20001000, 0x20001004):
        assert state.known(address).values == {0, 1} and state.known(address).origins == CONFINED
    assert state.known(0x20001008).only == 0


def test_a_predicated_store_says_what_decided_it() -> None:
    run = run_text(INTO_R5 + "movs r1, #1\ncmp r0, #1\nit eq\nstreq r1, [r5]\nbx lr")
    (store,) = stores(run)
    assert store.control == CONFINED and not store.must and not store.in_loop
    assert run.trace.confined_branches


def test_a_predicated_load_takes_time_too() -> None:
    run = run_text("movw r5, #0x1000\nmovt r5, #0x2000\ncmp r0, #1\nit eq\nldreq r1, [r5]\nbx lr")
    assert run.trace.confined_branches


def test_predicated_arithmetic_takes_no_time() -> None:
    """But what it leaves comes from its condition, in registers and in the flags."""
    run = run_text("cmp r0, #1\nite eq\nmoveq r1, #1\nmovne r1, #0\nbx lr")
    assert not run.trace.confined_branches
    assert run.only_exit().known(1).origins == CONFINED
    run = run_text("movs r2, #3\ncmp r0, #1\nite eq\ncmpeq r2, #3\ncmpne r2, #4\nsbcs r1, r1\nbx lr", {1: 0})
    assert Origin.CONFINED in run.only_exit().known(1).origins


@pytest.mark.parametrize("leave", ["it eq\nbxeq lr", "it eq\nbeq.n o"])
def test_a_predicated_way_out_chooses_as_a_branch_does(leave: str) -> None:
    text = f"""
        push {{r4, lr}}
        movs r1, #1
        bl f
        pop {{r4, pc}}
    f:  cmp r0, #1
        {leave}
        movs r1, #2
    o:  bx lr
    """
    run = run_text(text)
    assert run.only_exit().known(1).origins == CONFINED
    assert len(run.trace.confined_branches) == 1


def test_what_a_device_register_gives_back_comes_from_what_it_was_given() -> None:
    known = run_text(INTO_R5 + "str r0, [r5]\nldr r1, [r5]\nbx lr").only_exit().known(1)
    assert Origin.CONFINED in known.origins


# --- joins ------------------------------------------------------------------------------------------------------------


def test_a_join_does_not_tie_two_unknown_words_together() -> None:
    """On one path both words get r0; on the other they are two unknowns, and may differ."""
    text = """
        movw r4, #0x1000
        movt r4, #0x2000
        cbz r1, n
        str r0, [r4]
        str r0, [r4, #4]
    n:  ldr r2, [r4]
        ldr r3, [r4, #4]
        movs r6, #0
        cmp r2, r3
        beq o
        movs r6, #1
    o:  bx lr
    """
    assert run_text(text).only_exit().known(6).values == {0, 1}


def test_a_join_keeps_what_is_equal_on_both_paths_equal() -> None:
    text = "cbz r1, n\nmov r2, r0\nmov r3, r0\nb j\nn: movs r2, #5\nmovs r3, #5\nj: subs r6, r2, r3\nbx lr"
    assert run_text(text).only_exit().known(6).only == 0


# --- calls and returns ------------------------------------------------------------------------------------------------


def codes(text: str, **options: object) -> set[str]:
    run = run_text(text, **options)  # type: ignore[arg-type]
    return run.codes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("bx r0", "computed-branch"),
        ("push {r0}\npop {pc}", "computed-branch"),
        ("push {lr}\nstr r0, [sp]\npop {pc}", "computed-branch"),
        ("push {lr}\nbl f\npop {pc}\nf: push {lr}\nmovs r0, #0\nmovt r0, #0x0800\nadds r0, #1\nstr r0, [sp]\npop {pc}",
         "return-address-changed"),
        ("push {lr}\nbl f\npop {pc}\nf: push {lr}\nbl f\npop {pc}", "recursion"),
        ("tbb [pc, r0]\n.byte 1, 2, 3, 4", "computed-branch"),
        ("adr r1, o\norr r1, r1, #1\nadd r1, r0\nbx r1\n.balign 4\no: bx lr", "computed-branch"),
        ("adr r1, o\nbx r1\n.balign 4\no: bx lr", "fault-possible"),
        ("adr r1, o\nblx r1\n.balign 4\no: bx lr", "fault-possible"),
        ("udf #0", "fault-possible"),
        ("svc #0\nbx lr", "fault-possible"),
        ("bkpt #0\nbx lr", "fault-possible"),
        ("cmp r0, #0\nbeq i\nit eq\ni: moveq r1, #1\nbx lr", "unpredictable"),
        ("it eq\n.inst.n 0xb100\nbx lr", "unpredictable"),
        ("itt eq\n.inst.n 0x4770\nmoveq r0, #1\nbx lr", "unpredictable"),
        ("nop", "code-not-in-image"),
        ("b .+0x1000", "code-not-in-image"),
        ("movw r1, #0x1000\nmovt r1, #0x2000\nldrt r0, [r1]\nbx lr", "unmodelled-instruction"),
        ("vmov.f32 s0, s1\nbx lr".replace("vmov.f32 s0, s1", ".inst.w 0xeeb00a60"), "unmodelled-instruction"),
        ("movw r1, #0x1002\nmovt r1, #0x2000\nldr r0, [r1]\nbx lr", "unpredictable"),
        ("movw r1, #0x1001\nmovt r1, #0x2000\nstrh r0, [r1]\nbx lr", "unpredictable"),
        ("ldr r1, [r0]\nbx lr", "unpredictable"),
        ("bic r0, r0, #3\nldr r1, [r0]\nbx lr", "unbounded-store"),
        ("bic r0, r0, #3\nstr r1, [r0]\nbx lr", "unbounded-store"),
        ("movs r1, #0\nldr r0, [r1]\nbx lr", "unlisted-address"),
        ("movs r1, #0\nmovt r1, #0x4300\nldr r0, [r1]\nbx lr", "unlisted-address"),
        ("movs r1, #0\nmovt r1, #0x2200\nstr r0, [r1]\nbx lr", "unlisted-address"),
        (INTO_R5 + "strb r0, [r5]\nbx lr", "narrow-device-store"),
        (INTO_R5 + "strh r0, [r5]\nbx lr", "narrow-device-store"),
        (INTO_R5 + "strd r0, r1, [r5]\nbx lr", "multiple-device-access"),
        (INTO_R5 + "ldm r5, {r0, r1}\nbx lr", "multiple-device-access"),
        (INTO_R5 + "stm r5, {r0, r1}\nbx lr", "multiple-device-access"),
        ("movw r5, #0xeda4\nmovt r5, #0xe000\nstr r0, [r5]\nbx lr", "mpu-alias"),
        ("movw r5, #0x3810\nmovt r5, #0x4002\nmovs r0, #1\nstr r0, [r5]\nbx lr", "peripheral-reset"),
        ("movw r5, #0x0000\nmovt r5, #0x0800\nstr r0, [r5]\nbx lr", "unlisted-address"),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_an_obstacle(text: str, code: str) -> None:
    assert codes(text) == {code}


def test_calls_are_followed_into_their_context() -> None:
    text = """
        push {r4, lr}
        movs r0, #1
        bl f
        movs r0, #2
        bl f
        pop {r4, pc}
    f:  movw r5, #0x0034
        movt r5, #0x4000
        str r0, [r5]
        bx lr
    """
    found = stores(run_text(text))
    assert [each.value.only for each in found] == [1, 2]
    assert [each.site.calls for each in found] == [(CODE + 4,), (CODE + 10,)]
    assert all(each.must and not each.in_loop for each in found)


def test_the_stack_is_measured() -> None:
    state = run_text("push {r4, r5, lr}\nsub sp, #64\nadd sp, #64\npop {r4, r5, pc}").only_exit()
    assert state.stack_low == 0x20018000 - 12 - 64


def test_must_means_on_every_path() -> None:
    run = run_text(INTO_R5 + "cbz r0, n\nstr r1, [r5]\nn: movs r2, #0\nstr r2, [r5, #4]\nbx lr")
    assert [(each.address.only, each.must) for each in stores(run)] == [(OUTPUT, False), (OUTPUT + 4, True)]


# --- devices ----------------------------------------------------------------------------------------------------------

ENABLE = "movw r4, #0x3840\nmovt r4, #0x4002\nmovs r2, #1\nstr r2, [r4]\n"
"""RCC.APB1ENR.TIM2EN."""


def test_a_write_without_a_clock_may_be_lost() -> None:
    state = run_text(INTO_R5 + "movs r1, #9\nstr r1, [r5]\nbx lr").only_exit()
    assert state.known(OUTPUT).values == {0, 9}
    state = run_text(ENABLE + INTO_R5 + "movs r1, #9\nstr r1, [r5]\nbx lr").only_exit()
    assert state.known(OUTPUT).only == 9


def test_a_read_trusts_only_bits_that_are_as_at_reset() -> None:
    """Hardware may lack the bits that were set: what is read back decides nothing."""
    text = ENABLE + INTO_R5 + "mov r1, #0x109\nstr r1, [r5]\nldr r0, [r5]\nbx lr"
    known = run_text(text).only_exit().known(0)
    assert known.zeros == 0xFFFFFEF6 and known.contains(0) and known.contains(0x109)
    assert run_text(ENABLE + INTO_R5 + "ldr r0, [r5]\nbx lr").only_exit().known(0).only == 0


def test_a_locked_port_may_keep_what_it_had() -> None:
    text = """
        movw r4, #0x3830
        movt r4, #0x4002
        movs r2, #1
        str r2, [r4]
        movw r5, #0
        movt r5, #0x4002
        mov r1, #-1
        str r1, [r5]
        str r1, [r5, #0x1c]
        movs r1, #0
        str r1, [r5]
        bx lr
    """
    known = run_text(text).only_exit().known(address_of("GPIOA.MODER"))
    assert known.values == {0, 0xFFFFFFFF}


def test_set_enable_sets_and_clear_enable_clears() -> None:
    base = "movw r5, #0xe100\nmovt r5, #0xe000\nmovs r0, #5\nstr r0, [r5]\n"
    assert run_text(base + "bx lr").only_exit().known(0xE000E100).only == 5
    cleared = base + "movs r0, #1\nstr r0, [r5, #0x80]\nbx lr"
    assert run_text(cleared).only_exit().known(0xE000E100).only == 4
    more = base + "mov r0, #0x100\nstr r0, [r5]\nbx lr"
    assert run_text(more).only_exit().known(0xE000E100).only == 0x105


def test_mpu_regions_are_written_through_their_number() -> None:
    text = """
        movw r5, #0xed98
        movt r5, #0xe000
        movs r0, #3
        str r0, [r5]
        movw r1, #0
        movt r1, #0x2000
        str r1, [r5, #4]
        movw r2, #0x1f
        str r2, [r5, #8]
        orr r3, r1, #0x15
        str r3, [r5, #4]
        str r2, [r5, #8]
        bx lr
    """
    state = run_text(text).only_exit()
    assert (state.known(0x106).only, state.known(0x107).only) == (0x20000000, 0x1F)
    assert (state.known(0x10A).only, state.known(0x10B).only) == (0x20000000, 0x1F)
    assert state.known(0x108).only is None
    assert state.known(0xE000ED98).only == 5


@pytest.mark.parametrize("number", ["mov r0, r1", "movs r0, #8"])
def test_an_mpu_region_that_is_not_known_is_refused(number: str) -> None:
    text = f"movw r5, #0xed98\nmovt r5, #0xe000\n{number}\nstr r0, [r5]\nmovs r2, #0\nstr r2, [r5, #8]\nbx lr"
    assert run_text(text).codes == {"mpu-region-unknown"}


@pytest.mark.parametrize(
    ("between", "barriers"),
    [
        ("dsb\nisb", {"mpu-data-synchronised", "mpu-synchronised", "control-synchronised", "stores-complete"}),
        ("isb\ndsb", {"mpu-data-synchronised", "control-synchronised", "stores-complete"}),
        ("isb", {"control-synchronised"}),
        ("dmb", set()),
        ("dsb\nisb\nstr r2, [r5]", {"control-synchronised"}),
    ],
)
def test_barriers_count_only_after_the_write(between: str, barriers: set[str]) -> None:
    text = f"movw r5, #0xed94\nmovt r5, #0xe000\nmovs r2, #0\nstr r2, [r5]\n{between}\nbx lr"
    assert run_text(text).only_exit().barriers == barriers


# --- the drop ---------------------------------------------------------------------------------------------------------

DROP = "movs r0, #3\nmsr control, r0\n"


def test_the_drop_needs_the_bit_and_the_barrier() -> None:
    run = run_text(DROP + "isb\nmovs r1, #0\nstr r1, [r2]\nb .", handler_mode=False)
    assert len(run.drops) == 1 and not run.obstacles and "control-synchronised" in run.drops[0].barriers
    run = run_text("movs r0, #2\nmsr control, r0\nisb\nb .", handler_mode=False)
    assert not run.drops


def test_code_between_the_bit_and_the_barrier_is_refused() -> None:
    text = DROP + "movw r5, #0x1000\nmovt r5, #0x2000\nstr r0, [r5]\nisb\nb ."
    assert run_text(text, handler_mode=False).codes == {"unpredictable"}


def test_a_bit_that_may_be_set_is_refused() -> None:
    text = "and r0, r0, #1\nmsr control, r0\nisb\nb ."
    assert run_text(text, handler_mode=False).codes == {"unpredictable"}


def test_a_jump_without_a_barrier_is_a_drop_that_says_so() -> None:
    run = run_text(DROP + "b .", handler_mode=False)
    assert len(run.drops) == 1 and "control-synchronised" not in run.drops[0].barriers


def test_a_loop_entered_in_its_middle_is_refused() -> None:
    """Its second way in, with another value of r4 and another count of rounds, is not followed."""
    run = run_text(
        "movs r4, #0\nmovs r3, #0\ncmp r0, #0\nbne b\na: adds r3, #1\nmovs r4, #5\n"
        "b: adds r3, #1\ncmp r3, #10\nblt a\nbx lr"
    )
    assert run.codes == {"irreducible-loop"}


@pytest.mark.parametrize("jump", ["b a\na: ", "b.w a\na: ", "beq a\na: ", "bne.w a\na: "])
def test_a_branch_to_the_next_instruction_goes_on_there(jump: str) -> None:
    """Once the path was lost there, without a word: only its other side remained."""
    text = f"movs r1, #1\ncmp r0, #0\nbeq b\n{jump}movs r1, #7\nb: bx lr"
    assert run_text(text).only_exit().known(1).values == {1, 7}
