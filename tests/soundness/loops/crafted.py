"""Programs written for one weakness each: what a random program seldom happens to do, done on purpose.

Most leave at the top of the loop and do something at its bottom in one late iteration only, long after the engine has
guessed what the loop does: nothing but the check of the guess can notice.
"""

# ruff: noqa: E501 (a table: one line, one case)

from __future__ import annotations

from pinproof.machine import ranges
from pinproof.machine.ranges import Range
from pinproof.machine.result import Origin

from tests.soundness.loops.programs import BARRIERS, Program
from tests.soundness.loops.statements import ARENA, ARENA_END, CELLS, PORTS, TIMER

_BASES = (("r12", CELLS), ("r11", TIMER), ("r10", PORTS))
ONES = 0xFFFFFFFF


def _some(low: int, high: int, origin: Origin = Origin.CONFINED) -> Range:
    known = ranges.between(low, high, 0, 0, frozenset((origin,)))
    assert known is not None
    return known


_FEW = _some(4, 5)
_ANY = ranges.anything(frozenset((Origin.CONFINED,)))
_FOUND = ranges.anything(frozenset((Origin.RESET,)))


def _late(event: str, top: str = "str r1, [r11, #0x34]", before: str = "", after: str = "") -> str:
    """Forty iterations, left at the top; `event` happens at the bottom of the thirtieth."""
    return f"""
        {before}
        mov r6, #0
    h:
        cmp r6, #40
        beq o
        {top}
        add r6, r6, #1
        cmp r6, #30
        bne l
        {event}
    l:
        cmp r12, #0
        b h
    o:
        {after}
        bx lr
    """


def _program(text: str, memory: int | Range = 0, **registers: Range | int) -> Program:
    known = [registers.get(f"r{number}", 0) for number in range(13)]
    set_up = []
    for register, value in _BASES:
        set_up += [f"movw {register}, #{value & 0xFFFF:#x}", f"movt {register}, #{value >> 16:#x}"]
    content = ranges.exactly(memory) if isinstance(memory, int) else memory
    lines = [line.strip() for line in text.replace(";", "\n").splitlines() if line.strip()]
    return Program(
        lines=(*set_up, *lines),
        registers=tuple(known),
        barriers=frozenset(BARRIERS),
        memory=((ARENA, ARENA_END, content),),
        loops=1,
    )


_MPU = "movw r9, #0xed94; movt r9, #0xe000"
_UNKNOWN_INDEX, _UNKNOWN_WORD = "and r2, r0, #0x1c", "str r3, [r12, r2]"
_WALK = "mov r9, r12"


def _fill(store: str, count: int = 40, after: str = "", top: str = "", bottom: str = "") -> str:
    """A block written word by word by `store`, whose pointer is r9; left at the top."""
    return f"""
        mov r5, #0; mov r9, r12; mov r6, #{count}
    h:
        subs r6, r6, #1
        beq o
        {top}
        {store}
        {bottom}
        b h
    o:
        {after}
        bx lr
    """


CRAFTED: dict[str, Program] = {
    # What changes late.
    "register": _program(_late("mov r1, #7")),
    "word": _program(_late("mov r1, #7; str r1, [r12, #0x40]", "ldr r2, [r12, #0x40]; str r2, [r11, #0x34]")),
    "word-written-first": _program(_late("mov r1, #7; str r1, [r12, #0x40]", after="ldr r2, [r12, #0x40]")),
    "device": _program(_late("str r3, [r10]", after="ldr r2, [r10]"), r3=9),
    "region": _program(_late(f"{_MPU}; str r3, [r9, #4]; str r12, [r9, #12]"), r3=2),
    "barrier": _program(_late("str r3, [r9, #4]", before=f"{_MPU}; str r3, [r9, #4]; dsb; isb"), r3=2),
    "store-barrier": _program(_late("str r3, [r12]", "nop", "str r3, [r12]; dsb; isb"), r3=2),
    "stack": _program(_late("push {r0, r1, r2, r3}; add sp, sp, #16")),
    "way-out": _program(_late("cmp r0, #5; beq o"), r0=_FEW),
    "way-out-unmarked": _program(_late("cmp r0, #5; beq o; cmp r6, #0"), r0=_FEW),
    "count": _program(_late("cmp r0, #5; it eq; addeq r6, r6, #2", after="str r6, [r11, #0x34]"), r0=_FEW),
    "unknown-word": _program(_late(_UNKNOWN_WORD, before=_UNKNOWN_INDEX, after="ldr r2, [r12, #8]; ldr r4, [r12, #0x1c]"), r0=_ANY, r3=7),
    "unknown-byte": _program(
        _late("and r1, r0, #0x1f; strb r3, [r12, r1]", after="ldr r2, [r12, #8]; ldr r4, [r12, #0x1c]"), r0=_ANY, r3=7
    ),
    "equal-until-then": _program(
        _late("mov r2, r3", "sub r4, r1, r2; str r4, [r11, #0x34]", "mov r2, r1"), r1=_ANY, r3=_ANY
    ),
    "equal-words-until-then": _program(
        _late("str r3, [r12, #4]", "ldr r4, [r12]; ldr r5, [r12, #4]; sub r4, r4, r5; str r4, [r11, #0x34]",
              "str r1, [r12]; str r1, [r12, #4]"), r1=_ANY, r3=_ANY,
    ),
    "wiped": _program(
        _late("mov r9, r12; mov r8, #40; i:; str r5, [r9], #4; subs r8, r8, #1; bne i", "ldr r1, [r12, #0x80]; str r1, [r11, #0x34]"),
        memory=ONES,
    ),
    "flags": _program(
        """
        mov r6, #40
    h:
        cbz r6, o
        ite eq; moveq r1, #1; movne r1, #2
        str r1, [r11, #0x34]
        sub r6, r6, #1
        cmp r6, #10
        bne h
        cmp r0, #5
        b h
    o:
        bx lr
        """, r0=_FEW,
    ),
    "flags-told": _program(
        """
        mov r6, #40
    h:
        cbz r6, o
        ite eq; streq r2, [r10, #0x18]; strne r12, [r10, #0x18]
        sub r6, r6, #1
        cmp r6, #10
        bne h
        cmp r0, #5
        b h
    o:
        bx lr
        """, r0=_FEW,
    ),
    "rewritten-until-then": _program(
        """
        mov r6, #0; mov r5, #0
    h:
        cmp r6, #40
        beq o
        ldr r1, [r12, #0x80]; str r1, [r11, #0x34]
        mov r9, r12; mov r8, #40
    i:
        str r5, [r9], #4; subs r8, r8, #1
        bne i
        mov r8, #0; mov r9, #0
        add r6, r6, #1
        cmp r6, #21
        it cc; strcc r3, [r12, #0x80]
        b h
    o:
        bx lr
        """, r3=7,
    ),
    "certain-from-then-on": _program(
        """
        mov r6, #0
    h:
        cmp r6, #20
        blt n
        ldr r1, [r10, #0x810]
        cmp r1, #4
        beq o
        str r2, [r11, #0x34]
    n:
        add r6, r6, #1
        cmp r6, #40
        bne h
    o:
        bx lr
        """
    ),
    "steady-until-then": _program(_late("nop", "cmp r6, #20; it cc; addcc r1, r1, #4; str r1, [r11, #0x34]")),
    "chain": _program(
        _late("ldr r0, [r10, #0x810]", "str r5, [r11, #0x34]; mov r5, r4; mov r4, r3; mov r3, r2; mov r2, r1; mov r1, r0")
    ),
    "taint-chain": _program(
        _late("mov r1, r0", "str r5, [r11, #0x34]; mov r5, r4; mov r4, r3; mov r3, r2; mov r2, r1"), r0=_FEW,
    ),
    # What ended it.
    "told-register": _program("h:; add r1, r1, #1; add r2, r2, r2; add r2, r2, #1; cmp r1, r0; bne h; bx lr", r0=_some(30, 60)),
    "told-memory": _program(f"{_WALK}; h:; str r3, [r9], #4; add r1, r1, #1; cmp r1, r0; bne h; bx lr", r0=_some(30, 60), r3=6),
    "told-flags": _program(
        "h:; add r1, r1, #1; cmp r1, #40; sub r0, r0, #1; cbz r0, o; b h; o:; it cc; movcc r2, #1; bx lr", r0=_some(30, 60)
    ),
    "told-toggle": _program("h:; eor r2, r2, #6; add r1, r1, #1; cmp r1, r0; bne h; bx lr", r0=_some(30, 60)),
    "endless": _program("cmp r0, #4; beq e; bx lr; e:; b e", r0=_FEW),
    "endless-late": _program(_late("cmp r0, #4; e:; beq e"), r0=_FEW),
    # Fills and what only looks like one.
    "fill": _program(_fill("str r5, [r9], #4"), memory=ONES),
    "fill-down": _program(_fill("str r5, [r9, #-4]!"), memory=ONES),
    "fill-bytes": _program(_fill("strb r5, [r9], #1", count=78), memory=ONES),
    "fill-halves": _program(_fill("strh r5, [r9], #2", count=46), memory=ONES),
    "fill-gap": _program(_fill("str r5, [r9]; str r5, [r9, #8]; add r9, r9, #12", count=30), memory=ONES),
    "fill-stride": _program(_fill("str r5, [r9], #8"), memory=ONES),
    "fill-skips": _program(_fill("cmp r6, r0; beq k; str r5, [r9]; k:; add r9, r9, #4"), memory=ONES, r0=_some(0, 60)),
    "fill-disturbed": _program(_fill("str r5, [r9], #4", bottom="str r3, [r12, #0x60]"), memory=ONES, r3=7),
    "fill-disturbed-first": _program(_fill("str r5, [r9], #4", bottom="str r3, [r12, #0x50]"), memory=ONES, r3=7),
    "fill-disturbed-byte": _program(_fill("str r5, [r9], #4", bottom="strb r3, [r12, #0x53]"), memory=ONES, r3=7),
    "fill-disturbed-last": _program(_fill("str r5, [r9], #4", bottom="str r3, [r12, #0x98]"), memory=ONES, r3=7),
    "fill-ahead": _program(_fill("str r5, [r9]; str r3, [r9, #4]; add r9, r9, #4"), memory=ONES, r3=7),
    "fill-two-words": _program(_fill("str r5, [r9]; str r3, [r9, #4]; add r9, r9, #8", count=30), memory=ONES, r3=7),
    "fill-elsewhere": _program(_fill("ldr r3, [r10, #0x810]; and r3, r3, #0x7c; str r5, [r12, r3]"), memory=ONES),
    "fill-late": _program(_fill("cmp r6, #9; it ne; strne r5, [r9]; add r9, r9, #4"), memory=ONES),
    "fill-left-by-device": _program(
        _fill("str r5, [r9], #4", top="ldr r3, [r10, #0x810]; cmp r3, #4; beq o"), memory=ONES
    ),
    "fill-at-once": _program(
        "mov r6, #3; mov r5, #0; mov r9, r12; h:; subs r6, r6, #1; beq o; ldr r3, [r10, #0x810]; cmp r3, #4; beq o;"
        "str r5, [r9], #4; b h; o:; bx lr", memory=ONES,
    ),
    "fill-inside": _program(
        """
        mov r6, #22
    u:
        mov r9, r12; mov r5, #0; mov r4, #28
    h:
        subs r4, r4, #1
        beq n
        str r5, [r9], #4
        b h
    n:
        subs r6, r6, #1
        bne u
        bx lr
        """, memory=ONES,
    ),
    # The MPU's registers read back what was stored, of whichever region.
    "region-base-read": _program(
        f"{_MPU}; str r3, [r9, #4]; lsl r1, r0, #5; str r1, [r9, #8]; ldr r2, [r9, #8]; str r2, [r11, #0x34]; bx lr", r0=_ANY, r3=2
    ),
    "region-read": _program(f"{_MPU}; str r3, [r9, #4]; str r0, [r9, #12]; ldr r2, [r9, #12]; str r2, [r11, #0x34]; bx lr", r0=_ANY, r3=2),
    # Paths that meet.
    "met-barrier": _program(f"cmp r0, #5; bne n; {_MPU}; str r3, [r9, #4]; n:; bx lr", r0=_FEW),
    "met-stack": _program("cmp r0, #5; bne n; push {r1, r2}; pop {r1, r2}; n:; bx lr", r0=_FEW),
    "met-stack-other": _program("cmp r0, #5; beq n; push {r1, r2}; pop {r1, r2}; n:; bx lr", r0=_FEW),
    "met-memory": _program("cmp r0, #5; bne n; and r1, r2, #0x1c; str r3, [r12, r1]; n:; bx lr", r0=_FEW, r2=_FOUND, r3=7),
    "met-unnamed": _program(
        "cmp r0, #5; bne n; str r1, [r12, #8]; str r1, [r12, #12]; n:; ldr r2, [r12, #8]; ldr r3, [r12, #12];"
        "sub r4, r2, r3; bx lr", memory=_FOUND, r0=_FEW, r1=_FOUND,
    ),
    "met-flags": _program("cmp r1, #1; cmp r0, #5; bne n; cmp r1, #0; n:; it cs; movcs r2, #1; bx lr", r0=_FEW, r1=_FOUND),
    "met-conditions": _program(
        """
        mov r6, #40
    h:
        str r6, [r11, #0x34]
        cmp r1, #3
        bne n
        cmp r0, #5
        beq o
    n:
        subs r6, r6, #1
        bne h
    o:
        bx lr
        """, r0=_FEW, r1=_some(0, 10, Origin.RESET),
    ),
    # Memory that is not named.
    "read-anywhere": _program("str r3, [r12, #0x1c]; and r1, r0, #0x1c; ldr r2, [r12, r1]; str r2, [r11, #0x34]; bx lr", r0=_ANY, r3=7),
    "write-anywhere": _program("str r3, [r12, #0x1c]; and r1, r0, #0x1c; mov r4, #9; str r4, [r12, r1]; bx lr", r0=_ANY, r3=7),
    "write-half": _program("mov r4, #7; str r4, [r12, #0x1c]; and r1, r0, #0x1e; strh r3, [r12, r1]; bx lr", memory=7, r0=_ANY, r3=7),
    "write-byte": _program("mov r4, #7; str r4, [r12, #0x1c]; and r1, r0, #0x1f; strb r3, [r12, r1]; bx lr", memory=7, r0=_ANY, r3=7),
}  # fmt: skip
