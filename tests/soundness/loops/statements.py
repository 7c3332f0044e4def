"""What the bodies of random loops are made of: straight code, memory, devices, branches that rejoin.

Registers: r0 to r5 hold data, r6 to r8 count the loops at each depth, r9 walks, r10 to r12 hold the bases below.
"""

from __future__ import annotations

import random
from itertools import pairwise

from tests.soundness.loops.assembling import CONDITIONS

ARENA, ARENA_END = 0x20000000, 0x20000400
CELLS = 0x20000100
"""r12: sixteen words that every statement uses, with the places that pointers walk over around them."""
PORTS = 0x40020000
"""r10: GPIOA.MODER; GPIOA.ODR and GPIOC.IDR lie behind it."""
TIMER = 0x40000000
"""r11: TIM2."""
ODR, INPUT, CCR = 0x14, 0x810, 0x34
"""Offsets from the two bases above."""
MPU = 0xE000ED94
INTERRUPTS = 0xE000E100
COUNTS = (0, 1, 2, 3, 4, 5, 7, 8, 12, 19, 20, 21, 22, 23, 25, 33, 40, 100)
BYTES = (0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 64, 127, 128, 255)
DATA = ("r0", "r1", "r2", "r3", "r4", "r5")


class Statements:
    """Writes statements; `Writer` adds loops and the program around them."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.lines: list[str] = []
        self.labels = 0
        self.size = 0
        self.loops = 0
        self.leaves: list[str] = []
        self.most = source.choice((25, 40, 60, 90))
        """Instructions from which on no statement begins."""
        self.devices = source.randrange(3) > 0
        self.memory = source.randrange(4) > 0
        self.counting: list[tuple[str, int]] = []
        """Counter and likely last value of the loops around, the innermost last."""

    # --- text -------------------------------------------------------------------------------------------------------

    def say(self, *lines: str) -> None:
        self.lines += lines
        self.size += len(lines)

    def label(self) -> str:
        self.labels += 1
        return f"L{self.labels}"

    def mark(self, label: str) -> None:
        self.lines.append(f"{label}:")

    def constant(self, register: str, value: int) -> None:
        self.say(f"movw {register}, #{value & 0xFFFF:#x}")
        if value >> 16:
            self.say(f"movt {register}, #{value >> 16:#x}")

    def reg(self) -> str:
        return self.source.choice(DATA)

    def byte(self) -> int:
        return self.source.choice(BYTES)

    def cell(self) -> str:
        return f"[r12, #{4 * self.source.randrange(8)}]"

    def condition(self) -> str:
        return self.source.choice(CONDITIONS)

    # --- straight code ----------------------------------------------------------------------------------------------

    def simple(self, depth: int) -> None:
        for _ in range(self.source.randrange(1, 4)):
            self.say(self.operation())

    def operation(self, suffix: str = "") -> str:
        a, b, c = (self.reg() for _ in range(3))
        flags = "" if suffix else self.source.choice(("", "", "s"))
        kind = self.source.randrange(16)
        if kind < 4:
            return (
                f"{self.source.choice(('add', 'sub'))}{flags}{suffix} {a}, {self.source.choice((a, b))}, #{self.byte()}"
            )
        if kind < 6:
            return f"{self.source.choice(('add', 'sub', 'eor', 'and', 'orr', 'bic'))}{flags}{suffix} {a}, {b}, {c}"
        if kind < 8:
            return f"mov{suffix} {a}, #{self.byte()}"
        if kind < 10:
            return f"mov{suffix} {a}, {self.source.choice((b, b, 'r6', 'r7', 'r9'))}"
        if kind == 10:
            return f"{self.source.choice(('and', 'eor', 'orr', 'bic', 'rsb'))}{flags}{suffix} {a}, {b}, #{self.byte()}"
        if kind == 11:
            count = self.source.choice((1, 2, 4, 8, 16, 31))
            return f"{self.source.choice(('lsl', 'lsr', 'asr', 'ror'))}{flags}{suffix} {a}, {b}, #{count}"
        if kind == 12:
            return f"{self.source.choice(('adc', 'sbc'))}{flags}{suffix} {a}, {b}, {c}"
        if kind == 13:
            return f"{self.source.choice(('uxtb', 'uxth', 'sxtb', 'mvn', 'clz'))}{suffix} {a}, {b}"
        if kind == 14:
            return f"{self.source.choice(('mul', 'udiv', 'add'))}{suffix} {a}, {b}, {c}"
        return f"add{flags}{suffix} {a}, {a}, {self.source.choice((b, a, 'r6', 'r7'))}"

    def compare(self, counter: str | None = None) -> None:
        a, b = self.reg(), self.reg()
        if counter is not None and self.source.randrange(2):
            a = counter
        self.say(
            self.source.choice(
                (f"cmp {a}, #{self.byte()}", f"cmp {a}, {b}", f"tst {a}, #{self.byte()}", f"cmn {a}, #{self.byte()}",
                 f"cmp {a}, #{self.source.choice(COUNTS)}", f"ands {b}, {a}, #{self.byte()}", f"adds {b}, {a}, {b}")
            )
        )  # fmt: skip

    def choice(self, depth: int) -> None:
        other, end = self.label(), self.label()
        self.compare(f"r{6 + max(0, depth - 1)}")
        self.say(f"b{self.condition()} {other}")
        self.arm(depth)
        if self.source.randrange(2):
            self.say(f"b {end}")
            self.mark(other)
            self.arm(depth)
            self.mark(end)
        else:
            self.mark(other)

    def arm(self, depth: int) -> None:
        kinds = [self.simple, self.simple, self.probe, self.chain]
        if self.memory:
            kinds += [self.cells, self.walk]
        if self.devices:
            kinds += [self.device, self.barrier]
        self.source.choice(kinds)(depth)
        if self.source.randrange(12) == 0:
            self.say(f"{self.source.choice(('add', 'sub'))} r{6 + self.source.randrange(3)}, r6, #1")

    def predicated(self, depth: int) -> None:
        source = self.source
        self.compare(f"r{6 + max(0, depth - 1)}")
        condition = self.condition()
        opposite = CONDITIONS[CONDITIONS.index(condition) ^ 1]
        pattern = "".join(source.choice("te") for _ in range(source.randrange(3)))
        self.say(f"it{pattern} {condition}")
        for letter in "t" + pattern:
            x = condition if letter == "t" else opposite
            kind = source.randrange(12)
            if kind == 0 and self.devices:
                self.say(f"str{x} {self.reg()}, [r11, #{CCR}]")
            elif kind == 1 and self.memory:
                self.say(f"str{x} {self.reg()}, {self.cell()}")
            elif kind == 2:
                counter = f"r{6 + source.randrange(2)}"
                self.say(f"{source.choice(('add', 'sub'))}{x} {counter}, {counter}, #1")
            elif kind == 3:
                self.say(f"cmp{x} {self.reg()}, #{self.byte()}")
            else:
                self.say(self.operation(x))

    def chain(self, depth: int) -> None:
        """Each iteration moves values one place on."""
        source = self.source
        if self.memory and source.randrange(2):
            length = source.randrange(2, 5)
            for index in range(length, 0, -1):
                self.say(f"ldr r5, [r12, #{4 * (index - 1)}]", f"str r5, [r12, #{4 * index}]")
            return
        order = source.sample(DATA, source.randrange(2, 5))
        for to, of in pairwise(order):
            self.say(f"mov {to}, {of}")

    def toggle(self, depth: int) -> None:
        a, b, c = self.source.sample(DATA, 3)
        self.say(
            *self.source.choice(
                (
                    (f"eor {a}, {a}, #1",),
                    (f"rsb {a}, {a}, #{self.byte()}",),
                    (f"mov {a}, {b}", f"mov {b}, {c}", f"mov {c}, {a}"),
                    (f"add {a}, {a}, {a}", f"add {a}, {a}, #1"),
                    (f"add {a}, {a}, #1", f"and {a}, {a}, #3"),
                    (f"add {a}, {a}, {b}",),
                    (f"add {a}, {a}, #1", f"uxtb {a}, {a}"),
                )
            )
        )

    def stale(self, depth: int) -> None:
        """A branch on flags that something earlier left, perhaps in the iteration before."""
        after = self.label()
        self.say(f"b{self.condition()} {after}")
        self.say(f"mov {self.reg()}, #{self.byte()}")
        self.mark(after)

    def late(self, depth: int) -> None:
        """Something that happens in one iteration only, often one of the last."""
        source = self.source
        counter, count = source.choice(self.counting)
        number = source.choice(
            (max(0, count - source.randrange(4)), source.randrange(20, 26), source.randrange(count + 1))
        )
        self.say(f"cmp {counter}, #{number}")
        if source.randrange(3) == 0:
            a, b = self.reg(), self.reg()
            self.say("it eq")
            self.say(source.choice((f"moveq {a}, #{self.byte()}", f"moveq {a}, {b}", f"streq {a}, {self.cell()}",
                                    f"streq {a}, [r12, #{0x40 + 4 * source.randrange(8)}]", f"streq {a}, [r10]",
                                    f"addeq {a}, {a}, {b}", f"ldreq {a}, {self.cell()}")))  # fmt: skip
            return
        after = self.label()
        self.say(f"b{source.choice(('ne', 'ne', 'cc', 'lt'))} {after}")
        self.event(depth)
        self.mark(after)

    def event(self, depth: int) -> None:
        source = self.source
        kinds = [self.simple, self.toggle, self.probe, self.barrier, self.device, self.poll_once]
        if self.memory:
            kinds += [self.cells, self.walk, self.indexed, self.stack, self.elsewhere, self.elsewhere]
        if self.leaves:
            kinds.append(self.call)
        source.choice(kinds)(depth)

    def elsewhere(self, depth: int) -> None:
        """A word that nothing else names."""
        offset = 0x40 + 4 * self.source.randrange(16)
        kind = self.source.choice(("str", "str", "str", "ldr", "strb", "strh"))
        self.say(f"{kind} {self.reg()}, [r12, #{offset}]")

    # --- memory -----------------------------------------------------------------------------------------------------

    def cells(self, depth: int) -> None:
        source = self.source
        kind = source.randrange(6)
        if kind < 2:
            self.say(f"str {self.reg()}, {self.cell()}")
        elif kind < 4:
            self.say(f"ldr {self.reg()}, {self.cell()}")
        elif kind == 4:
            register, cell = self.reg(), self.cell()
            change = source.choice((f"add {register}, {register}, #{self.byte()}", f"eor {register}, {register}, #1"))
            self.say(f"ldr {register}, {cell}", change, f"str {register}, {cell}")
        else:
            half = 2 * source.randrange(16)
            self.say(
                source.choice(
                    (f"strb {self.reg()}, [r12, #{source.randrange(32)}]", f"strh {self.reg()}, [r12, #{half}]",
                     f"ldrb {self.reg()}, [r12, #{source.randrange(32)}]", f"ldrsh {self.reg()}, [r12, #{half}]")
                )
            )  # fmt: skip

    def indexed(self, depth: int) -> None:
        """A word chosen by data: it may be any of a few, a counter's among them."""
        a, b = self.reg(), self.reg()
        index = self.source.choice((a, "r6", "r7"))
        mask = self.source.choice((0x4, 0xC, 0x1C, 0x3C))
        if self.source.randrange(2):
            self.say(f"and {a}, {index}, #{mask}", f"{self.source.choice(('str', 'ldr'))} {b}, [r12, {a}]")
        else:
            self.say(f"and {a}, {index}, #{mask >> 2}", f"{self.source.choice(('str', 'ldr'))} {b}, [r12, {a}, lsl #2]")

    def walk(self, depth: int) -> None:
        source = self.source
        step = source.choice((4, 4, 4, 8, -4, -8, 12))
        a, b = sorted(source.sample(DATA, 2))
        self.say(
            source.choice(
                (
                    f"str {a}, [r9], #{step}", f"str {a}, [r9, #{step}]!", f"ldr {a}, [r9], #{step}",
                    f"str {a}, [r9]", f"str {a}, [r9, #4]", f"str {a}, [r9, #-8]", f"ldr {a}, [r9, #4]",
                    f"stmia r9!, {{{a}, {b}}}", f"stmdb r9!, {{{a}, {b}}}", f"strd {a}, {b}, [r9], #8",
                    f"strd {a}, {b}, [r9, #8]", f"strh {a}, [r9], #2", f"strb {a}, [r9], #1", f"strh {a}, [r9, #2]",
                    f"ldmia r9!, {{{a}, {b}}}", "mov r9, r12", f"add r9, r12, #{4 * source.randrange(8)}",
                    f"str r9, {self.cell()}", f"ldrb {a}, [r9], #1",
                )
            )
        )  # fmt: skip

    def stack(self, depth: int) -> None:
        source = self.source
        kind = source.randrange(5)
        if kind == 0:
            self.say("push {r0, r1}", f"ldr {self.reg()}, [sp, #{source.choice((0, 4, 8))}]", "add sp, sp, #8")
        elif kind == 1:
            self.say(f"str {self.reg()}, [sp, #{source.choice((0, 4, 8))}]")
        elif kind == 2:
            self.say(f"ldr {self.reg()}, [sp, #{source.choice((0, 4, 8))}]")
        elif kind == 3:
            self.say("push {r1, r2}", "pop {r0, r3}")
        else:
            self.say(f"str {self.reg()}, [sp, #-8]")

    def fill(self, depth: int) -> None:
        """A block written whole, or nearly: what a wipe looks like, and what only looks like one."""
        source = self.source
        self.loops += 1
        step = source.choice((4, 4, 4, 8, -4, -8, 1, 2, 12))
        count = source.choice((1, 3, 21, 22, 25, 30))
        counter = f"r{6 + min(depth, 2)}"
        head, end = self.label(), self.label()
        start = source.choice((CELLS, CELLS - 0x40, CELLS + 0x40, ARENA + 4)) + (0x100 if step < 0 else 0)
        self.constant("r9", start)
        self.say(f"mov {counter}, #{count}")
        self.say(source.choice(("mov r5, #0", "mov r5, #0", "mov r5, #255", "mov r5, #1", f"mov r5, {self.reg()}")))
        self.counting.append((counter, count))
        self.mark(head)
        out = source.randrange(5)
        if out == 0:
            self.leave_early(counter, end)
        for index in range(source.choice((1, 1, 1, 2, 3))):
            self.one_store(step, counter)
            if out == index + 1:
                self.leave_early(counter, end)
        if source.randrange(5) == 0:
            source.choice((self.cells, self.simple, self.indexed, self.late))(depth)
        self.say(f"add r9, r9, #{step}" if step > 0 else f"sub r9, r9, #{-step}")
        self.say(f"subs {counter}, {counter}, #1", f"bne {head}")
        self.mark(end)
        self.counting.pop()

    def one_store(self, step: int, counter: str) -> None:
        source = self.source
        after = self.label()
        if source.randrange(8) == 0:
            self.say(source.choice((f"cmp r0, #{self.byte()}", f"cmp {counter}, #{self.byte()}", "tst r1, #1")))
            self.say(f"b{source.choice(('eq', 'ne'))} {after}")
        if step in (1, 2):
            kind = "strb" if step == 1 else "strh"
            self.say(f"{kind} r5, [r9, #{source.choice((0, 0, step))}]")
        else:
            value = source.choice(("r5", "r5", "r5", "r5", "r4", "r9"))
            kind, offset = source.choice(
                (("str", 0), ("str", 0), ("str", 4), ("str", -4), ("str", 8), ("strh", 0), ("strb", 3))
            )
            self.say(f"{kind} {value}, [r9, #{offset}]")
        self.mark(after)

    def leave_early(self, counter: str, end: str) -> None:
        if self.source.randrange(2):
            if self.source.randrange(3) == 0:
                self.say(f"ldr r3, [r10, #{INPUT:#x}]")
            self.say(self.source.choice((f"cmp r0, #{self.byte()}", f"cmp r3, #{self.byte()}")))
            self.say(f"b{self.source.choice(('eq', 'hi', 'mi'))} {end}")
        else:
            self.say(f"cmp {counter}, #{self.source.choice((1, 2, 3, 5, 9, 20))}", f"beq {end}")

    # --- devices ----------------------------------------------------------------------------------------------------

    def probe(self, depth: int) -> None:
        value = self.source.choice((*DATA, "r6", "r7", "r9"))
        self.say(self.source.choice((f"str {value}, [r11, #{CCR}]", f"str {value}, [r10, #{ODR}]")))

    def device(self, depth: int) -> None:
        """A device register changed by what it held; the MPU's region number; interrupts enabled one by one."""
        source = self.source
        kind = source.randrange(5)
        register = self.reg()
        if kind < 2:
            place = source.choice((f"[r11, #{CCR}]", f"[r10, #{ODR}]", "[r10]"))
            change = source.choice(
                (f"add {register}, {register}, #1", f"eor {register}, {register}, #2",
                 f"orr {register}, {register}, #8", f"lsl {register}, {register}, #1")
            )  # fmt: skip
            self.say(f"ldr {register}, {place}", change, f"str {register}, {place}")
        elif kind == 2:
            self.constant("r9", MPU)
            number = source.choice((f"#{source.randrange(8)}", "r6", "r7", self.reg()))
            if not number.startswith("#") and source.randrange(2):
                self.say(f"and {register}, {number}, #3")
            else:
                self.say(f"mov {register}, {number}")
            self.say(f"str {register}, [r9, #4]")
            if source.randrange(4) == 0:
                self.say(f"ldr {self.reg()}, [r9, #{source.choice((8, 12))}]")
            for offset in source.sample((8, 12), source.choice((1, 2))):
                value = source.choice(("r10", "r11", "r12", self.reg(), self.reg()))
                if value in DATA:
                    self.say(f"bic {value}, {value}, #31")
                self.say(f"str {value}, [r9, #{offset}]")
            self.constant("r9", CELLS)
        elif kind == 3:
            self.constant("r9", INTERRUPTS)
            self.say(f"str {register}, [r9, #{source.choice((0, 0, 0x80))}]", f"ldr {self.reg()}, [r9]")
            self.constant("r9", CELLS)
        else:
            self.say(f"str {register}, [r10]")

    def poll_once(self, depth: int) -> None:
        register = self.reg()
        self.say(f"ldr {register}, [r10, #{INPUT:#x}]")
        if self.source.randrange(2):
            self.say(f"and {register}, {register}, #{self.byte()}")

    def barrier(self, depth: int) -> None:
        self.say(*self.source.choice((("dsb",), ("isb",), ("dsb", "isb"))))

    def call(self, depth: int) -> None:
        self.say(f"bl {self.source.choice(self.leaves)}")
